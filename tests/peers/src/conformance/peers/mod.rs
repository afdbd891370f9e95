//! The libraries on trial, a file for each. Those that are not here are in a package of their own.

mod allframe;
mod arcly;
mod circuitbreaker_rs;
mod failsafe;
mod recloser;
pub(crate) mod runtime;
mod seatbelt;
mod tower_resilience;

use crate::adapter::Library;

pub(crate) const ALL: [&dyn Library; 8] = [
    &runtime::Runtime,
    &failsafe::Failsafe,
    &recloser::Recloser,
    &tower_resilience::TowerResilience,
    &circuitbreaker_rs::CircuitBreakerRs,
    &seatbelt::Seatbelt,
    &allframe::Allframe,
    &arcly::Arcly,
];

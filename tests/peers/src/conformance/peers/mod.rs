//! The libraries on trial, one file each. ninelives and ours in virtual time are in packages of
//! their own.

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

//! The libraries on trial, a file for each.

mod arcly;
mod attribute;
mod circuitbreaker_rs;
mod failsafe;
mod recloser;
mod runtime;
mod seatbelt;
mod tower_resilience;

use crate::adapter::{Library, Time};

/// Ours, but for the one on the system's clock.
pub(crate) const OURS: [&dyn Library; 2] =
    [&runtime::Runtime(Time::Virtual), &attribute::Attribute];

/// The others, but for one that goes with no other tokio than its own.
pub(crate) const PEERS: [&dyn Library; 6] = [
    &failsafe::Failsafe,
    &recloser::Recloser,
    &tower_resilience::TowerResilience,
    &circuitbreaker_rs::CircuitBreakerRs,
    &seatbelt::Seatbelt,
    &arcly::Arcly,
];

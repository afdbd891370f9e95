//! Models: `loom` checks every interleaving of small programs, `shuttle` random ones of longer
//! programs.

#[cfg(circuit_shuttle)]
#[path = "../../../tests/histories/changes.rs"]
mod changes;
#[cfg(circuit_shuttle)]
mod linearization;
#[cfg(circuit_loom)]
mod loom;
#[cfg(circuit_shuttle)]
#[expect(dead_code, reason = "the histories use more of it")]
#[path = "../../../tests/histories/reference.rs"]
mod reference;
#[cfg(circuit_shuttle)]
mod shuttle;

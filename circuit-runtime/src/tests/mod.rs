//! Model checking: `loom` explores every interleaving of small programs, `shuttle` samples longer ones.

#[cfg(circuit_shuttle)]
mod linearization;
#[cfg(circuit_loom)]
mod loom;
#[cfg(circuit_shuttle)]
#[path = "../../../tests/histories/plain.rs"]
mod plain;
#[cfg(circuit_shuttle)]
mod shuttle;

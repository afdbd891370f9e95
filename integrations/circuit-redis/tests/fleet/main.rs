//! Fleets of real processes, against a real `redis-server`.
//!
//! The processes are this binary, executed again: see `child`. Tests that take more than a few
//! seconds run where `CIRCUIT_FLEET_LONG=1` is set, as `.ci/run` does.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test that cannot go on fails"
)]

mod agreement;
mod child;
#[cfg(any(feature = "cluster", feature = "sentinel"))]
mod deployments;
mod failures;
mod orders;
mod process;
mod proxy;
#[path = "../support/server.rs"]
mod server;

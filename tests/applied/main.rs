//! Overrides that are applied to running breakers: rules, holds, and what is reported of them.
//!
//! In a program of its own, as overrides are in force in the whole process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot continue fails"
)]

mod concurrent;
mod first_calls;
mod holds;
mod left_out;
mod refused;
mod rules;
mod support;

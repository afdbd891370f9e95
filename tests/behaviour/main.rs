//! What the circuit breaker promises, by topic. Time is virtual: nothing here waits.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod attribute;
mod cancellation;
mod closed;
mod config;
mod drops;
mod fallback;
mod half_open;
mod keyed;
mod late_results;
mod open;
mod operators;
mod own_breaker;
mod panics;
mod probes;
mod rates;
mod readme;
mod registry;
mod slow_calls;
mod snapshot;
mod support;
mod threads;
mod time;
mod timeout;
mod verdicts;
mod wait;

//! The behaviour of a breaker, one file per topic. Time is virtual: no test waits.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot continue fails"
)]

mod attribute;
mod attribute_verdicts;
mod budget;
mod call_with;
mod cancellation;
mod classify;
mod closed;
mod config;
mod config_in_files;
mod drops;
mod events;
mod evidence;
mod export;
mod fallback;
mod foreign_errors;
mod half_open;
mod holds;
mod keyed;
mod log;
mod open;
mod operators;
mod or_else;
mod overrides;
mod own_breaker;
mod own_breakers;
mod owned;
mod panics;
mod predicates;
mod probes;
mod ramp;
mod rates;
mod readme;
mod reconfigured;
mod reconfigured_evidence;
mod reconfigured_keys;
mod registry;
mod remote;
mod retry_after;
mod returned_futures;
mod runtimes;
mod serialized;
mod slow_calls;
mod snapshot;
mod stale_results;
mod support;
mod threads;
mod time;
mod time_lines;
mod timeout;
mod wait;

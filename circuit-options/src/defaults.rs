//! The values of options that are not written.

use std::time::Duration;

/// The number of failures that opens a circuit without a rule of its own.
pub const MAX_FAILURES: u32 = 5;

/// The number of calls below which rates are not evaluated.
pub const MIN_CALLS: u32 = 20;

/// The share of slow calls that opens a circuit which has a `slow_call`.
pub const SLOW_RATE: f64 = 1.0;

/// How long a circuit stays open.
pub const RESET: Duration = Duration::from_secs(30);

/// The share of a wait that is added to it.
pub const JITTER: f64 = 0.0;

/// The number of calls that a half-open circuit admits.
pub const PROBES: u32 = 1;

/// The bound on the number of breakers of a `key`.
pub const MAX_KEYS: u32 = 10_000;

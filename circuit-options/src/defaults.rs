//! The values of options that are not written.
//!
//! # Examples
//!
//! ```
//! use circuit_options::defaults;
//! use circuit_options::rules::Rule;
//! use circuit_options::settings::{Setting, Settings};
//!
//! let defaults = Settings {
//!     max_failures: Setting::Known(defaults::MAX_FAILURES),
//!     reset: Setting::Known(defaults::RESET),
//!     jitter: Setting::Known(defaults::JITTER),
//!     probes: Setting::Known(defaults::PROBES),
//!     ..Settings::NONE
//! };
//! assert!(!Rule::ALL.iter().any(|rule| rule.is_broken(&defaults)));
//! ```

use std::time::Duration;

/// The number of failures that opens a circuit without a rule of its own.
///
/// # Examples
///
/// ```
/// assert_eq!(circuit_options::defaults::MAX_FAILURES, 5);
/// ```
pub const MAX_FAILURES: u32 = 5;

/// The number of calls below which rates are not evaluated.
///
/// # Examples
///
/// ```
/// assert_eq!(circuit_options::defaults::MIN_CALLS, 20);
/// ```
pub const MIN_CALLS: u32 = 20;

/// The share of slow calls that opens a circuit which has a `slow_call`.
///
/// # Examples
///
/// ```
/// assert_eq!(circuit_options::defaults::SLOW_RATE, 1.0);
/// ```
pub const SLOW_RATE: f64 = 1.0;

/// How long a circuit stays open.
///
/// # Examples
///
/// ```
/// use circuit_options::{defaults, durations};
///
/// assert_eq!(durations::parse("30s"), Ok(defaults::RESET));
/// ```
pub const RESET: Duration = Duration::from_secs(30);

/// The share of a wait that is added to it.
///
/// # Examples
///
/// ```
/// assert_eq!(circuit_options::defaults::JITTER, 0.0);
/// ```
pub const JITTER: f64 = 0.0;

/// The number of calls that a half-open circuit admits.
///
/// # Examples
///
/// ```
/// assert_eq!(circuit_options::defaults::PROBES, 1);
/// ```
pub const PROBES: u32 = 1;

/// The bound on the number of breakers of a `key`.
///
/// # Examples
///
/// ```
/// assert_eq!(circuit_options::defaults::MAX_KEYS, 10_000);
/// ```
pub const MAX_KEYS: u32 = 10_000;

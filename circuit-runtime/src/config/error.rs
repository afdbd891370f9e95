//! What a config must not be: the table of rules.

use std::time::Duration;

use super::Config;

const MOST_LAST_CALLS: u32 = 65_536;

/// A rule that makes no sense.
///
/// The messages are worded for the attribute: there `last_calls(100)` is `window = 100`, and a duration is a
/// string such as `"10s"`.
///
/// ```
/// use circuit_runtime::{Config, ConfigError};
///
/// let error = Config::builder().max_failures(0).build().unwrap_err();
///
/// assert_eq!(error, ConfigError::ZeroMaxFailures);
/// assert_eq!(
///     error.to_string(),
///     "`max_failures` must be at least 1; with 0 the circuit would open before the first call",
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
#[non_exhaustive]
pub enum ConfigError {
    /// `max_failures` is 0.
    ZeroMaxFailures,
    /// `window` is zero.
    ZeroWindow,
    /// `last_calls` is 0.
    ZeroLastCalls,
    /// `last_calls` is above 65 536.
    TooManyLastCalls,
    /// There are both `window` and `last_calls`.
    TwoWindows,
    /// `max_failures` is above `last_calls`.
    MaxFailuresAboveLastCalls,
    /// `failure_rate` is 0 or less, above 1, or NaN.
    FailureRateOutOfRange,
    /// `failure_rate` has neither `window` nor `last_calls`.
    FailureRateWithoutWindow,
    /// `slow_call` is zero.
    ZeroSlowCall,
    /// `slow_call` has neither `window` nor `last_calls`.
    SlowCallWithoutWindow,
    /// `slow_rate` is 0 or less, above 1, or NaN.
    SlowRateOutOfRange,
    /// `slow_rate` has no `slow_call`.
    SlowRateWithoutSlowCall,
    /// `min_calls` is 0.
    ZeroMinCalls,
    /// `min_calls` has no rate.
    MinCallsWithoutRate,
    /// `min_calls` is above `last_calls`.
    MinCallsAboveLastCalls,
    /// `reset` is zero.
    ZeroReset,
    /// `max_reset` is zero.
    ZeroMaxReset,
    /// `max_reset` is shorter than `reset`.
    MaxResetBelowReset,
    /// `jitter` is below 0, above 1, or NaN.
    JitterOutOfRange,
    /// `probes` is 0.
    ZeroProbes,
    /// `timeout` is zero.
    ZeroTimeout,
}

/// An option of the attribute, where an error can be shown.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ConfigOption {
    MaxFailures,
    Window,
    FailureRate,
    SlowCall,
    SlowRate,
    MinCalls,
    Reset,
    MaxReset,
    Jitter,
    Probes,
    Timeout,
}

// Each error: when it holds, which option must change, and what is said.
impl ConfigError {
    /// Every error that there is.
    #[doc(hidden)]
    pub const ALL: [Self; 21] = [
        Self::ZeroMaxFailures,
        Self::ZeroWindow,
        Self::ZeroLastCalls,
        Self::TooManyLastCalls,
        Self::TwoWindows,
        Self::MaxFailuresAboveLastCalls,
        Self::FailureRateOutOfRange,
        Self::FailureRateWithoutWindow,
        Self::ZeroSlowCall,
        Self::SlowCallWithoutWindow,
        Self::SlowRateOutOfRange,
        Self::SlowRateWithoutSlowCall,
        Self::ZeroMinCalls,
        Self::MinCallsWithoutRate,
        Self::MinCallsAboveLastCalls,
        Self::ZeroReset,
        Self::ZeroMaxReset,
        Self::MaxResetBelowReset,
        Self::JitterOutOfRange,
        Self::ZeroProbes,
        Self::ZeroTimeout,
    ];

    pub(super) const fn is_in(self, config: &Config) -> bool {
        let has_window = config.window.is_some() || config.last_calls.is_some();
        match self {
            Self::ZeroMaxFailures => matches!(config.max_failures, Some(0)),
            Self::ZeroWindow => is_zero(config.window),
            Self::ZeroLastCalls => matches!(config.last_calls, Some(0)),
            Self::TooManyLastCalls => exceeds(config.last_calls, Some(MOST_LAST_CALLS)),
            Self::TwoWindows => config.window.is_some() && config.last_calls.is_some(),
            Self::MaxFailuresAboveLastCalls => exceeds(config.max_failures(), config.last_calls),
            Self::FailureRateOutOfRange => is_out_of_range(config.failure_rate),
            Self::FailureRateWithoutWindow => config.failure_rate.is_some() && !has_window,
            Self::ZeroSlowCall => is_zero(config.slow_call),
            Self::SlowCallWithoutWindow => config.slow_call.is_some() && !has_window,
            Self::SlowRateOutOfRange => is_out_of_range(config.slow_rate),
            Self::SlowRateWithoutSlowCall => {
                config.slow_rate.is_some() && config.slow_call.is_none()
            }
            Self::ZeroMinCalls => matches!(config.min_calls, Some(0)),
            Self::MinCallsWithoutRate => {
                config.min_calls.is_some()
                    && config.failure_rate.is_none()
                    && config.slow_rate().is_none()
            }
            Self::MinCallsAboveLastCalls => exceeds(config.min_calls, config.last_calls),
            Self::ZeroReset => config.reset.is_zero(),
            Self::ZeroMaxReset => is_zero(config.max_reset),
            Self::MaxResetBelowReset => match config.max_reset {
                Some(max_reset) => max_reset.as_nanos() < config.reset.as_nanos(),
                None => false,
            },
            // Not the other way round, as no number is neither.
            Self::JitterOutOfRange => !(config.jitter >= 0.0 && config.jitter <= 1.0),
            Self::ZeroProbes => config.probes == 0,
            Self::ZeroTimeout => is_zero(config.timeout),
        }
    }

    pub(super) const fn option(self, config: &Config) -> ConfigOption {
        match self {
            // The failures are those of the default.
            Self::MaxFailuresAboveLastCalls if config.max_failures.is_none() => {
                ConfigOption::Window
            }
            Self::ZeroMaxFailures | Self::MaxFailuresAboveLastCalls => ConfigOption::MaxFailures,
            Self::ZeroWindow | Self::ZeroLastCalls | Self::TooManyLastCalls | Self::TwoWindows => {
                ConfigOption::Window
            }
            Self::FailureRateOutOfRange | Self::FailureRateWithoutWindow => {
                ConfigOption::FailureRate
            }
            Self::ZeroSlowCall | Self::SlowCallWithoutWindow => ConfigOption::SlowCall,
            Self::SlowRateOutOfRange | Self::SlowRateWithoutSlowCall => ConfigOption::SlowRate,
            Self::ZeroMinCalls | Self::MinCallsWithoutRate | Self::MinCallsAboveLastCalls => {
                ConfigOption::MinCalls
            }
            Self::ZeroReset => ConfigOption::Reset,
            Self::ZeroMaxReset | Self::MaxResetBelowReset => ConfigOption::MaxReset,
            Self::JitterOutOfRange => ConfigOption::Jitter,
            Self::ZeroProbes => ConfigOption::Probes,
            Self::ZeroTimeout => ConfigOption::Timeout,
        }
    }

    /// What is wrong and what to write instead, as [`Display`](std::fmt::Display) shows it; this
    /// one is for constants.
    #[must_use]
    pub const fn message(&self) -> &'static str {
        match self {
            Self::ZeroMaxFailures => {
                "`max_failures` must be at least 1; with 0 the circuit would open before the first call"
            }
            Self::ZeroWindow => {
                "`window` must be longer than zero; no failure would ever count in an empty window"
            }
            Self::ZeroLastCalls => {
                "`window` must be at least 1 call; no failure would ever count in an empty window"
            }
            Self::TooManyLastCalls => {
                "`window` must be at most 65536 calls; write a span of time, such as \"10s\""
            }
            Self::TwoWindows => {
                "`window` is a span of time or a number of calls; remove `window` or `last_calls`"
            }
            Self::MaxFailuresAboveLastCalls => {
                "`max_failures`, which is 5 unless written, must not be above the calls in `window`; the circuit would never open"
            }
            Self::FailureRateOutOfRange => {
                "`failure_rate` must be above 0.0 and at most 1.0; it is the share of failed calls that opens the circuit"
            }
            Self::FailureRateWithoutWindow => {
                "`failure_rate` needs a `window`; add `window = \"10s\"` for the calls of ten seconds, or `window = 100` for the last hundred"
            }
            Self::ZeroSlowCall => {
                "`slow_call` must be longer than zero; with zero every call would be slow"
            }
            Self::SlowCallWithoutWindow => {
                "`slow_call` needs a `window`; add `window = \"10s\"` for the calls of ten seconds, or `window = 100` for the last hundred"
            }
            Self::SlowRateOutOfRange => {
                "`slow_rate` must be above 0.0 and at most 1.0; it is the share of slow calls that opens the circuit"
            }
            Self::SlowRateWithoutSlowCall => {
                "`slow_rate` needs `slow_call`; add `slow_call = \"2s\"`, the time from which on a call is slow"
            }
            Self::ZeroMinCalls => "`min_calls` must be at least 1; there is no rate of no calls",
            Self::MinCallsWithoutRate => {
                "`min_calls` needs a rate; add `failure_rate = 0.5`, or `slow_call` and `slow_rate`"
            }
            Self::MinCallsAboveLastCalls => {
                "`min_calls` must not be above the calls in `window`; the rates would never be judged"
            }
            Self::ZeroReset => {
                "`reset` must be longer than zero; with zero the circuit would never be open"
            }
            Self::ZeroMaxReset => {
                "`max_reset` must be longer than zero; the wait grows from `reset` up to it"
            }
            Self::MaxResetBelowReset => {
                "`max_reset` must not be shorter than `reset`; the wait grows from `reset` up to it"
            }
            Self::JitterOutOfRange => {
                "`jitter` must be from 0.0 to 1.0; it is the share of each wait that is added at most"
            }
            Self::ZeroProbes => {
                "`probes` must be at least 1; with 0 the circuit would never close again"
            }
            Self::ZeroTimeout => {
                "`timeout` must be longer than zero; with zero no call could ever finish"
            }
        }
    }
}

const fn is_zero(span: Option<Duration>) -> bool {
    matches!(span, Some(Duration::ZERO))
}

const fn exceeds(number: Option<u32>, most: Option<u32>) -> bool {
    matches!((number, most), (Some(number), Some(most)) if number > most)
}

/// Whether a rate is written that is not above 0 and up to 1; what is no number is not.
const fn is_out_of_range(rate: Option<f64>) -> bool {
    matches!(rate, Some(rate) if !(rate > 0.0 && rate <= 1.0))
}

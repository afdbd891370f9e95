//! The names of the options in other libraries.
//!
//! # Examples
//!
//! ```
//! use circuit_options::aliases::{instead_of, option_called};
//! use circuit_options::names::OptionName;
//! use circuit_options::places::Place;
//!
//! assert_eq!(option_called("failure_threshold"), Some(OptionName::MaxFailures));
//! assert!(instead_of("bulkhead", Place::Attribute).is_some());
//! ```

use crate::names::OptionName;
use crate::places::Place;

/// The names of options in other libraries.
const ALIASES: [(OptionName, &[&str]); 24] = [
    (
        OptionName::MaxFailures,
        &[
            "handled_events_allowed_before_breaking",
            "exceptions_allowed_before_breaking",
            "failure_threshold",
            "threshold",
            "failures",
            "max_errors",
            "error_threshold",
            "max_fails",
            "failure_count",
            "error_count",
            "consecutive_failures",
            "max_consecutive_failures",
            "fail_max",
        ],
    ),
    (
        OptionName::Window,
        &[
            "interval",
            "period",
            "sliding_window",
            "rolling_window",
            "window_size",
            "time_window",
            "sliding_window_size",
            "rolling_window_size",
            "rolling_count_timeout",
            "sampling_duration",
            "stat_interval",
            "last_calls",
        ],
    ),
    (
        OptionName::FailureRate,
        &[
            "rate",
            "rates",
            "failure_rate_threshold",
            "failure_ratio",
            "error_rate",
            "error_ratio",
            "error_percentage",
            "error_rate_threshold",
            "error_threshold_percentage",
            "failure_percentage",
        ],
    ),
    (
        OptionName::SlowCall,
        &[
            "slow_call_duration",
            "slow_call_duration_threshold",
            "slow_call_threshold",
            "slow_threshold",
            "slow_after",
            "slow_duration",
            "max_allowed_rt",
        ],
    ),
    (
        OptionName::SlowRate,
        &[
            "slow_call_rate",
            "slow_call_rate_threshold",
            "slow_rate_threshold",
            "slow_ratio",
            "slow_ratio_threshold",
            "slow_call_ratio",
        ],
    ),
    (
        OptionName::MinCalls,
        &[
            "minimum_request_threshold",
            "minimum_number_of_calls",
            "minimum_calls",
            "min_requests",
            "min_request_amount",
            "minimum_throughput",
            "min_throughput",
            "volume_threshold",
            "request_volume_threshold",
        ],
    ),
    (
        OptionName::Reset,
        &[
            "reset_timeout",
            "reset_after",
            "recovery",
            "recovery_timeout",
            "cooldown",
            "open_for",
            "open_duration",
            "wait_duration",
            "wait_duration_in_open_state",
            "wait_duration_in_open",
            "sleep_window",
            "break_duration",
            "duration_of_break",
            "retry_timeout",
            "half_open_after",
            "open_timeout",
        ],
    ),
    (
        OptionName::MaxReset,
        &[
            "max_cooldown",
            "max_backoff",
            "reset_max",
            "max_wait",
            "max_delay",
            "backoff",
            "exponential_backoff",
        ],
    ),
    (
        OptionName::Jitter,
        &["randomization", "random_factor", "jitter_factor"],
    ),
    (
        OptionName::Probes,
        &[
            "half_open_max_calls",
            "half_open_calls",
            "half_open_requests",
            "half_open_max_requests",
            "permitted_calls_in_half_open",
            "permitted_number_of_calls_in_half_open_state",
            "success_threshold",
            "max_requests",
            "probe_num",
        ],
    ),
    (
        OptionName::Timeout,
        &[
            "call_timeout",
            "timeout_duration",
            "deadline",
            "max_duration",
        ],
    ),
    (
        OptionName::Ramp,
        &[
            "slow_start",
            "warm_up",
            "warmup",
            "ramp_up",
            "recovery_ramp",
        ],
    ),
    (
        OptionName::FailureIf,
        &[
            "predicate",
            "failure_predicate",
            "is_failure",
            "record_exceptions",
            "record_exception",
            "record_failure_predicate",
            "should_trip",
            "should_handle",
            "handle",
            "fail_if",
            "expected_exception",
        ],
    ),
    (
        OptionName::IgnoreIf,
        &[
            "ignore",
            "ignore_exceptions",
            "ignore_exception",
            "ignore_exception_predicate",
            "ignore_predicate",
            "ignore_errors",
            "exclude",
        ],
    ),
    (
        OptionName::RetryAfter,
        &["retry_after_hint", "unavailable_for", "wait_for"],
    ),
    (
        OptionName::Classify,
        &[
            "classifier",
            "verdict",
            "judge",
            "record_result",
            "record_result_predicate",
            "result_predicate",
        ],
    ),
    (
        OptionName::Fallback,
        &[
            "fallback_method",
            "fallback_fn",
            "fallback_function",
            "fallback_value",
            "on_reject",
            "on_rejected",
        ],
    ),
    (
        OptionName::OrElse,
        &["recover", "on_failure", "on_err", "catch", "rescue"],
    ),
    (
        OptionName::Error,
        &[
            "map_err",
            "map_error",
            "into_error",
            "on_error",
            "convert",
            "rejection",
        ],
    ),
    (
        OptionName::Key,
        &[
            "keyed",
            "keys",
            "key_by",
            "key_fn",
            "per",
            "by",
            "partition",
            "partition_key",
            "group_by",
        ],
    ),
    (
        OptionName::MaxKeys,
        &["max_breakers", "max_entries", "capacity", "cache_size"],
    ),
    (
        OptionName::Breaker,
        &["circuit_breaker", "instance", "with"],
    ),
    (OptionName::Name, &["id", "label"]),
    (
        OptionName::Crate,
        &["crate_path", "crate_name", "krate", "runtime"],
    ),
];

/// Options of other libraries without an equivalent here, and what to use instead.
const UNSUPPORTED: [(&[&str], &str); 9] = [
    (
        &["config", "settings", "options", "rules"],
        "a `Config` is given to a `CircuitBreaker`; create a `CircuitBreaker` with it, and write `breaker = ..`",
    ),
    (
        &["enabled", "enable", "disabled", "disable", "active", "hold"],
        "to switch a circuit off, call `force_closed()` of `registry::find(name)`, and `reset()` to \
         switch it on again",
    ),
    (
        &["metrics", "metric", "stats", "telemetry", "tracing"],
        "every circuit is in `export::prometheus(..)` and `registry::all()`, and its changes are logged",
    ),
    (
        &["sliding_window_type", "window_type"],
        "a `window` is a span of time, such as \"10s\", or a number of calls, such as 100",
    ),
    (
        &[
            "max_retries",
            "retries",
            "retry",
            "max_attempts",
            "attempts",
        ],
        "calls are not retried here; `max_failures` sets how many failures open the circuit",
    ),
    (
        &[
            "max_concurrent",
            "max_concurrent_calls",
            "bulkhead",
            "concurrency",
        ],
        "the number of calls is not limited here, except by `probes` while the circuit is half-open",
    ),
    (
        &[
            "on_open",
            "on_break",
            "on_close",
            "on_half_open",
            "on_state_change",
            "listener",
            "listeners",
            "callback",
        ],
        "a listener is not an option here; write `registry::on_change(..)`, or `on_change(..)` of a \
         `CircuitBreaker`",
    ),
    (
        &["is_successful", "is_success", "success_if"],
        "here it is the other way round: write `failure_if`, for the errors that are failures, or \
         `classify`, for whole results",
    ),
    (
        &["ready_to_trip", "strategy", "policy", "trip_if"],
        "here the rules are `max_failures`, `failure_rate` and `slow_rate`",
    ),
];

/// Words that files take other advice for: the places, the words and the advice.
const IN_FILES: [(&[Place], &[&str], &str); 4] = [
    (
        &[Place::Config, Place::Overrides],
        &["config", "settings", "options", "rules"],
        "the options stand side by side; leave this level out",
    ),
    (
        &[Place::Overrides],
        &["enabled", "enable", "disabled", "disable", "active"],
        "to switch a circuit off, write `hold = \"closed\"`",
    ),
    (
        &[Place::Config],
        &["hold"],
        "a circuit is held by its name, in `Overrides`",
    ),
    (
        &[Place::Config, Place::Overrides],
        &["is_successful", "is_success", "success_if"],
        "code decides which results are failures; write `failure_if` or `classify` in the \
         attribute",
    ),
];

/// Returns the option that another library calls `word`.
///
/// # Examples
///
/// ```
/// use circuit_options::aliases::option_called;
/// use circuit_options::names::OptionName;
///
/// assert_eq!(option_called("cooldown"), Some(OptionName::Reset));
/// assert_eq!(option_called("reset"), None); // its name here
/// ```
#[must_use]
pub fn option_called(word: &str) -> Option<OptionName> {
    let mut all = ALIASES.iter();
    all.find_map(|(option, aliases)| aliases.contains(&word).then_some(*option))
}

/// Returns the advice for an option of another library that has no equivalent here.
///
/// # Examples
///
/// ```
/// use circuit_options::aliases::instead_of;
/// use circuit_options::places::Place;
///
/// let advice = instead_of("enabled", Place::Overrides);
/// assert_eq!(advice, Some("to switch a circuit off, write `hold = \"closed\"`"));
/// assert_eq!(instead_of("cooldown", Place::Attribute), None);
/// ```
#[must_use]
pub fn instead_of(word: &str, place: Place) -> Option<&'static str> {
    let in_files = IN_FILES
        .iter()
        .filter(|(places, ..)| places.contains(&place));
    let everywhere = UNSUPPORTED.iter().map(|(words, advice)| (words, advice));
    in_files
        .map(|(_, words, advice)| (words, advice))
        .chain(everywhere)
        .find_map(|(words, advice)| words.contains(&word).then_some(*advice))
}

#[cfg(test)]
mod tests {
    use super::{ALIASES, IN_FILES, UNSUPPORTED, instead_of, option_called};
    use crate::names::OptionName;
    use crate::places::Place;

    #[test]
    fn an_alias_is_of_one_option_and_the_name_of_none() {
        let mut seen: Vec<_> = OptionName::ALL.map(OptionName::as_str).to_vec();
        let aliases = ALIASES.iter().map(|(_, aliases)| *aliases);
        let unsupported = UNSUPPORTED.iter().map(|(words, _)| *words);
        for alias in aliases.chain(unsupported).flatten() {
            assert!(!seen.contains(alias), "{alias}");
            seen.push(alias);
        }
    }

    #[test]
    fn words_with_other_advice_in_files_have_advice_in_the_attribute() {
        for (_, words, advice) in IN_FILES {
            for word in words {
                let in_attribute = instead_of(word, Place::Attribute);
                assert!(in_attribute.is_some_and(|other| other != advice), "{word}");
            }
        }
    }

    #[test]
    fn each_option_has_aliases() {
        assert_eq!(ALIASES.map(|(option, _)| option), OptionName::ALL);
        for (option, aliases) in ALIASES {
            for alias in aliases {
                assert_eq!(option_called(alias), Some(option), "{alias}");
            }
        }
    }
}

//! The kinds of values that options take, and examples of them.
//!
//! # Examples
//!
//! ```
//! use circuit_options::kinds::{ValueKind, examples};
//! use circuit_options::names::OptionName;
//!
//! assert_eq!(ValueKind::for_option(OptionName::Probes), Some(ValueKind::Count));
//! assert_eq!(examples(OptionName::Probes), ["probes = 3"]);
//! ```

use std::fmt;

use crate::names::OptionName;

/// The kind of value that an option takes, if it is no code.
///
/// # Examples
///
/// ```
/// use circuit_options::kinds::ValueKind;
///
/// assert_eq!(ValueKind::Count.to_string(), "an integer of at least 1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// An integer of at least 1.
    Count,
    /// A duration.
    Duration,
    /// A duration, or a number of calls.
    Window,
    /// A share of a whole, from 0 to 1.
    Share,
    /// A share of calls, above 0 and at most 1.
    Rate,
}

impl ValueKind {
    /// Returns the kind of value that an option takes; `None` for one that takes a name or code.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_options::kinds::ValueKind;
    /// use circuit_options::names::OptionName;
    ///
    /// assert_eq!(ValueKind::for_option(OptionName::Reset), Some(ValueKind::Duration));
    /// assert_eq!(ValueKind::for_option(OptionName::Fallback), None);
    /// ```
    #[must_use]
    pub const fn for_option(option: OptionName) -> Option<Self> {
        Some(match option {
            OptionName::MaxFailures
            | OptionName::MinCalls
            | OptionName::Probes
            | OptionName::MaxKeys => Self::Count,
            OptionName::Window => Self::Window,
            OptionName::FailureRate | OptionName::SlowRate => Self::Rate,
            OptionName::Jitter => Self::Share,
            OptionName::SlowCall
            | OptionName::Reset
            | OptionName::MaxReset
            | OptionName::Timeout
            | OptionName::Ramp => Self::Duration,
            OptionName::FailureIf
            | OptionName::IgnoreIf
            | OptionName::RetryAfter
            | OptionName::Classify
            | OptionName::Fallback
            | OptionName::OrElse
            | OptionName::Error
            | OptionName::Key
            | OptionName::Breaker
            | OptionName::Name
            | OptionName::Crate => return None,
        })
    }
}

impl fmt::Display for ValueKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Count => "an integer of at least 1",
            Self::Duration => "a span of time",
            Self::Window => "a span of time or a number of calls",
            Self::Share => "a share from 0.0 to 1.0 or a percentage such as \"10%\"",
            Self::Rate => "a share above 0.0, up to 1.0, or a percentage such as \"50%\"",
        })
    }
}

/// Returns valid uses of an option that takes a value, for messages.
///
/// # Examples
///
/// ```
/// use circuit_options::kinds::examples;
/// use circuit_options::names::OptionName;
///
/// assert_eq!(examples(OptionName::Window), ["window = \"10s\"", "window = 100"]);
/// ```
#[must_use]
pub const fn examples(option: OptionName) -> &'static [&'static str] {
    match option {
        OptionName::MaxFailures => &["max_failures = 5"],
        OptionName::Window => &["window = \"10s\"", "window = 100"],
        OptionName::FailureRate => &["failure_rate = 0.5"],
        OptionName::SlowCall => &["slow_call = \"2s\""],
        OptionName::SlowRate => &["slow_rate = 0.5"],
        OptionName::MinCalls => &["min_calls = 20"],
        OptionName::Reset => &["reset = \"30s\""],
        OptionName::MaxReset => &["max_reset = \"5m\""],
        OptionName::Jitter => &["jitter = 0.1"],
        OptionName::Probes => &["probes = 3"],
        OptionName::Timeout => &["timeout = \"2s\""],
        OptionName::Ramp => &["ramp = \"20s\""],
        OptionName::MaxKeys => &["max_keys = 1_000"],
        OptionName::FailureIf
        | OptionName::IgnoreIf
        | OptionName::RetryAfter
        | OptionName::Classify
        | OptionName::Fallback
        | OptionName::OrElse
        | OptionName::Error
        | OptionName::Key
        | OptionName::Breaker
        | OptionName::Name
        | OptionName::Crate => &[],
    }
}

/// Returns the message for a value that is not of the kind which the option takes.
///
/// # Examples
///
/// ```
/// use circuit_options::kinds::{ValueKind, wrong_type};
/// use circuit_options::names::OptionName;
///
/// assert_eq!(
///     wrong_type(OptionName::Reset, &ValueKind::Duration, "reset = \"30s\""),
///     "`reset` takes a span of time; write `reset = \"30s\"`",
/// );
/// ```
#[must_use]
pub fn wrong_type(option: OptionName, kind: &dyn fmt::Display, instead: &str) -> String {
    format!("`{option}` takes {kind}; write `{instead}`")
}

#[cfg(test)]
mod tests {
    use super::{ValueKind, examples};
    use crate::names::OptionName;

    #[test]
    fn an_option_that_takes_a_value_has_examples() {
        for option in OptionName::ALL {
            let has_examples = !examples(option).is_empty();
            assert_eq!(
                has_examples,
                ValueKind::for_option(option).is_some(),
                "{option}"
            );
            for example in examples(option) {
                assert!(example.starts_with(&format!("{option} = ")), "{example}");
            }
        }
    }
}

//! The names of the options.
//!
//! # Examples
//!
//! ```
//! use circuit_options::names::OptionName;
//!
//! let option = OptionName::from_name("slow_call").unwrap();
//! assert_eq!(option, OptionName::SlowCall);
//! assert_eq!(option.as_str(), "slow_call");
//! ```

use std::fmt;

/// An option of the attribute; most are methods of the builder, too.
///
/// # Examples
///
/// ```
/// use circuit_options::names::OptionName;
///
/// assert_eq!(OptionName::MaxFailures.to_string(), "max_failures");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionName {
    /// `max_failures`
    MaxFailures,
    /// `window`, in the builder also `last_calls`
    Window,
    /// `failure_rate`
    FailureRate,
    /// `slow_call`
    SlowCall,
    /// `slow_rate`
    SlowRate,
    /// `min_calls`
    MinCalls,
    /// `reset`
    Reset,
    /// `max_reset`
    MaxReset,
    /// `jitter`
    Jitter,
    /// `probes`
    Probes,
    /// `timeout`
    Timeout,
    /// `ramp`
    Ramp,
    /// `failure_if`
    FailureIf,
    /// `ignore_if`
    IgnoreIf,
    /// `retry_after`
    RetryAfter,
    /// `classify`
    Classify,
    /// `fallback`
    Fallback,
    /// `or_else`
    OrElse,
    /// `error`
    Error,
    /// `key`
    Key,
    /// `max_keys`
    MaxKeys,
    /// `breaker`
    Breaker,
    /// `name`
    Name,
    /// `crate`
    Crate,
}

impl OptionName {
    /// Every option, in the order in which messages list them.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_options::names::OptionName;
    ///
    /// let [first, ..] = OptionName::ALL;
    /// assert_eq!(first, OptionName::MaxFailures);
    /// ```
    pub const ALL: [Self; 24] = [
        Self::MaxFailures,
        Self::Window,
        Self::FailureRate,
        Self::SlowCall,
        Self::SlowRate,
        Self::MinCalls,
        Self::Reset,
        Self::MaxReset,
        Self::Jitter,
        Self::Probes,
        Self::Timeout,
        Self::Ramp,
        Self::FailureIf,
        Self::IgnoreIf,
        Self::RetryAfter,
        Self::Classify,
        Self::Fallback,
        Self::OrElse,
        Self::Error,
        Self::Key,
        Self::MaxKeys,
        Self::Breaker,
        Self::Name,
        Self::Crate,
    ];

    /// Returns the option of this exact name.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_options::names::OptionName;
    ///
    /// assert_eq!(OptionName::from_name("max_keys"), Some(OptionName::MaxKeys));
    /// assert_eq!(OptionName::from_name("maxKeys"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|option| option.as_str() == name)
    }

    /// Returns the name as it is written.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_options::names::OptionName;
    ///
    /// assert_eq!(OptionName::MaxKeys.as_str(), "max_keys");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MaxFailures => "max_failures",
            Self::Window => "window",
            Self::FailureRate => "failure_rate",
            Self::SlowCall => "slow_call",
            Self::SlowRate => "slow_rate",
            Self::MinCalls => "min_calls",
            Self::Reset => "reset",
            Self::MaxReset => "max_reset",
            Self::Jitter => "jitter",
            Self::Probes => "probes",
            Self::Timeout => "timeout",
            Self::Ramp => "ramp",
            Self::FailureIf => "failure_if",
            Self::IgnoreIf => "ignore_if",
            Self::RetryAfter => "retry_after",
            Self::Classify => "classify",
            Self::Fallback => "fallback",
            Self::OrElse => "or_else",
            Self::Error => "error",
            Self::Key => "key",
            Self::MaxKeys => "max_keys",
            Self::Breaker => "breaker",
            Self::Name => "name",
            Self::Crate => "crate",
        }
    }
}

impl fmt::Display for OptionName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::OptionName;

    #[test]
    fn each_option_is_found_by_its_name() {
        for option in OptionName::ALL {
            assert_eq!(OptionName::from_name(option.as_str()), Some(option));
            assert_eq!(option.to_string(), option.as_str());
        }
        assert_eq!(OptionName::from_name("colour"), None);
    }
}

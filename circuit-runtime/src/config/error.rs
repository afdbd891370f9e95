//! The errors of invalid configurations.

use circuit_options::names::OptionName;
use circuit_options::rules::Rule;
use circuit_options::settings::Settings;

/// The text of [`ConfigError::RulesOfOneKey`].
const RULES_OF_ONE_KEY: &str = "the breakers of all keys have the same rules; reconfigure their \
    `CircuitBreakers`, or override the rules of the function by its name";

/// The text of [`ConfigError::TimeoutAtRunTime`].
const TIMEOUT_AT_RUN_TIME: &str = "`timeout` cannot be added at run time, as the function's future \
    has no room for a timer; write one in the attribute, `timeout = \"1h\"` if need be";

/// An invalid configuration.
///
/// The messages are worded for the attribute: there `last_calls(100)` is `window = 100`, and a
/// duration is a string such as `"10s"`.
///
/// # Examples
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
    /// Both `window` and `last_calls` are set.
    TwoWindows,
    /// `max_failures` is above `last_calls`.
    MaxFailuresAboveLastCalls,
    /// `failure_rate` is 0 or less, above 1, or NaN.
    FailureRateOutOfRange,
    /// `failure_rate` is set without `window` or `last_calls`.
    FailureRateWithoutWindow,
    /// `slow_call` is zero.
    ZeroSlowCall,
    /// `slow_call` is set without `window` or `last_calls`.
    SlowCallWithoutWindow,
    /// `slow_rate` is 0 or less, above 1, or NaN.
    SlowRateOutOfRange,
    /// `slow_rate` is set without `slow_call`.
    SlowRateWithoutSlowCall,
    /// `min_calls` is 0.
    ZeroMinCalls,
    /// `min_calls` is set without a rate.
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
    /// `ramp` is zero.
    ZeroRamp,
    /// The breaker of one key was given rules of its own.
    RulesOfOneKey,
    /// An annotated function without a `timeout` was given one at run time.
    TimeoutAtRunTime,
}

/// Maps each error to the rule of the same name.
macro_rules! rules {
    ($($name:ident)*) => {
        impl ConfigError {
            /// Every error of a configuration by itself, in the order in which they are checked.
            #[doc(hidden)]
            pub const ALL: [Self; 22] = [$(Self::$name,)*];

            const RULES: [(Self, Rule); 22] = [$((Self::$name, Rule::$name),)*];

            /// Returns the rule that is broken; `None` if the configuration is valid by itself.
            const fn rule(self) -> Option<Rule> {
                match self {
                    $(Self::$name => Some(Rule::$name),)*
                    Self::RulesOfOneKey | Self::TimeoutAtRunTime => None,
                }
            }
        }
    };
}

rules! {
    ZeroMaxFailures ZeroWindow ZeroLastCalls TooManyLastCalls TwoWindows MaxFailuresAboveLastCalls
    FailureRateOutOfRange FailureRateWithoutWindow ZeroSlowCall SlowCallWithoutWindow
    SlowRateOutOfRange SlowRateWithoutSlowCall ZeroMinCalls MinCallsWithoutRate MinCallsAboveLastCalls
    ZeroReset ZeroMaxReset MaxResetBelowReset JitterOutOfRange ZeroProbes ZeroTimeout ZeroRamp
}

impl ConfigError {
    /// Returns the first error in these settings.
    pub(super) const fn first_in(settings: &Settings) -> Option<Self> {
        let mut rules: &[(Self, Rule)] = &Self::RULES;
        while let [(error, rule), others @ ..] = rules {
            if rule.is_broken(settings) {
                return Some(*error);
            }
            rules = others;
        }
        None
    }

    /// Returns the option that must change.
    pub(super) const fn option(self, settings: &Settings) -> OptionName {
        match self.rule() {
            Some(rule) => rule.option(settings),
            // Neither breaks a rule of the settings by themselves.
            None => OptionName::Timeout,
        }
    }

    /// Returns what is wrong and what to write instead: the text of [`Display`](std::fmt::Display),
    /// for use in constants.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{Config, ConfigError};
    ///
    /// const CONFIG: Config = match Config::builder().probes(3).build() {
    ///     Ok(config) => config,
    ///     Err(error) => panic!("{}", error.message()),
    /// };
    ///
    /// assert_eq!(CONFIG.probes(), 3);
    /// assert_eq!(ConfigError::ZeroProbes.message(), ConfigError::ZeroProbes.to_string());
    /// ```
    #[must_use]
    pub const fn message(&self) -> &'static str {
        match self.rule() {
            Some(rule) => rule.message(),
            None if matches!(self, Self::RulesOfOneKey) => RULES_OF_ONE_KEY,
            None => TIMEOUT_AT_RUN_TIME,
        }
    }
}

//! The rules of the options: which values are valid, alone and together.
//!
//! # Examples
//!
//! ```
//! use circuit_options::rules::Rule;
//! use circuit_options::settings::{Setting, Settings};
//! use std::time::Duration;
//!
//! let mut settings = Settings::NONE;
//! settings.reset = Setting::Known(Duration::from_secs(60));
//! settings.max_reset = Setting::Known(Duration::from_secs(30));
//!
//! let broken: Vec<_> = Rule::ALL.iter().filter(|rule| rule.is_broken(&settings)).collect();
//! assert_eq!(broken, [&Rule::MaxResetBelowReset]);
//! ```

use std::time::Duration;

use crate::names::OptionName;
use crate::rates::{is_rate, is_share};
use crate::settings::{Setting, Settings};

/// The most calls that a count-based window holds.
///
/// # Examples
///
/// ```
/// use circuit_options::rules::{MAX_LAST_CALLS, Rule};
/// use circuit_options::settings::{Setting, Settings};
///
/// let mut settings = Settings::NONE;
/// settings.last_calls = Setting::Known(MAX_LAST_CALLS);
/// assert!(!Rule::TooManyLastCalls.is_broken(&settings));
/// ```
pub const MAX_LAST_CALLS: u32 = 65_536;

/// The subject of a rule.
///
/// # Examples
///
/// ```
/// use circuit_options::rules::{Rule, Scope};
///
/// assert_eq!(Rule::ZeroProbes.scope(), Scope::Value);
/// assert_eq!(Rule::TwoWindows.scope(), Scope::Options);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The value of one option.
    Value,
    /// Several options together.
    Options,
}

/// Writes the table of rules out as an enum and its methods.
macro_rules! rules {
    ($settings:ident; $($rule:ident: $scope:ident, $option:expr, $is_broken:expr, $message:expr;)*) => {
        /// A rule that options can break.
        ///
        /// # Examples
        ///
        /// ```
        /// use circuit_options::rules::Rule;
        /// use circuit_options::settings::{Setting, Settings};
        ///
        /// let mut settings = Settings::NONE;
        /// settings.probes = Setting::Known(0);
        /// let broken = Rule::ALL.iter().find(|rule| rule.is_broken(&settings));
        /// assert_eq!(broken, Some(&Rule::ZeroProbes));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Rule {
            $(#[doc = $message] $rule,)*
        }

        impl Rule {
            /// Every rule, in the order in which they are checked.
            ///
            /// # Examples
            ///
            /// ```
            /// use circuit_options::rules::Rule;
            /// use circuit_options::settings::Settings;
            ///
            /// // Without options, all rules hold.
            /// assert!(!Rule::ALL.iter().any(|rule| rule.is_broken(&Settings::NONE)));
            /// ```
            pub const ALL: &'static [Self] = &[$(Self::$rule,)*];

            /// Returns the subject of the rule.
            ///
            /// # Examples
            ///
            /// ```
            /// use circuit_options::rules::{Rule, Scope};
            ///
            /// assert_eq!(Rule::ZeroReset.scope(), Scope::Value);
            /// ```
            #[must_use]
            pub const fn scope(self) -> Scope {
                match self {
                    $(Self::$rule => Scope::$scope,)*
                }
            }

            /// Returns the option that must change if these settings break the rule.
            ///
            /// # Examples
            ///
            /// ```
            /// use circuit_options::names::OptionName;
            /// use circuit_options::rules::Rule;
            /// use circuit_options::settings::Settings;
            ///
            /// let option = Rule::MaxResetBelowReset.option(&Settings::NONE);
            /// assert_eq!(option, OptionName::MaxReset);
            /// ```
            #[must_use]
            pub const fn option(self, $settings: &Settings) -> OptionName {
                match self {
                    $(Self::$rule => $option,)*
                }
            }

            /// Returns `true` if these settings break the rule, as far as they are known.
            ///
            /// # Examples
            ///
            /// ```
            /// use circuit_options::rules::Rule;
            /// use circuit_options::settings::{Setting, Settings};
            ///
            /// let mut settings = Settings::NONE;
            /// settings.jitter = Setting::Known(1.5);
            /// assert!(Rule::JitterOutOfRange.is_broken(&settings));
            /// settings.jitter = Setting::Unknown; // a constant, for example
            /// assert!(!Rule::JitterOutOfRange.is_broken(&settings));
            /// ```
            #[must_use]
            pub const fn is_broken(self, $settings: &Settings) -> bool {
                match self {
                    $(Self::$rule => $is_broken,)*
                }
            }

            /// Returns what is wrong and, after a semicolon, why or what to write instead.
            ///
            /// # Examples
            ///
            /// ```
            /// use circuit_options::rules::Rule;
            ///
            /// assert_eq!(
            ///     Rule::ZeroReset.message(),
            ///     "`reset` must be longer than zero; with zero the circuit would never be open",
            /// );
            /// ```
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self {
                    $(Self::$rule => $message,)*
                }
            }
        }
    };
}

// Each rule: its scope, the option that must change, when it is broken, and the message. The
// messages are worded for the attribute: there `last_calls(100)` is `window = 100`.
rules! {
    settings;

    ZeroMaxFailures: Value, OptionName::MaxFailures,
        is_zero(settings.max_failures),
        "`max_failures` must be at least 1; with 0 the circuit would open before the first call";

    ZeroWindow: Value, OptionName::Window,
        is_empty(settings.window),
        "`window` must be longer than zero; no failure would ever count in an empty window";

    ZeroLastCalls: Value, OptionName::Window,
        is_zero(settings.last_calls),
        "`window` must be at least 1 call; no failure would ever count in an empty window";

    TooManyLastCalls: Value, OptionName::Window,
        exceeds(settings.last_calls, Setting::Known(MAX_LAST_CALLS)),
        "`window` must be at most 65536 calls; write a span of time, such as \"10s\"";

    TwoWindows: Options, OptionName::Window,
        settings.window.is_written() && settings.last_calls.is_written(),
        "`window` is a span of time or a number of calls; remove `window` or `last_calls`";

    MaxFailuresAboveLastCalls: Options,
        match settings.max_failures {
            // `max_failures` is the default, so the window must change.
            Setting::Absent => OptionName::Window,
            _ => OptionName::MaxFailures,
        },
        exceeds(settings.max_failures(), settings.last_calls),
        "`max_failures`, which is 5 unless written, must not be above the calls in `window`; the circuit would never open";

    FailureRateOutOfRange: Value, OptionName::FailureRate,
        is_no_rate(settings.failure_rate),
        "`failure_rate` must be above 0.0 and at most 1.0; it is the share of failed calls that opens the circuit";

    FailureRateWithoutWindow: Options, OptionName::FailureRate,
        settings.failure_rate.is_written() && !settings.has_window(),
        "`failure_rate` needs a `window`; add `window = \"10s\"` for the calls of ten seconds, or `window = 100` for the last hundred";

    ZeroSlowCall: Value, OptionName::SlowCall,
        is_empty(settings.slow_call),
        "`slow_call` must be longer than zero; with zero every call would be slow";

    SlowCallWithoutWindow: Options, OptionName::SlowCall,
        settings.slow_call.is_written() && !settings.has_window(),
        "`slow_call` needs a `window`; add `window = \"10s\"` for the calls of ten seconds, or `window = 100` for the last hundred";

    // For the attribute alone: with another rule, or calls by hand, such a `slow_call` has a use.
    SlowCallAboveTimeout: Options, OptionName::SlowCall,
        !settings.max_failures.is_written()
            && !settings.failure_rate.is_written()
            && reaches(settings.slow_call, settings.timeout),
        "`slow_call` must be shorter than `timeout`, which ends a call before it is slow; the circuit would never open";

    SlowRateOutOfRange: Value, OptionName::SlowRate,
        is_no_rate(settings.slow_rate),
        "`slow_rate` must be above 0.0 and at most 1.0; it is the share of slow calls that opens the circuit";

    SlowRateWithoutSlowCall: Options, OptionName::SlowRate,
        settings.slow_rate.is_written() && !settings.slow_call.is_written(),
        "`slow_rate` needs `slow_call`; add `slow_call = \"2s\"`, a call that takes longer is slow";

    ZeroMinCalls: Value, OptionName::MinCalls,
        is_zero(settings.min_calls),
        "`min_calls` must be at least 1; there is no rate of no calls";

    MinCallsWithoutRate: Options, OptionName::MinCalls,
        settings.min_calls.is_written() && !settings.has_rate() && !settings.slow_rate.is_written(),
        "`min_calls` needs a rate; add `failure_rate = 0.5`, or `slow_call` and `slow_rate`";

    MinCallsAboveLastCalls: Options, OptionName::MinCalls,
        exceeds(settings.min_calls, settings.last_calls),
        "`min_calls` must not be above the calls in `window`; the rates would never be judged";

    ZeroReset: Value, OptionName::Reset,
        is_empty(settings.reset),
        "`reset` must be longer than zero; with zero the circuit would never be open";

    ZeroMaxReset: Value, OptionName::MaxReset,
        is_empty(settings.max_reset),
        "`max_reset` must be longer than zero; the wait grows from `reset` up to it";

    MaxResetBelowReset: Options, OptionName::MaxReset,
        is_longer(settings.reset(), settings.max_reset),
        "`max_reset` must not be shorter than `reset`; the wait grows from `reset` up to it";

    JitterOutOfRange: Value, OptionName::Jitter,
        is_no_share(settings.jitter),
        "`jitter` must be from 0.0 to 1.0; it is the share of each wait that is added at most";

    ZeroProbes: Value, OptionName::Probes,
        is_zero(settings.probes),
        "`probes` must be at least 1; with 0 the circuit would never close again";

    ZeroTimeout: Value, OptionName::Timeout,
        is_empty(settings.timeout),
        "`timeout` must be longer than zero; with zero no call could ever finish";

    ZeroRamp: Value, OptionName::Ramp,
        is_empty(settings.ramp),
        "`ramp` must be longer than zero; leave it out to admit every call as soon as the probes have succeeded";

    ZeroMaxKeys: Value, OptionName::MaxKeys,
        is_zero(settings.max_keys),
        "`max_keys` must be at least 1; with 0 no key could have a breaker";

    MaxKeysWithoutKey: Options, OptionName::MaxKeys,
        settings.max_keys.is_written() && !settings.has_key,
        "`max_keys` needs a `key`; add `key = host`, the argument that each breaker is for";
}

impl Rule {
    /// Returns the first rule about the value of `option` that these settings break.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_options::names::OptionName;
    /// use circuit_options::rules::Rule;
    /// use circuit_options::settings::{Setting, Settings};
    ///
    /// let mut settings = Settings::NONE;
    /// settings.probes = Setting::Known(0);
    /// let broken = Rule::broken_by_value(OptionName::Probes, &settings);
    /// assert_eq!(broken, Some(Rule::ZeroProbes));
    /// ```
    #[must_use]
    pub fn broken_by_value(option: OptionName, settings: &Settings) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| {
            rule.scope() == Scope::Value
                && rule.option(settings) == option
                && rule.is_broken(settings)
        })
    }

    /// Returns the message with this advice in place of the reason.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_options::rules::Rule;
    ///
    /// assert_eq!(
    ///     Rule::JitterOutOfRange.message_with_advice("for 10 percent write `jitter = \"10%\"`"),
    ///     "`jitter` must be from 0.0 to 1.0; for 10 percent write `jitter = \"10%\"`",
    /// );
    /// ```
    #[must_use]
    pub fn message_with_advice(self, advice: &str) -> String {
        let message = self.message();
        let requirement = message.split_once("; ").map_or(message, |(first, _)| first);
        format!("{requirement}; {advice}")
    }

    /// Returns the message of [`MaxFailuresAboveLastCalls`](Self::MaxFailuresAboveLastCalls) for
    /// two numbers that are both written.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_options::rules::Rule;
    ///
    /// assert!(Rule::failures_above_calls(9, 8).contains("9 is above 8"));
    /// ```
    #[must_use]
    pub fn failures_above_calls(failures: u32, calls: u32) -> String {
        format!(
            "`max_failures` must not be above the calls in `window`, and {failures} is above {calls}; \
             the circuit would never open"
        )
    }
}

const fn is_zero(number: Setting<u32>) -> bool {
    matches!(number, Setting::Known(0))
}

const fn is_empty(span: Setting<Duration>) -> bool {
    matches!(span, Setting::Known(Duration::ZERO))
}

// Negated, so that NaN is out of range as well.
const fn is_no_rate(number: Setting<f64>) -> bool {
    matches!(number, Setting::Known(number) if !is_rate(number))
}

const fn is_no_share(number: Setting<f64>) -> bool {
    matches!(number, Setting::Known(number) if !is_share(number))
}

/// Returns whether a number is above another.
const fn exceeds(number: Setting<u32>, most: Setting<u32>) -> bool {
    matches!((number, most), (Setting::Known(number), Setting::Known(most)) if number > most)
}

/// Returns whether a span is longer than another.
const fn is_longer(span: Setting<Duration>, other: Setting<Duration>) -> bool {
    matches!(
        (span, other),
        (Setting::Known(span), Setting::Known(other)) if span.as_nanos() > other.as_nanos()
    )
}

/// Returns whether a span is at least as long as another.
const fn reaches(span: Setting<Duration>, other: Setting<Duration>) -> bool {
    matches!(
        (span, other),
        (Setting::Known(span), Setting::Known(other)) if span.as_nanos() >= other.as_nanos()
    )
}

#[cfg(test)]
mod tests {
    use super::{MAX_LAST_CALLS, Rule, Scope};
    use crate::defaults;
    use crate::names::OptionName;
    use crate::settings::{Setting, Settings};
    use std::time::Duration;

    #[test]
    fn only_what_is_known_breaks_a_rule_about_values() {
        let unknown = Settings {
            max_failures: Setting::Unknown,
            window: Setting::Unknown,
            failure_rate: Setting::Unknown,
            slow_call: Setting::Unknown,
            slow_rate: Setting::Unknown,
            min_calls: Setting::Unknown,
            reset: Setting::Unknown,
            max_reset: Setting::Known(Duration::from_nanos(1)),
            jitter: Setting::Unknown,
            probes: Setting::Unknown,
            timeout: Setting::Unknown,
            max_keys: Setting::Unknown,
            has_key: true,
            ..Settings::NONE
        };
        for settings in [Settings::NONE, unknown] {
            for rule in Rule::ALL {
                assert!(!rule.is_broken(&settings), "{rule:?}");
            }
        }
    }

    #[test]
    fn an_unknown_value_counts_as_written() {
        let mut settings = Settings::NONE;
        settings.failure_rate = Setting::Unknown;
        assert!(Rule::FailureRateWithoutWindow.is_broken(&settings));
        settings.window = Setting::Unknown;
        assert!(!Rule::FailureRateWithoutWindow.is_broken(&settings));
    }

    #[test]
    fn the_default_number_of_failures_is_reported_at_the_window() {
        let rule = Rule::MaxFailuresAboveLastCalls;
        let mut settings = Settings::NONE;
        settings.last_calls = Setting::Known(defaults::MAX_FAILURES - 1);
        assert!(rule.is_broken(&settings));
        assert_eq!(rule.option(&settings), OptionName::Window);

        settings.max_failures = Setting::Known(defaults::MAX_FAILURES);
        assert!(rule.is_broken(&settings));
        assert_eq!(rule.option(&settings), OptionName::MaxFailures);
    }

    #[test]
    fn messages_begin_with_their_option_and_give_a_reason() {
        for rule in Rule::ALL {
            let message = rule.message();
            let option = format!("`{}`", rule.option(&Settings::NONE));
            if *rule != Rule::MaxFailuresAboveLastCalls {
                assert!(message.starts_with(&option), "{message}");
            }
            assert_eq!(message.matches("; ").count(), 1, "{message}");
        }
        assert!(
            Rule::TooManyLastCalls
                .message()
                .contains(&MAX_LAST_CALLS.to_string())
        );
        assert_eq!(
            Rule::JitterOutOfRange.message_with_advice("write less"),
            "`jitter` must be from 0.0 to 1.0; write less"
        );
    }

    #[test]
    fn a_rule_about_a_value_is_found_by_its_option() {
        let mut settings = Settings::NONE;
        settings.min_calls = Setting::Known(0);
        assert_eq!(
            Rule::broken_by_value(OptionName::MinCalls, &settings),
            Some(Rule::ZeroMinCalls)
        );
        assert_eq!(Rule::broken_by_value(OptionName::Probes, &settings), None);

        settings.min_calls = Setting::Known(1);
        assert_eq!(Rule::broken_by_value(OptionName::MinCalls, &settings), None);
        assert!(Rule::MinCallsWithoutRate.is_broken(&settings));
        assert_eq!(Rule::MinCallsWithoutRate.scope(), Scope::Options);
    }
}

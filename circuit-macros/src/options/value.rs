//! The values of options, and the settings that the rules are checked on.

use std::time::Duration;

use circuit_options::durations;
use circuit_options::names::OptionName;
use circuit_options::rates;
use circuit_options::rules::Rule;
use circuit_options::settings::{Setting, Settings};
use syn::{Lit, LitInt, LitStr};

/// A validated value.
pub(crate) enum Value {
    /// An integer literal.
    Count(u32),
    /// A duration literal, such as `"1m30s"`.
    Duration(Duration),
    /// A number, such as `0.1`, or a percentage, such as `"10%"`.
    Share(f64),
    /// A string literal.
    Text(LitStr),
    /// Any expression that is not a literal, for the compiler to evaluate.
    Constant,
    /// Code that becomes part of the function.
    Code,
}

impl Value {
    /// Reads a number, which must be at least 1.
    pub(super) fn from_count(name: OptionName, literal: &LitInt) -> Result<Self, String> {
        let digits = literal.base10_digits();
        if !has_suffix(literal.suffix(), "u32") {
            return Err(format!("`{name}` is a `u32`; write `{digits}`"));
        }
        match digits.parse() {
            Ok(count) => Self::Count(count).checked(name),
            Err(_) => Err(format!("`{name}` is a `u32`; write at most {}", u32::MAX)),
        }
    }

    /// Reads a number of calls; nothing if it has the suffix of another type, which may be a unit
    /// of time.
    pub(super) fn from_calls(name: OptionName, literal: &LitInt) -> Option<Result<Self, String>> {
        let calls = literal.base10_parse();
        has_suffix(literal.suffix(), "u32").then(|| match calls {
            Ok(calls) => Self::Count(calls).checked(name),
            Err(_) => Err(Rule::TooManyLastCalls.message().to_owned()),
        })
    }

    /// Reads a duration.
    pub(super) fn from_duration(name: OptionName, literal: &LitStr) -> Result<Self, String> {
        Self::Duration(durations::parse(&literal.value())?).checked(name)
    }

    /// Reads a share; nothing if the literal is of another type.
    pub(super) fn from_share(name: OptionName, literal: &Lit) -> Option<Result<Self, String>> {
        let (share, may_be_percent) = match literal {
            Lit::Float(literal) if has_suffix(literal.suffix(), "f64") => {
                (literal.base10_parse().ok()?, true)
            }
            Lit::Int(literal) if has_suffix(literal.suffix(), "f64") => {
                (literal.base10_parse().ok()?, true)
            }
            Lit::Str(literal) => (rates::parse(&literal.value())?, false),
            _ => return None,
        };
        let value = Self::Share(share);
        Some(match value.broken_rule(name) {
            None => Ok(value),
            Some(rule) => Err(match rates::as_percentage(name, share) {
                Some(advice) if may_be_percent => rule.message_with_advice(&advice),
                _ => rule.message().to_owned(),
            }),
        })
    }

    /// Reads a string that is not blank.
    pub(super) fn from_text(name: OptionName, literal: &LitStr) -> Result<Self, String> {
        if literal.value().trim().is_empty() {
            return Err(format!(
                "`{name}` must not be empty; without it, the path of the function is used"
            ));
        }
        Ok(Self::Text(literal.clone()))
    }

    /// Returns the value, or the message of the rule that it breaks by itself.
    fn checked(self, name: OptionName) -> Result<Self, String> {
        match self.broken_rule(name) {
            None => Ok(self),
            Some(rule) => Err(rule.message().to_owned()),
        }
    }

    fn broken_rule(&self, name: OptionName) -> Option<Rule> {
        let mut settings = Settings::NONE;
        set(&mut settings, name, Some(self));
        Rule::broken_by_value(name, &settings)
    }

    fn count(&self) -> Option<u32> {
        match self {
            Self::Count(count) => Some(*count),
            _ => None,
        }
    }

    fn duration(&self) -> Option<Duration> {
        match self {
            Self::Duration(duration) => Some(*duration),
            _ => None,
        }
    }

    fn share(&self) -> Option<f64> {
        match self {
            Self::Share(share) => Some(*share),
            _ => None,
        }
    }
}

/// Sets an option to its value, which is unknown if it is a constant or missing.
pub(super) fn set(settings: &mut Settings, name: OptionName, value: Option<&Value>) {
    let count = known(value.and_then(Value::count));
    let duration = known(value.and_then(Value::duration));
    let share = known(value.and_then(Value::share));
    match name {
        OptionName::MaxFailures => settings.max_failures = count,
        OptionName::Window => match count {
            Setting::Known(_) => settings.last_calls = count,
            _ => settings.window = duration,
        },
        OptionName::FailureRate => settings.failure_rate = share,
        OptionName::SlowCall => settings.slow_call = duration,
        OptionName::SlowRate => settings.slow_rate = share,
        OptionName::MinCalls => settings.min_calls = count,
        OptionName::Reset => settings.reset = duration,
        OptionName::MaxReset => settings.max_reset = duration,
        OptionName::Jitter => settings.jitter = share,
        OptionName::Probes => settings.probes = count,
        OptionName::Timeout => settings.timeout = duration,
        OptionName::Ramp => settings.ramp = duration,
        OptionName::Key => settings.has_key = true,
        OptionName::MaxKeys => settings.max_keys = count,
        OptionName::FailureIf
        | OptionName::IgnoreIf
        | OptionName::RetryAfter
        | OptionName::Classify
        | OptionName::Fallback
        | OptionName::OrElse
        | OptionName::Error
        | OptionName::Breaker
        | OptionName::Name
        | OptionName::Crate => {}
    }
}

fn known<T>(value: Option<T>) -> Setting<T> {
    value.map_or(Setting::Unknown, Setting::Known)
}

/// Returns whether a number has no suffix, or that of its own type.
fn has_suffix(suffix: &str, own: &str) -> bool {
    suffix.is_empty() || suffix == own
}

//! Values as they are written, and what they mean for an option.
//!
//! # Examples
//!
//! ```
//! use circuit_options::names::OptionName;
//! use circuit_options::values::Value;
//! use circuit_options::written::Written;
//! use std::time::Duration;
//!
//! let minute = Written::Text("1m").read(OptionName::Reset);
//! assert_eq!(minute, Some(Ok(Value::Duration(Duration::from_secs(60)))));
//! // Not a duration, but what may be meant by it is.
//! assert_eq!(Written::Integer(60).corrected(OptionName::Reset).as_deref(), Some("\"60s\""));
//! ```

use std::time::Duration;

use crate::durations;
use crate::kinds::{self, ValueKind};
use crate::names::OptionName;
use crate::rates;
use crate::rules::Rule;
use crate::settings::{Setting, Settings};
use crate::values::Value;

/// A value as it is written: in the attribute, or in a file.
///
/// # Examples
///
/// ```
/// use circuit_options::names::OptionName;
/// use circuit_options::values::Value;
/// use circuit_options::written::Written;
///
/// let five = Written::Integer(5).read(OptionName::MaxFailures);
/// assert_eq!(five, Some(Ok(Value::Count(5))));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Written<'w> {
    /// A whole number without a sign.
    Integer(u128),
    /// Any other number.
    Float(f64),
    /// Text, without its quotes.
    Text(&'w str),
}

impl Written<'_> {
    /// Returns the value that this means for an option, or the message of its mistake; `None` if
    /// the option takes values of another type.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_options::names::OptionName;
    /// use circuit_options::values::Value;
    /// use circuit_options::written::Written;
    ///
    /// let percent = Written::Text("50%");
    /// assert_eq!(percent.read(OptionName::FailureRate), Some(Ok(Value::Share(0.5))));
    /// assert_eq!(percent.read(OptionName::Probes), None);
    ///
    /// let none = Written::Integer(0).read(OptionName::Probes).unwrap();
    /// assert_eq!(
    ///     none.unwrap_err(),
    ///     "`probes` must be at least 1; with 0 the circuit would never close again",
    /// );
    /// ```
    #[must_use]
    pub fn read(self, option: OptionName) -> Option<Result<Value, String>> {
        match (ValueKind::for_option(option)?, self) {
            (ValueKind::Count, Self::Integer(number)) => Some(match u32::try_from(number) {
                Ok(count) => checked(option, Value::Count(count)),
                Err(_) => Err(format!("`{option}` is a `u32`; write at most {}", u32::MAX)),
            }),
            (ValueKind::Window, Self::Integer(number)) => Some(match u32::try_from(number) {
                Ok(calls) => checked(option, Value::Count(calls)),
                Err(_) => Err(Rule::TooManyLastCalls.message().to_owned()),
            }),
            (ValueKind::Window, Self::Text(text)) if is_number(text) => Some(Err(format!(
                "no unit after `{text}` in {text:?}; write \"{text}s\" for a span of time, or \
                 `{option} = {text}` for a number of calls"
            ))),
            (ValueKind::Duration | ValueKind::Window, Self::Text(text)) => {
                let duration = durations::parse(text);
                Some(duration.and_then(|duration| checked(option, Value::Duration(duration))))
            }
            (ValueKind::Share | ValueKind::Rate, written) => {
                let share = Value::Share(written.as_share()?);
                let Some(rule) = broken_rule(option, share) else {
                    return Some(Ok(share));
                };
                Some(Err(match written.as_percentage(option) {
                    Some(advice) => rule.message_with_advice(&advice),
                    None => rule.message().to_owned(),
                }))
            }
            (ValueKind::Count | ValueKind::Duration | ValueKind::Window, _) => None,
        }
    }

    /// Returns the value that may have been meant by one of another type, as it is written:
    /// `"10s"` for `10`.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_options::names::OptionName;
    /// use circuit_options::written::Written;
    ///
    /// let ten = Written::Integer(10);
    /// assert_eq!(ten.corrected(OptionName::Reset).as_deref(), Some("\"10s\""));
    /// ```
    #[must_use]
    pub fn corrected(self, option: OptionName) -> Option<String> {
        let kind = ValueKind::for_option(option)?;
        let (text, meant) = match (kind, self) {
            (ValueKind::Duration | ValueKind::Window, Self::Integer(seconds)) => {
                let text = format!("{seconds}s");
                (format!("{text:?}"), Written::Text(&text).read(option))
            }
            (ValueKind::Duration | ValueKind::Window, Self::Float(seconds)) => {
                let text = durations::format(Duration::try_from_secs_f64(seconds).ok()?)?;
                (format!("{text:?}"), Written::Text(&text).read(option))
            }
            (ValueKind::Count, Self::Float(number)) => count(&number.to_string(), option)?,
            (ValueKind::Count, Self::Text(text)) => count(text, option)?,
            _ => return None,
        };
        matches!(meant, Some(Ok(_))).then_some(text)
    }

    /// Returns the message for a value of a type that the option does not take.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_options::names::OptionName;
    /// use circuit_options::written::Written;
    ///
    /// assert_eq!(
    ///     Written::Integer(10).wrong_type(OptionName::Reset),
    ///     "`reset` takes a span of time; write `reset = \"10s\"`",
    /// );
    /// ```
    #[must_use]
    pub fn wrong_type(self, option: OptionName) -> String {
        match (ValueKind::for_option(option), self.corrected(option)) {
            (Some(kind), Some(value)) => {
                let mut instead = format!("{option} = {value}");
                if let Some(milliseconds) = self.milliseconds() {
                    instead = format!("{instead}` or `{option} = \"{milliseconds}ms\"");
                }
                kinds::wrong_type(option, &kind, &instead)
            }
            _ => takes(option),
        }
    }

    /// Returns a number that may well be one of milliseconds, as it is large for one of seconds.
    fn milliseconds(self) -> Option<u128> {
        match self {
            Self::Integer(number) => (number >= 1_000).then_some(number),
            Self::Float(_) | Self::Text(_) => None,
        }
    }

    fn as_share(self) -> Option<f64> {
        match self {
            Self::Integer(number) => number.to_string().parse().ok(),
            Self::Float(number) => Some(number),
            Self::Text(text) => rates::parse(text),
        }
    }

    /// Returns the advice for a number that is too large, and may have been meant as a percentage.
    fn as_percentage(self, option: OptionName) -> Option<String> {
        match self {
            Self::Integer(_) | Self::Float(_) => rates::as_percentage(option, self.as_share()?),
            Self::Text(_) => None,
        }
    }
}

/// Returns the message for anything that is neither a number nor text.
///
/// # Examples
///
/// ```
/// use circuit_options::names::OptionName;
/// use circuit_options::written::takes;
///
/// assert_eq!(
///     takes(OptionName::MinCalls),
///     "`min_calls` takes an integer of at least 1; write `min_calls = 20`",
/// );
/// ```
#[must_use]
pub fn takes(option: OptionName) -> String {
    let examples = kinds::examples(option).join("` or `");
    match ValueKind::for_option(option) {
        Some(kind) => kinds::wrong_type(option, &kind, &examples),
        None => format!("`{option}` takes no value"),
    }
}

/// Returns the message for an option that is written twice.
///
/// # Examples
///
/// ```
/// use circuit_options::names::OptionName;
/// use circuit_options::written::twice;
///
/// assert_eq!(twice(OptionName::Reset), "`reset` is written twice; remove one");
/// ```
#[must_use]
pub fn twice(option: OptionName) -> String {
    format!("`{option}` is written twice; remove one")
}

/// Returns a number as it is written, and what it means.
fn count(text: &str, option: OptionName) -> Option<(String, Option<Result<Value, String>>)> {
    let count: u32 = text.parse().ok()?;
    Some((
        count.to_string(),
        Written::Integer(count.into()).read(option),
    ))
}

/// Returns the value, or the message of the rule that it breaks by itself.
fn checked(option: OptionName, value: Value) -> Result<Value, String> {
    match broken_rule(option, value) {
        None => Ok(value),
        Some(rule) => Err(rule.message().to_owned()),
    }
}

fn broken_rule(option: OptionName, value: Value) -> Option<Rule> {
    let mut settings = Settings::NONE;
    settings.set(option, Setting::Known(value));
    Rule::broken_by_value(option, &settings)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|letter| letter.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{Value, Written};
    use crate::names::OptionName;
    use std::time::Duration;

    #[test]
    fn a_value_is_read_as_its_option_takes_it() {
        use OptionName::{FailureRate, Jitter, Probes, Reset, Window};
        let seconds = |seconds| Value::Duration(Duration::from_secs(seconds));
        for (option, written, value) in [
            (Probes, Written::Integer(3), Value::Count(3)),
            (Window, Written::Integer(100), Value::Count(100)),
            (Window, Written::Text("1m40s"), seconds(100)),
            (Reset, Written::Text("30s"), seconds(30)),
            (Jitter, Written::Integer(0), Value::Share(0.0)),
            (FailureRate, Written::Integer(1), Value::Share(1.0)),
            (FailureRate, Written::Float(0.5), Value::Share(0.5)),
            (FailureRate, Written::Text("50%"), Value::Share(0.5)),
        ] {
            assert_eq!(
                written.read(option),
                Some(Ok(value)),
                "{option} {written:?}"
            );
        }
    }

    #[test]
    fn a_value_of_another_type_is_none() {
        use OptionName::{FailureRate, Fallback, Probes, Reset};
        for (option, written) in [
            (Probes, Written::Text("3")),
            (Probes, Written::Float(3.0)),
            (Reset, Written::Integer(30)),
            (FailureRate, Written::Text("0.5")),
            (Fallback, Written::Text("0.5")),
        ] {
            assert_eq!(written.read(option), None, "{option} {written:?}");
        }
    }

    #[test]
    fn mistakes_say_what_to_write() {
        use OptionName::{FailureRate, Probes, Reset, Window};
        let many = u128::from(u32::MAX) + 1;
        for (option, written, message) in [
            (
                Probes,
                Written::Integer(many),
                "`probes` is a `u32`; write at most 4294967295",
            ),
            (
                Window,
                Written::Integer(many),
                "`window` must be at most 65536 calls; write a span of time, such as \"10s\"",
            ),
            (
                Window,
                Written::Text("100"),
                "no unit after `100` in \"100\"; write \"100s\" for a span of time, or \
                 `window = 100` for a number of calls",
            ),
            (
                FailureRate,
                Written::Integer(50),
                "`failure_rate` must be above 0.0 and at most 1.0; for 50 percent write \
                 `failure_rate = \"50%\"`",
            ),
            (
                FailureRate,
                Written::Text("150%"),
                "`failure_rate` must be above 0.0 and at most 1.0; it is the share of failed calls \
                 that opens the circuit",
            ),
            (
                Reset,
                Written::Text("0s"),
                "`reset` must be longer than zero; with zero the circuit would never be open",
            ),
        ] {
            assert_eq!(written.read(option), Some(Err(message.to_owned())));
        }
    }

    #[test]
    fn a_large_number_may_be_one_of_milliseconds() {
        use OptionName::Reset;
        let message = "`reset` takes a span of time; write `reset = \"30000s\"` or \
                       `reset = \"30000ms\"`";
        assert_eq!(Written::Integer(30_000).wrong_type(Reset), message);
        let message = "`reset` takes a span of time; write `reset = \"30s\"`";
        assert_eq!(Written::Integer(30).wrong_type(Reset), message);
    }

    #[test]
    fn a_value_of_another_type_is_corrected_to_what_it_may_mean() {
        use OptionName::{FailureRate, MaxFailures, Reset, Window};
        for (option, written, expected) in [
            (Reset, Written::Integer(10), Some("\"10s\"")),
            (Reset, Written::Float(1.5), Some("\"1500ms\"")),
            (Reset, Written::Float(-1.5), None),
            (Reset, Written::Float(f64::NAN), None),
            (Reset, Written::Integer(0), None),
            (Reset, Written::Integer(u128::MAX), None),
            (Window, Written::Float(10.0), Some("\"10s\"")),
            (MaxFailures, Written::Float(3.0), Some("3")),
            (MaxFailures, Written::Float(0.5), None),
            (MaxFailures, Written::Float(0.0), None),
            (MaxFailures, Written::Text("3"), Some("3")),
            (MaxFailures, Written::Text("three"), None),
            (FailureRate, Written::Text("half"), None),
        ] {
            let corrected = written.corrected(option);
            assert_eq!(corrected.as_deref(), expected, "{option} {written:?}");
        }
    }
}

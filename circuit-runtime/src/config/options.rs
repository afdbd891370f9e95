//! The options of a configuration, as far as they are written.

use std::time::Duration;

use circuit_options::durations::rounded_up;
#[cfg(feature = "serde")]
use circuit_options::names::OptionName;
#[cfg(feature = "serde")]
use circuit_options::rules::{Rule, Scope};
use circuit_options::settings::{Setting, Settings};
#[cfg(feature = "serde")]
use circuit_options::values::Value;

#[cfg(feature = "serde")]
use super::error::ConfigError;

/// The options that are written; `None` for those that keep their defaults.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Options {
    pub(super) max_failures: Option<u32>,
    pub(super) window: Option<Duration>,
    pub(super) last_calls: Option<u32>,
    pub(super) failure_rate: Option<f64>,
    pub(super) slow_call: Option<Duration>,
    pub(super) slow_rate: Option<f64>,
    pub(super) min_calls: Option<u32>,
    pub(super) reset: Option<Duration>,
    pub(super) max_reset: Option<Duration>,
    pub(super) jitter: Option<f64>,
    pub(super) probes: Option<u32>,
    pub(super) timeout: Option<Duration>,
    pub(super) ramp: Option<Duration>,
}

impl Options {
    /// No option is written.
    pub(crate) const NONE: Self = Self {
        max_failures: None,
        window: None,
        last_calls: None,
        failure_rate: None,
        slow_call: None,
        slow_rate: None,
        min_calls: None,
        reset: None,
        max_reset: None,
        jitter: None,
        probes: None,
        timeout: None,
        ramp: None,
    };

    /// Rounds every duration up to whole microseconds.
    pub(crate) const fn rounded_up(self) -> Self {
        const fn whole(duration: Option<Duration>) -> Option<Duration> {
            match duration {
                Some(duration) => Some(rounded_up(duration)),
                None => None,
            }
        }
        Self {
            window: whole(self.window),
            slow_call: whole(self.slow_call),
            reset: whole(self.reset),
            max_reset: whole(self.max_reset),
            timeout: whole(self.timeout),
            ramp: whole(self.ramp),
            ..self
        }
    }

    /// Returns the values as the rules see them.
    pub(crate) const fn settings(&self) -> Settings {
        Settings {
            max_failures: Setting::from_option(self.max_failures),
            window: Setting::from_option(self.window),
            last_calls: Setting::from_option(self.last_calls),
            failure_rate: Setting::from_option(self.failure_rate),
            slow_call: Setting::from_option(self.slow_call),
            slow_rate: Setting::from_option(self.slow_rate),
            min_calls: Setting::from_option(self.min_calls),
            reset: Setting::from_option(self.reset),
            max_reset: Setting::from_option(self.max_reset),
            jitter: Setting::from_option(self.jitter),
            probes: Setting::from_option(self.probes),
            timeout: Setting::from_option(self.timeout),
            ramp: Setting::from_option(self.ramp),
            ..Settings::NONE
        }
    }
}

#[cfg(feature = "serde")]
impl Options {
    /// Returns the value of an option, if it is written.
    pub(crate) fn get(&self, option: OptionName) -> Option<Value> {
        match option {
            OptionName::MaxFailures => self.max_failures.map(Value::Count),
            OptionName::Window => {
                let calls = self.last_calls.map(Value::Count);
                self.window.map(Value::Duration).or(calls)
            }
            OptionName::FailureRate => self.failure_rate.map(Value::Share),
            OptionName::SlowCall => self.slow_call.map(Value::Duration),
            OptionName::SlowRate => self.slow_rate.map(Value::Share),
            OptionName::MinCalls => self.min_calls.map(Value::Count),
            OptionName::Reset => self.reset.map(Value::Duration),
            OptionName::MaxReset => self.max_reset.map(Value::Duration),
            OptionName::Jitter => self.jitter.map(Value::Share),
            OptionName::Probes => self.probes.map(Value::Count),
            OptionName::Timeout => self.timeout.map(Value::Duration),
            OptionName::Ramp => self.ramp.map(Value::Duration),
            _ => None,
        }
    }

    /// Sets an option. A window of either type replaces one of the other.
    pub(crate) fn set(&mut self, option: OptionName, value: Value) {
        let (count, duration, share) = (value.count(), value.duration(), value.share());
        match option {
            OptionName::MaxFailures => self.max_failures = count,
            OptionName::Window => (self.window, self.last_calls) = (duration, count),
            OptionName::FailureRate => self.failure_rate = share,
            OptionName::SlowCall => self.slow_call = duration,
            OptionName::SlowRate => self.slow_rate = share,
            OptionName::MinCalls => self.min_calls = count,
            OptionName::Reset => self.reset = duration,
            OptionName::MaxReset => self.max_reset = duration,
            OptionName::Jitter => self.jitter = share,
            OptionName::Probes => self.probes = count,
            OptionName::Timeout => self.timeout = duration,
            OptionName::Ramp => self.ramp = duration,
            _ => {}
        }
    }

    /// Returns the options that are written, in the order in which messages list them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (OptionName, Value)> {
        let options = OptionName::ALL.into_iter();
        options.filter_map(|option| Some((option, self.get(option)?)))
    }

    /// Returns these options, and those of `base` where one is not written.
    pub(crate) fn over(&self, base: Self) -> Self {
        let mut options = base;
        for (option, value) in self.iter() {
            options.set(option, value);
        }
        options
    }

    /// Returns the first option whose value is invalid whatever the others are, with the message.
    pub(crate) fn mistake_in_value(&self) -> Option<(OptionName, String)> {
        let settings = self.settings();
        let is_broken = |rule: &Rule| {
            let is_of_value = rule.scope() == Scope::Value || *rule == Rule::TwoWindows;
            is_of_value && rule.is_broken(&settings)
        };
        let rule = Rule::ALL.iter().copied().find(is_broken)?;
        Some((rule.option(&settings), rule.message().to_owned()))
    }

    /// Returns the first option that must change, with the message of the rule that it breaks.
    pub(crate) fn mistake(&self) -> Option<(OptionName, String)> {
        let settings = self.settings();
        let error = ConfigError::first_in(&settings)?;
        let message = match (error, self.max_failures, self.last_calls) {
            (ConfigError::MaxFailuresAboveLastCalls, Some(failures), Some(calls)) => {
                Rule::failures_above_calls(failures, calls)
            }
            _ => error.to_string(),
        };
        Some((error.option(&settings), message))
    }
}

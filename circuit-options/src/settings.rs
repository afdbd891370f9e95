//! The values of the options, as far as they are known.
//!
//! # Examples
//!
//! ```
//! use circuit_options::names::OptionName;
//! use circuit_options::settings::{Setting, Settings};
//! use circuit_options::values::Value;
//!
//! let mut settings = Settings::NONE;
//! settings.set(OptionName::Probes, Setting::Known(Value::Count(3)));
//! settings.set(OptionName::Jitter, Setting::Unknown); // a constant, for example
//! assert_eq!(settings.probes, Setting::Known(3));
//! assert!(settings.jitter.is_written());
//! ```

use std::time::Duration;

use crate::defaults;
use crate::names::OptionName;
use crate::values::Value;

/// The value of an option, as far as it is known.
///
/// # Examples
///
/// ```
/// use circuit_options::settings::Setting;
///
/// let reset = Setting::from_option(Some("30s"));
/// assert_eq!(reset, Setting::Known("30s"));
/// assert!(reset.is_written());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Setting<T> {
    /// The option is not written.
    Absent,
    /// The option is written, with a value that is not known: a constant, or one that is invalid.
    Unknown,
    /// The option is written with this value.
    Known(T),
}

impl<T: Copy> Setting<T> {
    /// Creates a setting that is known, or absent for `None`.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_options::settings::Setting;
    ///
    /// assert_eq!(Setting::from_option(Some(5)), Setting::Known(5));
    /// assert_eq!(Setting::<u32>::from_option(None), Setting::Absent);
    /// ```
    pub const fn from_option(value: Option<T>) -> Self {
        match value {
            Some(value) => Self::Known(value),
            None => Self::Absent,
        }
    }

    /// Returns the setting of what `part` finds in a known value; unknown if that is nothing.
    fn and_then<P>(self, part: impl FnOnce(T) -> Option<P>) -> Setting<P> {
        match self {
            Self::Absent => Setting::Absent,
            Self::Unknown => Setting::Unknown,
            Self::Known(value) => part(value).map_or(Setting::Unknown, Setting::Known),
        }
    }

    /// Returns `true` if the option is written.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_options::settings::Setting;
    ///
    /// assert!(Setting::<u32>::Unknown.is_written());
    /// assert!(!Setting::<u32>::Absent.is_written());
    /// ```
    pub const fn is_written(&self) -> bool {
        !matches!(self, Self::Absent)
    }
}

/// All options, as far as they are known. An unknown value breaks no rule about values.
///
/// # Examples
///
/// ```
/// use circuit_options::rules::Rule;
/// use circuit_options::settings::{Setting, Settings};
///
/// let settings = Settings {
///     failure_rate: Setting::Unknown,
///     ..Settings::NONE
/// };
/// assert!(!Rule::FailureRateOutOfRange.is_broken(&settings));
/// assert!(Rule::FailureRateWithoutWindow.is_broken(&settings));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// `max_failures`
    pub max_failures: Setting<u32>,
    /// `window`, as a span of time
    pub window: Setting<Duration>,
    /// `last_calls`, or `window` as a number of calls
    pub last_calls: Setting<u32>,
    /// `failure_rate`
    pub failure_rate: Setting<f64>,
    /// `slow_call`
    pub slow_call: Setting<Duration>,
    /// `slow_rate`
    pub slow_rate: Setting<f64>,
    /// `min_calls`
    pub min_calls: Setting<u32>,
    /// `reset`
    pub reset: Setting<Duration>,
    /// `max_reset`
    pub max_reset: Setting<Duration>,
    /// `jitter`
    pub jitter: Setting<f64>,
    /// `probes`
    pub probes: Setting<u32>,
    /// `timeout`
    pub timeout: Setting<Duration>,
    /// `ramp`
    pub ramp: Setting<Duration>,
    /// `max_keys`
    pub max_keys: Setting<u32>,
    /// `key`: whether it is written
    pub has_key: bool,
}

impl Settings {
    /// No option is written.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_options::settings::Settings;
    ///
    /// assert!(!Settings::NONE.probes.is_written());
    /// ```
    pub const NONE: Self = Self {
        max_failures: Setting::Absent,
        window: Setting::Absent,
        last_calls: Setting::Absent,
        failure_rate: Setting::Absent,
        slow_call: Setting::Absent,
        slow_rate: Setting::Absent,
        min_calls: Setting::Absent,
        reset: Setting::Absent,
        max_reset: Setting::Absent,
        jitter: Setting::Absent,
        probes: Setting::Absent,
        timeout: Setting::Absent,
        ramp: Setting::Absent,
        max_keys: Setting::Absent,
        has_key: false,
    };

    /// Sets an option. A value of a type that the option does not take is unknown.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_options::names::OptionName;
    /// use circuit_options::settings::{Setting, Settings};
    /// use circuit_options::values::Value;
    ///
    /// let mut settings = Settings::NONE;
    /// settings.set(OptionName::Window, Setting::Known(Value::Count(100)));
    /// settings.set(OptionName::Reset, Setting::Unknown);
    ///
    /// assert_eq!(settings.last_calls, Setting::Known(100));
    /// assert_eq!(settings.reset, Setting::Unknown);
    /// ```
    pub fn set(&mut self, option: OptionName, value: Setting<Value>) {
        let count = value.and_then(Value::count);
        let duration = value.and_then(Value::duration);
        let share = value.and_then(Value::share);
        match option {
            OptionName::MaxFailures => self.max_failures = count,
            OptionName::Window => match count {
                Setting::Known(_) => self.last_calls = count,
                _ => self.window = duration,
            },
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
            OptionName::Key => self.has_key = true,
            OptionName::MaxKeys => self.max_keys = count,
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

    pub(crate) const fn has_window(&self) -> bool {
        self.window.is_written() || self.last_calls.is_written()
    }

    pub(crate) const fn has_rate(&self) -> bool {
        self.failure_rate.is_written() || self.slow_call.is_written()
    }

    /// Returns the failures that open the circuit; those of the default where nothing else opens
    /// it.
    pub(crate) const fn max_failures(&self) -> Setting<u32> {
        match self.max_failures {
            Setting::Absent if !self.has_rate() => Setting::Known(defaults::MAX_FAILURES),
            written => written,
        }
    }

    pub(crate) const fn reset(&self) -> Setting<Duration> {
        match self.reset {
            Setting::Absent => Setting::Known(defaults::RESET),
            written => written,
        }
    }
}

//! Configuration: when a circuit opens, and for how long.

mod error;
mod options;
#[cfg(feature = "serde")]
pub(crate) mod serde;

use std::fmt;
use std::time::Duration;

use circuit_options::defaults;
use circuit_options::names::OptionName;

pub use error::ConfigError;
pub(crate) use options::Options;

/// The rules of a circuit breaker.
///
/// A `Config` is always valid: [`ConfigBuilder::build`] rejects invalid combinations. See the
/// [`guide`](crate::guide::rules) for which rules suit which service. Durations are rounded up to
/// whole microseconds. With the feature `serde`, it is read from a file in the words of the
/// attribute.
///
/// # Examples
///
/// ```
/// use circuit_runtime::Config;
/// use std::time::Duration;
///
/// const CONFIG: Config = match Config::builder()
///     .max_failures(3)
///     .window(Duration::from_secs(10))
///     .build()
/// {
///     Ok(config) => config,
///     Err(error) => panic!("{}", error.message()),
/// };
///
/// assert_eq!(CONFIG.max_failures(), Some(3));
/// assert_eq!(CONFIG.reset(), Duration::from_secs(30));
/// ```
#[derive(Clone, Copy)]
pub struct Config {
    /// Without the defaults, which depend on what else is written.
    options: Options,
}

impl Config {
    /// Returns a builder with the defaults: five consecutive failures open the circuit for thirty
    /// seconds.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::Config;
    ///
    /// assert_eq!(Config::builder().build(), Ok(Config::default()));
    /// ```
    pub const fn builder() -> ConfigBuilder {
        ConfigBuilder {
            options: Options::NONE,
        }
    }

    /// Returns the number of failures that opens the circuit: within [`window`](Self::window),
    /// among the [`last_calls`](Self::last_calls), or consecutive ones where neither is set; `None`
    /// if only a rate opens it.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::Config;
    ///
    /// let rate = Config::builder().last_calls(100).failure_rate(0.5).build()?;
    ///
    /// assert_eq!(Config::default().max_failures(), Some(5));
    /// assert_eq!(rate.max_failures(), None);
    /// # Ok::<(), circuit_runtime::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn max_failures(&self) -> Option<u32> {
        match self.options.max_failures {
            None if self.options.failure_rate.is_none() && self.options.slow_call.is_none() => {
                Some(defaults::MAX_FAILURES)
            }
            max_failures => max_failures,
        }
    }

    /// Returns the length of the sliding time window, if there is one.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::Config;
    /// use std::time::Duration;
    ///
    /// let config = Config::builder().window(Duration::from_secs(10)).build()?;
    ///
    /// assert_eq!(config.window(), Some(Duration::from_secs(10)));
    /// assert_eq!(Config::default().window(), None);
    /// # Ok::<(), circuit_runtime::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn window(&self) -> Option<Duration> {
        self.options.window
    }

    /// Returns the size of the count-based window, if there is one.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::Config;
    ///
    /// let config = Config::builder().last_calls(100).build()?;
    ///
    /// assert_eq!(config.last_calls(), Some(100));
    /// assert_eq!(Config::default().last_calls(), None);
    /// # Ok::<(), circuit_runtime::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn last_calls(&self) -> Option<u32> {
        self.options.last_calls
    }

    /// Returns the share of failed calls that opens the circuit, if one does.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::Config;
    ///
    /// let config = Config::builder().last_calls(100).failure_rate(0.5).build()?;
    ///
    /// assert_eq!(config.failure_rate(), Some(0.5));
    /// assert_eq!(Config::default().failure_rate(), None);
    /// # Ok::<(), circuit_runtime::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn failure_rate(&self) -> Option<f64> {
        self.options.failure_rate
    }

    /// Returns the duration above which a call is slow; `None` if no call is.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::Config;
    /// use std::time::Duration;
    ///
    /// let slow_call = Duration::from_secs(2);
    /// let config = Config::builder().last_calls(100).slow_call(slow_call).build()?;
    ///
    /// assert_eq!(config.slow_call(), Some(slow_call));
    /// assert_eq!(Config::default().slow_call(), None);
    /// # Ok::<(), circuit_runtime::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn slow_call(&self) -> Option<Duration> {
        self.options.slow_call
    }

    /// Returns the share of slow calls that opens the circuit; `None` if no call is slow.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::Config;
    /// use std::time::Duration;
    ///
    /// let slow_call = Duration::from_secs(2);
    /// let config = Config::builder().last_calls(100).slow_call(slow_call).build()?;
    ///
    /// assert_eq!(config.slow_rate(), Some(1.0)); // all of them
    /// assert_eq!(Config::default().slow_rate(), None);
    /// # Ok::<(), circuit_runtime::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn slow_rate(&self) -> Option<f64> {
        match self.options.slow_rate {
            None if self.options.slow_call.is_some() => Some(defaults::SLOW_RATE),
            slow_rate => slow_rate,
        }
    }

    /// Returns the number of calls below which rates are not evaluated. Defaults to 20, or to
    /// [`last_calls`](Self::last_calls) if those are fewer.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::Config;
    ///
    /// let config = Config::builder().last_calls(10).failure_rate(0.5).build()?;
    ///
    /// assert_eq!(config.min_calls(), 10);
    /// assert_eq!(Config::default().min_calls(), 20);
    /// # Ok::<(), circuit_runtime::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn min_calls(&self) -> u32 {
        match (self.options.min_calls, self.options.last_calls) {
            (Some(min_calls), _) => min_calls,
            (None, Some(last_calls)) if last_calls < defaults::MIN_CALLS => last_calls,
            (None, _) => defaults::MIN_CALLS,
        }
    }

    /// Returns how long the circuit stays open the first time, before `jitter`.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::Config;
    /// use std::time::Duration;
    ///
    /// assert_eq!(Config::default().reset(), Duration::from_secs(30));
    /// ```
    #[must_use]
    pub const fn reset(&self) -> Duration {
        match self.options.reset {
            Some(reset) => reset,
            None => defaults::RESET,
        }
    }

    /// Returns the upper bound of the wait, which each failed probe doubles, before `jitter`;
    /// `None` if the wait does not grow.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::Config;
    /// use std::time::Duration;
    ///
    /// let config = Config::builder().max_reset(Duration::from_secs(600)).build()?;
    ///
    /// assert_eq!(config.max_reset(), Some(Duration::from_secs(600)));
    /// assert_eq!(Config::default().max_reset(), None);
    /// # Ok::<(), circuit_runtime::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn max_reset(&self) -> Option<Duration> {
        self.options.max_reset
    }

    /// Returns the largest fraction of a wait that is added to it at random.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::Config;
    ///
    /// let config = Config::builder().jitter(0.1).build()?;
    ///
    /// assert_eq!(config.jitter(), 0.1);
    /// assert_eq!(Config::default().jitter(), 0.0);
    /// # Ok::<(), circuit_runtime::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn jitter(&self) -> f64 {
        match self.options.jitter {
            Some(jitter) => jitter,
            None => defaults::JITTER,
        }
    }

    /// Returns the number of calls that a half-open circuit admits, all of which must succeed.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::Config;
    ///
    /// assert_eq!(Config::default().probes(), 1);
    /// ```
    #[must_use]
    pub const fn probes(&self) -> u32 {
        match self.options.probes {
            Some(probes) => probes,
            None => defaults::PROBES,
        }
    }

    /// Returns the duration after which a call is dropped; `None` if a call may take any time.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::Config;
    /// use std::time::Duration;
    ///
    /// let config = Config::builder().timeout(Duration::from_secs(2)).build()?;
    ///
    /// assert_eq!(config.timeout(), Some(Duration::from_secs(2)));
    /// assert_eq!(Config::default().timeout(), None);
    /// # Ok::<(), circuit_runtime::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn timeout(&self) -> Option<Duration> {
        self.options.timeout
    }

    /// Returns how long calls are admitted gradually after a recovery; `None` if all are at once.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::Config;
    /// use std::time::Duration;
    ///
    /// let config = Config::builder().ramp(Duration::from_secs(20)).build()?;
    ///
    /// assert_eq!(config.ramp(), Some(Duration::from_secs(20)));
    /// assert_eq!(Config::default().ramp(), None);
    /// # Ok::<(), circuit_runtime::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn ramp(&self) -> Option<Duration> {
        self.options.ramp
    }

    /// Returns this configuration with some of its options replaced, or the option that must
    /// change, with the message.
    ///
    /// The defaults follow what is written in the end: without a rate beside it, five failures open
    /// the circuit.
    #[cfg(feature = "serde")]
    pub(crate) fn with(&self, options: &Options) -> Result<Self, (OptionName, String)> {
        let options = options.over(self.options);
        match options.mistake() {
            Some(mistake) => Err(mistake),
            None => Ok(Self { options }),
        }
    }

    /// Returns the options that differ in `other` and have an effect, with the value here and
    /// there.
    #[cfg(feature = "serde")]
    pub(crate) fn differences(
        &self,
        other: &Self,
    ) -> impl Iterator<Item = (&'static str, String, String)> {
        let (before, after) = (self.effective(), other.effective());
        let text = |value: Option<circuit_options::values::Value>| {
            value.map_or("none".to_owned(), |it| it.to_string())
        };
        OptionName::ALL.into_iter().filter_map(move |option| {
            let (before, after) = (before.get(option), after.get(option));
            (before != after).then(|| (option.as_str(), text(before), text(after)))
        })
    }

    /// Returns the origin of an option's value; `None` if it has none.
    #[cfg(feature = "serde")]
    pub(crate) fn origin(&self, option: OptionName) -> Option<&'static str> {
        let is_written = self.options.get(option).is_some();
        let origin = if is_written {
            "the program"
        } else {
            "the default"
        };
        self.effective().get(option).map(|_| origin)
    }

    /// Fills in the defaults, except for that of an option without effect.
    #[cfg(feature = "serde")]
    fn effective(&self) -> Options {
        let options = self.resolved();
        let has_rate = options.failure_rate.is_some() || options.slow_call.is_some();
        Options {
            min_calls: options.min_calls.filter(|_| has_rate),
            ..options
        }
    }

    /// Fills in the defaults.
    fn resolved(&self) -> Options {
        Options {
            max_failures: self.max_failures(),
            slow_rate: self.slow_rate(),
            min_calls: Some(self.min_calls()),
            reset: Some(self.reset()),
            jitter: Some(self.jitter()),
            probes: Some(self.probes()),
            ..self.options
        }
    }
}

/// A default that is set explicitly equals the default.
impl PartialEq for Config {
    fn eq(&self, other: &Self) -> bool {
        self.resolved() == other.resolved()
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("max_failures", &self.max_failures())
            .field("window", &self.window())
            .field("last_calls", &self.last_calls())
            .field("failure_rate", &self.failure_rate())
            .field("slow_call", &self.slow_call())
            .field("slow_rate", &self.slow_rate())
            .field("min_calls", &self.min_calls())
            .field("reset", &self.reset())
            .field("max_reset", &self.max_reset())
            .field("jitter", &self.jitter())
            .field("probes", &self.probes())
            .field("timeout", &self.timeout())
            .field("ramp", &self.ramp())
            .finish()
    }
}

impl Default for Config {
    /// Returns the defaults: five consecutive failures open the circuit for thirty seconds, and a
    /// call has no timeout.
    fn default() -> Self {
        Self {
            options: Options::NONE,
        }
    }
}

/// Sets the rules of a [`Config`], one by one.
///
/// Every method can be called in a constant. An option that is not set keeps its default.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{Config, ConfigError};
/// use std::time::Duration;
///
/// let rates = Config::builder()
///     .window(Duration::from_secs(60))
///     .failure_rate(0.5)
///     .slow_call(Duration::from_secs(2));
///
/// assert_eq!(rates.build()?.min_calls(), 20);
/// assert_eq!(
///     rates.last_calls(100).build(),
///     Err(ConfigError::TwoWindows),
/// );
/// # Ok::<(), ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ConfigBuilder {
    options: Options,
}

impl ConfigBuilder {
    /// Opens the circuit at this many failures: within [`window`](Self::window), among the
    /// [`last_calls`](Self::last_calls), or in a row where neither is set. At least 1.
    ///
    /// Defaults to 5, if neither [`failure_rate`](Self::failure_rate) nor
    /// [`slow_call`](Self::slow_call) is set; otherwise no number of failures opens the circuit.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{Config, ConfigError};
    ///
    /// let config = Config::builder().max_failures(3).build()?;
    /// assert_eq!(config.max_failures(), Some(3));
    ///
    /// let none = Config::builder().max_failures(0).build();
    /// assert_eq!(none, Err(ConfigError::ZeroMaxFailures));
    /// # Ok::<(), ConfigError>(())
    /// ```
    pub const fn max_failures(mut self, max_failures: u32) -> Self {
        self.options.max_failures = Some(max_failures);
        self
    }

    /// Counts the calls of this span of time up to now: a sliding window. Longer than zero, and not
    /// together with [`last_calls`](Self::last_calls).
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{Config, ConfigError};
    /// use std::time::Duration;
    ///
    /// let window = Config::builder().window(Duration::from_secs(10));
    /// assert_eq!(window.build()?.window(), Some(Duration::from_secs(10)));
    /// assert_eq!(window.last_calls(100).build(), Err(ConfigError::TwoWindows));
    /// # Ok::<(), ConfigError>(())
    /// ```
    pub const fn window(mut self, window: Duration) -> Self {
        self.options.window = Some(window);
        self
    }

    /// Counts the last calls, this many of them, however long ago they were. From 1 to 65 536, and
    /// not together with [`window`](Self::window). In the attribute this is also called `window`.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{Config, ConfigError};
    ///
    /// let config = Config::builder().last_calls(100).max_failures(10).build()?;
    /// assert_eq!(config.last_calls(), Some(100));
    ///
    /// let too_many = Config::builder().last_calls(65_537).build();
    /// assert_eq!(too_many, Err(ConfigError::TooManyLastCalls));
    /// # Ok::<(), ConfigError>(())
    /// ```
    pub const fn last_calls(mut self, last_calls: u32) -> Self {
        self.options.last_calls = Some(last_calls);
        self
    }

    /// Opens the circuit when this share of the calls in the window failed, or more. Above 0, at
    /// most 1. Needs [`window`](Self::window) or [`last_calls`](Self::last_calls).
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{Config, ConfigError};
    ///
    /// let rate = Config::builder().failure_rate(0.5);
    /// assert_eq!(rate.build(), Err(ConfigError::FailureRateWithoutWindow));
    /// assert_eq!(rate.last_calls(100).build()?.failure_rate(), Some(0.5));
    /// # Ok::<(), ConfigError>(())
    /// ```
    pub const fn failure_rate(mut self, failure_rate: f64) -> Self {
        self.options.failure_rate = Some(failure_rate);
        self
    }

    /// Counts a call that takes longer than this as slow, whether or not it succeeds. Longer than
    /// zero. Needs [`window`](Self::window) or [`last_calls`](Self::last_calls).
    ///
    /// A call that is still running is counted as soon as it has taken this long. For a probe only
    /// success matters, however late it comes. Unless `slow_call` is below
    /// [`timeout`](Self::timeout), only calls without a timeout (such as those by
    /// [`try_acquire`](crate::CircuitBreaker::try_acquire)) can be slow.
    ///
    /// On Linux, calls are measured by a clock that ticks every 10 ms or more often, so that a call
    /// within a tick of the limit may be counted either way. With a `slow_call` below 200 ms, or a
    /// `window` below 2 s, or on another system, the exact clock is used, and read twice for each
    /// call.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{Config, ConfigError};
    /// use std::time::Duration;
    ///
    /// let slow_call = Duration::from_secs(2);
    /// let slow = Config::builder().slow_call(slow_call);
    /// assert_eq!(slow.build(), Err(ConfigError::SlowCallWithoutWindow));
    /// assert_eq!(slow.last_calls(100).build()?.slow_call(), Some(slow_call));
    /// # Ok::<(), ConfigError>(())
    /// ```
    pub const fn slow_call(mut self, slow_call: Duration) -> Self {
        self.options.slow_call = Some(slow_call);
        self
    }

    /// Opens the circuit when this share of the calls in the window was slow, or more. Above 0, at
    /// most 1. Defaults to 1. Needs [`slow_call`](Self::slow_call).
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{Config, ConfigError};
    /// use std::time::Duration;
    ///
    /// let rate = Config::builder().last_calls(100).slow_rate(0.8);
    /// assert_eq!(rate.build(), Err(ConfigError::SlowRateWithoutSlowCall));
    ///
    /// let config = rate.slow_call(Duration::from_secs(2)).build()?;
    /// assert_eq!(config.slow_rate(), Some(0.8));
    /// # Ok::<(), ConfigError>(())
    /// ```
    pub const fn slow_rate(mut self, slow_rate: f64) -> Self {
        self.options.slow_rate = Some(slow_rate);
        self
    }

    /// Evaluates the rates only once the window holds at least this many calls. At least 1.
    /// Defaults to 20, or to [`last_calls`](Self::last_calls) if those are fewer. Needs a rate.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{Config, ConfigError};
    ///
    /// let min_calls = Config::builder().last_calls(100).min_calls(50);
    /// assert_eq!(min_calls.build(), Err(ConfigError::MinCallsWithoutRate));
    /// assert_eq!(min_calls.failure_rate(0.5).build()?.min_calls(), 50);
    /// # Ok::<(), ConfigError>(())
    /// ```
    pub const fn min_calls(mut self, min_calls: u32) -> Self {
        self.options.min_calls = Some(min_calls);
        self
    }

    /// Keeps the circuit open for this long, then admits probes. Longer than zero. Defaults to 30
    /// seconds.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{Config, ConfigError};
    /// use std::time::Duration;
    ///
    /// let config = Config::builder().reset(Duration::from_secs(5)).build()?;
    /// assert_eq!(config.reset(), Duration::from_secs(5));
    /// # Ok::<(), ConfigError>(())
    /// ```
    pub const fn reset(mut self, reset: Duration) -> Self {
        self.options.reset = Some(reset);
        self
    }

    /// Doubles the wait each time a probe fails, up to this, with [`jitter`](Self::jitter) on top;
    /// a recovery starts again from [`reset`](Self::reset). Not shorter than `reset`. If it is not
    /// set, the wait does not grow. It also bounds the wait of a
    /// [`Verdict::Unavailable`](crate::Verdict::Unavailable), which otherwise is one hour at most.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{Config, ConfigError};
    /// use std::time::Duration;
    ///
    /// let reset = Config::builder().reset(Duration::from_secs(30));
    /// // Stays open for 30, 60, 120 and so on, up to 600 seconds.
    /// let config = reset.max_reset(Duration::from_secs(600)).build()?;
    /// assert_eq!(config.max_reset(), Some(Duration::from_secs(600)));
    ///
    /// let shorter = reset.max_reset(Duration::from_secs(10)).build();
    /// assert_eq!(shorter, Err(ConfigError::MaxResetBelowReset));
    /// # Ok::<(), ConfigError>(())
    /// ```
    pub const fn max_reset(mut self, max_reset: Duration) -> Self {
        self.options.max_reset = Some(max_reset);
        self
    }

    /// Adds up to this fraction to each wait, at random, so that the instances of a service do not
    /// probe at the same moment. From 0 to 1. Defaults to 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{Config, ConfigError};
    ///
    /// // Stays open for 30 to 33 seconds.
    /// let config = Config::builder().jitter(0.1).build()?;
    /// assert_eq!(config.jitter(), 0.1);
    /// # Ok::<(), ConfigError>(())
    /// ```
    pub const fn jitter(mut self, jitter: f64) -> Self {
        self.options.jitter = Some(jitter);
        self
    }

    /// Admits this many calls while the circuit is half-open. When all have succeeded it closes;
    /// the first that fails reopens it. At least 1. Defaults to 1.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{Config, ConfigError};
    ///
    /// let config = Config::builder().probes(3).build()?;
    /// assert_eq!(config.probes(), 3);
    /// # Ok::<(), ConfigError>(())
    /// ```
    pub const fn probes(mut self, probes: u32) -> Self {
        self.options.probes = Some(probes);
        self
    }

    /// Drops a call that takes longer than this, counts it as a failure and returns
    /// [`CircuitError::Timeout`](crate::CircuitError::Timeout). Longer than zero. If it is not set,
    /// a call may take any time.
    ///
    /// It is measured from the moment at which the call first has to wait, so that no call has less
    /// time; a call that never waits has no timeout.
    ///
    /// Needs a tokio runtime with timers around the call. Without one, a call returns
    /// [`CircuitError::NoRuntime`](crate::CircuitError::NoRuntime), at the latest when it has to
    /// wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{Config, ConfigError};
    /// use std::time::Duration;
    ///
    /// let config = Config::builder().timeout(Duration::from_secs(2)).build()?;
    /// assert_eq!(config.timeout(), Some(Duration::from_secs(2)));
    /// # Ok::<(), ConfigError>(())
    /// ```
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// Admits calls gradually over this time after the probes have succeeded, so that a service
    /// that has just recovered is not flooded: a tenth of them at first, evenly spread, then a
    /// growing share. Longer than zero. If it is not set, every call is admitted at once.
    ///
    /// The circuit stays half-open meanwhile. Every rule applies, to the admitted calls alone; one
    /// that is met reopens the circuit, as a failed probe does.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{Config, ConfigError};
    /// use std::time::Duration;
    ///
    /// let config = Config::builder().ramp(Duration::from_secs(20)).build()?;
    /// assert_eq!(config.ramp(), Some(Duration::from_secs(20)));
    /// # Ok::<(), ConfigError>(())
    /// ```
    pub const fn ramp(mut self, ramp: Duration) -> Self {
        self.options.ramp = Some(ramp);
        self
    }

    /// Builds the configuration.
    ///
    /// # Errors
    ///
    /// Returns the first invalid setting; its message says what to write instead.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{Config, ConfigError};
    ///
    /// let config = Config::builder().last_calls(100).failure_rate(0.5).build()?;
    ///
    /// assert_eq!(config.min_calls(), 20);
    /// # Ok::<(), ConfigError>(())
    /// ```
    pub const fn build(self) -> Result<Config, ConfigError> {
        match ConfigError::first_in(&self.options.settings()) {
            Some(error) => Err(error),
            None => Ok(Config {
                options: self.options.rounded_up(),
            }),
        }
    }

    /// Returns the options that are set.
    #[cfg(feature = "serde")]
    pub(crate) const fn written(&self) -> Options {
        self.options.rounded_up()
    }

    /// Returns the error that the attribute reports at `option`, if any.
    pub(crate) const fn error_at(&self, option: OptionName) -> Option<ConfigError> {
        let settings = self.options.settings();
        match ConfigError::first_in(&settings) {
            Some(error) if error.option(&settings) as u8 == option as u8 => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, ConfigError};
    use circuit_options::names::OptionName;

    const TOO_FEW: ConfigError = ConfigError::MaxFailuresAboveLastCalls;

    #[test]
    fn a_default_that_is_set_explicitly_equals_the_default() {
        let written = Config::builder().max_failures(5).min_calls(20);
        assert_eq!(Config::builder().build(), Ok(Config::default()));
        assert_eq!(
            Config::builder().max_failures(5).build(),
            Ok(Config::default())
        );
        assert_eq!(written.build(), Err(ConfigError::MinCallsWithoutRate));
    }

    /// The attribute checks each option on its own: an error that belongs to none would go
    /// unreported.
    #[test]
    fn an_error_is_reported_at_the_option_that_must_change() {
        let three = Config::builder().last_calls(3);
        let default = three;
        let four = three.max_failures(4);
        for (rules, option) in [
            (default, OptionName::Window),
            (four, OptionName::MaxFailures),
        ] {
            let expected = |at: OptionName| (at == option).then_some(TOO_FEW);
            for at in [
                OptionName::Window,
                OptionName::MaxFailures,
                OptionName::Reset,
            ] {
                assert_eq!(rules.error_at(at), expected(at), "of {:?}", rules.options);
            }
        }
        assert_eq!(three.max_failures(3).error_at(OptionName::Window), None);
    }
}

//! Configuration: when a circuit opens, and for how long.

mod error;

use std::time::Duration;

use circuit_options::defaults;
use circuit_options::names::OptionName;
use circuit_options::settings::{Setting, Settings};

pub use error::ConfigError;

/// The rules of a circuit breaker.
///
/// A `Config` is always valid: [`ConfigBuilder::build`] rejects invalid combinations. See the
/// [`guide`](crate::docs::guide) for which rules suit which service. Durations are rounded up to
/// whole microseconds.
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
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    max_failures: Option<u32>,
    window: Option<Duration>,
    last_calls: Option<u32>,
    failure_rate: Option<f64>,
    slow_call: Option<Duration>,
    slow_rate: Option<f64>,
    min_calls: Option<u32>,
    reset: Duration,
    max_reset: Option<Duration>,
    jitter: f64,
    probes: u32,
    timeout: Option<Duration>,
}

impl Config {
    /// Returns a builder with the defaults: five consecutive failures open the circuit for thirty
    /// seconds.
    pub const fn builder() -> ConfigBuilder {
        ConfigBuilder {
            config: Self {
                max_failures: None,
                window: None,
                last_calls: None,
                failure_rate: None,
                slow_call: None,
                slow_rate: None,
                min_calls: None,
                reset: defaults::RESET,
                max_reset: None,
                jitter: defaults::JITTER,
                probes: defaults::PROBES,
                timeout: None,
            },
        }
    }

    /// Returns the number of failures that opens the circuit: within [`window`](Self::window),
    /// among the [`last_calls`](Self::last_calls), or consecutive ones where neither is set; `None`
    /// if only a rate opens it.
    #[must_use]
    pub const fn max_failures(&self) -> Option<u32> {
        match self.max_failures {
            None if self.failure_rate.is_none() && self.slow_call.is_none() => {
                Some(defaults::MAX_FAILURES)
            }
            max_failures => max_failures,
        }
    }

    /// Returns the length of the sliding time window, if there is one.
    #[must_use]
    pub const fn window(&self) -> Option<Duration> {
        self.window
    }

    /// Returns the size of the count-based window, if there is one.
    #[must_use]
    pub const fn last_calls(&self) -> Option<u32> {
        self.last_calls
    }

    /// Returns the share of failed calls that opens the circuit, if one does.
    #[must_use]
    pub const fn failure_rate(&self) -> Option<f64> {
        self.failure_rate
    }

    /// Returns the duration above which a call is slow; `None` if no call is.
    #[must_use]
    pub const fn slow_call(&self) -> Option<Duration> {
        self.slow_call
    }

    /// Returns the share of slow calls that opens the circuit; `None` if no call is slow.
    #[must_use]
    pub const fn slow_rate(&self) -> Option<f64> {
        match self.slow_rate {
            None if self.slow_call.is_some() => Some(defaults::SLOW_RATE),
            slow_rate => slow_rate,
        }
    }

    /// Returns the number of calls below which rates are not evaluated. Defaults to 20, or to
    /// [`last_calls`](Self::last_calls) if those are fewer.
    #[must_use]
    pub const fn min_calls(&self) -> u32 {
        match (self.min_calls, self.last_calls) {
            (Some(min_calls), _) => min_calls,
            (None, Some(last_calls)) if last_calls < defaults::MIN_CALLS => last_calls,
            (None, _) => defaults::MIN_CALLS,
        }
    }

    /// Returns how long the circuit stays open the first time, before `jitter`.
    #[must_use]
    pub const fn reset(&self) -> Duration {
        self.reset
    }

    /// Returns the upper bound of the wait, which each failed probe doubles, before `jitter`;
    /// `None` if the wait does not grow.
    #[must_use]
    pub const fn max_reset(&self) -> Option<Duration> {
        self.max_reset
    }

    /// Returns the largest fraction of a wait that is added to it at random.
    #[must_use]
    pub const fn jitter(&self) -> f64 {
        self.jitter
    }

    /// Returns the number of calls that a half-open circuit admits, all of which must succeed.
    #[must_use]
    pub const fn probes(&self) -> u32 {
        self.probes
    }

    /// Returns the duration after which a call is dropped; `None` if a call may take any time.
    #[must_use]
    pub const fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Fills in the defaults, so that equivalent configurations compare equal.
    const fn resolved(self) -> Self {
        Self {
            max_failures: self.max_failures(),
            slow_rate: self.slow_rate(),
            min_calls: Some(self.min_calls()),
            ..self
        }
    }

    /// Returns the values as the rules see them.
    const fn settings(&self) -> Settings {
        Settings {
            max_failures: Setting::from_option(self.max_failures),
            window: Setting::from_option(self.window),
            last_calls: Setting::from_option(self.last_calls),
            failure_rate: Setting::from_option(self.failure_rate),
            slow_call: Setting::from_option(self.slow_call),
            slow_rate: Setting::from_option(self.slow_rate),
            min_calls: Setting::from_option(self.min_calls),
            reset: Setting::Known(self.reset),
            max_reset: Setting::from_option(self.max_reset),
            jitter: Setting::Known(self.jitter),
            probes: Setting::Known(self.probes),
            timeout: Setting::from_option(self.timeout),
            ..Settings::NONE
        }
    }
}

impl Default for Config {
    /// Returns the defaults: five consecutive failures open the circuit for thirty seconds, and a
    /// call has no timeout.
    fn default() -> Self {
        Self::builder().config.resolved()
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
    config: Config,
}

impl ConfigBuilder {
    /// Opens the circuit at this many failures: within [`window`](Self::window), among the
    /// [`last_calls`](Self::last_calls), or in a row where neither is set. At least 1.
    ///
    /// Defaults to 5, if neither [`failure_rate`](Self::failure_rate) nor
    /// [`slow_call`](Self::slow_call) is set; otherwise no number of failures opens the circuit.
    pub const fn max_failures(mut self, max_failures: u32) -> Self {
        self.config.max_failures = Some(max_failures);
        self
    }

    /// Counts the calls of this span of time up to now: a sliding window. Longer than zero, and not
    /// together with [`last_calls`](Self::last_calls).
    pub const fn window(mut self, window: Duration) -> Self {
        self.config.window = Some(window);
        self
    }

    /// Counts the last calls, this many of them, however long ago they were. From 1 to 65 536, and
    /// not together with [`window`](Self::window). In the attribute this is also called `window`.
    pub const fn last_calls(mut self, last_calls: u32) -> Self {
        self.config.last_calls = Some(last_calls);
        self
    }

    /// Opens the circuit when this share of the calls in the window failed, or more. Above 0, at
    /// most 1. Needs [`window`](Self::window) or [`last_calls`](Self::last_calls).
    pub const fn failure_rate(mut self, failure_rate: f64) -> Self {
        self.config.failure_rate = Some(failure_rate);
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
    pub const fn slow_call(mut self, slow_call: Duration) -> Self {
        self.config.slow_call = Some(slow_call);
        self
    }

    /// Opens the circuit when this share of the calls in the window was slow, or more. Above 0, at
    /// most 1. Defaults to 1. Needs [`slow_call`](Self::slow_call).
    pub const fn slow_rate(mut self, slow_rate: f64) -> Self {
        self.config.slow_rate = Some(slow_rate);
        self
    }

    /// Evaluates the rates only once the window holds at least this many calls. At least 1.
    /// Defaults to 20, or to [`last_calls`](Self::last_calls) if those are fewer. Needs a rate.
    pub const fn min_calls(mut self, min_calls: u32) -> Self {
        self.config.min_calls = Some(min_calls);
        self
    }

    /// Keeps the circuit open for this long, then admits probes. Longer than zero. Defaults to 30
    /// seconds.
    pub const fn reset(mut self, reset: Duration) -> Self {
        self.config.reset = reset;
        self
    }

    /// Doubles the wait each time a probe fails, up to this, with [`jitter`](Self::jitter) on top;
    /// a recovery starts again from [`reset`](Self::reset). Not shorter than `reset`. If it is not
    /// set, the wait does not grow.
    pub const fn max_reset(mut self, max_reset: Duration) -> Self {
        self.config.max_reset = Some(max_reset);
        self
    }

    /// Adds up to this fraction to each wait, at random, so that the instances of a service do not
    /// probe at the same moment. From 0 to 1. Defaults to 0.
    pub const fn jitter(mut self, jitter: f64) -> Self {
        self.config.jitter = jitter;
        self
    }

    /// Admits this many calls while the circuit is half-open. When all have succeeded it closes;
    /// the first that fails reopens it. At least 1. Defaults to 1.
    pub const fn probes(mut self, probes: u32) -> Self {
        self.config.probes = probes;
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
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.config.timeout = Some(timeout);
        self
    }

    /// Builds the configuration.
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
    ///
    /// # Errors
    ///
    /// Returns the first invalid setting; its message says what to write instead.
    pub const fn build(self) -> Result<Config, ConfigError> {
        match ConfigError::first_in(&self.config.settings()) {
            Some(error) => Err(error),
            None => Ok(self.config.resolved()),
        }
    }

    /// Returns the error that the attribute reports at `option`, if any.
    pub(crate) const fn error_at(&self, option: OptionName) -> Option<ConfigError> {
        let settings = self.config.settings();
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
                assert_eq!(rules.error_at(at), expected(at), "of {:?}", rules.config);
            }
        }
        assert_eq!(three.max_failures(3).error_at(OptionName::Window), None);
    }

    const TOO_FEW: ConfigError = ConfigError::MaxFailuresAboveLastCalls;
}

//! What makes a circuit open, and for how long.

mod error;

use std::time::Duration;

pub use error::ConfigError;
pub(crate) use error::ConfigOption;

/// The rules of a circuit breaker. A `Config` is always valid: [`ConfigBuilder::build`] refuses
/// what makes no sense. The [`guide`](crate::docs::guide) tells which rules to take for which service.
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
///
/// Durations are rounded up to whole microseconds.
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

const DEFAULT_MAX_FAILURES: u32 = 5;
const DEFAULT_MIN_CALLS: u32 = 20;
const DEFAULT_SLOW_RATE: f64 = 1.0;
const DEFAULT_RESET: Duration = Duration::from_secs(30);

impl Config {
    /// Begins with the defaults: five failures in a row open the circuit, for thirty seconds.
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
                reset: DEFAULT_RESET,
                max_reset: None,
                jitter: 0.0,
                probes: 1,
                timeout: None,
            },
        }
    }

    /// The number of failures that opens the circuit: within [`window`](Self::window), among the
    /// [`last_calls`](Self::last_calls), or in a row when there is neither. `None` when only a
    /// share of failed or slow calls opens it.
    #[must_use]
    pub const fn max_failures(&self) -> Option<u32> {
        match self.max_failures {
            None if self.failure_rate.is_none() && self.slow_call.is_none() => {
                Some(DEFAULT_MAX_FAILURES)
            }
            max_failures => max_failures,
        }
    }

    /// The span of time whose calls count, up to now; `None` when there is none.
    #[must_use]
    pub const fn window(&self) -> Option<Duration> {
        self.window
    }

    /// How many calls count, up to the last one; `None` when there is no such number.
    #[must_use]
    pub const fn last_calls(&self) -> Option<u32> {
        self.last_calls
    }

    /// The share of failed calls that opens the circuit.
    #[must_use]
    pub const fn failure_rate(&self) -> Option<f64> {
        self.failure_rate
    }

    /// How long a call may take without being slow; `None` when no call is.
    #[must_use]
    pub const fn slow_call(&self) -> Option<Duration> {
        self.slow_call
    }

    /// The share of slow calls that opens the circuit; `None` when no call is slow.
    #[must_use]
    pub const fn slow_rate(&self) -> Option<f64> {
        match self.slow_rate {
            None if self.slow_call.is_some() => Some(DEFAULT_SLOW_RATE),
            slow_rate => slow_rate,
        }
    }

    /// The number of calls from which on the rates are judged. Where it is not set it is 20, or
    /// [`last_calls`](Self::last_calls) when those are fewer.
    #[must_use]
    pub const fn min_calls(&self) -> u32 {
        match (self.min_calls, self.last_calls) {
            (Some(min_calls), _) => min_calls,
            (None, Some(last_calls)) if last_calls < DEFAULT_MIN_CALLS => last_calls,
            (None, _) => DEFAULT_MIN_CALLS,
        }
    }

    /// How long the circuit stays open the first time, before `jitter`.
    #[must_use]
    pub const fn reset(&self) -> Duration {
        self.reset
    }

    /// The bound of the wait that each failed probe doubles, before `jitter`; `None` when the wait does not
    /// grow.
    #[must_use]
    pub const fn max_reset(&self) -> Option<Duration> {
        self.max_reset
    }

    /// The share of each wait that is added to it at most, at random.
    #[must_use]
    pub const fn jitter(&self) -> f64 {
        self.jitter
    }

    /// How many calls a half-open circuit lets in, all of which must succeed.
    #[must_use]
    pub const fn probes(&self) -> u32 {
        self.probes
    }

    /// The longest that a call may take; `None` when it may take any time.
    #[must_use]
    pub const fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// With the defaults of what is not set, so that rules which are equal compare as equal.
    const fn resolved(self) -> Self {
        Self {
            max_failures: self.max_failures(),
            slow_rate: self.slow_rate(),
            min_calls: Some(self.min_calls()),
            ..self
        }
    }
}

impl Default for Config {
    /// Five failures in a row open the circuit, for thirty seconds; no timeout.
    fn default() -> Self {
        Self::builder().config.resolved()
    }
}

/// Sets the rules of a [`Config`], one by one.
///
/// Every method can be called in a constant. What is not set keeps its default.
#[derive(Clone, Copy, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ConfigBuilder {
    config: Config,
}

impl ConfigBuilder {
    /// Opens the circuit at this many failures: within [`window`](Self::window), among the
    /// [`last_calls`](Self::last_calls), or in a row when there is neither. At least 1. When it is
    /// not set: 5 if there is neither [`failure_rate`](Self::failure_rate) nor
    /// [`slow_call`](Self::slow_call), and otherwise no number of failures opens the circuit.
    pub const fn max_failures(mut self, max_failures: u32) -> Self {
        self.config.max_failures = Some(max_failures);
        self
    }

    /// Counts the calls of this span of time, up to now. Longer than zero, and not together with
    /// [`last_calls`](Self::last_calls).
    pub const fn window(mut self, window: Duration) -> Self {
        self.config.window = Some(window);
        self
    }

    /// Counts the last calls, this many of them, however long ago. From 1 to 65 536, and not together
    /// with [`window`](Self::window); the attribute calls this a `window` too.
    pub const fn last_calls(mut self, last_calls: u32) -> Self {
        self.config.last_calls = Some(last_calls);
        self
    }

    /// Opens the circuit when this share of the calls that count has failed, or more. Above 0, at most 1.
    /// Needs [`window`](Self::window) or [`last_calls`](Self::last_calls).
    pub const fn failure_rate(mut self, failure_rate: f64) -> Self {
        self.config.failure_rate = Some(failure_rate);
        self
    }

    /// A call that takes longer than this is slow, whether or not it succeeds; one that still runs counts as soon
    /// as it has taken this long. A probe need only succeed, however late. Longer than zero. One that is not
    /// below [`timeout`](Self::timeout) is met only by calls that no timeout ends, such as those by hand. Needs
    /// [`window`](Self::window) or [`last_calls`](Self::last_calls).
    ///
    /// On Linux, calls are measured by a clock that ticks every 10 ms or more often, so that a call within a
    /// tick of the limit may be judged either way. With a `slow_call` below 200 ms, or a `window` below 2 s, or
    /// on another system, the exact clock is used, and read twice for each call.
    pub const fn slow_call(mut self, slow_call: Duration) -> Self {
        self.config.slow_call = Some(slow_call);
        self
    }

    /// Opens the circuit when this share of the calls that count was slow, or more. Above 0, up to 1;
    /// 1 when it is not set. Needs [`slow_call`](Self::slow_call).
    pub const fn slow_rate(mut self, slow_rate: f64) -> Self {
        self.config.slow_rate = Some(slow_rate);
        self
    }

    /// Judges the rates on no fewer calls than this. At least 1; when it is not set, 20, or
    /// [`last_calls`](Self::last_calls) if those are fewer. Needs a rate.
    pub const fn min_calls(mut self, min_calls: u32) -> Self {
        self.config.min_calls = Some(min_calls);
        self
    }

    /// Keeps the circuit open for this long, then lets probes in. Longer than zero; 30 seconds
    /// when it is not set.
    pub const fn reset(mut self, reset: Duration) -> Self {
        self.config.reset = reset;
        self
    }

    /// Doubles the wait each time that a probe fails, up to this, with [`jitter`](Self::jitter) on top; a
    /// recovery begins again from [`reset`](Self::reset). Not shorter than `reset`; without it, the wait does
    /// not grow.
    pub const fn max_reset(mut self, max_reset: Duration) -> Self {
        self.config.max_reset = Some(max_reset);
        self
    }

    /// Adds up to this share to each wait, at random, so that a fleet does not probe in step. From 0
    /// to 1; none when it is not set.
    pub const fn jitter(mut self, jitter: f64) -> Self {
        self.config.jitter = jitter;
        self
    }

    /// Lets this many calls into a half-open circuit. When all have succeeded it closes; the first
    /// that fails opens it again. At least 1; 1 when it is not set.
    pub const fn probes(mut self, probes: u32) -> Self {
        self.config.probes = probes;
        self
    }

    /// Drops a call that takes longer than this, counts it as a failure and returns
    /// [`CircuitError::Timeout`](crate::CircuitError::Timeout). Longer than zero; none when it is
    /// not set. Needs a tokio runtime with timers around the call; without, a call gets
    /// [`CircuitError::NoRuntime`](crate::CircuitError::NoRuntime), at the latest when it has to wait.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.config.timeout = Some(timeout);
        self
    }

    /// The finished rules.
    ///
    /// # Errors
    ///
    /// The first rule that makes no sense, with what to write instead.
    pub const fn build(self) -> Result<Config, ConfigError> {
        let mut errors: &[ConfigError] = &ConfigError::ALL;
        while let [error, others @ ..] = errors {
            if error.is_in(&self.config) {
                return Err(*error);
            }
            errors = others;
        }
        Ok(self.config.resolved())
    }

    /// What is wrong with `option`, for the attribute, which says it there.
    pub(crate) const fn error_at(&self, option: ConfigOption) -> Option<ConfigError> {
        match self.build() {
            Err(error) if error.option(&self.config) as u8 == option as u8 => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, ConfigError, ConfigOption};

    #[test]
    fn a_default_that_is_written_out_is_the_default() {
        let written = Config::builder().max_failures(5).min_calls(20);
        assert_eq!(Config::builder().build(), Ok(Config::default()));
        assert_eq!(
            Config::builder().max_failures(5).build(),
            Ok(Config::default())
        );
        assert_eq!(written.build(), Err(ConfigError::MinCallsWithoutRate));
    }

    /// The attribute asks at each option: a mistake that none of them is told of would go unnoticed.
    #[test]
    fn a_mistake_is_at_the_option_that_must_change() {
        let three = Config::builder().last_calls(3);
        let default = three;
        let four = three.max_failures(4);
        for (rules, option) in [
            (default, ConfigOption::Window),
            (four, ConfigOption::MaxFailures),
        ] {
            let told = |at: ConfigOption| (at as u8 == option as u8).then_some(TOO_FEW);
            for at in [
                ConfigOption::Window,
                ConfigOption::MaxFailures,
                ConfigOption::Reset,
            ] {
                assert_eq!(rules.error_at(at), told(at), "of {:?}", rules.config);
            }
        }
        assert_eq!(three.max_failures(3).error_at(ConfigOption::Window), None);
    }

    const TOO_FEW: ConfigError = ConfigError::MaxFailuresAboveLastCalls;
}

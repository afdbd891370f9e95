//! What makes a circuit open, and for how long.

use std::time::Duration;

/// The rules of a circuit breaker. A `Config` is always valid: [`ConfigBuilder::build`] refuses
/// what makes no sense.
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
/// assert_eq!(CONFIG.max_failures(), 3);
/// assert_eq!(CONFIG.reset(), Duration::from_secs(30));
/// ```
///
/// Durations are rounded up to whole microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    max_failures: u32,
    window: Option<Duration>,
    reset: Duration,
    max_reset: Option<Duration>,
    jitter: f64,
    timeout: Option<Duration>,
}

/// Failures in a row that open a circuit when no rule is given.
const DEFAULT_MAX_FAILURES: u32 = 5;
pub(crate) const DEFAULT_RESET: Duration = Duration::from_secs(30);

impl Config {
    /// Begins with the defaults: five failures in a row open the circuit, for thirty seconds.
    pub const fn builder() -> ConfigBuilder {
        ConfigBuilder {
            config: Self {
                max_failures: DEFAULT_MAX_FAILURES,
                window: None,
                reset: DEFAULT_RESET,
                max_reset: None,
                jitter: 0.0,
                timeout: None,
            },
        }
    }

    /// The number of failures that opens the circuit: within [`window`](Self::window), or in a row
    /// when there is none.
    #[must_use]
    pub const fn max_failures(&self) -> u32 {
        self.max_failures
    }

    /// The span of time whose failures count, up to now; `None` when failures count in a row.
    #[must_use]
    pub const fn window(&self) -> Option<Duration> {
        self.window
    }

    /// How long the circuit stays open.
    #[must_use]
    pub const fn reset(&self) -> Duration {
        self.reset
    }

    /// The longest that a circuit stays open which probes re-open again and again; `None` when each
    /// time is as long as the first.
    #[must_use]
    pub const fn max_reset(&self) -> Option<Duration> {
        self.max_reset
    }

    /// The share of each wait that is added to it at most, at random.
    #[must_use]
    pub const fn jitter(&self) -> f64 {
        self.jitter
    }

    /// The longest that a call may take; `None` when it may take any time.
    #[must_use]
    pub const fn timeout(&self) -> Option<Duration> {
        self.timeout
    }
}

impl Default for Config {
    /// Five failures in a row open the circuit, for thirty seconds; no timeout.
    fn default() -> Self {
        Self::builder().config
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
    /// Opens the circuit at this many failures: within [`window`](Self::window), or in a row when
    /// there is no window. At least 1; 5 when it is not set.
    pub const fn max_failures(mut self, max_failures: u32) -> Self {
        self.config.max_failures = max_failures;
        self
    }

    /// Counts the failures of this span of time, up to now, instead of failures in a row. Longer
    /// than zero.
    pub const fn window(mut self, window: Duration) -> Self {
        self.config.window = Some(window);
        self
    }

    /// Keeps the circuit open for this long, then lets a probe in. Longer than zero; 30 seconds
    /// when it is not set.
    pub const fn reset(mut self, reset: Duration) -> Self {
        self.config.reset = reset;
        self
    }

    /// Doubles the wait each time that a probe fails, up to this; a recovery begins again from
    /// [`reset`](Self::reset). Not shorter than `reset`; without it, the wait does not grow.
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
        if let Err(error) = check_max_failures(self.config.max_failures) {
            return Err(error);
        }
        if let Some(window) = self.config.window {
            if let Err(error) = check_window(window) {
                return Err(error);
            }
        }
        if let Err(error) = check_reset(self.config.reset) {
            return Err(error);
        }
        if let Some(max_reset) = self.config.max_reset {
            if let Err(error) = check_max_reset(max_reset, self.config.reset) {
                return Err(error);
            }
        }
        if let Err(error) = check_jitter(self.config.jitter) {
            return Err(error);
        }
        if let Some(timeout) = self.config.timeout {
            if let Err(error) = check_timeout(timeout) {
                return Err(error);
            }
        }
        Ok(self.config)
    }
}

/// A rule that makes no sense.
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
    /// `reset` is zero.
    ZeroReset,
    /// `max_reset` is shorter than `reset`.
    MaxResetBelowReset,
    /// `jitter` is below 0, above 1 or no number.
    JitterOutOfRange,
    /// `timeout` is zero.
    ZeroTimeout,
}

impl ConfigError {
    /// What is wrong and what to write instead, as [`Display`](std::fmt::Display) shows it; this
    /// one is for constants.
    #[must_use]
    pub const fn message(&self) -> &'static str {
        match self {
            Self::ZeroMaxFailures => {
                "`max_failures` must be at least 1; with 0 the circuit would open before the first call"
            }
            Self::ZeroWindow => {
                "`window` must be longer than zero; no failure would ever count in an empty window"
            }
            Self::ZeroReset => {
                "`reset` must be longer than zero; with zero the circuit would never be open"
            }
            Self::MaxResetBelowReset => {
                "`max_reset` must not be shorter than `reset`; the wait grows from `reset` up to it"
            }
            Self::JitterOutOfRange => {
                "`jitter` must be from 0.0 to 1.0; it is the share of each wait that is added at most"
            }
            Self::ZeroTimeout => {
                "`timeout` must be longer than zero; with zero no call could ever finish"
            }
        }
    }
}

// What each option accepts: one function for each, which the builder calls, and at compile time the
// attribute.

pub(crate) const fn check_max_failures(max_failures: u32) -> Result<u32, ConfigError> {
    if max_failures == 0 {
        return Err(ConfigError::ZeroMaxFailures);
    }
    Ok(max_failures)
}

pub(crate) const fn check_window(window: Duration) -> Result<Duration, ConfigError> {
    if window.is_zero() {
        return Err(ConfigError::ZeroWindow);
    }
    Ok(window)
}

pub(crate) const fn check_reset(reset: Duration) -> Result<Duration, ConfigError> {
    if reset.is_zero() {
        return Err(ConfigError::ZeroReset);
    }
    Ok(reset)
}

pub(crate) const fn check_max_reset(
    max_reset: Duration,
    reset: Duration,
) -> Result<Duration, ConfigError> {
    if max_reset.as_nanos() < reset.as_nanos() {
        return Err(ConfigError::MaxResetBelowReset);
    }
    Ok(max_reset)
}

pub(crate) const fn check_jitter(jitter: f64) -> Result<f64, ConfigError> {
    if jitter >= 0.0 && jitter <= 1.0 {
        return Ok(jitter);
    }
    Err(ConfigError::JitterOutOfRange)
}

pub(crate) const fn check_timeout(timeout: Duration) -> Result<Duration, ConfigError> {
    if timeout.is_zero() {
        return Err(ConfigError::ZeroTimeout);
    }
    Ok(timeout)
}

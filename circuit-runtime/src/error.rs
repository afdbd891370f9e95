//! Errors returned in place of a call's own result.

use std::fmt;
use std::time::Duration;

use crate::name::Name;

/// The error of a call that was rejected, that timed out, or that had no runtime for its timeout.
///
/// An annotated function converts it into its own error type, by `From<CircuitError>` or by the
/// option `error`.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreaker, Config};
///
/// let breaker = CircuitBreaker::new("payments", Config::default());
/// breaker.force_open();
///
/// let error = breaker.try_acquire().unwrap_err();
/// assert!(error.is_open());
/// assert_eq!(error.breaker(), "payments");
/// assert_eq!(error.retry_after(), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CircuitError {
    /// The circuit is open, or half-open with all probe slots taken, or on a ramp that does not
    /// admit this call. The call did not run.
    #[error("circuit `{breaker}` is open{}", Retry(*.retry_after))]
    Open {
        /// The name of the circuit breaker.
        breaker: Name,
        /// How long to wait before the next attempt: until the circuit is half-open or, while
        /// probes are in flight, until a slot is free at the latest; a tenth of a ramp. `None`
        /// while an operator holds the circuit open.
        retry_after: Option<Duration>,
    },

    /// The call took longer than `timeout`. It was dropped, and counts as a failure.
    #[error("call through circuit `{breaker}` timed out after {}", Rounded(*.after))]
    Timeout {
        /// The name of the circuit breaker.
        breaker: Name,
        /// The timeout.
        after: Duration,
    },

    /// The breaker has a `timeout`, and there is no tokio runtime with timers to measure it.
    ///
    /// Outside of any runtime, the call does not run. On a runtime built without timers, the call
    /// runs until it first has to wait. tokio reports the missing timer by a panic, which is caught
    /// here but still reaches the panic hook. In a program built with `panic = "abort"`, it ends
    /// the process.
    #[error(
        "circuit `{breaker}` has a timeout, which needs a tokio runtime with timers; \
         make the call inside of one, or leave `timeout` out"
    )]
    NoRuntime {
        /// The name of the circuit breaker.
        breaker: Name,
    },
}

impl CircuitError {
    /// Returns `true` if the call was rejected and did not run.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// breaker.force_open();
    /// let error = breaker.try_acquire().unwrap_err();
    /// assert!(error.is_open());
    /// ```
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }

    /// Returns `true` if the call took longer than `timeout` and was dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CallError, CircuitBreaker, Config};
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let config = Config::builder().timeout(Duration::from_millis(10)).build()?;
    /// let breaker = CircuitBreaker::new("payments", config);
    ///
    /// let answer = breaker.call(std::future::pending::<Result<(), std::io::Error>>()).await;
    /// assert!(matches!(answer, Err(CallError::Circuit(error)) if error.is_timeout()));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout { .. })
    }

    /// Returns how long to wait before the next attempt, if that is known.
    ///
    /// It is `None` while an operator holds the circuit open, and for errors other than
    /// [`Open`](Self::Open).
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    /// use std::time::Duration;
    ///
    /// let config = Config::builder().max_failures(1).build().unwrap();
    /// let breaker = CircuitBreaker::new("payments", config);
    /// breaker.try_acquire()?.failure();
    ///
    /// let wait = breaker.try_acquire().unwrap_err().retry_after();
    /// assert!(wait.is_some_and(|wait| wait <= Duration::from_secs(30)));
    /// # Ok::<(), circuit_runtime::CircuitError>(())
    /// ```
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Open { retry_after, .. } => *retry_after,
            Self::Timeout { .. } | Self::NoRuntime { .. } => None,
        }
    }

    /// Returns how many seconds to wait before the next attempt, for the HTTP header `Retry-After`.
    ///
    /// This is [`retry_after`](Self::retry_after) rounded up: a client that retries too early is
    /// rejected again.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let config = Config::builder().max_failures(1).build().unwrap();
    /// let breaker = CircuitBreaker::new("payments", config);
    /// breaker.try_acquire()?.failure();
    ///
    /// let error = breaker.try_acquire().unwrap_err();
    /// assert_eq!(error.retry_after_secs(), Some(30));
    /// # Ok::<(), circuit_runtime::CircuitError>(())
    /// ```
    #[must_use]
    pub fn retry_after_secs(&self) -> Option<u64> {
        let wait = self.retry_after()?;
        Some(
            wait.as_secs()
                .saturating_add(u64::from(wait.subsec_nanos() > 0)),
        )
    }

    /// Returns the name of the circuit breaker.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// breaker.force_open();
    /// let error = breaker.try_acquire().unwrap_err();
    /// assert_eq!(error.breaker(), "payments");
    /// ```
    #[must_use]
    pub fn breaker(&self) -> &Name {
        match self {
            Self::Open { breaker, .. }
            | Self::Timeout { breaker, .. }
            | Self::NoRuntime { breaker } => breaker,
        }
    }
}

/// The error of a call through [`CircuitBreaker::call`](crate::CircuitBreaker::call): either the
/// call's own error or a [`CircuitError`].
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CallError, CircuitBreaker, Config};
///
/// let breaker = CircuitBreaker::new("payments", Config::default());
///
/// let error = breaker.call_blocking(|| "seven".parse::<u32>()).unwrap_err();
/// assert!(matches!(error, CallError::Inner(_)));
///
/// breaker.force_open();
/// let error = breaker.call_blocking(|| "7".parse::<u32>()).unwrap_err();
/// assert!(matches!(error, CallError::Circuit(_)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError<E> {
    /// The call ran and failed with this error.
    #[error(transparent)]
    Inner(E),
    /// The call was rejected, timed out, or had no runtime for its timeout.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

impl<E> CallError<E> {
    /// Converts into the call's own error type, if that implements `From<CircuitError>`.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    /// use std::error::Error;
    ///
    /// fn number(breaker: &CircuitBreaker, text: &str) -> Result<u32, Box<dyn Error>> {
    ///     breaker
    ///         .call_blocking(|| text.parse().map_err(Box::<dyn Error>::from))
    ///         .map_err(|error| error.into_inner())
    /// }
    ///
    /// let breaker = CircuitBreaker::new("numbers", Config::default());
    /// assert!(number(&breaker, "seven").is_err());
    /// ```
    pub fn into_inner(self) -> E
    where
        E: From<CircuitError>,
    {
        match self {
            Self::Inner(error) => error,
            Self::Circuit(error) => error.into(),
        }
    }
}

/// Writes `; retry in 12.3s`, or nothing if the time is not known.
struct Retry(Option<Duration>);

impl fmt::Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(after) => write!(f, "; retry in {}", Rounded(after)),
            None => Ok(()),
        }
    }
}

/// A duration to the tenth of a second, or to the millisecond below one second.
///
/// Rounded up: a caller that retries too early is rejected again.
struct Rounded(Duration);

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_nanos().div_ceil(1_000_000);
        if millis < 1_000 {
            return write!(f, "{millis}ms");
        }
        let tenths = millis.div_ceil(100);
        match tenths % 10 {
            0 => write!(f, "{}s", tenths / 10),
            tenth => write!(f, "{}.{tenth}s", tenths / 10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CircuitError, Retry, Rounded};
    use crate::name::Name;
    use std::time::Duration;

    #[test]
    fn retry_after_secs_is_rounded_up() {
        let secs = |retry_after| {
            let breaker = Name::from("payments");
            let error = CircuitError::Open {
                breaker,
                retry_after,
            };
            error.retry_after_secs()
        };
        assert_eq!(secs(None), None);
        for (wait, expected) in [
            (Duration::ZERO, 0),
            (Duration::from_nanos(1), 1),
            (Duration::from_secs(30), 30),
            (Duration::from_nanos(30_000_000_001), 31),
            (Duration::MAX, u64::MAX),
        ] {
            assert_eq!(secs(Some(wait)), Some(expected), "{wait:?}");
        }
    }

    #[test]
    fn durations_are_shown_rounded_up() {
        let shown = |nanos| Rounded(Duration::from_nanos(nanos)).to_string();
        assert_eq!(shown(0), "0ms");
        assert_eq!(shown(1), "1ms");
        assert_eq!(shown(250_000_000), "250ms");
        assert_eq!(shown(999_000_001), "1s");
        assert_eq!(shown(12_300_000_000), "12.3s");
        assert_eq!(shown(12_300_000_001), "12.4s");
        assert_eq!(Rounded(Duration::MAX).to_string(), "18446744073709551616s");
    }

    #[test]
    fn an_unknown_wait_is_not_shown() {
        assert_eq!(Retry(None).to_string(), "");
        assert_eq!(
            Retry(Some(Duration::from_secs(30))).to_string(),
            "; retry in 30s"
        );
    }
}

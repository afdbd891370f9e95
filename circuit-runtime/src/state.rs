//! The state of a circuit breaker.

use std::fmt;

/// The state of a circuit breaker.
///
/// There are no others: an operator's order keeps the circuit open or closed, and a circuit that
/// admits calls gradually after a recovery is half-open.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreaker, Config, State};
///
/// let breaker = CircuitBreaker::new("payments", Config::default());
/// let color = match breaker.state() {
///     State::Closed => "green",
///     State::HalfOpen => "yellow",
///     State::Open => "red",
/// };
/// assert_eq!(color, "green");
/// assert_eq!(breaker.state().to_string(), "closed");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Calls run, and their results are counted.
    Closed,
    /// No call runs; each is rejected at once.
    Open,
    /// A probe may run, or is running, or calls are admitted gradually; every other call is
    /// rejected.
    HalfOpen,
}

impl State {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Serializes the state as it is displayed.
#[cfg(feature = "serde")]
impl serde::Serialize for State {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

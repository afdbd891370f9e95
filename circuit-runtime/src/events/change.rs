//! A change of a circuit's state.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::name::Name;
use crate::state::State;
use crate::window_counts::WindowCounts;

/// A change of the state of a circuit, or of an order that holds it.
///
/// For one breaker, changes are reported in the order in which they happened, each once, and `from`
/// is the `to` of the change before. It is equal to `to` if only the hold changes, for
/// [`Cause::Withheld`], and if an order opens a half-open circuit before its first probe.
///
/// A transition that changes neither the state nor the hold is not reported:
/// [`open_for`](crate::CircuitBreaker::open_for) on an open circuit, which changes only its wait,
/// and the success of the last probe if a `ramp` follows, as the circuit stays half-open.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{Cause, CircuitBreaker, Config, State, registry};
///
/// let breaker = CircuitBreaker::new("payments", Config::default());
/// breaker.trip();
///
/// let change = registry::history().pop().unwrap();
/// assert_eq!(change.breaker, "payments");
/// assert_eq!((change.from, change.to), (State::Closed, State::Open));
/// assert_eq!(change.cause, Cause::Tripped);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StateChange {
    /// The name of the circuit breaker.
    pub breaker: Name,
    /// The state before, as it was reported last.
    pub from: State,
    /// The state from now on.
    pub to: State,
    /// The cause of the change.
    pub cause: Cause,
    /// The moment of the change. A half-open state is reported with its first probe, the end of a
    /// ramp or of an order with the next call, or once the breaker of its key is evicted.
    pub at: SystemTime,
    /// The time that the circuit had spent in `from`. An open state ends with its wait, and a
    /// half-open one begins then, although it is reported `at` its first probe.
    pub since: Duration,
    /// The wait until the circuit is half-open, or until an order ends; `None` if the circuit is
    /// not open now, or if only an order can end that.
    pub retry_after: Option<Duration>,
    /// The evidence that led to the change; `None` if another cause did.
    pub window: Option<WindowCounts>,
    /// The calls that were rejected while the circuit was open; `None` unless that ends now.
    pub rejected: Option<u64>,
    /// An operator gave the order for it.
    pub(crate) is_order: bool,
}

/// The cause of a [`StateChange`].
///
/// The word before each meaning is what a cause is formatted as, and the field `cause` of the log.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{Cause, StateChange};
///
/// /// Returns whether the change calls for attention.
/// fn is_an_alarm(change: &StateChange) -> bool {
///     matches!(
///         change.cause,
///         Cause::MaxFailures | Cause::FailureRate | Cause::SlowRate | Cause::Unavailable
///     )
/// }
/// # let _ = is_an_alarm;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// `max_failures`: there were `max_failures` failures.
    MaxFailures,
    /// `failure_rate`: the share of failed calls reached this rate.
    FailureRate,
    /// `slow_rate`: the share of slow calls reached this rate.
    SlowRate,
    /// `wait_over`: the wait is over, and the first probe was admitted.
    WaitOver,
    /// `probes_succeeded`: all probes succeeded, and no `ramp` follows.
    ProbesSucceeded,
    /// `probe_failed`: a probe failed.
    ProbeFailed,
    /// `unavailable`: the service asked to be left alone.
    Unavailable,
    /// `tripped`: [`trip`](crate::CircuitBreaker::trip) or
    /// [`open_for`](crate::CircuitBreaker::open_for).
    Tripped,
    /// `forced_open`: an order holds the circuit open.
    ForcedOpen,
    /// `forced_closed`: an order holds the circuit closed.
    ForcedClosed,
    /// `reset`: [`reset`](crate::CircuitBreaker::reset), or the end of an order. Also the end of a
    /// half-open circuit whose key was not used for so long that it was evicted.
    Reset,
    /// `withheld`: the circuit would have opened, but is held closed.
    Withheld,
    /// `ramp_over`: calls were admitted gradually, and now all are.
    RampOver,
    /// `fleet`: the verdict of other processes, as by
    /// [`Remote::open_for`](crate::remote::Remote::open_for).
    Fleet,
}

impl Cause {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::MaxFailures => "max_failures",
            Self::FailureRate => "failure_rate",
            Self::SlowRate => "slow_rate",
            Self::WaitOver => "wait_over",
            Self::ProbesSucceeded => "probes_succeeded",
            Self::ProbeFailed => "probe_failed",
            Self::Unavailable => "unavailable",
            Self::Tripped => "tripped",
            Self::ForcedOpen => "forced_open",
            Self::ForcedClosed => "forced_closed",
            Self::Reset => "reset",
            Self::Withheld => "withheld",
            Self::RampOver => "ramp_over",
            Self::Fleet => "fleet",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Serializes spans of time as seconds, and the moment of the change as seconds since the beginning
/// of 1970.
#[cfg(feature = "serde")]
impl serde::Serialize for StateChange {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;

        let at = match self.at.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => since.as_secs_f64(),
            Err(before) => -before.duration().as_secs_f64(),
        };
        let retry_after = self.retry_after.map(|wait| wait.as_secs_f64());
        let mut fields = serializer.serialize_struct("StateChange", 9)?;
        fields.serialize_field("breaker", &self.breaker)?;
        fields.serialize_field("from", &self.from)?;
        fields.serialize_field("to", &self.to)?;
        fields.serialize_field("cause", &self.cause)?;
        fields.serialize_field("at", &at)?;
        fields.serialize_field("since", &self.since.as_secs_f64())?;
        fields.serialize_field("retry_after", &retry_after)?;
        fields.serialize_field("window", &self.window)?;
        fields.serialize_field("rejected", &self.rejected)?;
        fields.end()
    }
}

/// Serializes the cause as it is displayed.
#[cfg(feature = "serde")]
impl serde::Serialize for Cause {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

//! The public view of a breaker at one moment.

use std::time::Duration;

use super::Circuit;
use super::hold::Hold;
use super::ramp;
use super::rejection::Rejection;
use super::state::{Phase, Word};
use super::status::held_for;
use super::totals::Totals;
use crate::clock::{self, Instant};
use crate::config::Config;
use crate::events::StateChange;
use crate::name::Name;
use crate::state::State;
use crate::window_counts::WindowCounts;

/// A breaker's state, its evidence and its totals since the start, for logs, metrics and health
/// checks.
///
/// Totals are exact once all calls have completed. `succeeded`, `failed`, `ignored` and `cancelled`
/// sum to the number of admitted calls that have ended.
///
/// # Examples
///
/// ```
/// use circuit_runtime::registry;
///
/// for breaker in registry::all() {
///     let totals = breaker.snapshot();
///     println!("circuit_failed{{name=\"{}\"}} {}", totals.name, totals.failed);
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The name of the circuit breaker.
    pub name: Name,
    /// The state.
    pub state: State,
    /// How long the state has held.
    pub since: Duration,
    /// The order that keeps the circuit open or closed, if there is one.
    pub hold: Option<Hold>,
    /// The wait before the next attempt, as a rejected call would report it by
    /// [`CircuitError::retry_after`](crate::CircuitError::retry_after). `None` if a call would run,
    /// and while an operator holds the circuit open.
    pub retry_after: Option<Duration>,
    /// The share of calls that is admitted after a recovery, from 0.1 to 1.0; `None` unless calls
    /// are being admitted gradually.
    pub ramp: Option<f64>,
    /// How often the circuit has reopened since it was last closed.
    pub reopenings: u32,
    /// The consecutive failures since the last change of state; `None` if the rules have a window.
    pub consecutive_failures: Option<u32>,
    /// The calls that count towards the limits; `None` if the rules have no window.
    pub window: Option<WindowCounts>,
    /// Calls that succeeded.
    pub succeeded: u64,
    /// Calls that failed, timed out or panicked.
    pub failed: u64,
    /// Calls that took longer than `timeout`; also in `failed`.
    pub timed_out: u64,
    /// Calls that panicked; also in `failed`.
    pub panicked: u64,
    /// Calls that took longer than `slow_call`, counted by the rules; also in `succeeded` or
    /// `failed`.
    pub slow: u64,
    /// Calls whose result says nothing about the service.
    pub ignored: u64,
    /// Calls that ended without a result: those dropped by their callers, those without a runtime
    /// to measure their timeout, and those whose predicate panicked.
    pub cancelled: u64,
    /// Calls that were rejected, and did not run.
    pub rejected: u64,
    /// How often the circuit opened, including reopenings and operators' orders.
    pub opened: u64,
    /// How often the circuit would have opened while it was held closed.
    pub withheld: u64,
    /// The latest change of the state or the hold that was reported; `None` if there was none.
    ///
    /// A change by time alone is reported with the next call: until then, this may be the
    /// opening of a circuit that is half-open, or the beginning of an order that has ended.
    pub last_change: Option<StateChange>,
    /// The configuration.
    pub config: Config,
}

/// Serializes spans of time as seconds, and the configuration in the words of the attribute.
#[cfg(feature = "serde")]
impl serde::Serialize for Snapshot {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;

        let retry_after = self.retry_after.map(|wait| wait.as_secs_f64());
        let mut fields = serializer.serialize_struct("Snapshot", 21)?;
        fields.serialize_field("name", &self.name)?;
        fields.serialize_field("state", &self.state)?;
        fields.serialize_field("since", &self.since.as_secs_f64())?;
        fields.serialize_field("hold", &self.hold)?;
        fields.serialize_field("retry_after", &retry_after)?;
        fields.serialize_field("ramp", &self.ramp)?;
        fields.serialize_field("reopenings", &self.reopenings)?;
        fields.serialize_field("consecutive_failures", &self.consecutive_failures)?;
        fields.serialize_field("window", &self.window)?;
        fields.serialize_field("succeeded", &self.succeeded)?;
        fields.serialize_field("failed", &self.failed)?;
        fields.serialize_field("timed_out", &self.timed_out)?;
        fields.serialize_field("panicked", &self.panicked)?;
        fields.serialize_field("slow", &self.slow)?;
        fields.serialize_field("ignored", &self.ignored)?;
        fields.serialize_field("cancelled", &self.cancelled)?;
        fields.serialize_field("rejected", &self.rejected)?;
        fields.serialize_field("opened", &self.opened)?;
        fields.serialize_field("withheld", &self.withheld)?;
        fields.serialize_field("last_change", &self.last_change)?;
        fields.serialize_field("config", &self.config)?;
        fields.end()
    }
}

impl Circuit {
    pub(crate) fn snapshot(&self) -> Snapshot {
        let _entered = self.time.enter();
        let (word, details) = self.observe();
        let now = clock::now();
        let end = self.end(word, details);
        let state = word.state(now, end);
        let has_ended = end.is_some_and(|end| now >= end);
        let Totals {
            succeeded,
            failed,
            timed_out,
            panicked,
            ignored,
            cancelled,
            rejected,
            slow,
            opened,
            withheld,
        } = self.totals();
        let counts = self.counts(word, has_ended, now);
        let config = self.config();
        let has_window = config.window().is_some() || config.last_calls().is_some();
        Snapshot {
            name: self.name().clone(),
            state,
            since: held_for(word, details, end, now),
            hold: Hold::from_phase(word.phase(), self.hold_source(), end, now),
            retry_after: self
                .rejection_at(word, end, now)
                .and_then(Rejection::retry_after),
            ramp: self.admitted_share(word, state, now),
            reopenings: match state {
                State::Closed => 0,
                State::Open | State::HalfOpen => details.reopenings,
            },
            consecutive_failures: (!has_window)
                .then(|| u32::try_from(counts.failed).unwrap_or(u32::MAX)),
            window: has_window.then_some(counts),
            succeeded,
            failed: failed.wrapping_add(timed_out).wrapping_add(panicked),
            timed_out,
            panicked,
            slow,
            ignored,
            cancelled,
            rejected,
            opened,
            withheld,
            last_change: self.last_change(),
            config,
        }
    }

    /// Returns the evidence that counts; none once time has ended the phase.
    fn counts(&self, word: Word, has_ended: bool, now: Instant) -> WindowCounts {
        let policy = &*self.policy;
        let counts = self.window.counts(policy, word.generation(), now);
        if has_ended { counts.cleared() } else { counts }
    }

    fn last_change(&self) -> Option<StateChange> {
        let phases = self.phases.get()?;
        phases.with_lock(|transitions| transitions.last.clone())
    }

    fn admitted_share(&self, word: Word, state: State, now: Instant) -> Option<f64> {
        let is_ramp = word.phase() == Phase::Ramp && state == State::HalfOpen;
        is_ramp.then(|| ramp::admitted_share(now.since(word.since()), self.policy.ramp()))
    }
}

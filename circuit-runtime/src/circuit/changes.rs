//! The report of a transition: recorded under the lock of transitions, delivered without it.

use std::time::Duration;

use super::Circuit;
use super::counters::Total;
use super::phases::{Phases, Transitions};
use super::reason::Reason;
use super::state::{Change, Word};
use super::transition::Transition;
use super::window::ReachedLimit;
use crate::clock::{self, Instant};
use crate::events::{Cause, Record, StateChange, Subscription};
use crate::state::State;

impl Circuit {
    /// Returns the reason for the opening that a limit demands, with the evidence for it.
    pub(super) fn reason_of_limit(&self, word: Word, limit: ReachedLimit, now: Instant) -> Reason {
        let cause = match limit {
            ReachedLimit::MaxFailures | ReachedLimit::RulesChanged => Cause::MaxFailures,
            ReachedLimit::FailureRate => Cause::FailureRate,
            ReachedLimit::SlowRate => Cause::SlowRate,
        };
        let window = self
            .window
            .reached(&self.policy, word.generation(), limit, now);
        Reason {
            cause,
            window: Some(window),
            order: None,
            verdict: None,
        }
    }

    /// Adds a listener to the changes of this circuit.
    pub(crate) fn on_change(
        &self,
        listener: impl Fn(&StateChange) + Send + Sync + 'static,
    ) -> Subscription {
        let phases = self.phases.get_or_init(Box::default);
        Subscription::new(phases.listeners_or_init(), listener)
    }

    /// Records a transition, if it changes anything that is reported. Called under the lock of
    /// transitions.
    pub(super) fn record(
        &self,
        phases: &Phases,
        transitions: &mut Transitions,
        transition: &Transition,
        reason: Reason,
    ) -> Option<Record> {
        let from = transitions.reported();
        let (to, cause) = match transition.change {
            Change::None | Change::Unseen => return None,
            Change::Held => (from, reason.cause),
            Change::Opened => (State::Open, reason.cause),
            Change::HalfOpened => (State::HalfOpen, reason.cause),
            Change::Closed => (State::Closed, reason.cause),
            Change::Withheld => (State::Closed, Cause::Withheld),
        };
        let (before, before_details) = transition.before;
        let (next, next_details) = transition.next;
        let begun = before_details.since.unwrap_or(before.since());
        let at = next.since();
        // An end that was given is reported as the time that was granted.
        let decided_at = match next_details.until {
            Some(_) => transition.decided_at,
            None => at,
        };
        let end = self.end(next, next_details);
        let retry_after = end.filter(|_| to == State::Open);
        let change = StateChange {
            retry_after: retry_after.map(|end| end.since(decided_at).as_duration()),
            window: reason.window,
            is_order: reason.order.is_some(),
            ..self.state_change(from, to, cause)
        };
        let record = self.report(phases, transitions, change, begun, at);
        if transition.change == Change::Opened {
            // Also if the half-open state before it was not reported.
            transitions.reported_since = Some(at);
        }
        Some(record)
    }

    /// Reports that the phase described by `word` is half-open, with its first probe.
    pub(super) fn report_half_open(&self, phases: &Phases, word: Word, half_open_at: Instant) {
        let record = phases.with_lock(|transitions| {
            let is_first = self.word() == word && transitions.reported() == State::Open;
            is_first.then(|| {
                let change = self.state_change(State::Open, State::HalfOpen, Cause::WaitOver);
                phases.fix_end(word, half_open_at);
                self.report(phases, transitions, change, word.since(), half_open_at)
            })
        });
        if let Some(record) = record {
            record.deliver();
        }
    }

    /// Records a change at `at`, and completes it: how long the state before has lasted, which
    /// began at `begun` if none was reported yet, and the calls rejected if it was open.
    fn report(
        &self,
        phases: &Phases,
        transitions: &mut Transitions,
        mut change: StateChange,
        begun: Instant,
        at: Instant,
    ) -> Record {
        let begun = transitions.reported_since.unwrap_or(begun);
        change.since = at.since(begun).as_duration();
        if change.from != change.to {
            transitions.reported_since = Some(at);
        }
        let rejected = self.counters.total(Total::Rejected);
        match (change.from, change.to) {
            (State::Open, State::HalfOpen | State::Closed) => {
                change.rejected = Some(rejected.wrapping_sub(transitions.rejected_before));
            }
            (State::HalfOpen | State::Closed, State::Open) => {
                transitions.rejected_before = rejected;
            }
            _ => {}
        }
        transitions.record(phases.listeners(), change)
    }

    /// Creates a change without the facts that only some changes have.
    fn state_change(&self, from: State, to: State, cause: Cause) -> StateChange {
        StateChange {
            breaker: self.name.clone(),
            from,
            to,
            cause,
            at: clock::system_time(),
            since: Duration::ZERO,
            retry_after: None,
            window: None,
            rejected: None,
            is_order: false,
        }
    }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle, feature = "test-util"))))]
mod tests {
    use std::time::Duration;

    use crate::{CircuitBreaker, Config, Verdict};

    /// On a clock that runs, unlike that of the other tests of events.
    #[test]
    fn a_time_that_was_granted_is_reported_as_it_is() {
        let wait = Duration::from_secs(3);
        let reported = |breaker: &CircuitBreaker| breaker.snapshot().last_change?.retry_after;
        for _ in 0..100 {
            let breaker = CircuitBreaker::new("asked", Config::default());
            let permit = breaker.try_acquire().unwrap();
            permit.settle(Verdict::Unavailable(wait));
            assert_eq!(reported(&breaker), Some(wait));
            breaker.reset();
            breaker.open_for(wait);
            assert_eq!(reported(&breaker), Some(wait));
            breaker.force_open_for(wait * 2);
            assert_eq!(reported(&breaker), Some(wait * 2));
            breaker.reset();
            breaker.trip();
            assert_eq!(reported(&breaker), Some(Config::default().reset()));
        }
    }
}

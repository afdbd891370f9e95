//! The report of a transition: recorded under the lock of transitions, delivered without it.

use super::Circuit;
use super::counters::Total;
use super::phases::{Phases, Transitions};
use super::reason::Reason;
use super::state::{Change, Word};
use super::transition::Transition;
use super::window::ReachedLimit;
use crate::clock::{self, Instant, Span};
use crate::events::{Cause, Record, StateChange, Subscription};
use crate::state::State;

impl Circuit {
    /// Returns the reason for the opening that a limit demands, with the evidence for it.
    pub(super) fn reason_of_limit(&self, word: Word, limit: ReachedLimit, now: Instant) -> Reason {
        let limits = &self.policy.limits;
        let mut window = self.window.counts(limits, word.generation(), now);
        let cause = match limit {
            ReachedLimit::MaxFailures => {
                // The failure that reached the limit is not kept.
                window.failed = window.failed.max(limits.max_failures().into());
                Cause::MaxFailures
            }
            ReachedLimit::FailureRate => Cause::FailureRate,
            ReachedLimit::SlowRate => Cause::SlowRate,
        };
        Reason {
            cause,
            window: Some(window),
            is_order: false,
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
        let Transition {
            before,
            next,
            change,
            at,
        } = *transition;
        let from = transitions.reported();
        let (to, cause) = match change {
            Change::None | Change::Unseen => return None,
            Change::Held => (from, reason.cause),
            Change::Opened => (State::Open, reason.cause),
            Change::Closed => (State::Closed, reason.cause),
            Change::Withheld => (State::Closed, Cause::Withheld),
        };
        let end = self.end(next.0, next.1);
        let begun = transitions.reported_since.unwrap_or_else(|| {
            let (word, details) = before;
            details.since.unwrap_or(word.since())
        });
        if from != to || change == Change::Opened {
            transitions.reported_since = Some(at);
        }
        let retry_after = end.filter(|_| to == State::Open);
        let change = StateChange {
            retry_after: retry_after.map(|end| end.since(at).as_duration()),
            window: reason.window,
            is_order: reason.is_order,
            ..self.state_change(from, to, cause, at.since(begun))
        };
        let change = self.with_rejected(change, transitions);
        Some(transitions.record(phases.listeners(), change))
    }

    /// Reports that the phase described by `word` is half-open, with its first probe.
    pub(super) fn report_half_open(&self, phases: &Phases, word: Word, half_open_at: Instant) {
        let record = phases.with_lock(|transitions| {
            let is_first = self.word() == word && transitions.reported() == State::Open;
            is_first.then(|| {
                let begun = transitions.reported_since.unwrap_or(word.since());
                transitions.reported_since = Some(half_open_at);
                let wait = half_open_at.since(begun);
                let change = self.state_change(State::Open, State::HalfOpen, Cause::WaitOver, wait);
                let change = self.with_rejected(change, transitions);
                transitions.record(phases.listeners(), change)
            })
        });
        phases.deliver(record);
    }

    fn state_change(&self, from: State, to: State, cause: Cause, since: Span) -> StateChange {
        StateChange {
            breaker: self.name.clone(),
            from,
            to,
            cause,
            at: clock::system_time(),
            since: since.as_duration(),
            retry_after: None,
            window: None,
            rejected: None,
            is_order: false,
        }
    }

    /// Adds the rejections of an open phase to the change that ends it.
    fn with_rejected(&self, change: StateChange, transitions: &mut Transitions) -> StateChange {
        let rejected = self.counters.total(Total::Rejected);
        let ends_open = change.from == State::Open && change.to != State::Open;
        let rejected_before = transitions.rejected_before;
        if change.to == State::Open && change.from != State::Open {
            transitions.rejected_before = rejected;
        }
        StateChange {
            rejected: ends_open.then(|| rejected.wrapping_sub(rejected_before)),
            ..change
        }
    }
}

//! The shared core of a breaker: its state in one atomic word, the evidence behind it, and the
//! compare-and-swap that moves it.

mod changes;
pub(crate) mod closing;
#[allow(deprecated, reason = "`fetch_update`: Rust 1.85 has no `try_update`")]
pub(crate) mod counters;
mod evidence;
pub(crate) mod fleet;
mod gate;
pub(crate) mod handle;
pub(crate) mod hold;
mod limits;
mod orders;
mod owner;
mod phases;
mod policy;
mod probes;
#[allow(deprecated, reason = "`fetch_update`: Rust 1.85 has no `try_update`")]
mod ramp;
mod reason;
pub(crate) mod reconfiguration;
mod recovery;
pub(crate) mod reference;
pub(crate) mod registered;
mod rejection;
mod remote;
mod residency;
pub(crate) mod retention;
mod settlement;
pub(crate) mod snapshot;
pub(crate) mod state;
pub(crate) mod status;
mod sums;
pub(crate) mod ticket;
mod timeout;
pub(crate) mod totals;
mod transition;
mod wait;
mod window;

use std::fmt;
use std::sync::Arc;

use counters::Counters;
use phases::Phases;
use reason::Reason;
use state::{Change, Details, Phase, Word, transition};
use ticket::Start;
use transition::Transition;
use wait::Wait;
use window::{ReachedLimit, Window};

pub(crate) use owner::Owner;
pub(crate) use policy::Policy;
pub(crate) use rejection::Rejection;
pub(crate) use residency::{Residency, Tag};
pub(crate) use state::Trigger;
pub(crate) use ticket::{Outcome, Ticket};

use crate::clock::{self, Instant, OwnTime};
use crate::config::Config;
use crate::error::CircuitError;
use crate::events::{Cause, Record};
use crate::name::Name;
use crate::state::State;
use crate::sync::once_box::OnceBox;
use crate::sync::{AtomicU64, Ordering};

/// Changes of the rules for which one failure waits. A program that changes them for as long loses
/// it.
const MAX_ATTEMPTS: u32 = 100;

/// The state shared by all handles to one breaker.
pub struct Circuit {
    /// The [`Word`] of the state. It changes by compare-and-swap alone, in
    /// [`Circuit::record_change`].
    state: AtomicU64,
    /// Created by the first transition.
    phases: OnceBox<Phases>,
    window: Window,
    counters: Counters,
    policy: Arc<Policy>,
    name: Name,
    residency: Residency,
    time: OwnTime,
}

impl Circuit {
    /// Creates a closed circuit with a policy of its own.
    pub(crate) fn new(name: Name, config: Config, owner: Owner) -> Arc<Self> {
        Self::with_policy(name, Arc::new(Policy::new(config, owner)))
    }

    /// Creates a closed circuit that shares its policy with others.
    pub(crate) fn with_policy(name: Name, policy: Arc<Policy>) -> Arc<Self> {
        let circuit = Arc::new(Self {
            state: AtomicU64::new(0),
            phases: OnceBox::default(),
            window: Window::new(&policy),
            counters: Counters::default(),
            policy,
            name,
            residency: Residency::default(),
            time: OwnTime::default(),
        });
        let word = {
            // Only now does the circuit stay where it is, as its time requires.
            let _entered = circuit.time.enter();
            Word::new(clock::now())
        };
        // Relaxed: no other thread has the circuit yet.
        circuit.state.store(word.to_bits(), Ordering::Relaxed);
        circuit
    }

    pub(crate) fn residency(&self) -> &Residency {
        &self.residency
    }

    /// Returns `true` if it shares this policy with others.
    #[inline]
    pub(crate) fn has_policy(&self, policy: &Arc<Policy>) -> bool {
        Arc::ptr_eq(&self.policy, policy)
    }

    /// Returns `true` once its totals are striped.
    #[inline]
    pub(crate) fn is_busy(&self) -> bool {
        self.counters.are_striped()
    }

    pub(crate) fn name(&self) -> &Name {
        &self.name
    }

    pub(crate) fn config(&self) -> Config {
        self.policy.config()
    }

    /// Returns the configuration that the program has set, without overrides.
    #[cfg(feature = "serde")]
    pub(crate) fn own_config(&self) -> Config {
        self.policy.base()
    }

    pub(crate) fn state(&self) -> State {
        let _entered = self.time.enter();
        let (word, details) = self.observe();
        word.state(clock::now(), self.end(word, details))
    }

    /// Admits a call, or tells the caller how long to wait.
    #[inline]
    pub(crate) fn admit(&self) -> Result<Ticket, Rejection> {
        let _entered = self.time.enter();
        loop {
            let word = self.word();
            let admitted = if word.is_closed() {
                self.admit_counted(word)
            } else if let Some(rejection) = self.reject_coarse(word) {
                return Err(rejection);
            } else {
                self.admit_gated(word)?
            };
            if let Some(ticket) = admitted {
                return Ok(ticket);
            }
        }
    }

    /// Admits a call while the circuit is closed; `None` once it is not.
    #[inline]
    pub(crate) fn admit_while_closed(&self) -> Option<Ticket> {
        let _entered = self.time.enter();
        loop {
            let word = self.word();
            if !word.is_closed() {
                return None;
            }
            if let Some(ticket) = self.admit_counted(word) {
                return Some(ticket);
            }
        }
    }

    /// Admits a call whose result counts, unless calls in flight turn out to be overdue; `None` if
    /// the state has moved on from `word`.
    #[inline]
    fn admit_counted(&self, word: Word) -> Option<Ticket> {
        let start = if self.window.times_calls() {
            match self.admit_timed(word) {
                Some(start) => start,
                None => self.admit_slow(word)?,
            }
        } else {
            Start::NONE
        };
        Some(Ticket::for_call(word, start))
    }

    /// Admits a call whose duration is measured, on the fast path.
    #[inline(never)]
    fn admit_timed(&self, word: Word) -> Option<Start> {
        self.window.admit(&self.policy, word.generation())
    }

    /// Slow path: judges the calls so far before it admits another.
    #[inline(never)]
    fn admit_slow(&self, word: Word) -> Option<Start> {
        let policy = &*self.policy;
        match self.window.admit_slow(policy, word.generation()) {
            Ok(start) => Some(start),
            Err(limit) => {
                self.open(word, limit);
                None
            }
        }
    }

    #[inline]
    fn word(&self) -> Word {
        // Acquire: a thread that observes a state also observes everything that led to it.
        Word::from_bits(self.state.load(Ordering::Acquire))
    }

    /// Returns the state with its details.
    fn observe(&self) -> (Word, Details) {
        loop {
            let word = self.word();
            if let Some(details) = self.details(word) {
                return (word, details);
            }
        }
    }

    /// Returns the details of the phase described by `word`; `None` if the state has moved on.
    fn details(&self, word: Word) -> Option<Details> {
        let details = match self.phases.get() {
            Some(phases) => phases.load(word),
            None => Details::default(),
        };
        (self.word() == word).then_some(details)
    }

    /// Returns when the phase described by `word` ends by time alone, if it does.
    fn end(&self, word: Word, details: Details) -> Option<Instant> {
        details.until.or_else(|| match word.phase() {
            Phase::Open => Some(self.end_of_wait(word, self.policy.wait(), details)),
            Phase::Ramp => Some(word.since().plus(self.policy.ramp())),
            Phase::Closed | Phase::ForcedClosed | Phase::ForcedOpen => None,
        })
    }

    /// Returns when the open phase described by `word` ends: by these rules, unless it had admitted
    /// a probe before they were published.
    fn end_of_wait(&self, word: Word, wait: Wait, details: Details) -> Instant {
        let phases = self.phases.get();
        let until = match details.until {
            // Fixed since the details were read; in the past if the phase is over by now.
            None if phases.is_some_and(|phases| phases.is_end_fixed(word)) => {
                let details = self.details(word);
                Some(details.and_then(|now| now.until).unwrap_or(word.since()))
            }
            until => until,
        };
        until.unwrap_or_else(|| {
            let wait = wait.after(details.reopenings, word.generation(), &self.name);
            word.since().plus(wait)
        })
    }

    /// Opens the circuit as of now, which may be well after the call that reached the limit. Every
    /// limit has the same effect on the state.
    #[cold]
    #[inline(never)]
    fn open(&self, word: Word, limit: ReachedLimit) {
        let Some(limit) = self.limit_once_rules_have_changed(word, limit) else {
            return;
        };
        let now = clock::now();
        let reason = self.reason_of_limit(word, limit, now);
        let _ = self.try_change(word, Trigger::LimitReached, reason, now);
    }

    /// Returns the limit that a call has reached. If the rules were changing, records its failure
    /// again by the new ones.
    fn limit_once_rules_have_changed(
        &self,
        word: Word,
        limit: ReachedLimit,
    ) -> Option<ReachedLimit> {
        let mut limit = limit;
        for _ in 0..MAX_ATTEMPTS {
            if limit != ReachedLimit::RulesChanged {
                return Some(limit);
            }
            self.policy.wait_for_change();
            limit = self.window.failure_again(&self.policy, word.generation())?;
        }
        None
    }

    /// Changes the state, unless it has moved on from the word that the trigger was observed under.
    /// If several race, one wins and the others are stale from then on.
    fn change(&self, word: Word, trigger: Trigger, now: Instant) {
        // Probe leases are left in place: they keep out callers that still see the old word.
        let _ = self.try_change(word, trigger, Reason::from_trigger(trigger), now);
    }

    /// Changes the state; returns the actual one if it has moved on from `word`. The change is
    /// delivered before this returns, or by another thread.
    fn try_change(
        &self,
        word: Word,
        trigger: Trigger,
        reason: Reason,
        now: Instant,
    ) -> Result<(), Word> {
        if let Some(record) = self.record_change(word, trigger, reason, now)? {
            record.deliver();
        }
        if word.phase() == Phase::Open {
            self.tell_probed();
        }
        Ok(())
    }

    /// Changes the state by one compare-and-swap, under the lock of transitions. Nothing else
    /// changes it. The caller delivers the change, if it is one.
    fn record_change(
        &self,
        word: Word,
        trigger: Trigger,
        reason: Reason,
        now: Instant,
    ) -> Result<Option<Record>, Word> {
        let date = Self::date(word, now);
        let phases = self.phases.get_or_init(Box::default);
        phases.with_lock(|transitions| {
            let actual = self.word();
            if actual != word {
                return Err(actual);
            }
            if reason
                .order
                .is_some_and(|source| transitions.is_held_above(word, source))
            {
                return Ok(None);
            }
            let verdict = reason.verdict;
            if verdict.is_some_and(|verdict| transitions.declines(verdict)) {
                return Err(word); // another one has come meanwhile
            }
            let details = phases.load(word);
            // A probe may have been reported since `now` was read, although the word is the same.
            let state = match (word.phase(), transitions.reported()) {
                (Phase::Open, State::HalfOpen) => State::HalfOpen,
                // For a verdict, a circuit is open until it has admitted a probe.
                (Phase::Open, reported) if verdict.is_some() => reported,
                _ => word.state(now, self.end(word, details)),
            };
            let (next, next_details, change) = transition(word, details, state, trigger, date);
            if change == Change::None {
                // A verdict that changes nothing is noted by its caller.
                return if verdict.is_some() {
                    Err(word)
                } else {
                    Ok(None)
                };
            }
            self.time.before_change();
            phases.store(next, next_details);
            // As late as possible: a wait that began before calls which were admitted meanwhile
            // would be too short for them.
            let next = if next.phase() == Phase::Open {
                next.dated(clock::now())
            } else {
                next
            };
            // Release: what led to the new state is visible to those that act on it. Acquire: the
            // caller retries from everything that led to the actual state.
            self.state
                .compare_exchange(
                    word.to_bits(),
                    next.to_bits(),
                    Ordering::AcqRel,
                    Ordering::Acquire,
                )
                .map_err(Word::from_bits)?;
            transitions.count(change);
            if let Some(standing) = &mut transitions.standing {
                let opened = || self.wait_of(next, next_details);
                standing.leave(word, trigger, opened);
                if let Some(verdict) = verdict {
                    standing.take_over(verdict, next);
                }
            }
            if let (Cause::ForcedOpen | Cause::ForcedClosed, Some(source)) =
                (reason.cause, reason.order)
            {
                transitions.hold_source = source;
            }
            let transition = Transition {
                before: (word, details),
                next: (next, next_details),
                change,
                decided_at: date,
            };
            Ok(self.record(phases, transitions, &transition, reason))
        })
    }

    /// Returns the date of a transition from `word` at `now`: later if need be. A state must not be
    /// dated ahead of the clock, or its wait would be too long: with more than 32 transitions in a
    /// microsecond, the next one waits for the next microsecond.
    #[inline]
    fn date(word: Word, now: Instant) -> Instant {
        let next_since = word.next_since();
        if next_since > now {
            clock::catch_up(next_since)
        } else {
            now
        }
    }

    /// Ends the phase described by `word` if time alone has ended it by `now`; returns whether it
    /// has.
    fn end_if_over(&self, word: Word, details: Details, now: Instant) -> bool {
        let Some(trigger) = Trigger::at_end_of(word.phase()) else {
            return false;
        };
        match self.end(word, details) {
            Some(end) if now >= end => {
                self.change(word, trigger, end);
                true
            }
            _ => false,
        }
    }

    /// Builds the error of a rejected call. Inlined, so that the error is constructed in its final
    /// location: moving it would cost more than the rejection itself.
    #[inline]
    pub(crate) fn rejected(&self, rejection: Rejection) -> CircuitError {
        let retry_after = rejection.retry_after();
        CircuitError::Open {
            breaker: self.name.clone(),
            retry_after,
        }
    }
}

/// Call futures borrow the circuit through any kind of handle, this reference included.
impl AsRef<Circuit> for Circuit {
    #[inline]
    fn as_ref(&self) -> &Circuit {
        self
    }
}

impl fmt::Debug for Circuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker")
            .field("name", &self.name)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle, feature = "test-util"))))]
mod tests {
    use super::{Circuit, Owner, Reason, Trigger};
    use crate::clock::{self, Span};
    use crate::config::Config;

    /// As after 160 transitions in one microsecond, which take more threads than a test has.
    #[test]
    fn a_state_dated_ahead_of_the_clock_is_followed_by_none_that_is() {
        let circuit = Circuit::new("flapping".into(), Config::default(), Owner::Breaker);
        for _ in 0..1_000 {
            let ahead = clock::now().plus(Span::from_micros(5));
            let before = circuit.word();
            let reason = Reason::from_trigger(Trigger::Reset);
            assert!(
                circuit
                    .try_change(before, Trigger::Reset, reason, ahead)
                    .is_ok()
            );
            circuit.reset();
            assert!(circuit.word().generation() > before.generation());
            assert!(circuit.word().since() <= clock::now());
        }
    }
}

//! The shared core of a breaker: its state in one atomic word, the evidence behind it, and the
//! compare-and-swap that moves it.

pub(crate) mod counters;
mod evidence;
pub(crate) mod handle;
mod policy;
mod probes;
pub(crate) mod registered;
mod rejection;
mod residency;
pub(crate) mod retention;
mod snapshot;
pub(crate) mod state;
pub(crate) mod ticket;
mod wait;
mod window;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use counters::{Counters, Total};
use probes::{Probes, SlotRequest};
use state::{Change, Phase, Word, transition};
use ticket::{Lease, Start};
use window::{ReachedLimit, Window};

pub(crate) use policy::Policy;
pub(crate) use rejection::Rejection;
pub(crate) use residency::{Residency, Tag};
pub use snapshot::Snapshot;
pub use state::State;
pub(crate) use state::Trigger;
pub(crate) use ticket::{Outcome, Ticket};

use crate::clock::{self, Instant, OwnTime, Span};
use crate::config::Config;
use crate::error::CircuitError;
use crate::name::Name;
use crate::sync::{AtomicU64, Ordering};

/// The state shared by all handles to one breaker.
pub struct Circuit {
    /// The [`Word`] of the state. It changes by compare-and-swap alone, in [`Circuit::try_change`].
    state: AtomicU64,
    probes: Probes,
    window: Window,
    counters: Counters,
    policy: Arc<Policy>,
    name: Name,
    residency: Residency,
    time: OwnTime,
}

impl Circuit {
    /// Creates a closed circuit.
    pub(crate) fn new(name: Name, config: Config) -> Arc<Self> {
        Self::with_policy(name, Arc::new(Policy::new(config)))
    }

    /// Creates a closed circuit that shares its policy with others.
    pub(crate) fn with_policy(name: Name, policy: Arc<Policy>) -> Arc<Self> {
        Arc::new(Self {
            state: AtomicU64::new(Word::FIRST.to_bits()),
            probes: Probes::default(),
            window: Window::new(&policy.config),
            counters: Counters::default(),
            policy,
            name,
            residency: Residency::default(),
            time: OwnTime::default(),
        })
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

    pub(crate) fn config(&self) -> &Config {
        &self.policy.config
    }

    pub(crate) fn state(&self) -> State {
        let _entered = self.time.enter();
        let word = self.word();
        word.state(clock::now(), self.wait(word))
    }

    /// Admits a call, or tells the caller how long to wait.
    #[inline]
    pub(crate) fn admit(&self) -> Result<Ticket, Rejection> {
        let _entered = self.time.enter();
        loop {
            let word = self.word();
            let admitted = if word.is_closed() {
                self.admit_closed(word)
            } else if let Some(rejection) = self.reject_coarse(word) {
                return Err(rejection);
            } else {
                self.admit_probe(word)?
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
            if let Some(ticket) = self.admit_closed(word) {
                return Some(ticket);
            }
        }
    }

    /// Admits a call unless calls in flight turn out to be overdue; `None` if the state has moved
    /// on from `word`.
    #[inline]
    fn admit_closed(&self, word: Word) -> Option<Ticket> {
        let is_timed = || self.window.times_calls(&self.policy.limits);
        let start = if word.phase() == Phase::Closed && is_timed() {
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
        self.window.admit(&self.policy.limits, word.generation())
    }

    /// Slow path: judges the calls so far before it admits another.
    #[inline(never)]
    fn admit_slow(&self, word: Word) -> Option<Start> {
        let limits = &self.policy.limits;
        match self.window.admit_slow(limits, word.generation()) {
            Ok(start) => Some(start),
            Err(limit) => {
                self.open(word, limit);
                None
            }
        }
    }

    /// Returns how long the open phase described by `word` lasts.
    #[inline]
    fn wait(&self, word: Word) -> Span {
        self.policy.wait.for_word(word, &self.name)
    }

    #[inline]
    fn word(&self) -> Word {
        // Acquire: a thread that observes a state also observes everything that led to it.
        Word::from_bits(self.state.load(Ordering::Acquire))
    }

    /// Rejects by the coarse clock; `None` if a deadline is too near to tell. The result fits in
    /// registers.
    #[inline(never)]
    fn reject_coarse(&self, word: Word) -> Option<Rejection> {
        let rejection = self.coarse_rejection(word)?;
        self.counters.add(Total::Rejected);
        Some(rejection)
    }

    /// Returns the rejection, if the coarse clock is accurate enough to decide.
    #[inline]
    fn coarse_rejection(&self, word: Word) -> Option<Rejection> {
        if word.phase() == Phase::ForcedOpen {
            return Some(Rejection::INDEFINITE);
        }
        let wait = self.wait(word);
        let half_open_at = word.half_open_at(wait);
        // The exact clock is ahead of this by less than `LAG`.
        let now = clock::coarse();
        let left = half_open_at.since(now);
        if left > clock::LAG {
            // A clock that lags by longer than `LAG` is one that rejects for longer, never earlier.
            return Some(Rejection::new(left, wait));
        }
        if left >= Span::MIN {
            return None;
        }
        let limit = self.policy.limits.probes();
        let left = self.probes.taken_until(limit, half_open_at)?.since(now);
        (left > clock::LAG).then(|| Rejection::new(left, limit.lease))
    }

    /// Admits a call as a probe if a slot is free; `None` if the state has moved on from `word`.
    #[cold]
    fn admit_probe(&self, word: Word) -> Result<Option<Ticket>, Rejection> {
        let leased = self.request_slot(word);
        if leased.is_err() {
            self.counters.add(Total::Rejected);
        }
        Ok(leased?.map(|lease| Ticket::for_probe(word, lease)))
    }

    fn request_slot(&self, word: Word) -> Result<Option<Lease>, Rejection> {
        let now = clock::now();
        let wait = self.wait(word);
        let half_open_at = word.half_open_at(wait);
        if now < half_open_at {
            return Err(Rejection::new(half_open_at.since(now), wait));
        }
        let limit = self.policy.limits.probes();
        let still_current = || self.word() == word;
        match self
            .probes
            .request(limit, word.generation(), now, still_current)
        {
            SlotRequest::Full(until) => Err(Rejection::new(until.since(now), limit.lease)),
            SlotRequest::Granted(lease) => Ok(Some(lease)),
            SlotRequest::Stale => Ok(None),
        }
    }

    /// Settles a ticket with the outcome of its call.
    ///
    /// Here is the fast path: a success that no rule counts. Everything else is out of line and
    /// `extern "C"`, which cannot unwind, so that the caller needs no landing pad and can keep the
    /// call's result in registers. A panic in there is a bug, and aborts.
    #[inline]
    pub(crate) fn settle(&self, ticket: Ticket, outcome: Outcome) {
        let _entered = self.time.enter();
        if outcome != Outcome::Succeeded {
            self.settle_slow(ticket, outcome);
        } else if ticket.word().phase() != Phase::Closed
            || self.window.counts_successes()
            || !self.counters.add_to_own_stripe(Total::Succeeded)
        {
            self.succeeded(ticket);
        }
    }

    #[inline(never)]
    extern "C" fn succeeded(&self, ticket: Ticket) {
        self.counters.add(Total::Succeeded);
        let word = ticket.word();
        match word.phase() {
            Phase::Closed => {
                let limits = &self.policy.limits;
                let reached = self
                    .window
                    .success(limits, word.generation(), ticket.start());
                if let Some(limit) = reached {
                    self.open(word, limit);
                }
            }
            Phase::Open => self.probe_succeeded(ticket),
            Phase::ForcedOpen | Phase::ForcedClosed => {}
        }
    }

    #[inline(never)]
    fn probe_failed(&self, word: Word) {
        self.change(word, Trigger::ProbeFailed, clock::now());
    }

    #[inline(never)]
    fn probe_succeeded(&self, ticket: Ticket) {
        let word = ticket.word();
        let limit = self.policy.limits.probes();
        if self
            .probes
            .succeed(limit, word.generation(), ticket.lease())
        {
            self.change(word, Trigger::ProbeSucceeded, clock::now());
        }
    }

    /// Opens the circuit as of now, which may be well after the call that reached the limit. Every
    /// limit has the same effect on the state.
    #[inline(never)]
    fn open(&self, word: Word, _limit: ReachedLimit) {
        self.change(word, Trigger::LimitReached, clock::now());
    }

    #[inline(never)]
    extern "C" fn settle_slow(&self, ticket: Ticket, outcome: Outcome) {
        self.counters.add(Total::for_outcome(outcome));
        match outcome {
            Outcome::Failed | Outcome::TimedOut | Outcome::Panicked => self.failed(ticket),
            Outcome::Succeeded | Outcome::Ignored | Outcome::Cancelled => {
                self.inconclusive(ticket);
            }
        }
    }

    fn failed(&self, ticket: Ticket) {
        let word = ticket.word();
        if self.word() != word {
            return; // stale: from an earlier generation
        }
        if word.is_counting() {
            let limits = &self.policy.limits;
            let generation = word.generation();
            if let Some(limit) = self.window.failure(limits, generation, ticket.start()) {
                self.open(word, limit);
            }
        } else if !word.is_held() {
            self.probe_failed(word);
        }
    }

    /// Settles a call without evidence; a probe gives its slot back.
    fn inconclusive(&self, ticket: Ticket) {
        let generation = ticket.word().generation();
        match ticket.word().phase() {
            Phase::Closed => {
                let limits = &self.policy.limits;
                self.window.inconclusive(limits, generation, ticket.start());
            }
            Phase::Open => {
                self.probes
                    .release(self.policy.limits.probes(), generation, ticket.lease());
            }
            Phase::ForcedOpen | Phase::ForcedClosed => {}
        }
    }

    /// Changes the state, unless it has moved on from the word that the trigger was observed under.
    /// If several race, one wins and the others are stale from then on.
    fn change(&self, word: Word, trigger: Trigger, now: Instant) {
        // Probe leases are left in place: they keep out callers that still see the old word.
        let _ = self.try_change(word, trigger, now);
    }

    /// Changes the state by one compare-and-swap. Nothing else changes it.
    fn try_change(&self, word: Word, trigger: Trigger, now: Instant) -> Result<(), Word> {
        // A state must not be dated ahead of the clock, or its wait would be too long: with more
        // than 32 transitions in a microsecond, the next one waits for the next microsecond.
        let next_since = word.next_since();
        let now = if next_since > now {
            clock::catch_up(next_since)
        } else {
            now
        };
        let (next, change) = transition(word, trigger, now);
        // Release: what led to the new state is visible to those that act on it. Acquire: a retry
        // starts from everything that led to the actual state.
        self.state
            .compare_exchange(
                word.to_bits(),
                next.to_bits(),
                Ordering::AcqRel,
                Ordering::Acquire,
            )
            .map_err(Word::from_bits)?;
        if change == Change::Opened {
            self.counters.add(Total::Opened);
        }
        Ok(())
    }

    /// Applies an operator's order, whatever the current state.
    pub(crate) fn force(&self, trigger: Trigger) {
        let _entered = self.time.enter();
        let now = clock::now();
        let mut word = self.word();
        while let Err(actual) = self.try_change(word, trigger, now) {
            word = actual;
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let _entered = self.time.enter();
        let word = self.word();
        let now = clock::now();
        let wait = self.wait(word);
        let state = word.state(now, wait);
        let retry_at = match (state, word.phase()) {
            (State::Open, Phase::Open) => word.half_open_at(wait),
            (State::HalfOpen, _) => {
                let limit = self.policy.limits.probes();
                let taken_until = self.probes.taken_until(limit, word.half_open_at(wait));
                taken_until.map_or(now, |taken_until| taken_until.min(now.plus(limit.lease)))
            }
            _ => now,
        };
        let timed_out = self.counters.total(Total::TimedOut);
        let panicked = self.counters.total(Total::Panicked);
        let failed = self.counters.total(Total::Failed);
        Snapshot {
            name: self.name.clone(),
            state,
            retry_after: (retry_at > now).then(|| retry_at.since(now).as_duration()),
            succeeded: self.counters.total(Total::Succeeded),
            failed: failed.wrapping_add(timed_out).wrapping_add(panicked),
            timed_out,
            panicked,
            ignored: self.counters.total(Total::Ignored),
            cancelled: self.counters.total(Total::Cancelled),
            rejected: self.counters.total(Total::Rejected),
            opened: self.counters.total(Total::Opened),
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

    /// Builds the error of a call that timed out.
    #[cold]
    pub(crate) fn timed_out(&self, after: Duration) -> CircuitError {
        CircuitError::Timeout {
            breaker: self.name.clone(),
            after,
        }
    }

    /// Builds the error of a call whose timeout has no runtime to run on.
    #[cold]
    pub(crate) fn without_runtime(&self) -> CircuitError {
        CircuitError::NoRuntime {
            breaker: self.name.clone(),
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
    use super::{Circuit, Trigger};
    use crate::clock::{self, Span};
    use crate::config::Config;

    /// As after 160 transitions in one microsecond, which take more threads than a test has.
    #[test]
    fn a_state_dated_ahead_of_the_clock_is_followed_by_none_that_is() {
        let circuit = Circuit::new("flapping".into(), Config::default());
        for _ in 0..1_000 {
            let ahead = clock::now().plus(Span::from_micros(5));
            let before = circuit.word();
            assert!(circuit.try_change(before, Trigger::Reset, ahead).is_ok());
            circuit.force(Trigger::Reset);
            assert!(circuit.word().generation() > before.generation());
            assert!(circuit.word().since() <= clock::now());
        }
    }
}

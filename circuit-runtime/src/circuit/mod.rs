//! The circuit itself: the state in one atomic word, what counts towards it, and the few lines in
//! which threads race for either.

pub(crate) mod counters;
mod evidence;
pub(crate) mod policy;
mod probes;
mod snapshot;
pub(crate) mod state;
pub(crate) mod ticket;
mod wait;
mod window;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{self, Instant, Span};
use crate::config::Config;
use crate::keyed::Presence;
use crate::name::Name;
use crate::registry;
use crate::sync::{AtomicU64, Ordering};
use counters::{Counters, Total};
use policy::Policy;
use probes::{Place, Probes};
pub use snapshot::Snapshot;
pub use state::State;
use state::{Effect, Event, Phase, Word, step};
use ticket::{Lease, Outcome, Start, Ticket};
use window::{ReachedLimit, Window};

/// What all handles of a breaker share.
pub(crate) struct Circuit {
    /// The [`Word`] of the state. It changes by compare-and-swap alone, in [`Circuit::change`].
    state: AtomicU64,
    probes: Probes,
    window: Window,
    counters: Counters,
    policy: Arc<Policy>,
    name: Name,
    /// Of the circuit of a key.
    presence: Presence,
    /// None of the circuit of a key.
    id: Option<registry::Id>,
}

impl Circuit {
    /// A new circuit, closed, which the registry knows until it is dropped.
    pub(crate) fn new(name: Name, config: Config) -> Arc<Self> {
        let policy = Arc::new(Policy::new(config));
        Arc::new_cyclic(|circuit| {
            let id = registry::add(circuit);
            Self::of(name, policy, Some(id), Presence::default())
        })
    }

    /// The circuit of a key, closed.
    pub(crate) fn of_key(name: Name, presence: Presence, policy: Arc<Policy>) -> Arc<Self> {
        Arc::new(Self::of(name, policy, None, presence))
    }

    fn of(name: Name, policy: Arc<Policy>, id: Option<registry::Id>, presence: Presence) -> Self {
        Self {
            state: AtomicU64::new(Word::FIRST.to_bits()),
            probes: Probes::default(),
            window: Window::new(&policy.config),
            counters: Counters::default(),
            policy,
            name,
            presence,
            id,
        }
    }

    pub(crate) fn presence(&self) -> &Presence {
        &self.presence
    }

    /// Whether it is closed, and not by an order.
    pub(crate) fn is_closed(&self) -> bool {
        self.word().phase() == Phase::Closed
    }

    /// Whether it is closed in the end, of a circuit that nobody else has any more.
    pub(crate) fn is_closed_at_last(&self) -> bool {
        // That nobody has it comes with all that its last user did, but the model checker does not know.
        // So it is read by a write that changes nothing, which sees the latest state by itself.
        let word = Word::from_bits(self.state.fetch_or(0, Ordering::AcqRel));
        word.phase() == Phase::Closed
    }

    pub(crate) fn name(&self) -> &Name {
        &self.name
    }

    pub(crate) fn config(&self) -> &Config {
        &self.policy.config
    }

    pub(crate) fn state(&self) -> State {
        let word = self.word();
        word.state(clock::now(), self.wait(word))
    }

    /// Lets a call in, or says for how long not to ask.
    #[inline]
    pub(crate) fn admit(&self) -> Result<Ticket, Rejection> {
        loop {
            let word = self.word();
            let admitted = if word.is_closed() {
                self.admit_while_closed(word)
            } else if let Some(rejection) = self.reject_at_a_glance(word) {
                return Err(rejection);
            } else {
                self.admit_probe(word)?
            };
            if let Some(ticket) = admitted {
                return Ok(ticket);
            }
        }
    }

    /// Admits a call unless calls in flight turn out to be overdue; `None` if the state has moved on
    /// from `word`.
    #[inline]
    fn admit_while_closed(&self, word: Word) -> Option<Ticket> {
        let limits = &self.policy.limits;
        let start = match word.phase() {
            Phase::Closed => match self.window.admit(limits, word.generation()) {
                Some(start) => start,
                None => self.admit_slow(word)?,
            },
            _ => Start::NONE,
        };
        Some(Ticket::for_call(word, start))
    }

    /// Slow path: judges the calls so far first.
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

    /// How long the open phase lasts that `word` stands for.
    #[inline]
    fn wait(&self, word: Word) -> Span {
        self.policy.wait.for_word(word, &self.name)
    }

    #[inline]
    fn word(&self) -> Word {
        // Acquire: with a state comes all that its first observer did before.
        Word::from_bits(self.state.load(Ordering::Acquire))
    }

    /// Rejects a call, unless a deadline is near. What it returns fits into registers.
    #[inline(never)]
    fn reject_at_a_glance(&self, word: Word) -> Option<Rejection> {
        let rejection = self.seen_at_a_glance(word)?;
        self.counters.add(Total::Rejected);
        Some(rejection)
    }

    /// The rejection, when the coarse clock is enough to tell.
    #[inline]
    fn seen_at_a_glance(&self, word: Word) -> Option<Rejection> {
        if word.phase() == Phase::ForcedOpen {
            return Some(Rejection::ENDLESS);
        }
        let wait = self.wait(word);
        let half_open_at = word.half_open_at(wait);
        let earliest = clock::coarse();
        let latest = earliest.plus(clock::LAG);
        if latest < half_open_at {
            return Some(Rejection::until(half_open_at, earliest, wait));
        }
        if earliest < half_open_at {
            return None;
        }
        let limit = self.policy.limits.probes();
        let taken_until = self.probes.taken_until(limit, half_open_at)?;
        (latest < taken_until).then(|| Rejection::until(taken_until, earliest, limit.lease))
    }

    /// Lets a call in as a probe, if it may be one; `None` when the state is no longer `word`.
    #[cold]
    fn admit_probe(&self, word: Word) -> Result<Option<Ticket>, Rejection> {
        let leased = self.lease_place(word);
        if leased.is_err() {
            self.counters.add(Total::Rejected);
        }
        Ok(leased?.map(|lease| Ticket::for_probe(word, lease)))
    }

    fn lease_place(&self, word: Word) -> Result<Option<Lease>, Rejection> {
        let now = clock::now();
        let wait = self.wait(word);
        let half_open_at = word.half_open_at(wait);
        if now < half_open_at {
            return Err(Rejection::until(half_open_at, now, wait));
        }
        let limit = self.policy.limits.probes();
        let still = || self.word() == word;
        match self.probes.take(limit, word.generation(), now, still) {
            Place::Taken(until) => Err(Rejection::until(until, now, limit.lease)),
            Place::Leased(lease) => Ok(Some(lease)),
            Place::Gone => Ok(None),
        }
    }

    /// Takes a ticket back, with what became of the call.
    ///
    /// A success that no rule heeds, which is what most calls come to, is all here. What else there is to
    /// do is in functions that are `extern` because those do not unwind, but end the process: so the
    /// compiler need not keep the result of a call in memory for when this function would.
    #[inline]
    pub(crate) fn settle(&self, ticket: Ticket, outcome: Outcome) {
        if outcome != Outcome::Succeeded {
            self.did_not_succeed(ticket, outcome);
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
    fn probe_succeeded(&self, ticket: Ticket) {
        let word = ticket.word();
        let limit = self.policy.limits.probes();
        if self
            .probes
            .succeed(limit, word.generation(), ticket.lease())
        {
            self.change(word, Event::ProbeSucceeded, clock::now());
        }
    }

    /// Opens the circuit from now on, which may be long after the call that was too much.
    /// Every limit has the same effect on the state.
    #[inline(never)]
    fn open(&self, word: Word, _limit: ReachedLimit) {
        self.change(word, Event::LimitReached, clock::now());
    }

    #[inline(never)]
    extern "C" fn did_not_succeed(&self, ticket: Ticket, outcome: Outcome) {
        self.counters.add(Total::for_outcome(outcome));
        match outcome {
            Outcome::Failed | Outcome::TimedOut | Outcome::Panicked => self.failed(ticket),
            Outcome::Succeeded | Outcome::Ignored | Outcome::Cancelled => {
                self.gave_no_evidence(ticket);
            }
        }
    }

    fn failed(&self, ticket: Ticket) {
        let word = ticket.word();
        if self.word() != word {
            return; // of an earlier generation
        }
        match word.phase() {
            Phase::Closed => {
                let limits = &self.policy.limits;
                let reached = self
                    .window
                    .failure(limits, word.generation(), ticket.start());
                if let Some(limit) = reached {
                    self.open(word, limit);
                }
            }
            Phase::Open => self.change(word, Event::ProbeFailed, clock::now()),
            Phase::ForcedOpen | Phase::ForcedClosed => {}
        }
    }

    /// A call that is no evidence. If it was a probe, another may take its place.
    fn gave_no_evidence(&self, ticket: Ticket) {
        let generation = ticket.word().generation();
        match ticket.word().phase() {
            Phase::Closed => {
                let limits = &self.policy.limits;
                self.window.inconclusive(limits, generation, ticket.start());
            }
            Phase::Open => {
                self.probes
                    .give_back(self.policy.limits.probes(), generation, ticket.lease());
            }
            Phase::ForcedOpen | Phase::ForcedClosed => {}
        }
    }

    /// The one way in which the state changes: from the word that the event belongs to, or not at
    /// all. Of events that race, one wins, and the others are of an earlier generation from then on.
    fn change(&self, word: Word, event: Event, now: Instant) {
        // The leases of its probes stay: they keep out whoever still sees the old word.
        let _ = self.try_change(word, event, now);
    }

    fn try_change(&self, word: Word, event: Event, now: Instant) -> Result<(), Word> {
        let (next, effect) = step(word, event, now);
        // Release: what led to the new state is visible to those who act on it. Acquire: whoever
        // has to try again goes on from all that led to the actual one.
        self.state
            .compare_exchange(
                word.to_bits(),
                next.to_bits(),
                Ordering::AcqRel,
                Ordering::Acquire,
            )
            .map_err(Word::from_bits)?;
        if effect == Effect::Opened {
            self.counters.add(Total::Opened);
        }
        Ok(())
    }

    /// An operator's order: it holds whatever the state was.
    pub(crate) fn force(&self, event: Event) {
        let now = clock::now();
        let mut word = self.word();
        while let Err(actual) = self.try_change(word, event, now) {
            word = actual;
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
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
}

impl Drop for Circuit {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            registry::remove(id);
        }
    }
}

/// That a call must not run, and how long not to ask again.
///
/// One number, so that whoever asks gets the answer in registers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rejection {
    wait: Span,
}

impl Rejection {
    /// No time ends it.
    const ENDLESS: Self = Self {
        wait: Span::ENDLESS,
    };

    /// Until `moment`, but for no longer than `longest`: the clock may lag behind the one that set
    /// the moment.
    #[inline]
    fn until(moment: Instant, now: Instant, longest: Span) -> Self {
        Self {
            wait: moment.since(now).min(longest),
        }
    }

    #[inline]
    pub(crate) fn retry_after(self) -> Option<Duration> {
        (self.wait != Span::ENDLESS).then(|| self.wait.as_duration())
    }
}

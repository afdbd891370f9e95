//! The circuit itself: the state in one atomic word, what counts towards it, and the few lines in
//! which threads race for either.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{self, Instant, Span};
use crate::config::Config;
use crate::counters::Counters;
use crate::name::Name;
use crate::permit::{Outcome, Ticket};
use crate::probe::{Lease, Place, Probes};
use crate::registry;
use crate::snapshot::Snapshot;
use crate::state::{Effect, Event, Phase, State, Word, step};
use crate::sync::{AtomicU64, Ordering};
use crate::wait::Wait;
use crate::window::{Start, Window};

/// What all handles of a breaker share.
pub(crate) struct Circuit {
    /// The [`Word`] of the state. It changes by compare-and-swap alone, in [`Circuit::change`].
    state: AtomicU64,
    probes: Probes,
    wait: Wait,
    window: Window,
    counters: Counters,
    config: Config,
    name: Name,
    id: registry::Id,
}

impl Circuit {
    /// A new circuit, closed, which the registry knows until it is dropped.
    pub(crate) fn new(name: Name, config: Config) -> Arc<Self> {
        Arc::new_cyclic(|circuit| Self {
            state: AtomicU64::new(Word::FIRST.to_bits()),
            probes: Probes::new(config.probes()),
            wait: Wait::new(&config, RandomState::new().hash_one(&name)),
            window: Window::new(&config),
            counters: Counters::default(),
            config,
            name,
            id: registry::add(circuit),
        })
    }

    pub(crate) fn name(&self) -> &Name {
        &self.name
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn state(&self) -> State {
        let word = self.word();
        word.state(clock::now(), self.wait.of(word))
    }

    /// Lets a call in, or says for how long not to ask.
    #[inline]
    pub(crate) fn admit(&self) -> Result<Ticket, Rejection> {
        loop {
            let word = self.word();
            let admitted = if word.is_closed() {
                self.admit_while_closed(word)
            } else {
                self.admit_while_open(word)?
            };
            if let Some(ticket) = admitted {
                return Ok(ticket);
            }
        }
    }

    /// Lets a call in, unless it finds that others hang; `None` when the state is no longer `word`.
    #[inline]
    fn admit_while_closed(&self, word: Word) -> Option<Ticket> {
        let start = match word.phase() {
            Phase::Closed => self.window.admit(word.generation()),
            _ => Ok(Start::NONE),
        };
        if let Ok(start) = start {
            return Some(Ticket::of_call(word, start));
        }
        self.open(word);
        None
    }

    #[inline]
    fn word(&self) -> Word {
        // Acquire: with a state comes all that its first observer did before.
        Word::from_bits(self.state.load(Ordering::Acquire))
    }

    /// Lets a call in as a probe, if it may be one; `None` when the state is no longer `word`.
    #[inline(never)]
    fn admit_while_open(&self, word: Word) -> Result<Option<Ticket>, Rejection> {
        let admission = match self.reject_at_a_glance(word) {
            Some(rejection) => Err(rejection),
            None => self.admit_probe(word),
        };
        if admission.is_err() {
            self.counters.add(|stripe| &stripe.rejected);
        }
        Ok(admission?.map(|lease| Ticket::of_probe(word, lease)))
    }

    /// Rejects a call when the coarse clock is enough to tell, which is unless a deadline is near.
    #[inline]
    fn reject_at_a_glance(&self, word: Word) -> Option<Rejection> {
        if word.phase() == Phase::ForcedOpen {
            return Some(Rejection::ENDLESS);
        }
        let wait = self.wait.of(word);
        let half_open_at = word.half_open_at(wait);
        let earliest = clock::coarse();
        let latest = earliest.plus(clock::LAG);
        if latest < half_open_at {
            return Some(Rejection::until(half_open_at, earliest, wait));
        }
        if earliest < half_open_at {
            return None;
        }
        let length = self.wait.reset();
        let taken_until = self.probes.taken_until(half_open_at, length)?;
        (latest < taken_until).then(|| Rejection::until(taken_until, earliest, length))
    }

    #[cold]
    fn admit_probe(&self, word: Word) -> Result<Option<Lease>, Rejection> {
        let now = clock::now();
        let wait = self.wait.of(word);
        let half_open_at = word.half_open_at(wait);
        if now < half_open_at {
            return Err(Rejection::until(half_open_at, now, wait));
        }
        let length = self.wait.reset();
        match self.probes.take(word.generation(), now, length) {
            Place::Taken(until) => Err(Rejection::until(until, now, length)),
            Place::Leased(lease) if self.word() == word => Ok(Some(lease)),
            Place::Leased(lease) => {
                // Of a half-open phase that is over: it must keep nobody out of the next.
                self.probes.give_back(word.generation(), lease);
                Ok(None)
            }
            Place::Gone => Ok(None),
        }
    }

    /// Takes a ticket back, with what became of the call.
    #[inline]
    pub(crate) fn settle(&self, ticket: Ticket, outcome: Outcome) {
        if outcome == Outcome::Succeeded {
            self.succeeded(ticket);
        } else {
            self.did_not_succeed(ticket, outcome);
        }
    }

    #[inline]
    fn succeeded(&self, ticket: Ticket) {
        self.counters.add(|stripe| &stripe.succeeded);
        let word = ticket.word();
        match word.phase() {
            Phase::Closed => {
                if self.window.success(word.generation(), ticket.start()) {
                    self.open(word);
                }
            }
            Phase::Open => self.probe_succeeded(ticket),
            Phase::ForcedOpen | Phase::ForcedClosed => {}
        }
    }

    #[inline(never)]
    fn probe_succeeded(&self, ticket: Ticket) {
        let word = ticket.word();
        if self.probes.succeed(word.generation(), ticket.lease()) {
            self.change(word, Event::ProbeSucceeded, clock::now());
        }
    }

    /// Opens the circuit from now on, which may be long after the call that was too much.
    #[inline(never)]
    fn open(&self, word: Word) {
        self.change(word, Event::LimitReached, clock::now());
    }

    /// Out of the way of a success, which is all that most calls come to.
    #[inline(never)]
    fn did_not_succeed(&self, ticket: Ticket, outcome: Outcome) {
        self.counters.add(|stripe| stripe.total_of(outcome));
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
                if self.window.failure(word.generation(), ticket.start()) {
                    self.open(word);
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
            Phase::Closed => self.window.no_evidence(generation, ticket.start()),
            Phase::Open => self.probes.give_back(generation, ticket.lease()),
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
            self.counters.add(|stripe| &stripe.opened);
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
        let wait = self.wait.of(word);
        let state = word.state(now, wait);
        let retry_at = match (state, word.phase()) {
            (State::Open, Phase::Open) => word.half_open_at(wait),
            (State::HalfOpen, _) => {
                let length = self.wait.reset();
                let taken_until = self.probes.taken_until(word.half_open_at(wait), length);
                taken_until.map_or(now, |taken_until| taken_until.min(now.plus(length)))
            }
            _ => now,
        };
        let timed_out = self.counters.total(|stripe| &stripe.timed_out);
        let panicked = self.counters.total(|stripe| &stripe.panicked);
        let failed = self.counters.total(|stripe| &stripe.failed);
        Snapshot {
            name: self.name.clone(),
            state,
            retry_after: (retry_at > now).then(|| retry_at.since(now).as_duration()),
            succeeded: self.counters.total(|stripe| &stripe.succeeded),
            failed: failed.wrapping_add(timed_out).wrapping_add(panicked),
            timed_out,
            panicked,
            ignored: self.counters.total(|stripe| &stripe.ignored),
            cancelled: self.counters.total(|stripe| &stripe.cancelled),
            rejected: self.counters.total(|stripe| &stripe.rejected),
            opened: self.counters.total(|stripe| &stripe.opened),
        }
    }
}

impl Drop for Circuit {
    fn drop(&mut self) {
        registry::remove(self.id);
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

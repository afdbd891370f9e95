//! The details of the current phase, and the lock under which phases change.

use super::probes::Probes;
use super::ramp::Ramp;
use super::state::{Change, Details, Phase, Word};
use crate::clock::Instant;
use crate::sync::lock::Lock;
use crate::sync::{AtomicU64, Ordering};

/// The moment that stands for none in a [`Slot`]: no phase begins or ends this late.
const NEVER: u64 = u64::MAX;

/// Everything a circuit needs once its state has changed: created by the first transition.
///
/// A transition stores the details of the next phase in the slot that the current word does not
/// use, then changes the word. A reader of a word reads that word's slot, and verifies afterwards
/// that the state is still this word: a slot is written again only after the state has moved on
/// from its word. So readers need no lock, as with a sequence lock (Boehm, "Can seqlocks get along
/// with programming language memory models?", 2012).
pub(super) struct Phases {
    transitions: Lock<Transitions>,
    slots: [Slot; 2],
    pub(super) probes: Probes,
}

/// The transitions since the start, by how they looked from outside.
#[derive(Clone, Copy, Default)]
pub(super) struct Transitions {
    pub(super) opened: u64,
    pub(super) withheld: u64,
}

/// The details of one phase, as atomic words.
struct Slot {
    reopenings: AtomicU64,
    since: AtomicU64,
    until: AtomicU64,
    ramp: Ramp,
}

impl Phases {
    /// Runs `transition` alone: no other transition of the circuit runs meanwhile. It returns how
    /// the change looks from outside, which is counted.
    pub(super) fn with_lock<E>(
        &self,
        transition: impl FnOnce() -> Result<Change, E>,
    ) -> Result<(), E> {
        self.transitions.with(|transitions| {
            match transition()? {
                Change::Opened => transitions.opened = transitions.opened.wrapping_add(1),
                Change::Withheld => transitions.withheld = transitions.withheld.wrapping_add(1),
                Change::None | Change::Unseen | Change::Held | Change::Closed => {}
            }
            Ok(())
        })
    }

    pub(super) fn transitions(&self) -> Transitions {
        self.transitions.with(|transitions| *transitions)
    }

    /// Loads the details of the phase described by `word`. They are valid if the state is still
    /// `word` afterwards, and always under the lock.
    pub(super) fn load(&self, word: Word) -> Details {
        self.slot(word).load()
    }

    /// Stores the details of the phase that `word` is about to begin. Only under the lock.
    pub(super) fn store(&self, word: Word, details: Details) {
        let slot = self.slot(word);
        slot.store(details);
        if word.phase() == Phase::Ramp {
            slot.ramp.begin(word.since());
        }
    }

    /// Returns the ramp that `word` describes.
    pub(super) fn ramp(&self, word: Word) -> &Ramp {
        &self.slot(word).ramp
    }

    fn slot(&self, word: Word) -> &Slot {
        let [first, second] = &self.slots;
        if word.slot() == 0 { first } else { second }
    }
}

impl Default for Phases {
    fn default() -> Self {
        Self {
            transitions: Lock::default(),
            slots: [Slot::new(), Slot::new()],
            probes: Probes::default(),
        }
    }
}

impl Slot {
    /// Creates the details of a phase that no transition has begun.
    fn new() -> Self {
        Self {
            reopenings: AtomicU64::new(0),
            since: AtomicU64::new(NEVER),
            until: AtomicU64::new(NEVER),
            ramp: Ramp::default(),
        }
    }

    /// Acquire: a reader that sees a later phase's value also sees that the state has moved on. It
    /// pairs with `store`.
    fn load(&self) -> Details {
        let moment = |micros| (micros != NEVER).then_some(Instant::from_micros(micros));
        let reopenings = self.reopenings.load(Ordering::Acquire);
        Details {
            reopenings: u32::try_from(reopenings).unwrap_or(u32::MAX),
            since: moment(self.since.load(Ordering::Acquire)),
            until: moment(self.until.load(Ordering::Acquire)),
        }
    }

    /// Release: publishes that the state has moved on from the slot's last phase, which the caller
    /// has seen under the lock.
    fn store(&self, details: Details) {
        let micros = |moment: Instant| moment.as_micros().min(NEVER - 1);
        let micros = |moment: Option<Instant>| moment.map_or(NEVER, micros);
        self.reopenings
            .store(details.reopenings.into(), Ordering::Release);
        self.since.store(micros(details.since), Ordering::Release);
        self.until.store(micros(details.until), Ordering::Release);
    }
}

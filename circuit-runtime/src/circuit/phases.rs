//! The details of the current phase, and the lock under which phases change.

use std::sync::Arc;

use super::fleet::Standing;
use super::hold::HoldSource;
use super::probes::Probes;
use super::ramp::Ramp;
use super::state::{Change, Details, Phase, Word};
use crate::clock::Instant;
use crate::events::{Delivery, Listeners, Record, StateChange};
use crate::state::State;
use crate::sync::lock::Lock;
use crate::sync::once_box::OnceBox;
use crate::sync::{AtomicU64, Ordering};

/// The moment that stands for none in a [`Slot`]: later than [`Details::LATEST`].
const NEVER: u64 = u64::MAX;

/// Everything a circuit needs once its state has changed: created by the first transition or
/// listener.
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
    /// The latest word under which the circuit has admitted a probe: it has been half-open since,
    /// whatever the rules say now.
    half_open: AtomicU64,
    /// Created by the first listener.
    listeners: OnceBox<Arc<Listeners>>,
}

/// The transitions since the start, as they look from outside.
#[derive(Default)]
pub(super) struct Transitions {
    pub(super) opened: u64,
    pub(super) withheld: u64,
    /// The latest change that was reported.
    pub(super) last: Option<StateChange>,
    /// When the state that was reported last began; `None` before the first report.
    pub(super) reported_since: Option<Instant>,
    /// The origin of the latest order that holds, or has held, the circuit.
    pub(super) hold_source: HoldSource,
    /// How many calls had been rejected when the circuit opened.
    pub(super) rejected_before: u64,
    pub(super) delivery: Delivery,
    /// Created by the first verdict or order of a fleet.
    pub(super) standing: Option<Box<Standing>>,
}

/// The details of one phase, as atomic words.
struct Slot {
    reopenings: AtomicU64,
    since: AtomicU64,
    until: AtomicU64,
    ramp: Ramp,
}

impl Phases {
    /// Runs `section` alone: no transition of the circuit runs meanwhile.
    pub(super) fn with_lock<R>(&self, section: impl FnOnce(&mut Transitions) -> R) -> R {
        self.transitions.with(section)
    }

    /// Returns the listeners to this circuit, if it ever had any.
    pub(super) fn listeners(&self) -> Option<&Listeners> {
        self.listeners.get().map(|listeners| &**listeners)
    }

    pub(super) fn listeners_or_init(&self) -> &Arc<Listeners> {
        self.listeners.get_or_init(Box::default)
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

    /// Fixes when the open phase described by `word` has ended, as it has admitted a probe. Only
    /// under the lock.
    pub(super) fn fix_end(&self, word: Word, half_open_at: Instant) {
        self.slot(word).store_until(Some(half_open_at));
        // Release: publishes the end. Rules that are published after it change nothing about it.
        self.half_open.store(word.to_bits(), Ordering::Release);
    }

    /// Returns whether the end of the open phase described by `word` stands in its details, because
    /// it has admitted a probe, or because the phase is over.
    #[inline]
    pub(super) fn is_end_fixed(&self, word: Word) -> bool {
        // Acquire: a reader that finds the end fixed also finds it in the details. A reader of
        // rules that were published after it was fixed finds it fixed. Later words are larger.
        self.half_open.load(Ordering::Acquire) >= word.to_bits()
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

impl Transitions {
    /// Returns the state that was reported last.
    pub(super) fn reported(&self) -> State {
        self.last.as_ref().map_or(State::Closed, |last| last.to)
    }

    /// Returns whether an order holds the circuit in the phase of `word` that goes before those
    /// from `source`.
    pub(super) fn is_held_above(&self, word: Word, source: HoldSource) -> bool {
        word.is_held() && self.hold_source.goes_before(source)
    }

    pub(super) fn count(&mut self, change: Change) {
        match change {
            Change::Opened => self.opened = self.opened.wrapping_add(1),
            Change::Withheld => self.withheld = self.withheld.wrapping_add(1),
            Change::None | Change::Unseen | Change::Held | Change::HalfOpened | Change::Closed => {}
        }
    }

    /// Records a change, to be delivered to the listeners of this circuit and of all.
    pub(super) fn record(&mut self, own: Option<&Listeners>, change: StateChange) -> Record {
        self.last = Some(change.clone());
        self.delivery.record(change, own)
    }
}

impl Default for Phases {
    fn default() -> Self {
        Self {
            transitions: Lock::default(),
            slots: [Slot::new(), Slot::new()],
            probes: Probes::default(),
            half_open: AtomicU64::new(0),
            listeners: OnceBox::default(),
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
        self.reopenings
            .store(details.reopenings.into(), Ordering::Release);
        self.since.store(micros(details.since), Ordering::Release);
        self.store_until(details.until);
    }

    /// Release, as above.
    fn store_until(&self, until: Option<Instant>) {
        self.until.store(micros(until), Ordering::Release);
    }
}

/// Returns a moment, or none, as a word.
fn micros(moment: Option<Instant>) -> u64 {
    moment.map_or(NEVER, |moment| moment.min(Details::LATEST).as_micros())
}

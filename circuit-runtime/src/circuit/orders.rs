//! Orders of an operator, and holds of a file.

use std::time::Duration;

use super::Circuit;
use super::hold::HoldSource;
use super::reason::Reason;
use super::state::{Change, Details, Phase, Trigger, Word, transition};
use crate::clock::{self, Instant, Span};
use crate::events::Record;
#[cfg(feature = "serde")]
use crate::state::State;

impl Circuit {
    /// Closes the circuit and releases a hold.
    pub(crate) fn reset(&self) {
        self.order(|_| Trigger::Reset);
    }

    /// Holds the circuit open; until released if no time is given.
    pub(crate) fn force_open(&self, time: Option<Duration>) {
        self.order(|now| Trigger::ForceOpen(end(now, time)));
    }

    /// Holds the circuit closed; until released if no time is given.
    pub(crate) fn force_closed(&self, time: Option<Duration>) {
        self.order(|now| Trigger::ForceClosed(end(now, time)));
    }

    /// Opens the circuit as if a limit had been reached; for its usual wait if no time is given.
    pub(crate) fn trip(&self, time: Option<Duration>) {
        self.order(|now| Trigger::Trip(end(now, time)));
    }

    /// Holds the circuit as its file says, or releases it from the file's hold. An order that was
    /// given by hand stays.
    #[cfg(feature = "serde")]
    pub(crate) fn follow_file(&self) {
        let _entered = self.time.enter();
        loop {
            let hold = self.policy.file_hold();
            if let Some(record) = self.follow(hold) {
                record.deliver();
            }
            // The file may have been applied again meanwhile: the last to apply it wins.
            if self.policy.file_hold() == hold {
                return;
            }
        }
    }

    /// Holds the circuit as its file says, if it does, while no other thread can reach the circuit.
    /// Returns the change, which has yet to be delivered.
    #[cfg(feature = "serde")]
    pub(crate) fn hold_new(&self) -> Option<Record> {
        let hold = self.policy.file_hold()?;
        let _entered = self.time.enter();
        self.follow(Some(hold))
    }

    /// Returns whether the hold of a file holds the circuit, and is still in force.
    #[cfg(feature = "serde")]
    pub(super) fn is_held_by_file(&self) -> bool {
        self.hold_source() == HoldSource::File && self.policy.file_hold().is_some()
    }

    #[cfg(feature = "serde")]
    fn follow(&self, hold: Option<State>) -> Option<Record> {
        let trigger = match hold {
            Some(State::Open) => Trigger::ForceOpen(None),
            Some(_) => Trigger::ForceClosed(None),
            None => Trigger::Reset,
        };
        self.record_order(HoldSource::File, |word, source, _| {
            let is_held = matches!(word.phase(), Phase::ForcedOpen | Phase::ForcedClosed);
            let is_from_file = is_held && source == HoldSource::File;
            let applies = is_from_file || (hold.is_some() && !is_held);
            applies.then_some(trigger)
        })
    }

    /// Applies an order that is given by hand, whatever the current state.
    fn order(&self, trigger: impl Fn(Instant) -> Trigger) {
        let _entered = self.time.enter();
        self.order_by(HoldSource::Order, |_, _, now| Some(trigger(now)));
    }

    /// Applies an order from `source`, unless `trigger` has none for the state and the origin of
    /// its hold.
    pub(super) fn order_by(
        &self,
        source: HoldSource,
        trigger: impl Fn(Word, HoldSource, Instant) -> Option<Trigger>,
    ) {
        if let Some(record) = self.record_order(source, trigger) {
            record.deliver();
        }
    }

    /// Does the same, and returns the change, which has yet to be delivered.
    fn record_order(
        &self,
        source: HoldSource,
        trigger: impl Fn(Word, HoldSource, Instant) -> Option<Trigger>,
    ) -> Option<Record> {
        loop {
            let (word, details) = self.observe();
            let now = clock::now();
            if self.end_if_over(word, details, now) {
                continue;
            }
            let before = self.hold_source();
            let first = trigger(word, before, now)?;
            // Checked before `date`, which may wait.
            let state = word.state(now, self.end(word, details));
            let (_, _, change) = transition(word, details, state, first, now);
            if change == Change::None {
                let is_repeated = matches!(first, Trigger::ForceOpen(_) | Trigger::ForceClosed(_));
                if !is_repeated || self.set_hold_source(word, before, source) {
                    return None;
                }
                continue;
            }
            let trigger = trigger(word, before, Self::date(word, now))?;
            let reason = Reason {
                order: Some(source),
                ..Reason::from_trigger(trigger)
            };
            if let Ok(record) = self.record_change(word, trigger, reason, now) {
                if word.phase() == Phase::Open {
                    self.tell_probed();
                }
                return record;
            }
        }
    }

    /// Returns the origin of the order that holds the circuit.
    pub(super) fn hold_source(&self) -> HoldSource {
        match self.phases.get() {
            Some(phases) => phases.with_lock(|transitions| transitions.hold_source),
            None => HoldSource::default(),
        }
    }

    /// Makes `source` the origin of the hold in force, which its order repeats; returns `false` if
    /// the state has moved on from `word`.
    fn set_hold_source(&self, word: Word, before: HoldSource, source: HoldSource) -> bool {
        let Some(phases) = self.phases.get().filter(|_| before != source) else {
            return true;
        };
        phases.with_lock(|transitions| {
            let is_current = self.word() == word;
            if is_current {
                transitions.hold_source = source;
            }
            is_current
        })
    }
}

/// Returns the end of an order as it will be stored, so that a repeated one can be recognized.
pub(super) fn end(now: Instant, time: Option<Duration>) -> Option<Instant> {
    time.map(|time| now.plus(Span::from_duration(time)).min(Details::LATEST))
}

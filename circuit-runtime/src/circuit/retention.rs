//! The reasons to retain a circuit instead of evicting it.

use super::Circuit;
use super::state::{Phase, Word};
use crate::clock::{self, Instant, Span};
use crate::sync::Ordering;

/// The reasons to retain a circuit, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Retention {
    /// Closed, and no failure or slow call counts.
    Closed,
    /// Half-open for as long as another `reset`, and no probe has a slot.
    Expired,
    /// Closed, and a failure or slow call counts.
    Evidence,
    /// Open, half-open, or held by an order that was given by hand.
    Required,
}

/// One reading of the clock, for any number of circuits.
#[derive(Clone, Copy)]
pub(crate) struct Reading(Instant);

impl Reading {
    /// Reads the clock.
    pub(crate) fn now() -> Self {
        Self(clock::now())
    }
}

impl Circuit {
    /// Returns the reason to retain the circuit.
    pub(crate) fn retention(&self, now: Reading) -> Retention {
        self.retention_of(self.word(), now)
    }

    /// Like [`retention`](Self::retention), for a circuit that no other thread can reach any more.
    pub(crate) fn retention_exclusive(&self, now: Reading) -> Retention {
        // Dropping the last other handle already synchronizes with us, but loom does not model
        // `Arc::get_mut`. A read-modify-write always sees the latest value.
        let word = Word::from_bits(self.state.fetch_or(0, Ordering::AcqRel));
        self.retention_of(word, now)
    }

    /// Returns whether the circuit was last reported as closed and not held: if it is in another
    /// phase, which time alone has ended, that end is yet to be reported.
    pub(crate) fn is_reported_closed(&self) -> bool {
        self.word().phase() == Phase::Closed
    }

    fn retention_of(&self, word: Word, Reading(now): Reading) -> Retention {
        let now = || self.time.at(now);
        match word.phase() {
            Phase::Closed if self.has_evidence(word, now) => Retention::Evidence,
            Phase::Closed => Retention::Closed,
            // Created again, it is held again.
            #[cfg(feature = "serde")]
            Phase::ForcedOpen | Phase::ForcedClosed if self.is_held_by_file() => {
                if self.has_evidence(word, now) {
                    Retention::Evidence
                } else {
                    Retention::Closed
                }
            }
            Phase::Open if self.is_expired(word, now()) => Retention::Expired,
            Phase::Ramp | Phase::ForcedOpen | Phase::ForcedClosed
                if self.ended_by(word, now(), Span::ZERO) =>
            {
                Retention::Closed
            }
            _ => Retention::Required,
        }
    }

    fn has_evidence(&self, word: Word, now: impl Fn() -> Instant) -> bool {
        self.window.has_evidence(word.generation(), now)
    }

    fn is_expired(&self, word: Word, now: Instant) -> bool {
        let probes = self.phases.get().map(|phases| &phases.probes);
        self.ended_by(word, now, self.policy.wait().reset())
            && !probes.is_some_and(|probes| probes.is_any_leased(word.generation(), now))
    }

    /// Returns whether the phase described by `word` ended by time alone, at least `ago` before
    /// `now`.
    fn ended_by(&self, word: Word, now: Instant, ago: Span) -> bool {
        let end = self
            .details(word)
            .and_then(|details| self.end(word, details));
        end.is_some_and(|end| now >= end.plus(ago))
    }
}

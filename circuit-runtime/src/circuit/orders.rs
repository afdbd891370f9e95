//! Orders: an operator opens, closes, holds or releases a circuit by hand.

use std::time::Duration;

use super::Circuit;
use super::reason::Reason;
use super::state::{Change, Details, Trigger, transition};
use crate::clock::{self, Instant, Span};

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

    /// Applies an order, whatever the current state.
    fn order(&self, trigger: impl Fn(Instant) -> Trigger) {
        let _entered = self.time.enter();
        loop {
            let (word, details) = self.observe();
            let now = clock::now();
            if self.end_if_over(word, details, now) {
                continue;
            }
            // Checked before `date`, which may wait.
            let state = word.state(now, self.end(word, details));
            let (_, _, change) = transition(word, details, state, trigger(now), now);
            if change == Change::None {
                return;
            }
            let now = Self::date(word, now);
            let trigger = trigger(now);
            let reason = Reason::from_trigger(trigger);
            if self.try_change(word, trigger, reason, now).is_ok() {
                return;
            }
        }
    }
}

/// Returns the end of an order as it will be stored, so that a repeated one can be recognized.
fn end(now: Instant, time: Option<Duration>) -> Option<Instant> {
    time.map(|time| now.plus(Span::from_duration(time)).min(Details::LATEST))
}

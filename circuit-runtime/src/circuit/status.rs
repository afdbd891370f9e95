//! Everything about a circuit that is exported, at one moment.

use std::time::Duration;

use super::Circuit;
use super::hold::{Hold, HoldSource};
use super::state::{Details, Phase, Word};
use super::totals::Totals;
use crate::clock::{self, Instant};
use crate::state::State;
use crate::window_counts::WindowCounts;

/// The state, the evidence and the totals of a circuit: a [`Snapshot`](super::snapshot::Snapshot)
/// that takes no reference to anything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Status {
    pub(crate) state: State,
    /// How long the state has held.
    pub(crate) since: Duration,
    /// The state that an order keeps the circuit in.
    pub(crate) hold: Option<State>,
    pub(crate) window: WindowCounts,
    /// Those of the slow calls in `window` that are in flight, and not in its `calls`.
    pub(crate) overdue: u64,
    /// The number of calls below which rates are not judged.
    pub(crate) min_calls: u32,
    pub(crate) totals: Totals,
}

impl Circuit {
    /// Reads the status. The locks of the transitions and of the window are taken one after the
    /// other, each only while its numbers are copied.
    pub(crate) fn status(&self) -> Status {
        let (word, details) = self.observe();
        // Without entering its time: to be exported is not to be used, and lets no time pass.
        let now = self.time.at(clock::now());
        let end = self.end(word, details);
        let has_ended = end.is_some_and(|end| now >= end);
        let policy = &*self.policy;
        let (window, overdue) = self
            .window
            .counts_and_overdue(policy, word.generation(), now);
        Status {
            state: word.state(now, end),
            since: held_for(word, details, end, now),
            hold: Hold::from_phase(word.phase(), HoldSource::Order, end, now).map(|hold| hold.to),
            window: if has_ended { window.cleared() } else { window },
            overdue: if has_ended { 0 } else { overdue },
            min_calls: policy.limits().min_calls(),
            totals: self.totals(),
        }
    }
}

/// Returns how long the state has held in the phase described by `word`, which ends at `end` if
/// time alone ends it.
pub(super) fn held_for(
    word: Word,
    details: Details,
    end: Option<Instant>,
    now: Instant,
) -> Duration {
    let since = match end {
        // Its end changes the hold, not the state.
        Some(end) if now >= end && word.phase() != Phase::ForcedClosed => end,
        _ => details.since.unwrap_or(word.since()),
    };
    now.since(since).as_duration()
}

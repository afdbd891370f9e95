//! All calls of a window, in a span of time or the last ones.

use super::last_calls::LastCalls;
use super::rates::Rates;
use super::tally::Tally;
use crate::circuit::limits::Limits;
use crate::clock::{Instant, Span};

/// All calls of a window, by the kind of its length.
pub(super) enum Calls {
    InSpan(Rates),
    Last(LastCalls),
}

impl Calls {
    /// Creates an empty window for the calls that end after `fast_successes`.
    pub(super) fn new(limits: &Limits, fast_successes: u64) -> Self {
        match limits.last_calls() {
            0 => Self::InSpan(Rates::new(fast_successes)),
            last_calls => Self::Last(LastCalls::new(last_calls, fast_successes)),
        }
    }

    pub(super) fn clear(&mut self) {
        match self {
            Self::InSpan(rates) => rates.clear(),
            Self::Last(last_calls) => last_calls.clear(),
        }
    }

    /// Returns whether a failed or slow call still counts.
    pub(super) fn has_evidence(&self, window: Span, now: Instant, fast_successes: u64) -> bool {
        match self {
            Self::InSpan(rates) => rates.has_evidence(window, now),
            Self::Last(last_calls) => last_calls.has_evidence(fast_successes),
        }
    }

    /// Returns the `tally` of these calls after one more failure.
    pub(super) fn with_failure(&self, tally: Tally) -> Tally {
        match self {
            Self::InSpan(_) => tally.with_failure(),
            Self::Last(last_calls) => Tally {
                overdue: tally.overdue,
                ..last_calls.tally_with_failure()
            },
        }
    }

    /// Returns when time alone changes something next; `None` if it changes nothing.
    #[inline]
    pub(super) fn changes_at(&self) -> Option<Instant> {
        match self {
            Self::InSpan(rates) => Some(rates.changes_at()),
            Self::Last(_) => None,
        }
    }

    /// Adds a call that failed or was slow.
    pub(super) fn add(&mut self, failed: bool, slow: bool) {
        match self {
            Self::InSpan(rates) => rates.add(failed, slow),
            Self::Last(last_calls) => last_calls.add(failed, slow),
        }
    }

    /// Returns the failures in this span of time, each from a moment on; `None` of the last calls.
    pub(super) fn failures(&self, span: Span) -> Option<Vec<(Instant, u64)>> {
        match self {
            Self::InSpan(rates) => Some(rates.failures(span).collect()),
            Self::Last(_) => None,
        }
    }
}

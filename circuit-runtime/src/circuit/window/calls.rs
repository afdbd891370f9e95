//! All calls of a window, in a span of time or the last ones.

use super::last_calls::LastCalls;
use super::rates::Rates;
use super::tally::EarlierFailures;
use crate::circuit::limits::Limits;
use crate::circuit::state::Generation;
use crate::clock::Span;

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

    /// Adds a call that failed or was slow.
    pub(super) fn add(&mut self, failed: bool, slow: bool) {
        match self {
            Self::InSpan(rates) => rates.add(failed, slow),
            Self::Last(last_calls) => last_calls.add(failed, slow),
        }
    }

    /// Returns the failures, which are of `generation`, in this span of time.
    pub(super) fn failures(&self, generation: Generation, span: Span) -> Option<EarlierFailures> {
        let Self::InSpan(rates) = self else {
            return None;
        };
        Some(EarlierFailures {
            generation,
            failures: rates.failures(span).collect(),
        })
    }
}

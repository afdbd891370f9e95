//! Counts the evidence of a closed circuit and reports when a limit is reached. It decides nothing.

mod buckets;
mod compact;
mod failures;
mod full;
mod group_pair;
mod in_flight;
mod last_calls;
mod ledger;
mod limits;
mod overdue;
mod rates;
mod recent_successes;
mod streak;
#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests;

use crate::circuit::policy::Limits;
use crate::circuit::state::Generation;
use crate::circuit::ticket::Start;
use crate::clock::{self, Instant, Span};
use crate::config::Config;
use crate::window_counts::WindowCounts;

use failures::Failures;
use ledger::Ledger;
pub(crate) use limits::ReachedLimit;
use streak::Streak;

/// The results that count towards the limits.
///
/// The methods that every call runs compare the variants one by one, [`Calls`](Self::Calls) first:
/// a `match` would compute the discriminant.
pub(crate) enum Window {
    /// Consecutive failures.
    Consecutive(Streak),
    /// Failures in a span of time.
    InSpan(Failures),
    /// All calls: for the rates, and for every limit on the last calls.
    Calls(Ledger),
}

impl Window {
    /// Creates the window that the rules of `config` need.
    pub(crate) fn new(config: &Config) -> Self {
        match (Ledger::new(config), config.window()) {
            (Some(ledger), _) => Self::Calls(ledger),
            (None, Some(_)) => Self::InSpan(Failures::default()),
            (None, None) => Self::Consecutive(Streak::default()),
        }
    }

    /// Returns whether the durations of calls are measured.
    #[inline]
    pub(crate) fn times_calls(&self, limits: &Limits) -> bool {
        matches!(self, Self::Calls(_)) && limits.slow_call() < Span::INDEFINITE
    }

    /// Admits a call whose duration is measured, on the fast path; `None` if
    /// [`admit_slow`](Self::admit_slow) has to judge.
    #[inline]
    pub(crate) fn admit(&self, limits: &Limits, generation: Generation) -> Option<Start> {
        match self {
            Self::Calls(ledger) => ledger.admit(limits, generation, clock::accurate_to),
            Self::Consecutive(_) | Self::InSpan(_) => Some(Start::NONE),
        }
    }

    /// Admits a call, unless calls in flight turn out to be overdue and reach a limit.
    pub(crate) fn admit_slow(
        &self,
        limits: &Limits,
        generation: Generation,
    ) -> Result<Start, ReachedLimit> {
        match self {
            Self::Calls(ledger) => ledger.admit_slow(limits, generation, clock::accurate_to),
            Self::Consecutive(_) | Self::InSpan(_) => Ok(Start::NONE),
        }
    }

    /// Returns whether a success changes anything.
    #[inline]
    pub(crate) fn counts_successes(&self) -> bool {
        if let Self::Calls(_) = self {
            return true;
        }
        if let Self::Consecutive(streak) = self {
            return streak.is_running();
        }
        false
    }

    /// Returns whether a failure or slow call of `generation` still counts.
    pub(crate) fn has_evidence(
        &self,
        limits: &Limits,
        generation: Generation,
        now: impl Fn() -> Instant,
    ) -> bool {
        match self {
            Self::Calls(ledger) => ledger.has_evidence(limits, generation, now),
            Self::Consecutive(streak) => streak.has_evidence(generation),
            Self::InSpan(failures) => failures.has_evidence(limits, generation, now),
        }
    }

    /// Returns how many calls were slow, since the start.
    pub(crate) fn slow_calls(&self) -> u64 {
        match self {
            Self::Calls(ledger) => ledger.slow_calls(),
            Self::Consecutive(_) | Self::InSpan(_) => 0,
        }
    }

    /// Adds a call that ends `now` to the slow ones since the start, if it is slow. No limit counts
    /// it.
    pub(crate) fn add_to_slow_calls(
        &self,
        limits: &Limits,
        generation: Generation,
        start: Start,
        now: Instant,
    ) {
        if let Self::Calls(ledger) = self {
            if limits.is_slow(start, now) {
                ledger.add_to_slow_calls(limits, generation);
            }
        }
    }

    /// Returns the evidence of `generation` that counts at `now`.
    pub(crate) fn counts(
        &self,
        limits: &Limits,
        generation: Generation,
        now: Instant,
    ) -> WindowCounts {
        self.counts_and_overdue(limits, generation, now).0
    }

    /// Returns the same after one more failure, which is not recorded.
    pub(crate) fn counts_with_failure(
        &self,
        limits: &Limits,
        generation: Generation,
        now: Instant,
    ) -> WindowCounts {
        match self {
            Self::Calls(ledger) => ledger
                .tally_with_failure(limits, generation, now)
                .counts(limits),
            Self::Consecutive(_) | Self::InSpan(_) => {
                let counts = self.counts(limits, generation, now);
                WindowCounts {
                    failed: counts.failed.saturating_add(1),
                    ..counts
                }
            }
        }
    }

    /// Returns the same as [`counts`](Self::counts), and how many of the slow calls are in flight.
    pub(crate) fn counts_and_overdue(
        &self,
        limits: &Limits,
        generation: Generation,
        now: Instant,
    ) -> (WindowCounts, u64) {
        let failures = |failed| {
            let counts = WindowCounts {
                failed,
                ..WindowCounts::default()
            };
            (counts, 0)
        };
        match self {
            Self::Calls(ledger) => {
                let tally = ledger.tally(limits, generation, now);
                (tally.counts(limits), tally.overdue)
            }
            Self::Consecutive(streak) => failures(streak.length(limits, generation).into()),
            Self::InSpan(counted) => failures(counted.count(limits, generation, now)),
        }
    }

    /// Records a success; returns the limit that is reached, if any.
    pub(crate) fn success(
        &self,
        limits: &Limits,
        generation: Generation,
        start: Start,
    ) -> Option<ReachedLimit> {
        if let Self::Calls(ledger) = self {
            return ledger.success(limits, generation, start, clock::accurate_to);
        }
        if let Self::Consecutive(streak) = self {
            return streak.success(generation);
        }
        None
    }

    /// Records a failure; returns the limit that is reached, if any.
    pub(crate) fn failure(
        &self,
        limits: &Limits,
        generation: Generation,
        start: Start,
    ) -> Option<ReachedLimit> {
        if let Self::Calls(ledger) = self {
            return ledger.failure(limits, generation, start, clock::accurate_to);
        }
        if let Self::Consecutive(streak) = self {
            return streak.failure(limits, generation);
        }
        if let Self::InSpan(failures) = self {
            return failures.failure(limits, generation, clock::now);
        }
        None
    }

    /// Records the end of a call that is neither success nor failure.
    pub(crate) fn inconclusive(&self, limits: &Limits, generation: Generation, start: Start) {
        if let Self::Calls(ledger) = self {
            ledger.inconclusive(limits, generation, start, clock::accurate_to);
        }
    }
}

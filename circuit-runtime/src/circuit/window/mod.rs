//! Counts the evidence of a closed circuit and reports when a limit is reached. It decides nothing.

mod buckets;
mod calls;
#[allow(deprecated, reason = "`fetch_update`: Rust 1.85 has no `try_update`")]
mod compact;
mod counting;
mod dated;
mod failures;
mod fast_path;
mod full;
mod group_pair;
mod in_flight;
mod last_calls;
mod ledger;
mod overdue;
mod rates;
mod recent_successes;
mod streak;
mod tally;
#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests;

use crate::circuit::limits::{Counted, Limits};
use crate::circuit::policy::Policy;
use crate::circuit::state::Generation;
use crate::circuit::ticket::Start;
use crate::clock::{self, Instant};
use crate::window_counts::WindowCounts;

use counting::{Counting, is_of_calls};
use failures::{Failures, WITHOUT_RATE};
use ledger::Ledger;
pub(crate) use tally::ReachedLimit;
use tally::Recorded;

/// The results that count towards the limits.
///
/// The results that are counted change with the rules. Each part keeps the limits that it judges
/// by, and adopts new ones under its own lock.
pub(crate) struct Window {
    /// Those that count towards a number of failures, except among the last calls.
    failures: Failures,
    /// All calls: for the rates, and for every limit on the last calls.
    calls: Ledger,
}

impl Window {
    /// Creates an empty window.
    pub(crate) fn new(policy: &Policy) -> Self {
        let (limits, is_suspended) = policy.limits_at_creation();
        Self {
            failures: Failures::default(),
            calls: Ledger::new(limits.counted(), is_suspended),
        }
    }

    #[inline]
    fn counting(&self) -> &Counting {
        self.calls.counting()
    }

    /// Returns whether the durations of calls are measured.
    #[inline]
    pub(crate) fn times_calls(&self) -> bool {
        self.counting().times_calls()
    }

    /// Admits a call whose duration is measured, on the fast path; `None` if
    /// [`admit_slow`](Self::admit_slow) has to judge.
    #[inline]
    pub(crate) fn admit(&self, policy: &Policy, generation: Generation) -> Option<Start> {
        self.calls.admit(policy, generation, clock::accurate_to)
    }

    /// Admits a call, unless calls in flight turn out to be overdue and reach a limit.
    pub(crate) fn admit_slow(
        &self,
        policy: &Policy,
        generation: Generation,
    ) -> Result<Start, ReachedLimit> {
        self.calls
            .admit_slow(policy, generation, clock::accurate_to)
    }

    /// Returns whether a success changes anything.
    #[inline]
    pub(crate) fn counts_successes(&self) -> bool {
        self.counting().counts_successes()
    }

    /// Returns whether a failure or slow call of `generation` still counts.
    pub(crate) fn has_evidence(&self, generation: Generation, now: impl Fn() -> Instant) -> bool {
        self.failures.has_evidence(generation, &now)
            || (self.counting().is_of_calls() && self.calls.has_evidence(generation, now))
    }

    /// Returns how many calls were slow, since the start.
    pub(crate) fn slow_calls(&self) -> u64 {
        self.calls.slow_calls()
    }

    /// Adds a call that ends `now` to the slow ones since the start, if it is slow. No limit counts
    /// it.
    pub(crate) fn add_to_slow_calls(
        &self,
        policy: &Policy,
        generation: Generation,
        start: Start,
        now: Instant,
    ) {
        if policy.is_slow(start, now) {
            self.calls.add_to_slow_calls(policy, generation);
        }
    }

    /// Returns the evidence of `generation` that counts at `now`.
    pub(crate) fn counts(
        &self,
        policy: &Policy,
        generation: Generation,
        now: Instant,
    ) -> WindowCounts {
        self.counts_and_overdue(policy, generation, now).0
    }

    /// Returns the same after one more failure, which is not recorded.
    pub(crate) fn counts_with_failure(
        &self,
        policy: &Policy,
        generation: Generation,
        now: Instant,
    ) -> WindowCounts {
        if self.counting().is_of_calls() {
            return self.calls.counts_with_failure(policy, generation, now);
        }
        let counts = self.counts(policy, generation, now);
        WindowCounts {
            failed: counts.failed.saturating_add(1),
            ..counts
        }
    }

    /// Returns the same as [`counts`](Self::counts), and how many of the slow calls are in flight.
    pub(crate) fn counts_and_overdue(
        &self,
        policy: &Policy,
        generation: Generation,
        now: Instant,
    ) -> (WindowCounts, u64) {
        if self.counting().is_of_calls() {
            return self.calls.counts(policy, generation, now);
        }
        let counts = WindowCounts {
            failed: self.failures.count(generation, now),
            ..WindowCounts::default()
        };
        (counts, 0)
    }

    /// Returns the evidence that reached `limit` in `generation`.
    pub(crate) fn reached(
        &self,
        policy: &Policy,
        generation: Generation,
        limit: ReachedLimit,
        now: Instant,
    ) -> WindowCounts {
        let failures = self.failures.reached(generation);
        if limit == ReachedLimit::MaxFailures && failures > 0 {
            let counts = self.counts(policy, generation, now);
            return WindowCounts {
                // The failure that reached the limit is not kept.
                failed: counts.failed.max(failures.into()),
                ..counts
            };
        }
        let reached = self.calls.reached(generation);
        reached.unwrap_or_else(|| self.counts(policy, generation, now))
    }

    /// Records a success; returns the limit that is reached, if any.
    pub(crate) fn success(
        &self,
        policy: &Policy,
        generation: Generation,
        start: Start,
    ) -> Option<ReachedLimit> {
        if self.counting().is_of_calls() {
            return self
                .calls
                .success(policy, generation, start, clock::accurate_to);
        }
        self.end_timed(policy, generation, start);
        self.failures.success(generation, self.counting())
    }

    /// Records a failure; returns the limit that is reached, if any.
    pub(crate) fn failure(
        &self,
        policy: &Policy,
        generation: Generation,
        start: Start,
    ) -> Option<ReachedLimit> {
        let counting = self.counting();
        let counted = counting.counted();
        if counted == Counted::Consecutive as u8 {
            return self
                .failures
                .consecutive_failure(policy, generation, counting);
        }
        if counted == Counted::InSpan as u8 {
            return self
                .failures
                .failure(policy, generation, WITHOUT_RATE, clock::now);
        }
        if is_of_calls(counted) {
            return self.failure_of_calls(policy, generation, start);
        }
        self.end_timed(policy, generation, start);
        self.failures
            .failure_again(policy, generation, self.counting(), clock::now)
    }

    fn failure_of_calls(
        &self,
        policy: &Policy,
        generation: Generation,
        start: Start,
    ) -> Option<ReachedLimit> {
        let Recorded {
            reached,
            counts_in_span,
            handovers,
        } = self
            .calls
            .failure(policy, generation, start, clock::accurate_to);
        if reached == Some(ReachedLimit::RulesChanged) || !counts_in_span {
            return reached;
        }
        // Recorded there, too, if a limit is reached already.
        let in_span = self.failure_in_span(policy, generation, handovers);
        in_span.or(reached)
    }

    /// Records a failure towards the number of them in a span of time beside a rate, which has
    /// counted it after so many handovers.
    #[inline(never)]
    fn failure_in_span(
        &self,
        policy: &Policy,
        generation: Generation,
        handovers: u32,
    ) -> Option<ReachedLimit> {
        let record = || {
            self.failures
                .failure(policy, generation, handovers, clock::now)
        };
        let mut reached = record();
        if reached == Some(ReachedLimit::RulesChanged) {
            // Rules by which it counts there have yet to be adopted, or no longer apply.
            policy.wait_for_change();
            reached = record();
        }
        reached.filter(|limit| *limit != ReachedLimit::RulesChanged)
    }

    /// Records a failure again, as the part that counted failures had adopted rules by which
    /// another one does.
    #[cold]
    pub(crate) fn failure_again(
        &self,
        policy: &Policy,
        generation: Generation,
    ) -> Option<ReachedLimit> {
        if self.counting().is_of_calls() {
            return self.failure_of_calls(policy, generation, Start::NONE);
        }
        self.failures
            .failure_again(policy, generation, self.counting(), clock::now)
    }

    /// Records the end of a call that is neither success nor failure.
    pub(crate) fn inconclusive(&self, policy: &Policy, generation: Generation, start: Start) {
        self.calls
            .inconclusive(policy, generation, start, clock::accurate_to);
    }

    /// Ends a call that was timed while all calls were counted.
    #[inline]
    fn end_timed(&self, policy: &Policy, generation: Generation, start: Start) {
        if start != Start::NONE {
            self.inconclusive(policy, generation, start);
        }
    }

    /// Prepares for a change of the limits, before calls see it.
    pub(crate) fn suspend(&self, policy: &Policy, generation: Generation, keeps_successes: bool) {
        self.calls.suspend(policy, generation, keeps_successes);
    }

    /// Judges by new limits from now on.
    pub(crate) fn adopt(&self, limits: &Limits, now: Instant) {
        let earlier = self.calls.adopt(limits, now);
        let counted = limits.counted();
        let counted = if self.calls.has_timed_calls() {
            counted.after_timed_calls()
        } else {
            counted
        };
        self.failures
            .adopt(limits, counted, self.counting(), earlier.as_ref());
        self.counting().set(counted);
    }
}

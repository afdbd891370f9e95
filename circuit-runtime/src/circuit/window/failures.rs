//! The failures that count towards `max_failures`, outside of the last calls.

use super::buckets::Division;
use super::counting::Counting;
use super::dated::{Bucketed, Dated, EXACT, Latest, PER_SPAN};
use super::streak::Streak;
use super::tally::{EarlierFailures, ReachedLimit};
use crate::circuit::evidence::Evidence;
use crate::circuit::limits::{Counted, Limits};
use crate::circuit::policy::Policy;
use crate::circuit::state::Generation;
use crate::clock::{Instant, Span};
use crate::sync::lock::{Lock, with_lock_of};
use crate::sync::once_box::OnceBox;
use crate::sync::striped::CachePadded;

/// The handovers before a failure that no rate has counted: it is never handed over.
pub(super) const WITHOUT_RATE: u32 = u32::MAX;

/// Consecutive failures, or those within a sliding time window: there a failure as old as the span
/// no longer counts.
///
/// Consecutive ones are exact. Those of a window are exact up to a limit of [`EXACT`], in 8 bytes
/// per failure; above, exact to a hundredth of the span, in 1.6 KiB. A failure costs the same for
/// every limit and span. A success costs nothing, unless it resets a streak.
#[derive(Default)]
pub(crate) struct Failures {
    /// Allocated by the first failure, away from the fields that every call reads.
    allocated: OnceBox<CachePadded<Lock<Evidence<Locked>>>>,
}

/// The state behind the lock.
struct Locked {
    max_failures: u32,
    window: Span,
    /// The limit that was reached in this generation; zero if none was.
    reached: u32,
    /// How often the failures that a rate has counted were handed over.
    handovers: u32,
    kept: Kept,
}

enum Kept {
    /// No failure counts here.
    Nothing,
    Consecutive(Streak),
    Latest(Latest),
    Bucketed(Bucketed),
}

impl Failures {
    /// Returns whether a failure of `generation` counts now.
    pub(super) fn has_evidence(
        &self,
        generation: Generation,
        now: impl FnOnce() -> Instant,
    ) -> bool {
        let has_evidence = |locked: &Locked| locked.has_evidence(now());
        self.with(generation, has_evidence).unwrap_or(false)
    }

    /// Returns how many failures of `generation` count `now`.
    pub(super) fn count(&self, generation: Generation, now: Instant) -> u64 {
        let count = |locked: &Locked| locked.count(now);
        self.with(generation, count).unwrap_or(0)
    }

    /// Returns the limit that was reached in `generation`; zero if none was.
    pub(super) fn reached(&self, generation: Generation) -> u32 {
        self.with(generation, |locked| locked.reached).unwrap_or(0)
    }

    fn with<R>(&self, generation: Generation, read: impl FnOnce(&Locked) -> R) -> Option<R> {
        let CachePadded(locked) = self.allocated.get()?;
        locked.with(|evidence| evidence.get(generation).map(read))
    }

    /// Resets a streak, unless it has reached the limit; returns the limit if it has.
    pub(super) fn success(
        &self,
        generation: Generation,
        counting: &Counting,
    ) -> Option<ReachedLimit> {
        let CachePadded(locked) = self.allocated.get()?;
        let reached = locked.with(|evidence| {
            let locked = evidence.for_generation(generation, Locked::clear)?;
            let Kept::Consecutive(streak) = &mut locked.kept else {
                return None;
            };
            let reached = streak.reset();
            if !reached && counting.is(Counted::Consecutive) {
                counting.set_counts_successes(false);
            }
            Some(reached)
        });
        reached?.then_some(ReachedLimit::MaxFailures)
    }

    /// Records a failure in a span of time; returns the limit if it is reached. `clock` is read
    /// before the lock is taken, and once more if that reading may be out of date. A failure that a
    /// rate has counted is skipped if there were more than so many `handovers` by now: it was
    /// handed over.
    #[inline(never)]
    pub(super) fn failure(
        &self,
        policy: &Policy,
        generation: Generation,
        handovers: u32,
        clock: impl Fn() -> Instant,
    ) -> Option<ReachedLimit> {
        // Read the clock before taking the lock, to keep the section short.
        let now = clock();
        self.allocated(policy).with(|evidence| {
            let locked = evidence.for_generation(generation, Locked::clear)?;
            if locked.handovers > handovers {
                return None;
            }
            locked.failure_in_span(now, clock)
        })
    }

    /// Records a consecutive failure; returns the limit if it is reached.
    #[inline]
    pub(super) fn consecutive_failure(
        &self,
        policy: &Policy,
        generation: Generation,
        counting: &Counting,
    ) -> Option<ReachedLimit> {
        self.allocated(policy).with(|evidence| {
            let locked = evidence.for_generation(generation, Locked::clear)?;
            let Kept::Consecutive(streak) = &mut locked.kept else {
                return Some(ReachedLimit::RulesChanged);
            };
            counting.set_counts_successes(true);
            streak.grow().then(|| locked.reach_limit())
        })
    }

    /// Records a failure of the kind that is counted, where that is not known or has changed.
    #[cold]
    #[inline(never)]
    pub(super) fn failure_again(
        &self,
        policy: &Policy,
        generation: Generation,
        counting: &Counting,
        clock: impl Fn() -> Instant,
    ) -> Option<ReachedLimit> {
        let in_streak = self.allocated(policy).with(|evidence| {
            match evidence.for_generation(generation, Locked::clear) {
                Some(Locked {
                    kept: Kept::Nothing | Kept::Latest(_) | Kept::Bucketed(_),
                    ..
                }) => None,
                None => Some(None),
                Some(locked) => {
                    counting.set_counts_successes(true);
                    let reached = match &mut locked.kept {
                        Kept::Consecutive(streak) => streak.grow(),
                        _ => false,
                    };
                    Some(reached.then(|| locked.reach_limit()))
                }
            }
        });
        in_streak.unwrap_or_else(|| self.failure(policy, generation, WITHOUT_RATE, clock))
    }

    #[inline]
    fn allocated(&self, policy: &Policy) -> &Lock<Evidence<Locked>> {
        let CachePadded(locked) = match self.allocated.get() {
            Some(allocated) => allocated,
            None => self.allocate(policy),
        };
        locked
    }

    /// Allocates what the first failure needs, under a lock, so that limits which change meanwhile
    /// are either found here or adopted after.
    #[cold]
    #[inline(never)]
    fn allocate(&self, policy: &Policy) -> &CachePadded<Lock<Evidence<Locked>>> {
        with_lock_of(self, || {
            self.allocated
                .get_or_init(|| Box::new(allocation(&policy.limits())))
        })
    }

    /// Judges by new limits from now on. Keeps the failures of the same window, and adds `earlier`
    /// ones if they count now. `counted` are the results that are going to be counted.
    pub(super) fn adopt(
        &self,
        limits: &Limits,
        counted: Counted,
        counting: &Counting,
        earlier: Option<&EarlierFailures>,
    ) {
        with_lock_of(self, || {
            let allocated = match earlier {
                Some(_) => Some(self.allocated.get_or_init(|| Box::new(allocation(limits)))),
                None => self.allocated.get(),
            };
            let Some(CachePadded(locked)) = allocated else {
                counting.set_counts_successes(counted.has_successes());
                return;
            };
            locked.with(|evidence| {
                let locked = evidence.latest();
                locked.adopt(limits);
                if let Some(earlier) = earlier {
                    locked.handovers = earlier.handovers;
                }
                let is_streak = matches!(&locked.kept, Kept::Consecutive(it) if !it.is_empty());
                counting.set_counts_successes(is_streak || counted.has_successes());
                if let Some(earlier) = earlier {
                    let locked = evidence.for_generation(earlier.generation, Locked::clear);
                    if let Some(locked) = locked {
                        locked.add_earlier(&earlier.failures);
                    }
                }
            });
        });
    }
}

fn allocation(limits: &Limits) -> CachePadded<Lock<Evidence<Locked>>> {
    CachePadded(Lock::new(Evidence::new(Locked::new(limits))))
}

impl Locked {
    fn new(limits: &Limits) -> Self {
        Self {
            max_failures: limits.max_failures(),
            window: limits.window(),
            reached: 0,
            handovers: 0,
            kept: Kept::new(limits),
        }
    }

    fn clear(&mut self) {
        self.reached = 0;
        match &mut self.kept {
            Kept::Nothing => {}
            Kept::Consecutive(streak) => streak.clear(),
            Kept::Latest(latest) => latest.times.clear(),
            Kept::Bucketed(bucketed) => bucketed.buckets.clear(),
        }
    }

    /// Records a failure in a span of time; returns whether the limit is reached.
    #[expect(
        clippy::inline_always,
        reason = "a call of its own would cost a tenth of all that a failure does"
    )]
    #[inline(always)]
    fn failure_in_span(
        &mut self,
        now: Instant,
        clock: impl Fn() -> Instant,
    ) -> Option<ReachedLimit> {
        let (limit, span) = (self.max_failures, self.window);
        let reached = match &mut self.kept {
            Kept::Latest(latest) => latest.failure(limit, span, now, clock),
            Kept::Bucketed(bucketed) => {
                let division = bucketed.division;
                let index = |now| division.index_at(now);
                bucketed.failure(limit, division, index(now), || index(clock()))
            }
            Kept::Nothing | Kept::Consecutive(_) => return Some(ReachedLimit::RulesChanged),
        };
        reached.then(|| self.reach_limit())
    }

    #[cold]
    fn reach_limit(&mut self) -> ReachedLimit {
        self.reached = self.max_failures;
        ReachedLimit::MaxFailures
    }

    fn has_evidence(&self, now: Instant) -> bool {
        match &self.kept {
            Kept::Nothing => false,
            Kept::Consecutive(streak) => !streak.is_empty(),
            Kept::Latest(latest) => {
                let time = latest.latest();
                time.is_some_and(|time| now.since(time) < self.window)
            }
            Kept::Bucketed(bucketed) => bucketed.latest() >= Some(self.oldest_index(now)),
        }
    }

    fn count(&self, now: Instant) -> u64 {
        match &self.kept {
            Kept::Nothing => 0,
            Kept::Consecutive(streak) => streak.length().into(),
            Kept::Latest(latest) => {
                let times = latest.times.iter();
                let counted = times.filter(|time| now.since(**time) < self.window);
                counted.count() as u64
            }
            Kept::Bucketed(bucketed) => {
                let counted = bucketed.buckets.since(self.oldest_index(now));
                counted.fold(0, u64::saturating_add)
            }
        }
    }

    /// Returns the index of the oldest bucket that counts.
    fn oldest_index(&self, now: Instant) -> u64 {
        let division = Division::from_span_rounded_up(self.window, PER_SPAN.into());
        division.oldest(division.index_at(now))
    }

    /// Adds failures whose times are known to a tenth of the span. They count from the start of
    /// their tenth, and so expire earlier than they would have by a tenth of the span at most.
    fn add_earlier(&mut self, earlier: &[(Instant, u64)]) {
        for &(time, failures) in earlier {
            match &mut self.kept {
                Kept::Nothing | Kept::Consecutive(_) => {}
                Kept::Latest(latest) => latest.add_many(time, failures),
                Kept::Bucketed(bucketed) => {
                    let index = bucketed.division.index_at(time);
                    bucketed.buckets.add(index, failures);
                }
            }
        }
    }

    fn adopt(&mut self, limits: &Limits) {
        let before = std::mem::replace(self, Self::new(limits));
        self.handovers = before.handovers;
        let has_same_window = before.window == self.window;
        if !has_same_window {
            return;
        }
        self.reached = before.reached;
        let limit = self.max_failures;
        match (before.kept, &mut self.kept) {
            (Kept::Consecutive(streak), Kept::Consecutive(next)) => next.take(&streak),
            // The next failure drops those beyond a lower limit.
            (Kept::Latest(latest), Kept::Latest(next)) => *next = latest,
            (Kept::Bucketed(bucketed), Kept::Bucketed(next)) => *next = bucketed,
            (Kept::Latest(latest), Kept::Bucketed(next)) => {
                let division = Division::from_span_rounded_up(self.window, PER_SPAN.into());
                for time in latest.times {
                    next.add(limit, division.index_at(time));
                }
            }
            (Kept::Bucketed(bucketed), Kept::Latest(next)) => {
                let division = Division::from_span_rounded_up(self.window, PER_SPAN.into());
                for (index, failures) in bucketed.buckets.iter() {
                    next.add_many(division.start(index), failures);
                }
            }
            // Another window, whatever its span.
            _ => {}
        }
    }
}

impl Kept {
    fn new(limits: &Limits) -> Self {
        match limits.max_failures() {
            _ if limits.counted() == Counted::Consecutive => {
                Self::Consecutive(Streak::new(limits.max_failures()))
            }
            _ if !limits.counts_failures_in_span() => Self::Nothing,
            limit if limit <= EXACT => Self::Latest(Latest::new(limit as usize)),
            _ => Self::Bucketed(Bucketed::new(limits.window())),
        }
    }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::{EXACT, Failures, WITHOUT_RATE};
    use crate::circuit::owner::Owner;
    use crate::circuit::policy::Policy;
    use crate::circuit::state::Generation;
    use crate::clock::Instant;
    use crate::config::Config;
    use std::cell::{Cell, RefCell};
    use std::time::Duration;

    /// Returns the policy of a rule on `count` failures in ten seconds.
    #[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    fn policy(count: u32) -> Policy {
        let config = Config::builder()
            .max_failures(count)
            .window(Duration::from_secs(10));
        Policy::new(config.build().unwrap(), Owner::Breaker)
    }

    /// Returns for each of these failures whether the limit is reached with it.
    fn reached<const N: usize>(count: u32, millis: [u64; N]) -> [bool; N] {
        let failures = Failures::default();
        millis.map(|at| {
            let now = Instant::from_micros(at * 1_000);
            failures
                .failure(&policy(count), Generation::FIRST, WITHOUT_RATE, || now)
                .is_some()
        })
    }

    /// Fails by a clock that shows these moments, one for each reading, and then the last one;
    /// returns whether the limit is reached.
    fn fail<const N: usize>(failures: &Failures, count: u32, micros: [u64; N]) -> bool {
        let left = RefCell::new(micros.into_iter());
        let shown = Cell::new(0);
        let clock = || {
            let next = left.borrow_mut().next();
            shown.set(next.unwrap_or(shown.get()));
            Instant::from_micros(shown.get())
        };
        failures
            .failure(&policy(count), Generation::FIRST, WITHOUT_RATE, clock)
            .is_some()
    }

    /// A thread that reads the clock and is then preempted for an hour.
    #[test]
    fn failures_that_are_long_past_when_counted_do_not_reach_the_limit() {
        for count in [2, EXACT + 1] {
            let failures = Failures::default();
            let seconds = |second: u64| [second * 1_000_000];
            assert!((1..count).all(|_| !fail(&failures, count, seconds(100))));
            let preempted = [101_000_000, 3_700_000_000];
            assert!(!fail(&failures, count, preempted), "{count}");
            // The late failure counts from when it was judged.
            let reached = fail(&failures, count, seconds(3_701));
            assert_eq!(reached, count == 2, "{count}");
        }
    }

    #[test]
    fn a_failure_that_reaches_the_limit_by_itself_does_so_whenever_it_is_judged() {
        for window in [1, 1_000, 1_000_000] {
            let config = Config::builder()
                .max_failures(1)
                .window(Duration::from_micros(window));
            let policy = Policy::new(config.build().unwrap(), Owner::Breaker);
            let now = Cell::new(0);
            let clock = || Instant::from_micros(now.replace(now.get() + window));
            let failures = Failures::default();
            let reached = failures.failure(&policy, Generation::FIRST, WITHOUT_RATE, clock);
            assert!(reached.is_some(), "{window}");
        }
    }

    /// Counted at any moment between its two readings, the second failure reaches the limit with
    /// the first one or with the third.
    #[test]
    fn a_failure_counts_for_one_side_or_the_other() {
        for count in [2, EXACT + 1] {
            let failures = Failures::default();
            assert!((2..count).all(|_| !fail(&failures, count, [100_000_000])));
            assert!(!fail(&failures, count, [100_000_000]));
            assert!(!fail(&failures, count, [105_000_000, 114_000_000]));
            let later: u32 = (2..=count)
                .map(|_| u32::from(fail(&failures, count, [115_000_000])))
                .sum();
            assert_eq!(later, 1, "{count}");
        }
    }

    /// Other failures are counted while the thread is preempted, so long after those before it that
    /// it reaches the limit with either.
    #[test]
    fn a_late_failure_counts_with_those_that_overtook_it() {
        for count in [2, EXACT + 1] {
            let failures = Failures::default();
            assert!((1..count).all(|_| !fail(&failures, count, [100_000_000])));
            assert!((1..count).all(|_| !fail(&failures, count, [116_000_000])));
            assert!(
                fail(&failures, count, [105_000_000, 117_000_000]),
                "{count}"
            );
        }
    }

    #[test]
    fn a_late_thread_is_counted_at_the_time_it_read() {
        assert_eq!(reached(2, [20_000, 40_000, 0]), [false; 3]);
        assert_eq!(reached(2, [20_000, 15_000]), [false, true]);
        assert_eq!(
            reached(3, [0, 20_000, 40_000, 5_000, 41_000, 35_000]),
            [false, false, false, false, false, true]
        );
    }

    #[test]
    fn a_late_thread_is_counted_in_the_bucket_of_the_time_it_read() {
        let failures = Failures::default();
        let count = |times: u32, seconds: u64| {
            let at = Instant::from_micros(seconds * 1_000_000);
            (0..times)
                .filter_map(|_| {
                    failures.failure(&policy(EXACT + 1), Generation::FIRST, WITHOUT_RATE, || at)
                })
                .count()
        };
        assert_eq!(count(EXACT, 40), 0);
        assert_eq!(
            count(EXACT, 20),
            0,
            "long before the window that ends at second 40"
        );
        assert_eq!(count(1, 35), 1);
    }
}

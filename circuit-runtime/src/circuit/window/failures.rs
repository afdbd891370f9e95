//! Failures in a span of time.

use std::collections::VecDeque;

use super::buckets::{Buckets, Division, index_after};
use super::limits::ReachedLimit;
use crate::circuit::evidence::Evidence;
use crate::circuit::policy::Limits;
use crate::circuit::state::Generation;
use crate::clock::{Instant, Span};
use crate::sync::OnceBox;
use crate::sync::lock::Lock;
use crate::sync::striped::CachePadded;

/// The largest limit for which the time of every failure is remembered.
const EXACT: u32 = 1_000;

/// How many buckets a span has above that limit.
const PER_SPAN: u16 = 100;

/// Failures within a sliding time window. A failure as old as the span no longer counts.
///
/// Exact up to a limit of [`EXACT`], in 8 bytes per failure; above, exact to a hundredth of the
/// span, in 1.6 KiB. A failure costs the same for every limit and span, a success nothing.
#[derive(Default)]
pub(crate) struct Failures {
    /// Allocated by the first failure, away from the fields that every call reads.
    counted: OnceBox<CachePadded<Lock<Evidence<Counted>>>>,
}

enum Counted {
    Latest(Latest),
    Bucketed(Bucketed),
}

impl Failures {
    /// Returns whether a failure of `generation` lies within the span that ends now.
    pub(super) fn has_evidence(
        &self,
        limits: &Limits,
        generation: Generation,
        now: impl FnOnce() -> Instant,
    ) -> bool {
        let Some(CachePadded(counted)) = self.counted.get() else {
            return false;
        };
        let (now, span) = (now(), limits.window());
        counted.with(|evidence| match evidence.get(generation) {
            Some(Counted::Latest(latest)) => {
                latest.latest().is_some_and(|time| now.since(time) < span)
            }
            Some(Counted::Bucketed(bucketed)) => {
                let division = Division::from_span_rounded_up(span, PER_SPAN.into());
                let oldest = division.oldest(division.index_at(now));
                bucketed.latest() >= Some(oldest)
            }
            None => false,
        })
    }

    /// Returns how many failures of `generation` lie within the span that ends `now`.
    pub(super) fn count(&self, limits: &Limits, generation: Generation, now: Instant) -> u64 {
        let Some(CachePadded(counted)) = self.counted.get() else {
            return 0;
        };
        let span = limits.window();
        counted.with(|evidence| match evidence.get(generation) {
            Some(Counted::Latest(latest)) => {
                let times = latest.times.iter();
                let counted = times.filter(|time| now.since(**time) < span);
                counted.count() as u64
            }
            Some(Counted::Bucketed(bucketed)) => {
                let division = Division::from_span_rounded_up(span, PER_SPAN.into());
                let oldest = division.oldest(division.index_at(now));
                bucketed.buckets.since(oldest).fold(0, u64::saturating_add)
            }
            None => 0,
        })
    }

    /// Records a failure; returns the limit if it is reached. `clock` is read before the lock is
    /// taken, and once more if that reading may be out of date.
    pub(super) fn failure(
        &self,
        limits: &Limits,
        generation: Generation,
        clock: impl Fn() -> Instant,
    ) -> Option<ReachedLimit> {
        let (limit, span) = (limits.max_failures(), limits.window());
        // Read the clock before taking the lock, to keep the section short.
        let now = clock();
        let CachePadded(counted) = self.counted.get_or_init(|| {
            let counted = Counted::new(limit);
            Box::new(CachePadded(Lock::new(Evidence::new(counted))))
        });
        counted.with(|evidence| {
            let reached = match evidence.for_generation(generation, Counted::clear)? {
                Counted::Latest(latest) => latest.failure(limit, span, now, clock),
                Counted::Bucketed(bucketed) => {
                    let division = Division::from_span_rounded_up(span, PER_SPAN.into());
                    let index = |now| division.index_at(now);
                    bucketed.failure(limit, division, index(now), || index(clock()))
                }
            };
            reached.then_some(ReachedLimit::MaxFailures)
        })
    }
}

impl Counted {
    fn new(limit: u32) -> Self {
        if limit <= EXACT {
            Self::Latest(Latest::new(limit as usize))
        } else {
            Self::Bucketed(Bucketed::new())
        }
    }

    fn clear(&mut self) {
        match self {
            Self::Latest(latest) => latest.times.clear(),
            Self::Bucketed(bucketed) => bucketed.buckets.clear(),
        }
    }
}

/// Failures that are counted by their time.
trait Timed {
    /// A time, as exact as it is remembered.
    type Moment: Copy + Ord;
    type Span: Copy;

    /// Returns the time of the latest failure that is counted.
    fn latest(&self) -> Option<Self::Moment>;

    /// Returns whether the limit is reached by one more failure, which happens `now`.
    fn reach(&mut self, limit: u32, span: Self::Span, now: Self::Moment) -> bool;

    /// Counts a failure that happens `now`.
    fn add(&mut self, limit: u32, now: Self::Moment);

    /// Counts a failure; returns whether the limit is reached.
    ///
    /// This thread may have been preempted since it read the clock, for a moment or for hours. By
    /// now earlier failures may have expired, and later ones may be counted. So if the failure is
    /// late or reaches the limit, the clock is read again, and the failure happens at that moment:
    /// for its own judgement, and for that of every failure to come.
    #[inline]
    fn failure(
        &mut self,
        limit: u32,
        span: Self::Span,
        now: Self::Moment,
        clock: impl FnOnce() -> Self::Moment,
    ) -> bool {
        let is_late = self.latest() > Some(now);
        if !is_late && !self.reach(limit, span, now) {
            self.add(limit, now);
            return false;
        }
        let now = clock();
        let reached = self.reach(limit, span, now);
        self.add(limit, now);
        reached
    }
}

/// The times of the latest failures, one fewer than the limit, oldest first. One more reaches the
/// limit if all of them lie within one span.
struct Latest {
    times: VecDeque<Instant>,
}

impl Latest {
    fn new(limit: usize) -> Self {
        Self {
            times: VecDeque::with_capacity(limit),
        }
    }
}

impl Timed for Latest {
    type Moment = Instant;
    type Span = Span;

    #[inline]
    fn latest(&self) -> Option<Instant> {
        self.times.back().copied()
    }

    #[inline]
    fn reach(&mut self, limit: u32, span: Span, now: Instant) -> bool {
        // With too few failures before this one, there is no index.
        let Some(oldest) = self
            .times
            .len()
            .saturating_add(1)
            .checked_sub(limit as usize)
        else {
            return false;
        };
        let first = self.times.get(oldest).map_or(now, |&first| first.min(now));
        let last = self.latest().map_or(now, |latest| latest.max(now));
        last.since(first) < span
    }

    #[inline]
    fn add(&mut self, limit: u32, now: Instant) {
        if self.latest() > Some(now) {
            let index = index_after(&self.times, |&time| time <= now);
            self.times.insert(index, now);
        } else {
            self.times.push_back(now);
        }
        while self.times.len() >= limit as usize {
            self.times.pop_front();
        }
    }
}

/// Failures per bucket of 1/100 of the span.
struct Bucketed {
    buckets: Buckets<u64>,
}

impl Bucketed {
    fn new() -> Self {
        // One more for a failure that is late even now.
        Self {
            buckets: Buckets::new(usize::from(PER_SPAN) + 1),
        }
    }
}

impl Timed for Bucketed {
    type Moment = u64;
    type Span = Division;

    #[inline]
    fn latest(&self) -> Option<u64> {
        self.buckets.latest()
    }

    /// Forgets the failures before the span that ends now, or with the latest failure if that is
    /// later.
    #[inline]
    fn reach(&mut self, limit: u32, division: Division, now: u64) -> bool {
        let last = self.latest().map_or(now, |latest| latest.max(now));
        let oldest = division.oldest(last);
        self.buckets.forget_before(oldest);
        let this = u64::from(now >= oldest);
        self.buckets.sum().saturating_add(this) >= limit.into()
    }

    #[inline]
    fn add(&mut self, _: u32, now: u64) {
        self.buckets.add(now, 1);
    }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::{EXACT, Failures};
    use crate::circuit::policy::Limits;
    use crate::circuit::state::Generation;
    use crate::clock::Instant;
    use crate::config::Config;
    use std::cell::{Cell, RefCell};
    use std::time::Duration;

    /// Returns the limits of a rule on `count` failures in ten seconds.
    #[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    fn limits(count: u32) -> Limits {
        let config = Config::builder()
            .max_failures(count)
            .window(Duration::from_secs(10));
        Limits::new(&config.build().unwrap())
    }

    /// Returns for each of these failures whether the limit is reached with it.
    fn reached<const N: usize>(count: u32, millis: [u64; N]) -> [bool; N] {
        let failures = Failures::default();
        millis.map(|at| {
            let now = Instant::from_micros(at * 1_000);
            failures
                .failure(&limits(count), Generation::FIRST, || now)
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
            .failure(&limits(count), Generation::FIRST, clock)
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
            let limits = Limits::new(&config.build().unwrap());
            let now = Cell::new(0);
            let clock = || Instant::from_micros(now.replace(now.get() + window));
            let failures = Failures::default();
            let reached = failures.failure(&limits, Generation::FIRST, clock);
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
                .filter_map(|_| failures.failure(&limits(EXACT + 1), Generation::FIRST, || at))
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

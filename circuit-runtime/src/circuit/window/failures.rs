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
    /// Records a failure; returns the limit if it is reached. `clock` is read before the lock is
    /// taken, and once more if the limit seems to be reached.
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
            // Rechecked against a fresh reading: this thread may have been preempted since the
            // first.
            let reached = match evidence.for_generation(generation, Counted::clear)? {
                Counted::Latest(latest) => {
                    let limit = limit as usize;
                    latest.failure(limit, span, now) && latest.reach(limit, span, clock())
                }
                Counted::Bucketed(bucketed) => {
                    let limit = u64::from(limit);
                    bucketed.failure(limit, span, now) && bucketed.reach(limit, span, clock())
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

/// The times of the latest failures, as many as the limit, oldest first. The limit is reached when
/// all of them lie within one span.
struct Latest {
    times: VecDeque<Instant>,
}

impl Latest {
    fn new(limit: usize) -> Self {
        Self {
            times: VecDeque::with_capacity(limit + 1),
        }
    }

    fn failure(&mut self, limit: usize, span: Span, now: Instant) -> bool {
        // A thread that read the clock first may get here last: by a moment, or by hours if it was
        // preempted.
        match self.times.back() {
            Some(&latest) if latest > now => {
                let index = index_after(&self.times, |&time| time <= now);
                self.times.insert(index, now);
            }
            _ => self.times.push_back(now),
        }
        if self.times.len() > limit {
            self.times.pop_front();
        }
        let last = self.times.back();
        last.is_some_and(|&last| self.reach(limit, span, last))
    }

    /// Returns whether `limit` failures lie in the span that ends now.
    fn reach(&self, limit: usize, span: Span, now: Instant) -> bool {
        let first = self.times.front();
        self.times.len() == limit && first.is_some_and(|&first| now.since(first) < span)
    }
}

/// Failures per bucket of 1/100 of the span.
struct Bucketed {
    buckets: Buckets<u64>,
}

impl Bucketed {
    fn new() -> Self {
        // One more for a late failure, and one that is added before the oldest is forgotten.
        Self {
            buckets: Buckets::new(usize::from(PER_SPAN) + 2),
        }
    }

    fn failure(&mut self, limit: u64, span: Span, now: Instant) -> bool {
        let division = Division::from_span_rounded_up(span, PER_SPAN.into());
        self.buckets.add(division.index_at(now), 1);
        self.reach(limit, span, now)
    }

    /// Forgets the failures before the span that ends now, or with the latest failure if that is
    /// later; returns whether `limit` are left.
    fn reach(&mut self, limit: u64, span: Span, now: Instant) -> bool {
        let division = Division::from_span_rounded_up(span, PER_SPAN.into());
        let latest = self.buckets.latest().max(Some(division.index_at(now)));
        self.buckets
            .forget_before(division.oldest(latest.unwrap_or(0)));
        self.buckets.sum() >= limit
    }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::{EXACT, Failures};
    use crate::circuit::policy::Limits;
    use crate::circuit::state::Generation;
    use crate::clock::Instant;
    use crate::config::Config;
    use std::cell::Cell;
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

    /// A thread that reads the clock and is then preempted for an hour.
    #[test]
    fn failures_that_are_long_past_when_counted_do_not_reach_the_limit() {
        for count in [2, EXACT + 1] {
            let failures = Failures::default();
            let second = |second: u64| Instant::from_micros(second * 1_000_000);
            let fail = |clock: &dyn Fn() -> Instant| {
                failures
                    .failure(&limits(count), Generation::FIRST, clock)
                    .is_some()
            };
            assert!((1..count).all(|_| !fail(&|| second(100))));
            let reading = Cell::new(0);
            let preempted = || second([101, 3_700][reading.replace(1)]);
            assert!(!fail(&preempted), "{count}");
            // The late failure has been forgotten, or no longer counts either.
            assert!(!fail(&|| second(3_701)), "{count}");
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

use std::collections::VecDeque;

use crate::circuit::evidence::Evidence;
use crate::circuit::policy::FailureLimit;
use crate::circuit::state::Generation;
use crate::clock::{Instant, Span};
use crate::sync::OnceBox;
use crate::sync::lock::Lock;
use crate::sync::striped::CachePadded;

/// Failures in a span of time that ends now. One that is as old as the span no longer counts.
///
/// Exact to the failure up to a limit of [`EXACT`], in 8 bytes a failure; above, exact to a
/// hundredth of the span, in 1.6 KiB. A failure costs the same whatever the limit and the span, a
/// success nothing.
#[derive(Default)]
pub(crate) struct Failures {
    /// Made by the first failure, apart from what every call reads.
    counted: OnceBox<CachePadded<Lock<Evidence<Counted>>>>,
}

/// The largest limit for which every failure is remembered by itself.
const EXACT: u32 = 1_000;

enum Counted {
    Latest(Latest),
    Slices(Slices),
}

impl Failures {
    pub(super) fn failure(
        &self,
        FailureLimit { count: limit, span }: FailureLimit,
        generation: Generation,
        clock: impl Fn() -> Instant,
    ) -> bool {
        // Before the lock, so that nobody waits for the clock of another.
        let now = clock();
        let CachePadded(counted) = self.counted.get_or_init(|| {
            let counted = Counted::new(limit);
            Box::new(CachePadded(Lock::new(Evidence::new(counted))))
        });
        counted.with(|counted| match counted.of(generation, Counted::clear) {
            None => false,
            // Asked again by the clock of now, as the system may have stopped this thread since it read it.
            Some(Counted::Latest(latest)) => {
                let limit = limit as usize;
                latest.failure(limit, span, now) && latest.reach(limit, span, clock())
            }
            Some(Counted::Slices(slices)) => {
                let limit = u64::from(limit);
                slices.failure(limit, span, now) && slices.reach(limit, span, clock())
            }
        })
    }
}

impl Counted {
    fn new(limit: u32) -> Self {
        if limit <= EXACT {
            Self::Latest(Latest::new(limit as usize))
        } else {
            Self::Slices(Slices::new())
        }
    }

    fn clear(&mut self) {
        match self {
            Self::Latest(latest) => latest.times.clear(),
            Self::Slices(slices) => slices.clear(),
        }
    }
}

/// The times of the latest failures, as many as the limit, oldest first. The limit is reached when
/// all of them are within one span.
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
        // A thread that read the clock first may come here last: by a moment, or by the hours for
        // which the system did not let it run.
        match self.times.back() {
            Some(&latest) if latest > now => {
                let place = place_after(&self.times, |&time| time <= now);
                self.times.insert(place, now);
            }
            _ => self.times.push_back(now),
        }
        if self.times.len() > limit {
            self.times.pop_front();
        }
        let last = self.times.back();
        last.is_some_and(|&last| self.reach(limit, span, last))
    }

    /// Whether so many count in the span that ends now.
    fn reach(&self, limit: usize, span: Span, now: Instant) -> bool {
        let first = self.times.front();
        self.times.len() == limit && first.is_some_and(|&first| now.since(first) < span)
    }
}

/// How many failures fell into each hundredth of the span.
struct Slices {
    /// The slices that have any, oldest first.
    slices: VecDeque<Slice>,
    /// The sum over all of them.
    failures: u64,
}

struct Slice {
    /// Its place on the time line, in lengths of a slice.
    index: u64,
    failures: u64,
}

impl Slices {
    const PER_SPAN: u16 = 100;

    fn new() -> Self {
        Self {
            slices: VecDeque::with_capacity(usize::from(Self::PER_SPAN) + 2),
            failures: 0,
        }
    }

    fn clear(&mut self) {
        self.slices.clear();
        self.failures = 0;
    }

    fn failure(&mut self, limit: u64, span: Span, now: Instant) -> bool {
        self.count(now.as_micros() / Self::length(span));
        self.reach(limit, span, now)
    }

    /// Whether so many count in the span that ends now, or with the latest of them if that is later. Those
    /// before it are forgotten.
    fn reach(&mut self, limit: u64, span: Span, now: Instant) -> bool {
        let length = Self::length(span);
        let per_span = span.as_micros().div_ceil(length);
        let latest = self.slices.back().map_or(0, |latest| latest.index);
        let last = latest.max(now.as_micros() / length);
        self.forget_before(last.saturating_sub(per_span.saturating_sub(1)));
        self.failures >= limit
    }

    /// Of a slice, in microseconds.
    fn length(span: Span) -> u64 {
        span.as_micros().div_ceil(Self::PER_SPAN.into()).max(1)
    }

    fn count(&mut self, index: u64) {
        let place = place_after(&self.slices, |slice| slice.index <= index);
        let same = place
            .checked_sub(1)
            .and_then(|before| self.slices.get_mut(before))
            .filter(|slice| slice.index == index);
        match same {
            Some(slice) => slice.failures += 1,
            None => self.slices.insert(place, Slice { index, failures: 1 }),
        }
        self.failures += 1;
    }

    fn forget_before(&mut self, oldest: u64) {
        while self
            .slices
            .front()
            .is_some_and(|slice| slice.index < oldest)
        {
            let forgotten = self.slices.pop_front().map_or(0, |slice| slice.failures);
            self.failures -= forgotten;
        }
    }
}

/// The place behind the last item that `is_before` the new one: the end, but for late comers.
fn place_after<T>(items: &VecDeque<T>, is_before: impl FnMut(&T) -> bool) -> usize {
    items.iter().rposition(is_before).map_or(0, |last| last + 1)
}

#[cfg(test)]
mod tests {
    use super::{EXACT, Failures};
    use crate::circuit::policy::FailureLimit;
    use crate::circuit::state::Generation;
    use crate::clock::{Instant, Span};
    use std::cell::Cell;
    use std::time::Duration;

    /// So many in ten seconds.
    fn limit(count: u32) -> FailureLimit {
        let span = Span::from_duration(Duration::from_secs(10));
        FailureLimit { count, span }
    }

    /// Whether the limit is reached with each of these failures.
    fn reached<const N: usize>(count: u32, millis: [u64; N]) -> [bool; N] {
        let failures = Failures::default();
        millis.map(|at| {
            let now = Instant::from_micros(at * 1_000);
            failures.failure(limit(count), Generation::FIRST, || now)
        })
    }

    /// A thread that reads the clock and is then stopped by the system for an hour.
    #[test]
    fn failures_that_are_long_past_when_they_are_counted_open_nothing() {
        for count in [2, EXACT + 1] {
            let failures = Failures::default();
            let second = |second: u64| Instant::from_micros(second * 1_000_000);
            let fail = |clock: &dyn Fn() -> Instant| {
                failures.failure(limit(count), Generation::FIRST, clock)
            };
            assert!((1..count).all(|_| !fail(&|| second(100))));
            let reading = Cell::new(0);
            let stopped = || second([101, 3_700][reading.replace(1)]);
            assert!(!fail(&stopped), "{count}");
            // What was counted late has been forgotten, or no longer counts either.
            assert!(!fail(&|| second(3_701)), "{count}");
        }
    }

    #[test]
    fn a_thread_that_comes_late_is_counted_at_its_own_time() {
        assert_eq!(reached(2, [20_000, 40_000, 0]), [false; 3]);
        assert_eq!(reached(2, [20_000, 15_000]), [false, true]);
        assert_eq!(
            reached(3, [0, 20_000, 40_000, 5_000, 41_000, 35_000]),
            [false, false, false, false, false, true]
        );
    }

    #[test]
    fn a_thread_that_comes_late_is_counted_in_its_own_slice() {
        let failures = Failures::default();
        let count = |times: u32, seconds: u64| {
            let at = Instant::from_micros(seconds * 1_000_000);
            (0..times)
                .filter(|_| failures.failure(limit(EXACT + 1), Generation::FIRST, || at))
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

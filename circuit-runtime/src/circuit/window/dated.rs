//! Failures by their times.

use std::collections::VecDeque;

use super::buckets::{Buckets, Division, index_after};
use crate::clock::{Instant, Span};

/// The largest limit for which the time of every failure is remembered.
pub(super) const EXACT: u32 = 1_000;

/// How many buckets a span has in which failures are counted.
pub(super) const PER_SPAN: u16 = 100;

/// Failures that are counted by their time.
pub(super) trait Dated {
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
pub(super) struct Latest {
    pub(super) times: VecDeque<Instant>,
}

impl Latest {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            times: VecDeque::with_capacity(limit),
        }
    }

    /// Adds failures of one moment. Keeps as many as any limit needs, as this one may be raised
    /// before the next failure.
    pub(super) fn add_many(&mut self, time: Instant, failures: u64) {
        (0..failures.min(EXACT.into())).for_each(|_| self.add(EXACT, time));
    }

    /// Keeps as many as can reach `limit` with one more.
    #[inline]
    fn trim(&mut self, limit: u32) {
        while self.times.len() >= limit as usize {
            self.times.pop_front();
        }
    }
}

impl Dated for Latest {
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
        self.trim(limit);
    }
}

/// Failures per bucket of 1/100 of the span.
pub(super) struct Bucketed {
    pub(super) buckets: Buckets<u64>,
    pub(super) division: Division,
}

impl Bucketed {
    pub(super) fn new(span: Span) -> Self {
        // One more for a failure that is late even now.
        Self {
            buckets: Buckets::new(usize::from(PER_SPAN) + 1),
            division: Division::from_span_rounded_up(span, PER_SPAN.into()),
        }
    }
}

impl Dated for Bucketed {
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

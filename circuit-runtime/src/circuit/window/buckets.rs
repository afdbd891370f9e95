//! Counts by time, in buckets of equal length.

use std::collections::VecDeque;
use std::ops::{AddAssign, SubAssign};

use crate::clock::{Instant, Span};

/// Counts by time, in buckets that are as long as a [`Division`] says.
pub(super) struct Buckets<T> {
    /// Oldest first. Times at which nothing was added have none.
    buckets: VecDeque<Bucket<T>>,
    sum: T,
}

struct Bucket<T> {
    index: u64,
    counts: T,
}

/// The division of the time line into buckets, which are numbered from its beginning.
#[derive(Clone, Copy)]
pub(super) struct Division {
    /// The length of a bucket, in microseconds.
    length: u64,
    /// How many buckets cover one span, the current one included.
    per_span: u64,
}

#[cfg_attr(
    not(test),
    expect(
        clippy::arithmetic_side_effects,
        reason = "64 bits of events do not overflow, and what is forgotten is part of the sum"
    )
)]
impl<T: Copy + Default + AddAssign + SubAssign> Buckets<T> {
    /// Creates an empty ring with room for `capacity` buckets.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            buckets: VecDeque::with_capacity(capacity),
            sum: T::default(),
        }
    }

    /// Returns the sum over all buckets.
    pub(super) fn sum(&self) -> T {
        self.sum
    }

    /// Returns the index of the latest bucket.
    pub(super) fn latest(&self) -> Option<u64> {
        self.buckets.back().map(|latest| latest.index)
    }

    /// Returns the counts of the buckets from `oldest` on, latest first.
    pub(super) fn since(&self, oldest: u64) -> impl Iterator<Item = T> {
        let buckets = self.buckets.iter().rev();
        let counted = buckets.take_while(move |bucket| bucket.index >= oldest);
        counted.map(|bucket| bucket.counts)
    }

    /// Returns the index and the counts of each bucket, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, T)> {
        let buckets = self.buckets.iter();
        buckets.map(|bucket| (bucket.index, bucket.counts))
    }

    pub(super) fn clear(&mut self) {
        self.buckets.clear();
        self.sum = T::default();
    }

    /// Adds to the bucket at `index`, which is new unless there is one.
    #[inline]
    pub(super) fn add(&mut self, index: u64, counts: T) {
        match self.buckets.back_mut() {
            Some(latest) if latest.index == index => {
                latest.counts += counts;
                self.sum += counts;
            }
            _ => self.add_slow(index, counts),
        }
    }

    /// Slow path: adds to a new bucket, or to an earlier one.
    #[inline(never)]
    fn add_slow(&mut self, index: u64, counts: T) {
        let after = index_after(&self.buckets, |bucket| bucket.index <= index);
        let same = after
            .checked_sub(1)
            .and_then(|before| self.buckets.get_mut(before))
            .filter(|bucket| bucket.index == index);
        match same {
            Some(bucket) => bucket.counts += counts,
            None => self.buckets.insert(after, Bucket { index, counts }),
        }
        self.sum += counts;
    }

    /// Forgets the buckets before `oldest`.
    pub(super) fn forget_before(&mut self, oldest: u64) {
        let is_older = |bucket: &Bucket<T>| bucket.index < oldest;
        while self.buckets.front().is_some_and(is_older) {
            if let Some(forgotten) = self.buckets.pop_front() {
                self.sum -= forgotten.counts;
            }
        }
    }
}

impl Division {
    /// Divides a span into `parts` or fewer, as the length of a bucket is rounded up.
    pub(super) fn from_span_rounded_up(span: Span, parts: u64) -> Self {
        let length = span.as_micros().div_ceil(parts).max(1);
        Self {
            length,
            per_span: span.as_micros().div_ceil(length),
        }
    }

    /// Returns the index of the bucket that contains `moment`.
    pub(super) fn index_at(self, moment: Instant) -> u64 {
        moment.as_micros().checked_div(self.length).unwrap_or(0)
    }

    /// Returns when the bucket at `index` begins.
    pub(super) fn start(self, index: u64) -> Instant {
        Instant::from_micros(index.saturating_mul(self.length))
    }

    /// Returns the index of the oldest bucket that counts while `latest` is the latest.
    pub(super) fn oldest(self, latest: u64) -> u64 {
        latest.saturating_sub(self.per_span.saturating_sub(1))
    }
}

/// The division of the time line into tenths of a span, which are numbered from its beginning. They
/// need not begin at whole microseconds.
#[derive(Clone, Copy)]
pub(super) struct Tenths {
    span: u64,
}

impl Tenths {
    /// How many cover one span, the current one included.
    pub(super) const PER_SPAN: usize = 10;

    const PARTS: u64 = Self::PER_SPAN as u64;

    /// Divides a span.
    pub(super) const fn from_span(span: Span) -> Self {
        Self {
            span: span.as_micros(),
        }
    }

    /// Returns the index of the tenth that contains `moment`.
    pub(super) fn index_at(self, moment: Instant) -> u64 {
        let tenths = moment.as_micros().saturating_mul(Self::PARTS);
        tenths.checked_div(self.span).unwrap_or(0)
    }

    /// Returns the index of the oldest tenth that counts while `latest` is the latest.
    pub(super) const fn oldest(latest: u64) -> u64 {
        latest.saturating_sub(Self::PARTS - 1)
    }

    /// Returns the first moment of the tenth at `index`.
    pub(super) fn start(self, index: u64) -> Instant {
        let tenths = u128::from(index).saturating_mul(self.span.into());
        let micros = tenths.div_ceil(Self::PARTS.into());
        Instant::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}

/// Returns the index after the last item that `is_before` the new one: the end, except for late
/// threads.
pub(super) fn index_after<T>(items: &VecDeque<T>, is_before: impl FnMut(&T) -> bool) -> usize {
    items
        .iter()
        .rposition(is_before)
        .map_or(0, |last| last.saturating_add(1))
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::Buckets;

    /// As by a thread whose clock is behind that of another.
    #[test]
    fn counts_that_come_late_are_forgotten_with_their_bucket() {
        let mut buckets = Buckets::new(3);
        for index in [5, 7, 5, 6, 5] {
            buckets.add(index, 1_u64);
        }
        assert_eq!(buckets.since(0).collect::<Vec<_>>(), [1, 1, 3]);
        assert_eq!((buckets.sum(), buckets.latest()), (5, Some(7)));
        buckets.forget_before(6);
        assert_eq!(buckets.sum(), 2);
        buckets.forget_before(8);
        assert_eq!((buckets.sum(), buckets.latest()), (0, None));
    }
}

//! The latest successes by tenths of a span, packed into ten bits each.

use super::buckets::Tenths;
use crate::clock::{Instant, Span};

/// The most successes that are counted here. Each count fits into ten bits.
const MOST: u64 = if cfg!(any(circuit_loom, circuit_shuttle)) {
    1
} else {
    1_000
};

/// The bits of a count.
const BITS: u32 = 10;

/// The mask of a count.
const MASK: u64 = (1 << BITS) - 1;

/// The bits of an index: enough for half a century, in tenths of a second.
const INDEX_BITS: u32 = u64::BITS - 3 * BITS;

/// The number of tenths before the previous one that count.
const OLDER: u32 = 8;

/// The successes of the latest tenth of a span and of the one before, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecentSuccesses {
    /// The number of the latest tenth.
    index: u64,
    /// Successes so far.
    total: u64,
    previous: u64,
    latest: u64,
}

/// The successes of the eight tenths before, the oldest in the highest bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Older(u128);

impl RecentSuccesses {
    /// The word of successes that were moved. No others have it, as their total is smaller.
    pub(super) const MOVED: u64 = u64::MAX;

    pub(super) const fn from_bits(bits: u64) -> Option<Self> {
        if bits == Self::MOVED {
            return None;
        }
        Some(Self {
            index: bits >> (3 * BITS),
            total: bits >> (2 * BITS) & MASK,
            previous: bits >> BITS & MASK,
            latest: bits & MASK,
        })
    }

    pub(super) const fn to_bits(self) -> u64 {
        self.index << (3 * BITS) | self.total << (2 * BITS) | self.previous << BITS | self.latest
    }

    /// Returns the number of the tenth of `span` that contains `now`; `None` if it does not fit.
    pub(super) fn index_at(span: Span, now: Instant) -> Option<u64> {
        let index = Tenths::from_span(span).index_at(now);
        (index < (1 << INDEX_BITS) - 1).then_some(index)
    }

    /// Returns whether the tenth at `index` is later than the latest.
    pub(super) const fn is_before(self, index: u64) -> bool {
        self.index < index
    }

    /// Counts a success in the latest tenth; `None` if there is no more room.
    pub(super) fn plus_one(self) -> Option<Self> {
        (self.total < MOST).then_some(Self {
            total: self.total.wrapping_add(1),
            latest: self.latest.wrapping_add(1),
            ..self
        })
    }

    /// Begins the tenth at `index`, which is later than the latest.
    pub(super) fn advanced(self, older: Older, index: u64) -> (Self, Older) {
        let more = index.saturating_sub(self.index).saturating_sub(1);
        let before = older.0 << BITS | u128::from(self.previous);
        let before = before << BITS | u128::from(self.latest);
        let skipped = u32::try_from(more).unwrap_or(u32::MAX).saturating_mul(BITS);
        let before = before.checked_shl(skipped).unwrap_or(0);
        let recent = Self {
            index,
            latest: 0,
            #[expect(clippy::cast_possible_truncation, reason = "ten bits")]
            previous: before as u64 & MASK,
            ..self
        };
        (recent, Older(before >> BITS & Older::MASK))
    }

    /// Returns the successes so far.
    pub(super) const fn total(self) -> u64 {
        self.total
    }

    /// Returns each tenth with its successes, oldest first.
    pub(super) fn by_index(self, older: Older) -> impl Iterator<Item = (u64, u64)> {
        let earlier = (0..OLDER).rev().map(move |shift| {
            let age = u64::from(shift).saturating_add(2);
            let count = older.0 >> shift.saturating_mul(BITS);
            #[expect(clippy::cast_possible_truncation, reason = "ten bits")]
            let count = count as u64 & MASK;
            (age, count)
        });
        let all = earlier.chain([(1, self.previous), (0, self.latest)]);
        all.filter_map(move |(age, count)| {
            let index = self.index.checked_sub(age)?;
            (count > 0).then_some((index, count))
        })
    }
}

impl Older {
    const MASK: u128 = (1 << (OLDER * BITS)) - 1;

    /// Joins the two words that they are stored in.
    pub(super) fn from_words(low: u64, high: u16) -> Self {
        Self(u128::from(high) << u64::BITS | u128::from(low))
    }

    #[expect(clippy::cast_possible_truncation, reason = "80 bits, in two parts")]
    pub(super) const fn to_words(self) -> (u64, u16) {
        (self.0 as u64, (self.0 >> u64::BITS) as u16)
    }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::{MOST, Older, RecentSuccesses};
    use std::collections::VecDeque;

    /// Counts successes in the tenths of these numbers, and checks each against a list of them.
    fn check(indices: impl IntoIterator<Item = u64>) {
        let mut recent = RecentSuccesses::from_bits(0).unwrap();
        let mut older = Older::default();
        let mut list: VecDeque<(u64, u64)> = VecDeque::new();
        for (total, index) in (0..).zip(indices) {
            if recent.is_before(index) {
                (recent, older) = recent.advanced(older, index);
            }
            recent = recent.plus_one().unwrap();
            match list.back_mut() {
                Some((latest, count)) if *latest == index => *count += 1,
                _ => list.push_back((index, 1)),
            }
            list.retain(|(earlier, _)| index - earlier < 10);
            let (low, high) = older.to_words();
            assert_eq!(Older::from_words(low, high), older);
            assert_eq!(RecentSuccesses::from_bits(recent.to_bits()), Some(recent));
            assert!(recent.by_index(older).eq(list.iter().copied()), "{list:?}");
            assert_eq!(recent.total(), total + 1);
        }
    }

    #[test]
    fn each_success_is_remembered_for_ten_tenths() {
        check((0..1_000).map(|call| call / 7));
        check((0..1_000).map(|call| call / 100 * 3));
        check((0..1_000).map(|_| 5));
        check((0..999).chain([(1 << 34) - 2]));
        for gap in 1..30 {
            check((0..100).map(|call| gap + call / 3 * gap));
            check(
                [1; 400]
                    .into_iter()
                    .chain([1 + gap; 500])
                    .chain([2 + 2 * gap; 100]),
            );
        }
    }

    #[test]
    fn a_thousand_successes_have_room_and_no_more() {
        let mut recent = RecentSuccesses::from_bits(0).unwrap();
        for _ in 0..MOST {
            recent = recent.plus_one().unwrap();
            assert_ne!(recent.to_bits(), RecentSuccesses::MOVED);
        }
        assert_eq!(recent.plus_one(), None);
    }
}

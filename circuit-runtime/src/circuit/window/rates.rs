//! The calls of a span of time, for rates.

use std::ops::{AddAssign, SubAssign};

use super::buckets::{Buckets, Tenths};
use super::tally::Tally;
use crate::clock::{Instant, Span};

/// Calls within a sliding time window, in buckets of a tenth: calls as old as the span no longer
/// count, those younger than 9/10 of it do.
///
/// Half a kilobyte, for any number of calls. A fast success costs nothing here: those of a bucket
/// are added when the next one begins. A failure costs the same for every span and load.
pub(super) struct Rates {
    buckets: Buckets<Counts>,
    /// When the next bucket begins.
    ends: Instant,
    /// Fast successes before the latest bucket.
    fast_successes_before: u64,
    /// Fast successes when they were last added up.
    fast_successes: u64,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    /// In the latest bucket, those that were counted elsewhere before.
    fast_successes: u64,
    /// Calls that failed or were slow.
    others: u64,
    failed: u64,
    slow: u64,
}

impl Rates {
    /// Creates an empty window for the calls that end after `fast_successes`.
    pub(super) fn new(fast_successes: u64) -> Self {
        Self {
            buckets: Buckets::new(Tenths::PER_SPAN),
            ends: Instant::from_micros(0),
            fast_successes_before: fast_successes,
            fast_successes,
        }
    }

    /// Returns how many calls failed in each tenth of the span, with its start, oldest first.
    pub(super) fn failures(&self, span: Span) -> impl Iterator<Item = (Instant, u64)> {
        let tenths = Tenths::from_span(span);
        let buckets = self.buckets.iter();
        buckets.map(move |(index, counts)| (tenths.start(index), counts.failed))
    }

    /// Adds fast successes that were counted elsewhere, by tenths of the span, oldest first.
    pub(super) fn take(&mut self, fast_successes: impl Iterator<Item = (u64, u64)>) {
        for (index, fast_successes) in fast_successes {
            let counts = Counts {
                fast_successes,
                ..Counts::default()
            };
            self.buckets.add(index, counts);
        }
    }

    pub(super) fn clear(&mut self) {
        self.buckets.clear();
        self.ends = Instant::from_micros(0);
        self.fast_successes_before = 0;
        self.fast_successes = 0;
    }

    /// Returns whether a call within the span that ends now failed or was slow.
    pub(super) fn has_evidence(&self, span: Span, now: Instant) -> bool {
        let oldest = Tenths::oldest(Tenths::from_span(span).index_at(now));
        let mut counted = self.buckets.since(oldest);
        counted.any(|counts| counts.others > 0)
    }

    /// Advances to `now`, by when there were `fast_successes` in all.
    pub(super) fn advance(&mut self, span: Span, now: Instant, fast_successes: u64) {
        self.fast_successes = fast_successes;
        if self.is_latest(now) {
            return;
        }
        let tenths = Tenths::from_span(span);
        let index = tenths.index_at(now);
        let latest = self.buckets.latest();
        let next = latest.max(Some(index)).unwrap_or(0).saturating_add(1);
        self.ends = tenths.start(next);
        if latest >= Some(index) {
            return;
        }
        if let Some(latest) = latest {
            let counts = Counts {
                fast_successes: fast_successes.saturating_sub(self.fast_successes_before),
                ..Counts::default()
            };
            self.buckets.add(latest, counts);
        }
        self.buckets.forget_before(Tenths::oldest(index));
        self.buckets.add(index, Counts::default());
        self.fast_successes_before = fast_successes;
    }

    /// Returns whether the latest bucket is that of `now`.
    #[inline]
    pub(super) fn is_latest(&self, now: Instant) -> bool {
        now < self.ends
    }

    /// Adds a call that failed or was slow.
    pub(super) fn add(&mut self, failed: bool, slow: bool) {
        if let Some(latest) = self.buckets.latest() {
            let counts = Counts {
                fast_successes: 0,
                others: 1,
                failed: failed.into(),
                slow: slow.into(),
            };
            self.buckets.add(latest, counts);
        }
    }

    /// Adds up the calls in the window, with one more failure, and with as many fast successes as
    /// were last added up. There may be more by now, which only lowers the failure rate.
    pub(super) fn tally_with_failure(&self) -> Tally {
        self.tally(self.fast_successes).with_failure()
    }

    /// Adds up the calls in the window, with `fast_successes` in all.
    pub(super) fn tally(&self, fast_successes: u64) -> Tally {
        let sum = self.buckets.sum();
        let latest = fast_successes.saturating_sub(self.fast_successes_before);
        Tally {
            calls: sum
                .fast_successes
                .saturating_add(latest)
                .saturating_add(sum.others),
            failed: sum.failed,
            slow: sum.slow,
            overdue: 0,
        }
    }

    /// Returns when time alone changes the tally next.
    pub(super) fn changes_at(&self) -> Instant {
        self.ends
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.fast_successes = self.fast_successes.saturating_add(more.fast_successes);
        self.others = self.others.saturating_add(more.others);
        self.failed = self.failed.saturating_add(more.failed);
        self.slow = self.slow.saturating_add(more.slow);
    }
}

impl SubAssign for Counts {
    fn sub_assign(&mut self, less: Self) {
        self.fast_successes = self.fast_successes.saturating_sub(less.fast_successes);
        self.others = self.others.saturating_sub(less.others);
        self.failed = self.failed.saturating_sub(less.failed);
        self.slow = self.slow.saturating_sub(less.slow);
    }
}

#[cfg(test)]
mod tests {
    use super::Rates;
    use crate::circuit::ticket::GROUP_BITS;
    use crate::clock::{Instant, Span};
    use std::time::Duration;

    fn at(micros: u64) -> Instant {
        Instant::from_micros(micros)
    }

    #[test]
    fn the_first_span_of_the_clock_is_counted_like_any_other() {
        let span = Span::from_duration(Duration::from_secs(12));
        let mut rates = Rates::new(0);
        for second in 0..12 {
            rates.advance(span, at(second * 1_000_000), second);
            rates.add(true, false);
            assert_eq!(rates.tally(second).failed, second + 1);
        }
        rates.advance(span, at(12_000_000), 12);
        assert_eq!(rates.tally(12).failed, 10, "the first two are in one tenth");
        assert_eq!(rates.tally(12).calls, 10 + 10);
    }

    /// Calls as old as the span no longer count, those younger than nine tenths of it do.
    #[test]
    fn the_last_moment_of_the_clock_does_not_overflow() {
        for micros in [1, 20, 10_000_000] {
            let span = Span::from_duration(Duration::from_micros(micros));
            let mut rates = Rates::new(0);
            let last = u64::MAX >> GROUP_BITS; // that a call can start at
            for now in [last - 1, last, u64::MAX] {
                rates.advance(span, at(now), 0);
                rates.add(true, true);
                assert!(rates.changes_at() > at(last / 2));
            }
            assert!(rates.tally(u64::MAX).calls >= 1);
        }
    }

    #[test]
    fn rates_over_a_span_of_any_length_are_exact_to_a_tenth() {
        for span in (1..200).chain([999, 1_000, 1_001, 9_999_999, 10_000_000]) {
            for offset in [0, 1, 7, span / 2, span, 3 * span + 1] {
                let micros = Span::from_duration(Duration::from_micros(span));
                let mut rates = Rates::new(0);
                rates.advance(micros, at(offset), 0);
                rates.add(true, false);
                rates.advance(micros, at(offset + span * 9 / 10), 0);
                assert_eq!(rates.tally(0).failed, 1, "{span} from {offset}");
                rates.advance(micros, at(offset + span), 0);
                assert_eq!(rates.tally(0).failed, 0, "{span} from {offset}");
            }
        }
    }
}

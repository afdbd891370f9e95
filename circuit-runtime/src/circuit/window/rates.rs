//! The calls of a span of time, for rates.

use std::collections::VecDeque;

use super::limits::Tally;
use crate::clock::{Instant, Span};

/// Calls within a sliding time window, in buckets of 1/20: calls as old as the span no longer count,
/// those younger than 9/10 of it do.
///
/// One kilobyte, or 1.6 for a span of a few microseconds, for any number of calls. A fast success
/// costs nothing here: each bucket remembers how many there were before it. A failure costs the same
/// for every span and load.
pub(super) struct Rates {
    /// Oldest first, those without calls left out.
    buckets: VecDeque<Bucket>,
    /// The sums over all buckets.
    failed: u64,
    slow: u64,
    /// Calls that failed or were slow.
    noted: u64,
}

struct Bucket {
    /// Its start, in bucket lengths.
    index: u64,
    /// Fast successes before it.
    fast_successes_before: u64,
    failed: u64,
    slow: u64,
    noted: u64,
}

impl Rates {
    const PER_SPAN: u64 = 20;

    pub(super) fn new(span: Span) -> Self {
        let capacity = usize::try_from(Self::per_span(span)).unwrap_or_default();
        Self {
            buckets: VecDeque::with_capacity(capacity),
            failed: 0,
            slow: 0,
            noted: 0,
        }
    }

    pub(super) fn clear(&mut self) {
        self.buckets.clear();
        (self.failed, self.slow, self.noted) = (0, 0, 0);
    }

    /// Advances to `now`, by when there were `fast_successes` in all.
    pub(super) fn advance(&mut self, span: Span, now: Instant, fast_successes: u64) {
        let index = now.as_micros() / Self::length(span);
        if self
            .buckets
            .back()
            .is_none_or(|latest| latest.index < index)
        {
            if let Some(last) = index.checked_sub(Self::per_span(span)) {
                self.forget_until(last);
            }
            self.buckets.push_back(Bucket::new(index, fast_successes));
        }
    }

    /// Returns the length of a bucket, in microseconds.
    fn length(span: Span) -> u64 {
        (span.as_micros() / Self::PER_SPAN).max(1)
    }

    /// Returns how many buckets are in the span: more than twenty if it cannot be divided evenly,
    /// but fewer than twice as many. The remainder and the current bucket are together less than
    /// two twentieths.
    fn per_span(span: Span) -> u64 {
        span.as_micros() / Self::length(span)
    }

    /// Forgets the buckets up to `last`.
    fn forget_until(&mut self, last: u64) {
        while self
            .buckets
            .front()
            .is_some_and(|bucket| bucket.index <= last)
        {
            if let Some(bucket) = self.buckets.pop_front() {
                self.failed -= bucket.failed;
                self.slow -= bucket.slow;
                self.noted -= bucket.noted;
            }
        }
    }

    /// Adds a call that failed or was slow.
    pub(super) fn add(&mut self, failed: bool, slow: bool) {
        if let Some(bucket) = self.buckets.back_mut() {
            bucket.failed += u64::from(failed);
            bucket.slow += u64::from(slow);
            bucket.noted += 1;
            self.failed += u64::from(failed);
            self.slow += u64::from(slow);
            self.noted += 1;
        }
    }

    pub(super) fn tally(&self, fast_successes: u64) -> Tally {
        let before = self
            .buckets
            .front()
            .map_or(0, |oldest| oldest.fast_successes_before);
        Tally {
            calls: fast_successes.saturating_sub(before) + self.noted,
            failed: self.failed,
            slow: self.slow,
            overdue: 0,
        }
    }

    /// Returns when time alone changes the tally next.
    pub(super) fn changes_at(&self, span: Span) -> Instant {
        let next = self.buckets.back().map_or(0, |latest| latest.index + 1);
        Instant::from_micros(next.saturating_mul(Self::length(span)))
    }
}

impl Bucket {
    fn new(index: u64, fast_successes_before: u64) -> Self {
        Self {
            index,
            fast_successes_before,
            failed: 0,
            slow: 0,
            noted: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Rates;
    use crate::clock::{Instant, Span};
    use std::time::Duration;

    fn at(micros: u64) -> Instant {
        Instant::from_micros(micros)
    }

    #[test]
    fn the_first_span_of_the_clock_is_counted_like_any_other() {
        let span = Span::of(Duration::from_secs(12));
        let mut rates = Rates::new(span);
        for second in 0..12 {
            rates.advance(span, at(second * 1_000_000), second);
            rates.add(true, false);
            assert_eq!(rates.tally(second).failed, second + 1);
        }
        rates.advance(span, at(12_000_000), 12);
        assert_eq!(rates.tally(12).failed, 11);
        assert_eq!(rates.tally(12).calls, 11 + 11);
    }

    /// Calls as old as the span no longer count, those younger than nine tenths of it do.
    #[test]
    fn rates_over_a_span_of_any_length_are_exact_to_a_tenth() {
        for span in (1..200).chain([999, 1_000, 1_001, 9_999_999, 10_000_000]) {
            for offset in [0, 1, 7, span / 2, span, 3 * span + 1] {
                let micros = Span::of(Duration::from_micros(span));
                let mut rates = Rates::new(micros);
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

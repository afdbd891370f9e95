use std::collections::VecDeque;

use super::limits::Tally;
use crate::clock::{Instant, Span};

/// The calls in a span of time that ends now, counted in twentieths of it: what is as old as the span is
/// out, and what is younger by a tenth of it is in.
///
/// In one kilobyte, or 1.6 for a span of a few microseconds, whatever the number of calls. A quick success costs nothing here:
/// of those the sum at the beginning of each slice is kept. Neither the span nor the traffic changes
/// what a failure costs.
pub(super) struct Rates {
    /// How long a slice lasts, in microseconds.
    length: u64,
    /// How many slices are in the span.
    most: u64,
    /// Oldest first, those without calls left out.
    slices: VecDeque<Slice>,
    /// The sums over all slices.
    failed: u64,
    slow: u64,
    /// Of calls that failed or were slow.
    noted: u64,
}

struct Slice {
    /// Its place on the time line, in lengths of a slice.
    index: u64,
    /// Quick successes before it.
    answered_before: u64,
    failed: u64,
    slow: u64,
    noted: u64,
}

impl Rates {
    const SLICES: u64 = 20;

    pub(super) fn new(span: Span) -> Self {
        let length = (span.as_micros() / Self::SLICES).max(1);
        // Of a span that cannot be divided evenly more, but fewer than twice as many. What is left of
        // it, and the slice that is under way, are less than two of twenty.
        let most = span.as_micros() / length;
        let capacity = usize::try_from(most).unwrap_or_default();
        Self {
            length,
            most,
            slices: VecDeque::with_capacity(capacity),
            failed: 0,
            slow: 0,
            noted: 0,
        }
    }

    pub(super) fn clear(&mut self) {
        self.slices.clear();
        (self.failed, self.slow, self.noted) = (0, 0, 0);
    }

    /// Goes on to `now`, by when there were so many quick successes.
    pub(super) fn advance(&mut self, now: Instant, answered: u64) {
        let index = now.as_micros() / self.length;
        if self.slices.back().is_none_or(|latest| latest.index < index) {
            if let Some(last) = index.checked_sub(self.most) {
                self.forget_until(last);
            }
            self.slices.push_back(Slice::new(index, answered));
        }
    }

    /// Forgets the slices up to this one.
    fn forget_until(&mut self, last: u64) {
        while self.slices.front().is_some_and(|slice| slice.index <= last) {
            if let Some(slice) = self.slices.pop_front() {
                self.failed -= slice.failed;
                self.slow -= slice.slow;
                self.noted -= slice.noted;
            }
        }
    }

    /// Adds a call that failed or was slow.
    pub(super) fn add(&mut self, failed: bool, slow: bool) {
        if let Some(slice) = self.slices.back_mut() {
            slice.failed += u64::from(failed);
            slice.slow += u64::from(slow);
            slice.noted += 1;
            self.failed += u64::from(failed);
            self.slow += u64::from(slow);
            self.noted += 1;
        }
    }

    pub(super) fn tally(&self, answered: u64) -> Tally {
        let before = self
            .slices
            .front()
            .map_or(0, |oldest| oldest.answered_before);
        Tally {
            calls: answered.saturating_sub(before) + self.noted,
            failed: self.failed,
            slow: self.slow,
            hanging: 0,
        }
    }

    /// When time alone changes the tally next.
    pub(super) fn changes_at(&self) -> Instant {
        let next = self.slices.back().map_or(0, |latest| latest.index + 1);
        Instant::from_micros(next.saturating_mul(self.length))
    }
}

impl Slice {
    fn new(index: u64, answered_before: u64) -> Self {
        Self {
            index,
            answered_before,
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
    fn the_first_window_of_the_clock_is_one_like_any_other() {
        let mut rates = Rates::new(Span::from_duration(Duration::from_secs(12)));
        for second in 0..12 {
            rates.advance(at(second * 1_000_000), second);
            rates.add(true, false);
            assert_eq!(rates.tally(second).failed, second + 1);
        }
        rates.advance(at(12_000_000), 12);
        assert_eq!(rates.tally(12).failed, 11);
        assert_eq!(rates.tally(12).calls, 11 + 11);
    }

    /// No call counts that is as old as the span, and every one that is younger than nine tenths of it.
    #[test]
    fn spans_of_every_length_are_exact_to_a_tenth() {
        for span in (1..200).chain([999, 1_000, 1_001, 9_999_999, 10_000_000]) {
            for offset in [0, 1, 7, span / 2, span, 3 * span + 1] {
                let mut rates = Rates::new(Span::from_duration(Duration::from_micros(span)));
                rates.advance(at(offset), 0);
                rates.add(true, false);
                rates.advance(at(offset + span * 9 / 10), 0);
                assert_eq!(rates.tally(0).failed, 1, "{span} from {offset}");
                rates.advance(at(offset + span), 0);
                assert_eq!(rates.tally(0).failed, 0, "{span} from {offset}");
            }
        }
    }
}

use std::collections::VecDeque;

use super::limits::Tally;
use crate::clock::{Instant, Span};

/// The calls in a span of time that ends now, counted in twelfths of it, so that what is as old as the
/// span is out and what is younger by a tenth of it is in.
///
/// In half a kilobyte, whatever the span and the number of calls. A quick success costs nothing here:
/// of those the sum at the beginning of each slice is kept. Neither the span nor the traffic changes
/// what a failure costs.
#[derive(Debug)]
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

#[derive(Debug)]
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
    const SLICES: u64 = 12;
    /// Spans that are not divided evenly have more slices, but fewer than twice as many.
    const MOST_SLICES: usize = 24;

    pub(super) fn new(span: Span) -> Self {
        let length = (span.as_micros() / Self::SLICES).max(1);
        Self {
            length,
            most: span.as_micros() / length,
            slices: VecDeque::with_capacity(Self::MOST_SLICES),
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

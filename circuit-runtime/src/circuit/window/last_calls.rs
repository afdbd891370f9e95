//! The last calls, as many as the window holds.

use super::tally::Tally;

/// The bits of a word.
const WORD: usize = u64::BITS as usize;

/// The last calls, however long ago, as many as the window holds.
///
/// Exact, up to 65 536 calls, in one bit per call from the first failure on, and another from the
/// first slow call on. A success costs nothing here. A failure first shifts out what the successes
/// since the previous one have displaced, 64 at a time, or all at once if they fill the window.
pub(super) struct LastCalls {
    capacity: usize,
    /// Calls so far, up to the capacity.
    calls: usize,
    /// Successes within `slow_call` so far, except for those that were counted elsewhere before.
    fast_successes: u64,
    /// The index of the next call.
    next: usize,
    failed: Marks,
    slow: Marks,
}

impl LastCalls {
    /// Creates an empty window for this many calls that end after `fast_successes`.
    pub(super) fn new(capacity: u32, fast_successes: u64) -> Self {
        Self {
            capacity: capacity as usize,
            calls: 0,
            fast_successes,
            next: 0,
            failed: Marks::default(),
            slow: Marks::default(),
        }
    }

    /// Adds fast successes that were counted elsewhere.
    pub(super) fn take(&mut self, fast_successes: u64) {
        // More calls than the window holds displace no more than it holds.
        self.push(usize::try_from(fast_successes).unwrap_or(usize::MAX));
    }

    pub(super) fn clear(&mut self) {
        self.calls = 0;
        self.fast_successes = 0;
        self.next = 0;
        self.failed.clear();
        self.slow.clear();
    }

    /// Returns whether a call that failed or was slow may be in the window, after `fast_successes`
    /// in all. Those since the last time have displaced all such calls only if they fill the
    /// window.
    pub(super) fn has_evidence(&self, fast_successes: u64) -> bool {
        let more = fast_successes.saturating_sub(self.fast_successes);
        let is_any = self.failed.count > 0 || self.slow.count > 0;
        is_any && more < self.capacity as u64
    }

    /// Adds the fast successes since the last time, of which there were `fast_successes` in all.
    pub(super) fn advance(&mut self, fast_successes: u64) {
        let more = fast_successes.saturating_sub(self.fast_successes);
        self.fast_successes = self.fast_successes.max(fast_successes);
        if more > 0 {
            self.take(more);
        }
    }

    /// Adds a call that failed or was slow.
    pub(super) fn add(&mut self, failed: bool, slow: bool) {
        self.failed.replace(self.next, failed, self.capacity);
        self.slow.replace(self.next, slow, self.capacity);
        let next = self.next.saturating_add(1);
        self.next = if next < self.capacity { next } else { 0 };
        self.calls = self.calls.saturating_add(1).min(self.capacity);
    }

    /// Adds up the calls in the window.
    pub(super) fn tally(&self) -> Tally {
        Tally {
            calls: self.calls as u64,
            failed: self.failed.count,
            slow: self.slow.count,
            overdue: 0,
        }
    }

    /// Adds up the calls in the window after one more failure.
    pub(super) fn tally_with_failure(&self) -> Tally {
        let tally = self.tally();
        let others = |marks: &Marks| marks.count.saturating_sub(marks.at(self.next));
        Tally {
            calls: tally.calls.saturating_add(1).min(self.capacity as u64),
            failed: others(&self.failed).saturating_add(1),
            slow: others(&self.slow),
            ..tally
        }
    }

    /// Adds `calls` that neither failed nor were slow.
    fn push(&mut self, calls: usize) {
        let capacity = self.capacity;
        if calls >= capacity {
            self.failed.clear();
            self.slow.clear();
        } else {
            let end = self.next.saturating_add(calls);
            for marks in [&mut self.failed, &mut self.slow] {
                marks.clear_between(self.next, end.min(capacity));
                marks.clear_between(0, end.saturating_sub(capacity));
            }
        }
        let next = self
            .next
            .saturating_add(calls.checked_rem(capacity).unwrap_or(0));
        self.next = next.checked_rem(capacity).unwrap_or(0);
        self.calls = self.calls.saturating_add(calls).min(capacity);
    }
}

/// The indices that are marked, one bit each.
#[derive(Default)]
struct Marks {
    /// Empty before the first mark.
    words: Box<[u64]>,
    count: u64,
}

impl Marks {
    fn clear(&mut self) {
        if self.count > 0 {
            self.words.fill(0);
            self.count = 0;
        }
    }

    /// Returns 1 if an index is marked, and 0 if not.
    fn at(&self, index: usize) -> u64 {
        let word = self.words.get(index / WORD).copied().unwrap_or(0);
        word >> (index % WORD) & 1
    }

    /// Marks an index, or clears it.
    fn replace(&mut self, index: usize, marked: bool, capacity: usize) {
        if marked && self.words.is_empty() {
            self.words = std::iter::repeat_n(0, capacity.div_ceil(WORD)).collect();
        }
        if let Some(word) = self.words.get_mut(index / WORD) {
            let bit = index % WORD;
            let before = *word >> bit & 1;
            *word = *word & !(1 << bit) | u64::from(marked) << bit;
            let others = self.count.saturating_sub(before);
            self.count = others.saturating_add(marked.into());
        }
    }

    /// Clears the marks of `begin..end`.
    fn clear_between(&mut self, begin: usize, end: usize) {
        if self.count == 0 || begin >= end {
            return;
        }
        let latest = end.saturating_sub(1);
        let (first, last) = (begin / WORD, latest / WORD);
        let words = self.words.get_mut(first..=last).unwrap_or_default();
        for (index, word) in (first..).zip(words) {
            let mut cleared = u64::MAX;
            if index == first {
                cleared &= u64::MAX << (begin % WORD);
            }
            if index == last {
                cleared &= u64::MAX >> (WORD - 1).saturating_sub(latest % WORD);
            }
            let marks = u64::from((*word & cleared).count_ones());
            self.count = self.count.saturating_sub(marks);
            *word &= !cleared;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Marks, WORD};

    #[test]
    fn clearing_a_range_of_marks_clears_nothing_beside_it() {
        const CAPACITY: usize = 2 * WORD + 2;

        for begin in 0..CAPACITY {
            for end in begin..=CAPACITY {
                let mut marks = Marks::default();
                for index in 0..CAPACITY {
                    marks.replace(index, true, CAPACITY);
                }
                marks.clear_between(begin, end);

                let is_set = |index: usize| marks.words[index / WORD] >> (index % WORD) & 1 == 1;
                let left = (0..CAPACITY).filter(|&index| is_set(index));
                assert!(
                    left.eq((0..begin).chain(end..CAPACITY)),
                    "from {begin} to {end}"
                );
                assert_eq!(marks.count, (CAPACITY - (end - begin)) as u64);
            }
        }
    }

    #[test]
    fn a_mark_is_replaced_by_the_next_call_at_its_index() {
        let mut marks = Marks::default();
        for (marked, count) in [(false, 0), (true, 1), (true, 1), (false, 0), (false, 0)] {
            marks.replace(WORD, marked, WORD + 1);
            assert_eq!(marks.count, count);
        }
    }
}

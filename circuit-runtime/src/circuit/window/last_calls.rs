use super::limits::Tally;

/// The last calls, however long ago, as many as the window holds.
///
/// Exact, up to 65 536 calls, in a bit a call: from the first failure on, and another from the first
/// slow call on. A success costs nothing here. A failure first pushes out what the successes since
/// the one before have displaced, in one step for 64 of them, and after a window of successes in one
/// step for all.
pub(super) struct LastCalls {
    window: usize,
    /// Calls so far, up to the size of the window.
    calls: usize,
    /// Quick successes among all calls so far.
    answered: u64,
    /// The place of the next call.
    next: usize,
    failed: Marks,
    slow: Marks,
}

impl LastCalls {
    pub(super) fn new(window: u32) -> Self {
        Self {
            window: window as usize,
            calls: 0,
            answered: 0,
            next: 0,
            failed: Marks::default(),
            slow: Marks::default(),
        }
    }

    pub(super) fn clear(&mut self) {
        self.calls = 0;
        self.answered = 0;
        self.next = 0;
        self.failed.clear();
        self.slow.clear();
    }

    /// Takes note of the quick successes so far.
    pub(super) fn advance(&mut self, answered: u64) {
        let more = answered.saturating_sub(self.answered);
        self.answered = self.answered.max(answered);
        // What is more than a window full displaces nothing more.
        self.push(usize::try_from(more).unwrap_or(usize::MAX));
    }

    /// Adds a call that failed or was slow.
    pub(super) fn add(&mut self, failed: bool, slow: bool) {
        let place = self.next;
        self.push(1);
        if failed {
            self.failed.set(place, self.window);
        }
        if slow {
            self.slow.set(place, self.window);
        }
    }

    pub(super) fn tally(&self) -> Tally {
        Tally {
            calls: self.calls as u64,
            failed: self.failed.count,
            slow: self.slow.count,
            hanging: 0,
        }
    }

    /// Adds so many calls that neither failed nor were slow.
    fn push(&mut self, calls: usize) {
        let window = self.window;
        if calls >= window {
            self.failed.clear();
            self.slow.clear();
        } else {
            let end = self.next + calls;
            for marks in [&mut self.failed, &mut self.slow] {
                marks.clear_between(self.next, end.min(window));
                marks.clear_between(0, end.saturating_sub(window));
            }
        }
        self.next = (self.next + calls % window) % window;
        self.calls = self.calls.saturating_add(calls).min(window);
    }
}

/// The places that are marked, a bit each.
#[derive(Default)]
struct Marks {
    /// None before the first mark.
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

    /// Marks a place that is not marked.
    fn set(&mut self, place: usize, places: usize) {
        if self.words.is_empty() {
            self.words = std::iter::repeat_n(0, places.div_ceil(WORD)).collect();
        }
        if let Some(word) = self.words.get_mut(place / WORD) {
            *word |= 1 << (place % WORD);
            self.count += 1;
        }
    }

    fn clear_between(&mut self, begin: usize, end: usize) {
        if self.count == 0 || begin >= end {
            return;
        }
        let (first, last) = (begin / WORD, (end - 1) / WORD);
        let words = self.words.get_mut(first..=last).unwrap_or_default();
        for (index, word) in (first..).zip(words) {
            let mut cleared = u64::MAX;
            if index == first {
                cleared &= u64::MAX << (begin % WORD);
            }
            if index == last {
                cleared &= u64::MAX >> (WORD - 1 - (end - 1) % WORD);
            }
            self.count -= u64::from((*word & cleared).count_ones());
            *word &= !cleared;
        }
    }
}

const WORD: usize = u64::BITS as usize;

#[cfg(test)]
mod tests {
    use super::{Marks, WORD};

    #[test]
    fn a_range_is_cleared_and_no_place_beside_it() {
        const GROUPS: usize = 2 * WORD + 2;

        for begin in 0..GROUPS {
            for end in begin..=GROUPS {
                let mut marks = Marks::default();
                for place in 0..GROUPS {
                    marks.set(place, GROUPS);
                }
                marks.clear_between(begin, end);

                let is_set = |place: usize| marks.words[place / WORD] >> (place % WORD) & 1 == 1;
                let left = (0..GROUPS).filter(|&place| is_set(place));
                assert!(
                    left.eq((0..begin).chain(end..GROUPS)),
                    "from {begin} to {end}"
                );
                assert_eq!(marks.count, (GROUPS - (end - begin)) as u64);
            }
        }
    }
}

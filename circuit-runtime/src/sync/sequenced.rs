//! Words that change together.

use super::Ordering;
use super::live::LiveU64;

/// Words that are read without a lock, all from before a change or all from after it.
///
/// A sequence counter tells: it is odd during a change, and a reader that finds another number
/// after reading than before has seen parts of two changes (Boehm, "Can seqlocks get along with
/// programming language memory models?", 2012).
pub(crate) struct Sequenced<const N: usize> {
    sequence: LiveU64,
    words: [LiveU64; N],
}

impl<const N: usize> Sequenced<N> {
    pub(crate) fn new(words: [u64; N]) -> Self {
        Self {
            sequence: LiveU64::new(0),
            words: words.map(LiveU64::new),
        }
    }

    /// Returns the words; `None` if they change meanwhile.
    #[inline]
    pub(crate) fn read(&self) -> Option<[u64; N]> {
        // Acquire: the words are at least those that this number was given to.
        let sequence = self.sequence.load(Ordering::Acquire);
        // Acquire: a reader that sees a word of a later change also sees the number of that change.
        // It pairs with the releases in `write`.
        let words = std::array::from_fn(|index| match self.words.get(index) {
            Some(word) => word.load(Ordering::Acquire),
            None => 0,
        });
        // Relaxed: ordered after the words, as those are loaded by an acquire.
        let is_same = self.sequence.load(Ordering::Relaxed) == sequence;
        (is_same && sequence % 2 == 0).then_some(words)
    }

    /// Changes the words. Only one thread at a time may.
    pub(crate) fn write(&self, words: [u64; N]) {
        // Relaxed: no other thread writes it.
        let sequence = self.sequence.load(Ordering::Relaxed);
        self.sequence
            .store(sequence.wrapping_add(1), Ordering::Relaxed);
        for (word, value) in self.words.iter().zip(words) {
            // Release: publishes that the number is odd.
            word.store(value, Ordering::Release);
        }
        // Release: publishes the words.
        self.sequence
            .store(sequence.wrapping_add(2), Ordering::Release);
    }
}

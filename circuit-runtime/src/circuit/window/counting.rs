//! The work that the window needs of each call.

use crate::circuit::limits::Counted;
use crate::sync::live::LiveU8;
use crate::sync::{AtomicBool, Ordering};

/// The work that the window needs of each call, which reads it without a lock.
pub(super) struct Counting {
    /// A [`Counted`].
    counted: LiveU8,
    /// Nonzero if the durations of calls are measured.
    times_calls: LiveU8,
    /// A success changes something: all calls are counted, or there is a streak to reset.
    counts_successes: AtomicBool,
}

// Relaxed: a call is counted as before a change, or as after it. A failure that happened before a
// success, in any order that a caller could know of, is visible to it. If the two are concurrent,
// either may be the first.
impl Counting {
    pub(super) fn new(counted: Counted) -> Self {
        Self {
            counted: LiveU8::new(counted as u8),
            times_calls: LiveU8::new(counted.is_timed().into()),
            counts_successes: AtomicBool::new(counted.has_successes()),
        }
    }

    /// Returns the [`Counted`] as a number, which is to be read once: it may change.
    #[inline]
    pub(super) fn counted(&self) -> u8 {
        self.counted.load(Ordering::Relaxed)
    }

    /// Returns whether these results are counted.
    pub(super) fn is(&self, counted: Counted) -> bool {
        self.counted() == counted as u8
    }

    /// Returns whether all calls are counted.
    pub(super) fn is_of_calls(&self) -> bool {
        is_of_calls(self.counted())
    }

    /// Returns whether the durations of calls are measured.
    #[inline]
    pub(super) fn times_calls(&self) -> bool {
        self.times_calls.load(Ordering::Relaxed) != 0
    }

    /// Returns whether a success changes anything.
    #[inline]
    pub(super) fn counts_successes(&self) -> bool {
        self.counts_successes.load(Ordering::Relaxed)
    }

    /// Sets whether a success changes anything. Under the lock of the failures.
    pub(super) fn set_counts_successes(&self, counts_successes: bool) {
        self.counts_successes
            .store(counts_successes, Ordering::Relaxed);
    }

    /// Sets the results that are counted from now on.
    pub(super) fn set(&self, counted: Counted) {
        self.counted.store(counted as u8, Ordering::Relaxed);
        self.times_calls
            .store(counted.is_timed().into(), Ordering::Relaxed);
    }
}

/// Returns whether this number stands for all calls.
pub(super) fn is_of_calls(counted: u8) -> bool {
    counted == Counted::Calls as u8 || counted == Counted::TimedCalls as u8
}

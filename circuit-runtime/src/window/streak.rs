use super::Evidence;
use crate::state::Generation;
use crate::sync::{AtomicBool, Lock, Ordering};

/// Failures in a row, over any length of time; a success ends the row.
///
/// Exact, 32 bytes. A success that follows a success is one load of a line that nobody writes.
#[derive(Debug)]
pub(crate) struct Streak {
    limit: u32,
    /// Whether there is a row to end. Written under the lock.
    running: AtomicBool,
    length: Lock<Evidence<u32>>,
}

impl Streak {
    pub(super) fn new(limit: u32) -> Self {
        Self {
            limit,
            running: AtomicBool::new(false),
            length: Lock::new(Evidence::new(0)),
        }
    }

    #[inline]
    pub(super) fn success(&self, generation: Generation) {
        // Relaxed: a failure that came before this success in any order that a caller could know
        // of is visible here; of those that run beside it, either may be the first.
        if self.running.load(Ordering::Relaxed) {
            self.end(generation);
        }
    }

    #[cold]
    fn end(&self, generation: Generation) {
        self.length.with(|length| {
            if let Some(length) = length.of(generation, |length| *length = 0) {
                *length = 0;
                self.running.store(false, Ordering::Relaxed);
            }
        });
    }

    pub(super) fn failure(&self, generation: Generation) -> bool {
        self.length.with(|length| {
            let Some(length) = length.of(generation, |length| *length = 0) else {
                return false;
            };
            *length = length.saturating_add(1);
            self.running.store(true, Ordering::Relaxed);
            *length >= self.limit
        })
    }
}

use crate::evidence::Evidence;
use crate::state::Generation;
use crate::sync::{AtomicBool, Lock, OnceBox, Ordering};

/// Failures in a row, over any length of time; a success ends the row.
///
/// Exact, in one cache line. A success that follows a success loads it, and nobody writes it then.
#[derive(Default)]
pub(crate) struct Streak {
    /// Made by the first failure, apart from what every call reads.
    row: OnceBox<Row>,
}

#[derive(Debug)]
#[repr(align(64))]
struct Row {
    /// Whether there is a row to end. Written under the lock.
    running: AtomicBool,
    length: Lock<Evidence<u32>>,
}

impl Streak {
    #[inline]
    pub(super) fn success(&self, generation: Generation) {
        if let Some(row) = self.row.get() {
            // Relaxed: a failure that came before this success in any order that a caller could
            // know of is visible here; of those that run beside it, either may be the first.
            if row.running.load(Ordering::Relaxed) {
                row.end(generation);
            }
        }
    }

    pub(super) fn failure(&self, limit: u32, generation: Generation) -> bool {
        self.row.get_or_init(Box::default).grow(generation) >= limit
    }
}

impl Default for Row {
    fn default() -> Self {
        Self {
            running: AtomicBool::new(false),
            length: Lock::new(Evidence::new(0)),
        }
    }
}

impl Row {
    #[cold]
    fn end(&self, generation: Generation) {
        self.length.with(|length| {
            if let Some(length) = length.of(generation, |length| *length = 0) {
                *length = 0;
                self.running.store(false, Ordering::Relaxed);
            }
        });
    }

    /// Its length with one more failure; 0 when the failure is of an earlier generation.
    fn grow(&self, generation: Generation) -> u32 {
        self.length.with(|length| {
            let Some(length) = length.of(generation, |length| *length = 0) else {
                return 0;
            };
            *length = length.saturating_add(1);
            self.running.store(true, Ordering::Relaxed);
            *length
        })
    }
}

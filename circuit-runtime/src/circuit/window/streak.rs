use crate::circuit::evidence::Evidence;
use crate::circuit::state::Generation;
use crate::sync::lock::Lock;
use crate::sync::{AtomicBool, OnceBox, Ordering};

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
    /// Whether there is a row, for a success to end.
    #[inline]
    pub(super) fn is_running(&self) -> bool {
        self.row.get().is_some_and(Row::is_running)
    }

    /// Ends the row, unless it has reached the limit: whether it has.
    pub(super) fn success(&self, generation: Generation) -> bool {
        let row = self.row.get();
        row.is_some_and(|row| row.is_running() && row.end(generation))
    }

    /// Adds to the row; whether it has reached the limit.
    pub(super) fn failure(&self, limit: u32, generation: Generation) -> bool {
        self.row.get_or_init(Box::default).grow(limit, generation)
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

/// The length of a row that has reached the limit, until its generation is over. The thread that made it
/// so may not have opened the circuit yet: a success that comes between must not end the row, but open the
/// circuit in that thread's place. Otherwise its caller would find the circuit closed, and then open, without another failure.
const REACHED: u32 = u32::MAX;

impl Row {
    #[inline]
    fn is_running(&self) -> bool {
        // Relaxed: a failure that came before a success in any order that a caller could know of is
        // visible to it; of those that run beside it, either may be the first.
        self.running.load(Ordering::Relaxed)
    }

    #[cold]
    fn end(&self, generation: Generation) -> bool {
        self.length.with(|length| {
            let Some(length) = length.of(generation, |length| *length = 0) else {
                return false;
            };
            if *length != REACHED {
                *length = 0;
                self.running.store(false, Ordering::Relaxed);
            }
            *length == REACHED
        })
    }

    /// One more failure, which says nothing when it is of an earlier generation.
    fn grow(&self, limit: u32, generation: Generation) -> bool {
        self.length.with(|length| {
            let Some(length) = length.of(generation, |length| *length = 0) else {
                return false;
            };
            *length = length.saturating_add(1);
            if *length >= limit {
                *length = REACHED;
            }
            self.running.store(true, Ordering::Relaxed);
            *length == REACHED
        })
    }
}

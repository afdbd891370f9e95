//! Consecutive failures.

use super::limits::ReachedLimit;
use crate::circuit::evidence::Evidence;
use crate::circuit::policy::Limits;
use crate::circuit::state::Generation;
use crate::sync::lock::Lock;
use crate::sync::{AtomicBool, OnceBox, Ordering};

/// Sentinel length: the limit has been reached in this generation.
///
/// The thread that reached it may not have opened the circuit yet. A success in between must not
/// reset the streak but open the circuit itself; otherwise its caller would find the circuit
/// closed, and then open without another failure.
const REACHED: u32 = u32::MAX;

/// Consecutive failures, however far apart; a success resets them.
///
/// Exact, in one cache line. A success that follows a success loads that line, which no thread
/// writes meanwhile.
#[derive(Default)]
pub(crate) struct Streak {
    /// Allocated by the first failure, away from the fields that every call reads.
    run: OnceBox<Run>,
}

#[derive(Debug)]
#[repr(align(64))]
struct Run {
    /// There is a failure to forget. Written under the lock.
    running: AtomicBool,
    length: Lock<Evidence<u32>>,
}

impl Streak {
    /// Returns whether there is a failure, for a success to forget.
    #[inline]
    pub(super) fn is_running(&self) -> bool {
        self.run.get().is_some_and(Run::is_running)
    }

    /// Returns whether there is a failure of `generation`.
    pub(super) fn has_evidence(&self, generation: Generation) -> bool {
        let is_any = |length: &mut Evidence<u32>| length.get(generation).is_some();
        self.is_running() && self.run.get().is_some_and(|run| run.length.with(is_any))
    }

    /// Returns the number of failures, the limit if it is reached.
    pub(super) fn length(&self, limits: &Limits, generation: Generation) -> u32 {
        let length = |length: &mut Evidence<u32>| length.get(generation).copied();
        let length = self.run.get().and_then(|run| run.length.with(length));
        length.unwrap_or(0).min(limits.max_failures())
    }

    /// Resets the streak, unless it has reached the limit; returns the limit if it has.
    pub(super) fn success(&self, generation: Generation) -> Option<ReachedLimit> {
        let run = self.run.get()?;
        let reached = run.is_running() && run.reset(generation);
        reached.then_some(ReachedLimit::MaxFailures)
    }

    /// Adds a failure; returns the limit if the streak has reached it.
    pub(super) fn failure(&self, limits: &Limits, generation: Generation) -> Option<ReachedLimit> {
        let run = self.run.get_or_init(Box::default);
        let reached = run.grow(limits.max_failures(), generation);
        reached.then_some(ReachedLimit::MaxFailures)
    }
}

impl Default for Run {
    fn default() -> Self {
        Self {
            running: AtomicBool::new(false),
            length: Lock::new(Evidence::new(0)),
        }
    }
}

impl Run {
    #[inline]
    fn is_running(&self) -> bool {
        // Relaxed: a failure that happened before this success, in any order that a caller could
        // know of, is visible to it. Of two that run concurrently, either may be the first.
        self.running.load(Ordering::Relaxed)
    }

    /// Forgets the failures, unless the limit was reached; returns whether it was.
    #[cold]
    fn reset(&self, generation: Generation) -> bool {
        self.length.with(|length| {
            let Some(length) = length.for_generation(generation, |length| *length = 0) else {
                return false;
            };
            if *length != REACHED {
                *length = 0;
                // Relaxed: as above.
                self.running.store(false, Ordering::Relaxed);
            }
            *length == REACHED
        })
    }

    /// Adds a failure, unless it is stale; returns whether the limit is reached.
    fn grow(&self, limit: u32, generation: Generation) -> bool {
        self.length.with(|length| {
            let Some(length) = length.for_generation(generation, |length| *length = 0) else {
                return false;
            };
            // Relaxed: as above.
            self.running.store(true, Ordering::Relaxed);
            if *length >= limit.wrapping_sub(1) {
                return reach(length);
            }
            *length = length.wrapping_add(1);
            false
        })
    }
}

/// Ends the streak at its limit. Out of line, as most failures do not come this far.
#[cold]
#[inline(never)]
fn reach(length: &mut u32) -> bool {
    *length = REACHED;
    true
}

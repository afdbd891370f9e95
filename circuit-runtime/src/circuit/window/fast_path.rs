//! Until when calls take the fast path of a ledger.

use crate::circuit::ticket::GROUP_BITS;
use crate::clock::Instant;
use crate::sync::{AtomicU64, Ordering};

/// Stands for the group of a call where no call is timed.
pub(super) const NO_GROUP: usize = (1 << GROUP_BITS) - 1;

/// Until when fast successes can skip the lock, packed with the current group.
#[derive(Default)]
pub(super) struct FastPath(AtomicU64);

impl FastPath {
    /// Later than every moment.
    pub(super) const FOREVER: Instant = Instant::from_micros(u64::MAX >> GROUP_BITS);

    /// Returns the group of a call that starts `now`, if it can skip the lock.
    #[inline]
    pub(super) fn group_at(&self, now: Instant) -> Option<usize> {
        // Relaxed: a call that needs to know more takes the lock. A thread that misses the latest
        // value counts its call unjudged, and the next call that ends judges it.
        let bits = self.0.load(Ordering::Relaxed);
        let group = bits & ((1 << GROUP_BITS) - 1);
        (now.as_micros() < bits >> GROUP_BITS).then_some(group as usize)
    }

    /// Called under the lock.
    pub(super) fn set(&self, until: Instant, group: usize) {
        let until = until.min(Self::FOREVER).as_micros();
        let bits = until << GROUP_BITS | group as u64;
        // Relaxed: as above. All threads read it, so it is written only to be changed.
        if self.0.load(Ordering::Relaxed) != bits {
            self.0.store(bits, Ordering::Relaxed);
        }
    }
}

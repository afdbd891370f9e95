//! The eviction bookkeeping of a keyed circuit.

use crate::sync::{AtomicBool, AtomicU32, Ordering};

/// The bookkeeping, kept in the circuit so that an idle breaker is one allocation. Only keyed
/// circuits use it.
#[derive(Default)]
pub(crate) struct Residency {
    /// The reference bit of the CLOCK algorithm: set on each lookup.
    referenced: AtomicBool,
    /// References held by the index; more than one while a removed entry waits for reclamation.
    index_refs: AtomicU32,
}

// Relaxed throughout: these fields only order eviction. Safety rests on the reference count.
impl Residency {
    #[inline]
    pub(crate) fn touch(&self) {
        // Read first, so that threads which share the bit do not write.
        if !self.referenced.load(Ordering::Relaxed) {
            self.referenced.store(true, Ordering::Relaxed);
        }
    }

    /// Clears the reference bit and returns whether it was set.
    pub(crate) fn take_referenced(&self) -> bool {
        self.referenced.swap(false, Ordering::Relaxed)
    }

    pub(crate) fn index_refs(&self) -> usize {
        self.index_refs.load(Ordering::Relaxed) as usize
    }

    pub(crate) fn add_index_ref(&self) {
        self.index_refs.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn remove_index_ref(&self) {
        self.index_refs.fetch_sub(1, Ordering::Relaxed);
    }
}

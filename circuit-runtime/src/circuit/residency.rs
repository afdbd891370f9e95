//! The eviction bookkeeping of a keyed circuit.

use std::num::NonZeroU16;

use crate::sync::{AtomicBool, AtomicU16, AtomicU32, Ordering};

/// The bookkeeping, kept in the circuit so that an idle breaker is one allocation. Only keyed
/// circuits use it.
#[derive(Default)]
pub(crate) struct Residency {
    /// The reference bit of the CLOCK algorithm: set on each lookup.
    referenced: AtomicBool,
    /// True while the circuit is resident: only then may handles be cached.
    resident: AtomicBool,
    /// The [`Tag`] of its key, once that has been busy; otherwise zero.
    tag: AtomicU16,
    /// References held by the index; more than one while a removed entry waits for reclamation.
    index_refs: AtomicU32,
}

/// Some bits of the hash of a key, by which its cached handles are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag(NonZeroU16);

impl Tag {
    #[inline]
    pub(crate) fn from_hash(hash: u64) -> Self {
        Self(NonZeroU16::MIN | (hash >> (u64::BITS - u16::BITS)) as u16)
    }

    #[inline]
    pub(crate) fn bits(self) -> u16 {
        self.0.get()
    }
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

    #[inline]
    pub(crate) fn is_resident(&self) -> bool {
        self.resident.load(Ordering::Relaxed)
    }

    pub(crate) fn set_resident(&self, resident: bool) {
        self.resident.store(resident, Ordering::Relaxed);
    }

    /// Returns the tag of its handles if some may be cached.
    #[inline]
    pub(crate) fn tag(&self) -> Option<Tag> {
        NonZeroU16::new(self.tag.load(Ordering::Relaxed)).map(Tag)
    }

    /// Lets threads cache its handles from now on. All threads give it the same tag.
    pub(crate) fn set_tag(&self, tag: Tag) {
        self.tag.store(tag.bits(), Ordering::Relaxed);
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

//! Handles of busy keys, which each thread keeps for its next call.
//!
//! A call that finds its key in the index clones a handle, and drops it at its end: two writes to a
//! reference count that all threads share. A call with a busy key takes a handle out of the cache
//! of its thread instead, and puts it back, so that no thread writes where another one does.
//!
//! A cached handle is a strong reference like any other. As long as it exists, its circuit is in
//! the index, or retired and found by its key; so a key never has two circuits at a time. Before a
//! circuit is evicted, its cached handles are withdrawn from all threads, idle ones included. While
//! a call holds a handle, the circuit is in use. If it was evicted all the same, the handle is
//! dropped when it is put back or, if the eviction is too recent to be seen, withdrawn by the next
//! sweep.
//!
//! The cache is set-associative, as those of processors are: the tag of a key selects a set, and
//! its handles may be in any way of that set.

use std::sync::Arc;

use crate::circuit::{Circuit, Tag};
#[cfg(any(circuit_loom, circuit_shuttle))]
use crate::sync::checker;
use crate::sync::once_box::OnceBox;
use crate::sync::thread::{self, SLOTS};
use crate::sync::{AtomicCell, AtomicU16, Ordering};

/// The number of sets.
const SETS: usize = if cfg!(any(circuit_loom, circuit_shuttle)) {
    1
} else {
    256
};

/// The number of handles in a set.
const WAYS: usize = 2;

/// One cache for each thread slot, allocated when its first handle is put back.
#[cfg(not(any(circuit_loom, circuit_shuttle)))]
static CACHES: [OnceBox<Cache>; SLOTS as usize] = [const { OnceBox::new() }; SLOTS as usize];

#[cfg(any(circuit_loom, circuit_shuttle))]
checker::lazy_static! {
    static ref CACHES: Vec<OnceBox<Cache>> = (0..SLOTS).map(|_| OnceBox::default()).collect();
}

#[repr(align(64))]
struct Cache([Set; SETS]);

#[derive(Default)]
#[repr(align(32))]
struct Set {
    /// The tag of the handle in each way, zero if it has none. Only the owner of the slot writes
    /// it, so a way with a tag may be empty: its handle may have been withdrawn since.
    tags: [AtomicU16; WAYS],
    handles: [AtomicCell<Option<Arc<Circuit>>>; WAYS],
}

/// Takes a handle with this tag out of the calling thread's cache. Drops it if it is not wanted.
#[inline]
pub(super) fn take(tag: Tag, is_wanted: impl FnOnce(&Circuit) -> bool) -> Option<Arc<Circuit>> {
    own()?.get()?.set(tag).take(tag, is_wanted)
}

/// Puts a handle into the calling thread's cache, for its next call. A thread without a slot has no
/// cache, and drops the handle.
#[inline]
pub(super) fn put(tag: Tag, handle: Arc<Circuit>) {
    match own().and_then(OnceBox::get) {
        Some(cache) if handle.residency().is_resident() => cache.set(tag).put(tag, handle),
        _ => put_first(tag, handle),
    }
}

#[cold]
#[inline(never)]
fn put_first(tag: Tag, handle: Arc<Circuit>) {
    if let (Some(cache), true) = (own(), handle.residency().is_resident()) {
        let cache = cache.get_or_init(Box::default);
        cache.set(tag).put(tag, handle);
    }
}

/// Drops the handles to `circuit` in the caches of all threads. A thread that has taken one out may
/// put it back afterwards.
pub(super) fn withdraw(circuit: &Circuit) {
    let Some(tag) = circuit.residency().tag() else {
        return; // none was ever put into a cache
    };
    for cache in CACHES.iter().filter_map(OnceBox::get) {
        cache.set(tag).withdraw(tag);
    }
}

#[inline]
fn own() -> Option<&'static OnceBox<Cache>> {
    CACHES.get(thread::current_slot() as usize)
}

impl Cache {
    #[inline]
    fn set(&self, tag: Tag) -> &Set {
        let [first, ..] = &self.0;
        // The high bits: as many as there are sets.
        let index = (usize::from(tag.bits()) * SETS) >> u16::BITS;
        self.0.get(index).unwrap_or(first)
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Set::default()))
    }
}

// Relaxed throughout: the tags have one writer at a time, ordered by the thread slots, and are
// hints to `withdraw`. The handles synchronize themselves.
impl Set {
    #[inline]
    fn take(&self, tag: Tag, is_wanted: impl FnOnce(&Circuit) -> bool) -> Option<Arc<Circuit>> {
        let way = self.find(tag.bits())?;
        let handle = self.handles.get(way)?.take();
        self.set_tag(way, 0);
        handle.filter(|handle| is_wanted(handle))
    }

    #[inline]
    fn put(&self, tag: Tag, handle: Arc<Circuit>) {
        // If all ways are taken, the last makes room.
        let way = self.find(0).unwrap_or(WAYS - 1);
        if let Some(handles) = self.handles.get(way) {
            let evicted = handles.swap(Some(handle));
            self.set_tag(way, tag.bits());
            drop(evicted);
        }
    }

    /// Drops the handles with this tag. Another circuit with the same tag may lose its own, too.
    fn withdraw(&self, tag: Tag) {
        for (known, handle) in self.tags.iter().zip(&self.handles) {
            if known.load(Ordering::Relaxed) == tag.bits() {
                drop(handle.take());
            }
        }
    }

    /// Returns the first way with this tag.
    #[inline]
    fn find(&self, tag: u16) -> Option<usize> {
        let is_known = |known: &AtomicU16| known.load(Ordering::Relaxed) == tag;
        self.tags.iter().position(is_known)
    }

    #[inline]
    fn set_tag(&self, way: usize, tag: u16) {
        if let Some(known) = self.tags.get(way) {
            known.store(tag, Ordering::Relaxed);
        }
    }
}

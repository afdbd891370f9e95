//! Values striped over threads: each thread writes its own, readers visit all.

use std::array;

use super::OnceBox;
use super::thread::{self, SLOTS};

/// How many slots are stored inline. Fewer in a model, so that its threads use both kinds.
const INLINE: usize = if cfg!(any(circuit_loom, circuit_shuttle)) {
    2
} else {
    8
};

/// One `T` per thread slot, written by the slot's owner alone, with plain loads and stores. Readers
/// visit all of them.
///
/// Align `T` to a cache line, so that no two threads write to the same one.
///
/// The first slots are stored inline, later ones are allocated on first use. A slot's next owner
/// continues where the last one stopped; [`thread::Slots`] orders the two.
pub(crate) struct Striped<T: 'static> {
    inline: [T; INLINE],
    spilled: [OnceBox<T>; SLOTS as usize - INLINE],
}

impl<T: Default> Striped<T> {
    /// Calls `act` with the calling thread's own `T`; `None` if the thread has none yet.
    #[inline]
    pub(crate) fn with_own<R>(&self, act: impl FnOnce(&T) -> R) -> Option<R> {
        let slot = thread::current_slot() as usize;
        match self.inline(slot) {
            Some(inline) => Some(act(inline)),
            None => self.spilled(slot)?.get().map(act),
        }
    }

    /// Returns the calling thread's own `T`, created on the first call; `None` for a thread without
    /// a slot.
    #[inline(never)]
    pub(crate) fn make_own(&self) -> Option<&T> {
        let slot = thread::slot()? as usize;
        let make_spilled = || Some(self.spilled(slot)?.get_or_init(Box::default));
        self.inline(slot).or_else(make_spilled)
    }

    /// Returns the `T` of a slot, if it has one.
    #[inline]
    pub(crate) fn of_slot(&self, slot: usize) -> Option<&T> {
        match self.inline(slot) {
            Some(inline) => Some(inline),
            None => self.spilled(slot)?.get(),
        }
    }

    /// Iterates over the `T` of every slot that has one.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        let spilled = self.spilled.iter().filter_map(OnceBox::get);
        self.inline.iter().chain(spilled)
    }

    #[inline]
    fn inline(&self, slot: usize) -> Option<&T> {
        self.inline.get(slot)
    }

    #[inline]
    fn spilled(&self, slot: usize) -> Option<&OnceBox<T>> {
        self.spilled.get(slot.checked_sub(INLINE)?)
    }
}

impl<T: Default> Default for Striped<T> {
    fn default() -> Self {
        Self {
            inline: array::from_fn(|_| T::default()),
            spilled: array::from_fn(|_| OnceBox::default()),
        }
    }
}

/// Aligned so that no other data shares its cache line.
#[repr(align(64))]
pub(crate) struct CachePadded<T>(pub(crate) T);

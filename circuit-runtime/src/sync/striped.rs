//! Values striped over threads: each thread writes its own, readers visit all.

use std::array;

use super::once_box::OnceBox;
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

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::Striped;
    use crate::sync::thread::SLOTS;
    use crate::sync::thread::tests::ALL_SLOTS;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    /// Counts as a total does, on a line of each thread or together.
    #[derive(Default)]
    struct Count {
        own: Striped<AtomicU64>,
        slotless: AtomicU64,
    }

    impl Count {
        /// Returns `true` if the thread has counted on its own.
        fn add(&self) -> bool {
            let add = |own: &AtomicU64| {
                let count = own.load(Ordering::Relaxed);
                own.store(count + 1, Ordering::Relaxed);
            };
            let own = self.own.with_own(add);
            let is_own = own.or_else(|| self.own.make_own().map(add)).is_some();
            if !is_own {
                self.slotless.fetch_add(1, Ordering::Relaxed);
            }
            is_own
        }

        fn total(&self) -> u64 {
            let own = self.own.iter().map(|own| own.load(Ordering::Relaxed));
            own.sum::<u64>() + self.slotless.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn a_thread_beyond_the_slots_counts_exactly_before_and_after_it_gets_one() {
        const EARLY: usize = SLOTS as usize;
        const CALLS: usize = 1_000;
        let _all_slots = ALL_SLOTS.lock().unwrap();
        let count = Count::default();
        let (taken, released) = (Barrier::new(EARLY + 1), Barrier::new(2));
        let late_calls = thread::scope(|scope| {
            let early: Vec<_> = (0..EARLY)
                .map(|_| {
                    scope.spawn(|| {
                        count.add();
                        taken.wait();
                        (1..CALLS).for_each(|_| _ = count.add());
                    })
                })
                .collect();
            let late = scope.spawn(|| {
                taken.wait();
                (0..CALLS).for_each(|_| _ = count.add());
                released.wait();
                let slotless = (0..CALLS).take_while(|_| !count.add()).count();
                assert!(slotless < 64, "{slotless}");
                (0..CALLS).for_each(|_| assert!(count.add()));
                CALLS + slotless + 1 + CALLS
            });
            for early in early {
                early.join().unwrap();
            }
            released.wait();
            late.join().unwrap()
        });
        assert_eq!(count.total(), (EARLY * CALLS + late_calls) as u64);
    }
}

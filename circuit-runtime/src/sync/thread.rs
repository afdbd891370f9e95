//! Thread slots, small indices that threads reuse after one another, and the lifecycle behind them:
//! from a thread's first use of something until the thread exits.

use std::cell::Cell;

#[cfg(any(circuit_loom, circuit_shuttle))]
use super::checker;
use super::{AtomicU64, LocalKey, Ordering};

/// How many threads can hold a slot at once. Under loom all of them, under shuttle too few, so that
/// the path of threads without a slot is exercised.
pub(crate) const SLOTS: u32 = if cfg!(circuit_loom) {
    4
} else if cfg!(circuit_shuttle) {
    3
} else {
    63
};

#[cfg(not(any(circuit_loom, circuit_shuttle)))]
static TAKEN: Slots = Slots::new();

#[cfg(any(circuit_loom, circuit_shuttle))]
checker::lazy_static! {
    static ref TAKEN: Slots = Slots::new();
}

#[cfg(not(any(circuit_loom, circuit_shuttle)))]
thread_local! {
    static SLOT: Cell<u32> = const { Cell::new(Lifecycle::UNKNOWN) };
    static SLOT_GUARD: ExitGuard = const { ExitGuard::new(release) };
}

#[cfg(any(circuit_loom, circuit_shuttle))]
checker::thread_local! {
    static SLOT: Cell<u32> = Cell::new(Lifecycle::UNKNOWN);
    static SLOT_GUARD: ExitGuard = ExitGuard::new(release);
}

const SLOT_LIFECYCLE: Lifecycle = Lifecycle::new(&SLOT, &SLOT_GUARD);

/// Returns the calling thread's slot, below [`SLOTS`], taken on the first call. No other thread
/// holds it at the same time. `None` for a thread whose first call found all slots taken, or that
/// is exiting.
pub(crate) fn slot() -> Option<u32> {
    SLOT_LIFECYCLE.get_or_acquire(|| true, || TAKEN.take())
}

/// Returns the calling thread's slot if it has taken one; otherwise a value that is not below
/// [`SLOTS`].
#[inline]
pub(crate) fn current_slot() -> u32 {
    SLOT_LIFECYCLE.current()
}

/// Releases the calling thread's slot, as its exit does: a model ends with its main thread, so its
/// threads have to call this.
#[cfg(any(circuit_loom, circuit_shuttle))]
pub(crate) fn release_slot() {
    if let Some(slot) = SLOT_LIFECYCLE.end() {
        release(slot);
    }
}

/// Destructors that run later may still make calls.
fn release(slot: u32) {
    SLOT_LIFECYCLE.forget();
    TAKEN.release(slot);
}

/// The slots that running threads hold, one bit each.
#[derive(Debug)]
pub(crate) struct Slots(AtomicU64);

impl Slots {
    const ALL: u64 = (1 << SLOTS) - 1;

    #[cfg(not(circuit_loom))]
    const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    #[cfg(circuit_loom)]
    fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Takes the lowest free slot; `None` if all are taken.
    pub(crate) fn take(&self) -> Option<u32> {
        // Relaxed, here and on failure: the value read is a guess, which the exchange verifies.
        let mut taken = self.0.load(Ordering::Relaxed);
        while taken != Self::ALL {
            let slot = taken.trailing_ones();
            match self.0.compare_exchange_weak(
                taken,
                taken | 1 << slot,
                // Acquire: the new owner sees everything the last one wrote under this slot. It
                // pairs with `release`, also if other slots were taken and released in between: all
                // of these are read-modify-writes, which continue the release sequence.
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(slot),
                Err(actual) => taken = actual,
            }
        }
        None
    }

    /// Releases a slot that the calling thread has taken.
    pub(crate) fn release(&self, slot: u32) {
        // Release: hands everything written under this slot to its next owner.
        self.0.fetch_and(!(1 << slot), Ordering::Release);
    }
}

/// The lifecycle of something that a thread acquires on first use and loses when it exits: unknown,
/// then held, then gone. It is identified by a small number.
///
/// It is kept in two thread-locals. The guard owns it: its destructor ends the lifecycle. The other
/// is a copy without a destructor, as reading that costs one load and works at any time.
///
/// So it is where threads have locals of their own. On Android, OpenBSD and windows-gnu, all locals
/// are destroyed when a thread exits, in any order, and one that is used afterwards begins anew. So
/// the copy may be lost before the guard, and is then made again; and a thread that has lost both
/// may acquire once more, which the new guard releases in its turn.
pub(crate) struct Lifecycle {
    held: &'static LocalKey<Cell<u32>>,
    guard: &'static LocalKey<ExitGuard>,
}

impl Lifecycle {
    /// Nothing acquired yet: the initial value of the thread-local.
    pub(crate) const UNKNOWN: u32 = u32::MAX;

    /// Nothing could be acquired, or the thread is exiting.
    const GONE: u32 = u32::MAX - 1;

    pub(crate) const fn new(
        held: &'static LocalKey<Cell<u32>>,
        guard: &'static LocalKey<ExitGuard>,
    ) -> Self {
        Self { held, guard }
    }

    /// Returns the number that the calling thread holds; if it holds none, one of the two largest.
    #[inline]
    pub(crate) fn current(&self) -> u32 {
        self.held.with(Cell::get)
    }

    /// Returns the number that the calling thread holds, acquired on the first call; `None` if that
    /// failed, or if the thread is exiting.
    ///
    /// `prepare` initializes other thread-locals that `acquire` or later uses rely on, and returns
    /// `false` if they are gone already.
    #[inline]
    pub(crate) fn get_or_acquire(
        &self,
        prepare: impl FnOnce() -> bool,
        acquire: impl FnOnce() -> Option<u32>,
    ) -> Option<u32> {
        match self.current() {
            held if held < Self::GONE => Some(held),
            Self::UNKNOWN => self.begin(prepare, acquire),
            _ => None,
        }
    }

    #[cold]
    #[inline(never)]
    fn begin(
        &self,
        prepare: impl FnOnce() -> bool,
        acquire: impl FnOnce() -> Option<u32>,
    ) -> Option<u32> {
        // Order matters: thread-locals are destroyed in reverse order of initialization, so the
        // guard ends the lifecycle before anything that `prepare` has initialized is destroyed.
        // Once it has been destroyed itself, nothing is acquired any more, as nothing would be
        // released.
        let held = if prepare() {
            let acquired = self.guard.try_with(|guard| guard.get_or_acquire(acquire));
            acquired.ok().flatten()
        } else {
            None
        };
        self.held
            .with(|known| known.set(held.unwrap_or(Self::GONE)));
        held
    }

    /// Ends the lifecycle before the thread exits, and returns what it held.
    #[cfg(any(test, circuit_loom, circuit_shuttle))]
    pub(crate) fn end(&self) -> Option<u32> {
        self.forget();
        self.guard.try_with(ExitGuard::take).ok().flatten()
    }

    /// Makes the copy say that nothing is held any more.
    pub(crate) fn forget(&self) {
        self.held.with(|held| held.set(Self::GONE));
    }
}

/// Owns what a thread has acquired, and calls a function with it when the thread exits.
pub(crate) struct ExitGuard {
    held: Cell<Option<u32>>,
    on_exit: fn(u32),
}

impl ExitGuard {
    pub(crate) const fn new(on_exit: fn(u32)) -> Self {
        Self {
            held: Cell::new(None),
            on_exit,
        }
    }

    fn get_or_acquire(&self, acquire: impl FnOnce() -> Option<u32>) -> Option<u32> {
        let held = self.held.get().or_else(acquire);
        self.held.set(held);
        held
    }

    fn take(&self) -> Option<u32> {
        self.held.take()
    }
}

impl Drop for ExitGuard {
    fn drop(&mut self) {
        // Not under a model checker: a model ends with its main thread.
        if cfg!(any(circuit_loom, circuit_shuttle)) {
            return;
        }
        if let Some(held) = self.take() {
            (self.on_exit)(held);
        }
    }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::{ExitGuard, Lifecycle, SLOTS, Slots, slot};
    use std::cell::Cell;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    #[test]
    fn each_slot_is_taken_once_and_the_lowest_first() {
        let slots = Slots::new();
        assert!((0..SLOTS).all(|expected| slots.take() == Some(expected)));
        assert_eq!(slots.take(), None);

        slots.release(40);
        slots.release(7);
        assert_eq!(
            [slots.take(), slots.take(), slots.take()],
            [Some(7), Some(40), None]
        );
    }

    #[test]
    fn a_thread_that_exits_releases_its_slot() {
        for _ in 0..3 * SLOTS {
            let held = thread::spawn(|| (slot(), slot())).join();
            assert!(matches!(held, Ok((Some(first), Some(again))) if first == again));
        }
    }

    #[test]
    fn a_thread_that_exits_takes_no_slot_again() {
        static TAKES_NONE: AtomicBool = AtomicBool::new(false);

        struct Late;

        impl Drop for Late {
            fn drop(&mut self) {
                TAKES_NONE.store(slot().is_none(), Ordering::Relaxed);
            }
        }

        thread_local!(static LATE: Late = const { Late });

        let held = thread::spawn(|| {
            // Initialized first, so that it is destroyed last.
            LATE.with(|_| ());
            slot()
        });
        assert!(matches!(held.join(), Ok(Some(_))));
        assert!(TAKES_NONE.load(Ordering::Relaxed));
    }

    #[test]
    fn a_lifecycle_ends_before_the_state_that_it_prepared_is_destroyed() {
        static HAS_ENDED: AtomicBool = AtomicBool::new(false);
        const LIFECYCLE: Lifecycle = Lifecycle::new(&HELD, &GUARD);

        struct State;

        impl Drop for State {
            fn drop(&mut self) {
                let held = LIFECYCLE.get_or_acquire(|| true, || Some(7));
                HAS_ENDED.store(held.is_none(), Ordering::Relaxed);
            }
        }

        thread_local! {
            static STATE: State = const { State };
            static HELD: Cell<u32> = const { Cell::new(Lifecycle::UNKNOWN) };
            static GUARD: ExitGuard = const { ExitGuard::new(end) };
        }

        fn end(_: u32) {
            LIFECYCLE.forget();
        }

        let prepare = || STATE.try_with(|_| ()).is_ok();
        let held = thread::spawn(move || LIFECYCLE.get_or_acquire(prepare, || Some(7)));
        assert!(matches!(held.join(), Ok(Some(7))));
        assert!(HAS_ENDED.load(Ordering::Relaxed));
    }

    /// Where threads have no locals of their own, the copy may be destroyed first.
    #[test]
    fn what_a_thread_holds_is_released_once_although_its_copy_is_lost() {
        static RELEASED: Mutex<Vec<u32>> = Mutex::new(Vec::new());
        const LIFECYCLE: Lifecycle = Lifecycle::new(&HELD, &GUARD);

        thread_local! {
            static HELD: Cell<u32> = const { Cell::new(Lifecycle::UNKNOWN) };
            static GUARD: ExitGuard = const { ExitGuard::new(release) };
        }

        fn release(held: u32) {
            LIFECYCLE.forget();
            RELEASED.lock().unwrap().push(held);
        }

        let held = thread::spawn(|| {
            let first = LIFECYCLE.get_or_acquire(|| true, || Some(7));
            HELD.set(Lifecycle::UNKNOWN);
            let again = LIFECYCLE.get_or_acquire(|| true, || Some(8));
            HELD.set(Lifecycle::UNKNOWN);
            (first, again)
        });
        assert_eq!(held.join().unwrap(), (Some(7), Some(7)));
        assert_eq!(*RELEASED.lock().unwrap(), [7]);

        let ended = thread::spawn(|| {
            LIFECYCLE.get_or_acquire(|| true, || Some(9));
            (LIFECYCLE.end(), LIFECYCLE.end())
        });
        assert_eq!(ended.join().unwrap(), (Some(9), None));
        assert_eq!(*RELEASED.lock().unwrap(), [7], "it was released by hand");
    }
}

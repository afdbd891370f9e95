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

/// A thread without a slot asks for one again after this many calls.
const ASK_AGAIN_AFTER: u32 = if cfg!(any(circuit_loom, circuit_shuttle)) {
    1
} else {
    64
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
/// holds it at the same time. `None` for a thread that is exiting, or that found all slots taken:
/// every [`ASK_AGAIN_AFTER`] calls, it asks again.
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

/// Takes slots for no thread, until as few as this are left to those of a model.
#[cfg(circuit_loom)]
pub(crate) fn leave_slots(left: u32) {
    for _ in left..SLOTS {
        TAKEN.take();
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
/// then held, then gone. It is identified by a small number. While there is none to acquire, the
/// thread lacks it, and asks again from time to time.
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

    /// The thread is exiting, and acquires nothing any more.
    const GONE: u32 = u32::MAX - 1;

    /// Nothing could be acquired, and the next call asks again. Values between this and
    /// [`GONE`](Self::GONE) count down to it.
    const LACKING: u32 = Self::GONE - ASK_AGAIN_AFTER;

    pub(crate) const fn new(
        held: &'static LocalKey<Cell<u32>>,
        guard: &'static LocalKey<ExitGuard>,
    ) -> Self {
        Self { held, guard }
    }

    /// Returns the number that the calling thread holds; if it holds none, a very large one.
    #[inline]
    pub(crate) fn current(&self) -> u32 {
        self.held.with(Cell::get)
    }

    /// Returns the number that the calling thread holds, acquired on the first call; `None` if that
    /// failed, or if the thread is exiting. If `acquire` failed, later calls try again.
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
            held if held < Self::LACKING => Some(held),
            Self::GONE => None,
            not_held => self.begin(not_held, prepare, acquire),
        }
    }

    #[cold]
    #[inline(never)]
    fn begin(
        &self,
        not_held: u32,
        prepare: impl FnOnce() -> bool,
        acquire: impl FnOnce() -> Option<u32>,
    ) -> Option<u32> {
        if (Self::LACKING.wrapping_add(1)..Self::GONE).contains(&not_held) {
            self.held.with(|held| held.set(not_held.wrapping_sub(1)));
            return None;
        }
        // Order matters: thread-locals are destroyed in reverse order of initialization, so the
        // guard ends the lifecycle before anything that `prepare` has initialized is destroyed.
        // Once it has been destroyed itself, nothing is acquired any more, as nothing would be
        // released.
        let acquired = if prepare() {
            self.guard
                .try_with(|guard| guard.get_or_acquire(acquire))
                .ok()
        } else {
            None
        };
        self.held.with(|held| {
            held.set(match acquired {
                Some(Some(acquired)) => acquired,
                Some(None) => Self::GONE.wrapping_sub(1),
                None => Self::GONE,
            });
        });
        acquired.flatten()
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
pub(super) mod tests {
    use super::{ASK_AGAIN_AFTER, ExitGuard, Lifecycle, SLOTS, Slots, slot};
    use std::cell::Cell;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    /// Held by tests that need a slot of this process, or take all of them.
    pub(in super::super) static ALL_SLOTS: Mutex<()> = Mutex::new(());

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
        let _all_slots = ALL_SLOTS.lock().unwrap();
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

        let _all_slots = ALL_SLOTS.lock().unwrap();
        let held = thread::spawn(|| {
            // Initialized first, so that it is destroyed last.
            LATE.with(|_| ());
            slot()
        });
        assert!(matches!(held.join(), Ok(Some(_))));
        assert!(TAKES_NONE.load(Ordering::Relaxed));
    }

    #[test]
    fn a_thread_that_found_all_slots_taken_gets_one_that_is_released() {
        static TAKEN: Slots = Slots::new();
        const LIFECYCLE: Lifecycle = Lifecycle::new(&HELD, &GUARD);

        thread_local! {
            static HELD: Cell<u32> = const { Cell::new(Lifecycle::UNKNOWN) };
            static GUARD: ExitGuard = const { ExitGuard::new(release) };
        }

        fn slot() -> Option<u32> {
            LIFECYCLE.get_or_acquire(|| true, || TAKEN.take())
        }

        fn release(slot: u32) {
            LIFECYCLE.forget();
            TAKEN.release(slot);
        }

        while TAKEN.take().is_some() {}
        let late = thread::spawn(|| {
            assert!((0..10 * ASK_AGAIN_AFTER).all(|_| slot().is_none()));
            TAKEN.release(7);
            assert!((0..ASK_AGAIN_AFTER).any(|_| slot().is_some()));
            assert_eq!((slot(), TAKEN.take()), (Some(7), None));
        });
        late.join().unwrap();
        assert_eq!(TAKEN.take(), Some(7), "it released the slot when it exited");
    }

    #[test]
    fn an_exiting_thread_that_had_no_slot_takes_none() {
        static TAKES_NONE: AtomicBool = AtomicBool::new(false);
        static TAKEN: Slots = Slots::new();
        const LIFECYCLE: Lifecycle = Lifecycle::new(&HELD, &GUARD);

        struct Late;

        impl Drop for Late {
            fn drop(&mut self) {
                TAKEN.release(7);
                let takes_none = (0..10 * ASK_AGAIN_AFTER).all(|_| slot().is_none());
                TAKES_NONE.store(takes_none, Ordering::Relaxed);
            }
        }

        thread_local! {
            static LATE: Late = const { Late };
            static HELD: Cell<u32> = const { Cell::new(Lifecycle::UNKNOWN) };
            static GUARD: ExitGuard = const { ExitGuard::new(|_| ()) };
        }

        fn slot() -> Option<u32> {
            LIFECYCLE.get_or_acquire(|| true, || TAKEN.take())
        }

        while TAKEN.take().is_some() {}
        let exiting = thread::spawn(|| {
            // Initialized first, so that it is destroyed last.
            LATE.with(|_| ());
            slot()
        });
        assert_eq!(exiting.join().unwrap(), None);
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
    fn the_value_of_a_thread_is_released_once_although_its_copy_is_lost() {
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

//! A lock for sections of a few instructions.

use super::Mutex;
#[cfg(any(circuit_loom, circuit_shuttle))]
use super::checker;
#[cfg(not(any(circuit_loom, circuit_shuttle)))]
use super::striped::CachePadded;
#[cfg(not(any(circuit_loom, circuit_shuttle)))]
use std::hint;
#[cfg(not(any(circuit_loom, circuit_shuttle)))]
use std::sync::{MutexGuard, PoisonError, TryLockError};

/// How many spin-loop hints a waiter gives before each attempt: about as long as a section takes
/// when its data is in another core's cache.
#[cfg(not(any(circuit_loom, circuit_shuttle)))]
const PAUSES: u32 = 16;

/// How many attempts a waiter makes before it parks. With the pauses between them they take a few
/// microseconds.
#[cfg(not(any(circuit_loom, circuit_shuttle)))]
const ATTEMPTS: u32 = 8;

/// The number of locks that all values share which are too small for one of their own.
#[cfg(not(any(circuit_loom, circuit_shuttle)))]
const SHARED: usize = 64;

/// In a model there are as many as are told apart.
#[cfg(any(circuit_loom, circuit_shuttle))]
const SHARED: usize = 8;

/// A lock for sections of a few instructions that run no user code.
///
/// A waiter spins for as long as a running holder may need, then parks. It must not spin, or yield,
/// for longer: if the holder was preempted on the same core, it runs again only once the waiter
/// sleeps. A scheduler may let a thread that yields run on for milliseconds, and never prefers a
/// holder of lower priority to it.
#[derive(Debug, Default)]
pub(crate) struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Runs `section` with the value locked.
    #[cfg(not(any(circuit_loom, circuit_shuttle)))]
    #[inline]
    pub(crate) fn with<R>(&self, section: impl FnOnce(&mut T) -> R) -> R {
        let mut value = self.try_lock().unwrap_or_else(|| self.wait());
        section(&mut value)
    }

    /// Locks the value once its holder has unlocked it, backing off before each attempt.
    ///
    /// Polling continuously, as `Mutex::lock` does before it parks, would steal the lock's cache
    /// line from its holder. A holder left alone may return for its next section and find all of
    /// its data in its own cache.
    #[cfg(not(any(circuit_loom, circuit_shuttle)))]
    #[cold]
    fn wait(&self) -> MutexGuard<'_, T> {
        for _ in 0..ATTEMPTS {
            (0..PAUSES).for_each(|_| hint::spin_loop());
            if let Some(value) = self.try_lock() {
                return value;
            }
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks the value if it is unlocked. Poisoning is harmless, here and in `wait`: no section
    /// runs user code, and none panics half-way.
    #[cfg(not(any(circuit_loom, circuit_shuttle)))]
    #[inline]
    fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(value) => Some(value),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Runs `section` with the value locked.
    #[cfg(any(circuit_loom, circuit_shuttle))]
    pub(crate) fn with<R>(&self, section: impl FnOnce(&mut T) -> R) -> R {
        match self.0.lock() {
            Ok(mut value) => section(&mut value),
            Err(poisoned) => section(&mut poisoned.into_inner()),
        }
    }
}

#[cfg(not(any(circuit_loom, circuit_shuttle)))]
static LOCKS: [CachePadded<Lock<()>>; SHARED] =
    [const { CachePadded(Lock(Mutex::new(()))) }; SHARED];

#[cfg(any(circuit_loom, circuit_shuttle))]
checker::lazy_static! {
    static ref LOCKS: [Lock<()>; SHARED] = Default::default();
}

/// Runs `section` while no other thread runs one for the same value, which must not be moved. The
/// section must not run another.
#[cfg(not(any(circuit_loom, circuit_shuttle)))]
pub(crate) fn with_lock_of<T, R>(value: &T, section: impl FnOnce() -> R) -> R {
    // Multiplicative hashing, from Knuth, "The Art of Computer Programming", 6.4: the high bits of
    // the product depend on all bits of the address.
    let address = std::ptr::from_ref(value).addr() as u64;
    let [.., high] = address.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes();
    let index = usize::from(high) % SHARED;
    let [first, ..] = &LOCKS;
    let CachePadded(lock) = LOCKS.get(index).unwrap_or(first);
    lock.with(|()| section())
}

/// Runs `section` while no other thread runs one for a value of the same type. Types are told apart
/// by the lengths of their names: addresses would differ each time a model is run.
#[cfg(any(circuit_loom, circuit_shuttle))]
pub(crate) fn with_lock_of<T, R>(_: &T, section: impl FnOnce() -> R) -> R {
    let [first, ..] = &*LOCKS;
    let index = std::any::type_name::<T>().len() % SHARED;
    LOCKS.get(index).unwrap_or(first).with(|()| section())
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::Lock;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::thread;

    #[test]
    fn sections_exclude_each_other() {
        let lock = Lock::new(0_u32);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        lock.with(|value| {
                            let read = *value;
                            std::hint::spin_loop();
                            *value = read + 1;
                        });
                    }
                });
            }
        });
        assert_eq!(lock.with(|value| *value), 40_000);
    }

    #[test]
    fn a_panicking_section_unlocks_the_value() {
        let lock = Lock::new(7_u32);
        let panicking = || lock.with(|_| -> () { std::panic::resume_unwind(Box::new("section")) });
        assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
        assert_eq!(lock.with(|value| *value), 7);
        assert_eq!(*lock.wait(), 7);
    }

    /// On Linux the state of a thread can be observed.
    #[cfg(target_os = "linux")]
    mod linux {
        use super::super::Lock;
        use std::path::{Path, PathBuf};
        use std::sync::mpsc;
        use std::{fs, thread};

        /// More processor time than a waiter needs to park: a second, on most systems.
        const TICKS: u64 = 100;

        /// Returns the directory in `/proc` that describes the calling thread.
        fn own_directory() -> Option<PathBuf> {
            let thread = fs::read_link("/proc/thread-self").ok()?;
            Some(PathBuf::from("/proc").join(thread))
        }

        /// Returns whether a thread sleeps, and its processor time in ticks.
        fn sleeps_and_ticks(directory: &Path) -> Option<(bool, u64)> {
            let stat = fs::read_to_string(directory.join("stat")).ok()?;
            // The name of the thread, in parentheses, may contain anything.
            let (_, fields) = stat.rsplit_once(") ")?;
            let is_sleeping = fields.starts_with('S');
            let ticks = fields.split(' ').skip(11).take(2);
            let ticks = ticks.map(|ticks| ticks.parse::<u64>().unwrap_or(0));
            Some((is_sleeping, ticks.sum()))
        }

        #[test]
        fn a_waiter_parks_while_the_value_is_locked() {
            let lock = Lock::new(());
            let (sender, receiver) = mpsc::channel();
            let has_parked = thread::scope(|scope| {
                lock.with(|()| {
                    scope.spawn(|| {
                        let sent = sender.send(own_directory());
                        lock.with(|()| ());
                        sent
                    });
                    let directory = receiver.recv().ok()??;
                    // Either the waiter sleeps, or it uses up processor time.
                    loop {
                        match sleeps_and_ticks(&directory)? {
                            (true, _) => break Some(true),
                            (false, ticks) if ticks > TICKS => break Some(false),
                            (false, _) => thread::yield_now(),
                        }
                    }
                })
            });
            assert_eq!(has_parked, Some(true));
        }
    }
}

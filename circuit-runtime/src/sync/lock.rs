//! A lock for sections of a few instructions.

#[cfg(any(circuit_loom, circuit_shuttle))]
use super::Mutex as Inner;
#[cfg(not(any(circuit_loom, circuit_shuttle)))]
use spin::mutex::{SpinMutex as Inner, SpinMutexGuard};

/// How many spin-loop hints a waiter gives before each attempt. Longer pauses would raise the total
/// throughput further, and make some waiters wait ten times as long.
#[cfg(not(any(circuit_loom, circuit_shuttle)))]
const PAUSES: u32 = 8;

/// How many attempts follow a pause. Before each later one, the waiter yields to other threads.
#[cfg(not(any(circuit_loom, circuit_shuttle)))]
const SPINS: u32 = 16;

/// A spin lock for sections of a few instructions that run no user code.
///
/// Locking is one compare-and-swap and unlocking one plain store, half the cost of a lock that can
/// park threads. The price is that waiters spin: briefly at first, then yielding, in case the
/// holder was preempted.
#[derive(Debug, Default)]
pub(crate) struct Lock<T>(Inner<T>);

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Inner::new(value))
    }

    /// Runs `section` with the value locked.
    #[cfg(not(any(circuit_loom, circuit_shuttle)))]
    #[inline]
    pub(crate) fn with<R>(&self, section: impl FnOnce(&mut T) -> R) -> R {
        match self.0.try_lock() {
            Some(mut value) => section(&mut value),
            None => section(&mut self.wait()),
        }
    }

    /// Locks the value once its holder has unlocked it, backing off before each attempt.
    ///
    /// Polling continuously would steal the lock's cache line from its holder. A holder left alone
    /// may return for its next section and find all of its data in its own cache.
    #[cfg(not(any(circuit_loom, circuit_shuttle)))]
    #[cold]
    fn wait(&self) -> SpinMutexGuard<'_, T> {
        let mut spins = 0_u32;
        loop {
            if spins < SPINS {
                spins += 1;
                (0..PAUSES).for_each(|_| std::hint::spin_loop());
            } else {
                std::thread::yield_now();
            }
            if let Some(value) = self.0.try_lock() {
                return value;
            }
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

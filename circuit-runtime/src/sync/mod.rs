//! What threads share, from the standard library or, under `--cfg circuit_loom` or `--cfg circuit_shuttle`, from a model
//! checker.

pub(crate) mod striped;
pub(crate) mod thread;

#[cfg(not(any(circuit_loom, circuit_shuttle)))]
pub(crate) use once_cell::race::OnceBox;
#[cfg(not(any(circuit_loom, circuit_shuttle)))]
pub(crate) use std::sync::Mutex;
#[cfg(not(any(circuit_loom, circuit_shuttle)))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU32, AtomicU64, Ordering};

#[cfg(circuit_loom)]
use loom as checker;
#[cfg(circuit_shuttle)]
use shuttle as checker;

#[cfg(any(circuit_loom, circuit_shuttle))]
pub(crate) use checker::sync::Mutex;
#[cfg(any(circuit_loom, circuit_shuttle))]
pub(crate) use checker::sync::atomic::{AtomicBool, AtomicU16, AtomicU32, AtomicU64, Ordering};

/// A lock for sections of a few instructions that run no code of the user's.
///
/// Taking it is one compare-and-swap and giving it back one plain store, half of what a lock that
/// can put threads to sleep costs. The price is that waiting means asking again: first after a moment,
/// then after letting another thread run, as the holder may have lost its core.
#[derive(Debug, Default)]
pub(crate) struct Lock<T> {
    #[cfg(not(any(circuit_loom, circuit_shuttle)))]
    inner: spin::mutex::SpinMutex<T>,
    #[cfg(any(circuit_loom, circuit_shuttle))]
    inner: checker::sync::Mutex<T>,
}

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            #[cfg(not(any(circuit_loom, circuit_shuttle)))]
            inner: value.into(),
            #[cfg(any(circuit_loom, circuit_shuttle))]
            inner: checker::sync::Mutex::new(value),
        }
    }

    #[cfg(not(any(circuit_loom, circuit_shuttle)))]
    #[inline]
    pub(crate) fn with<R>(&self, section: impl FnOnce(&mut T) -> R) -> R {
        match self.inner.try_lock() {
            Some(mut value) => section(&mut value),
            None => section(&mut self.wait()),
        }
    }

    /// Lets the holder be for a moment before it asks again. Whoever asks all the time takes the line of the lock
    /// away from a holder that needs it; one that is left alone may come back for its next section, and find all
    /// of it in its cache. Longer pauses still would gain more on the whole, and have some wait for ten times as
    /// long.
    #[cfg(not(any(circuit_loom, circuit_shuttle)))]
    #[cold]
    fn wait(&self) -> spin::mutex::SpinMutexGuard<'_, T> {
        const PAUSES: u32 = 8;
        const TIMES: u32 = 16;

        let mut asked = 0_u32;
        loop {
            if asked < TIMES {
                asked += 1;
                (0..PAUSES).for_each(|_| std::hint::spin_loop());
            } else {
                std::thread::yield_now();
            }
            if let Some(value) = self.inner.try_lock() {
                return value;
            }
        }
    }

    #[cfg(any(circuit_loom, circuit_shuttle))]
    pub(crate) fn with<R>(&self, section: impl FnOnce(&mut T) -> R) -> R {
        match self.inner.lock() {
            Ok(mut value) => section(&mut value),
            Err(poisoned) => section(&mut poisoned.into_inner()),
        }
    }
}

/// As `once_cell`'s, whose own atomics the checker would not see. What it holds is never freed.
#[cfg(any(circuit_loom, circuit_shuttle))]
pub(crate) struct OnceBox<T: 'static>(checker::sync::Mutex<Option<&'static T>>);

#[cfg(any(circuit_loom, circuit_shuttle))]
impl<T> OnceBox<T> {
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.lock().ok().and_then(|value| *value)
    }

    pub(crate) fn get_or_init(&self, make: impl FnOnce() -> Box<T>) -> &T {
        match self.0.lock() {
            Ok(mut value) => value.get_or_insert_with(|| Box::leak(make())),
            Err(_) => Box::leak(make()),
        }
    }
}

#[cfg(any(circuit_loom, circuit_shuttle))]
impl<T> Default for OnceBox<T> {
    fn default() -> Self {
        Self(checker::sync::Mutex::new(None))
    }
}

/// What no other data shares a cache line with.
#[repr(align(64))]
pub(crate) struct CacheLine<T>(pub(crate) T);

//! The seam of the model checkers: the primitives that threads share come from the standard library
//! or, under `--cfg circuit_loom` or `--cfg circuit_shuttle`, from a model checker.

pub(crate) mod live;
pub(crate) mod lock;
pub(crate) mod sequenced;
pub(crate) mod striped;
pub(crate) mod thread;

#[cfg(not(any(circuit_loom, circuit_shuttle)))]
pub(crate) use crossbeam_utils::atomic::AtomicCell;
#[cfg(not(any(circuit_loom, circuit_shuttle)))]
pub(crate) use once_cell::race::OnceBox;
#[cfg(not(any(circuit_loom, circuit_shuttle)))]
pub(crate) use std::{
    sync::Mutex,
    sync::atomic::{AtomicBool, AtomicU16, AtomicU32, AtomicU64, Ordering},
    thread::LocalKey,
};

#[cfg(circuit_loom)]
pub(crate) use loom as checker;
#[cfg(circuit_shuttle)]
pub(crate) use shuttle as checker;

#[cfg(any(circuit_loom, circuit_shuttle))]
pub(crate) use checker::{
    sync::Mutex,
    sync::atomic::{AtomicBool, AtomicU16, AtomicU32, AtomicU64, Ordering},
    thread::LocalKey,
};

/// A stand-in for the `AtomicCell` of `crossbeam_utils`.
#[cfg(any(circuit_loom, circuit_shuttle))]
#[derive(Default)]
pub(crate) struct AtomicCell<T>(Mutex<T>);

#[cfg(any(circuit_loom, circuit_shuttle))]
impl<T: Default> AtomicCell<T> {
    pub(crate) fn swap(&self, value: T) -> T {
        match self.0.lock() {
            Ok(mut current) => std::mem::replace(&mut *current, value),
            Err(_) => T::default(),
        }
    }

    pub(crate) fn take(&self) -> T {
        self.swap(T::default())
    }
}

/// A stand-in for the `OnceBox` of `once_cell`, whose own atomics a model checker would not see.
/// Its value is never freed.
#[cfg(any(circuit_loom, circuit_shuttle))]
pub(crate) struct OnceBox<T: 'static>(Mutex<Option<&'static T>>);

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

    pub(crate) fn set(&self, value: Box<T>) -> Result<(), Box<T>> {
        match self.0.lock() {
            Ok(mut place) if place.is_none() => {
                *place = Some(Box::leak(value));
                Ok(())
            }
            _ => Err(value),
        }
    }
}

#[cfg(any(circuit_loom, circuit_shuttle))]
impl<T> Default for OnceBox<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

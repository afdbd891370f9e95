//! The seam of the model checkers: the primitives that threads share come from the standard library
//! or, under `--cfg circuit_loom` or `--cfg circuit_shuttle`, from a model checker.

pub(crate) mod live;
pub(crate) mod lock;
pub(crate) mod once_box;
pub(crate) mod sequenced;
pub(crate) mod striped;
pub(crate) mod thread;

#[cfg(not(any(circuit_loom, circuit_shuttle)))]
pub(crate) use crossbeam_utils::atomic::AtomicCell;
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

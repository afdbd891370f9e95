//! A box that is set once.

#[cfg(not(any(circuit_loom, circuit_shuttle)))]
pub(crate) use once_cell::race::OnceBox;

#[cfg(any(circuit_loom, circuit_shuttle))]
pub(crate) use model::OnceBox;
#[cfg(circuit_loom)]
pub(crate) use model::exact;

/// A stand-in for the `OnceBox` of `once_cell`, whose own atomics a model checker would not see.
#[cfg(any(circuit_loom, circuit_shuttle))]
mod model {
    use std::cell::Cell;
    use std::sync::OnceLock;

    use super::super::{AtomicBool, Mutex, Ordering};

    thread_local! {
        static IS_EXACT: Cell<bool> = const { Cell::new(false) };
    }

    /// Creates something whose boxes order no more than those of `once_cell` do: a reader performs
    /// one load, and of racing threads each makes a value before the first one's is published.
    ///
    /// Other boxes lock, which orders all their readers. Models have fewer interleavings with them.
    #[cfg(circuit_loom)]
    pub(crate) fn exact<T>(create: impl FnOnce() -> T) -> T {
        IS_EXACT.set(true);
        let created = create();
        IS_EXACT.set(false);
        created
    }

    /// A value that is set once, and never freed.
    pub(crate) struct OnceBox<T: 'static> {
        order: Order,
        value: OnceLock<&'static T>,
    }

    /// How the threads that use a box are ordered.
    enum Order {
        Locked(Mutex<()>),
        /// The value is set. No other thread runs in between: those of a checker interleave at its
        /// own operations alone.
        Exact(AtomicBool),
    }

    impl<T> OnceBox<T> {
        pub(crate) fn get(&self) -> Option<&T> {
            match &self.order {
                Order::Locked(lock) => {
                    let _locked = lock.lock();
                    self.value.get().copied()
                }
                Order::Exact(is_set) => {
                    let is_set = is_set.load(Ordering::Acquire);
                    self.value.get().copied().filter(|_| is_set)
                }
            }
        }

        pub(crate) fn get_or_init(&self, make: impl FnOnce() -> Box<T>) -> &T {
            match &self.order {
                Order::Locked(lock) => {
                    let _locked = lock.lock();
                    self.value.get_or_init(|| Box::leak(make()))
                }
                Order::Exact(is_set) => self.get().unwrap_or_else(|| {
                    let value = make();
                    exchange(is_set);
                    self.value.get_or_init(|| Box::leak(value))
                }),
            }
        }

        pub(crate) fn set(&self, value: Box<T>) -> Result<(), Box<T>> {
            let _locked = match &self.order {
                Order::Locked(lock) => Some(lock.lock()),
                Order::Exact(is_set) => {
                    exchange(is_set);
                    None
                }
            };
            if self.value.get().is_some() {
                return Err(value);
            }
            self.value.get_or_init(|| Box::leak(value));
            Ok(())
        }
    }

    /// Publishes the value that is set next, or acquires the one that is set already.
    fn exchange(is_set: &AtomicBool) {
        let _ = is_set.compare_exchange(false, true, Ordering::AcqRel, Ordering::Acquire);
    }

    impl<T> Default for OnceBox<T> {
        fn default() -> Self {
            let order = if IS_EXACT.get() {
                Order::Exact(AtomicBool::new(false))
            } else {
                Order::Locked(Mutex::new(()))
            };
            Self {
                order,
                value: OnceLock::new(),
            }
        }
    }
}

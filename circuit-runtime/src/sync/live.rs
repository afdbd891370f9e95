//! Numbers that change with the rules: read by every call, written seldom.

#[cfg(not(any(circuit_loom, circuit_shuttle)))]
pub(crate) use std::sync::atomic::{AtomicU8 as LiveU8, AtomicU64 as LiveU64};

#[cfg(any(circuit_loom, circuit_shuttle))]
pub(crate) use watched::{LiveU8, LiveU64, watched};

/// Stand-ins for the atomics of the standard library.
///
/// To a model checker every load of one is a point where threads can interleave. Only models that
/// change the rules pay for that.
#[cfg(any(circuit_loom, circuit_shuttle))]
mod watched {
    use std::cell::Cell;
    use std::sync::atomic::Ordering;

    use super::super::checker::sync::atomic as checked;
    use std::sync::atomic as unchecked;

    thread_local! {
        static IS_WATCHED: Cell<bool> = const { Cell::new(false) };
    }

    /// Creates something whose rules change while the model runs.
    pub(crate) fn watched<T>(create: impl FnOnce() -> T) -> T {
        IS_WATCHED.set(true);
        let created = create();
        IS_WATCHED.set(false);
        created
    }

    macro_rules! live {
        ($name:ident, $atomic:ident, $number:ty) => {
            pub(crate) enum $name {
                Constant(unchecked::$atomic),
                Watched(checked::$atomic),
            }

            impl $name {
                pub(crate) fn new(value: $number) -> Self {
                    if IS_WATCHED.get() {
                        Self::Watched(checked::$atomic::new(value))
                    } else {
                        Self::Constant(unchecked::$atomic::new(value))
                    }
                }

                pub(crate) fn load(&self, order: Ordering) -> $number {
                    match self {
                        Self::Constant(value) => value.load(order),
                        Self::Watched(value) => value.load(order),
                    }
                }

                pub(crate) fn store(&self, value: $number, order: Ordering) {
                    match self {
                        Self::Constant(constant) => constant.store(value, order),
                        Self::Watched(watched) => watched.store(value, order),
                    }
                }
            }
        };
    }

    live!(LiveU8, AtomicU8, u8);
    live!(LiveU64, AtomicU64, u64);
}

//! A concurrent index of items by name; lookups take no lock.

#[cfg(not(any(circuit_loom, circuit_shuttle)))]
pub(crate) use concurrent::Index;
#[cfg(any(circuit_loom, circuit_shuttle))]
pub(crate) use model::Index;

#[cfg(not(any(circuit_loom, circuit_shuttle)))]
mod concurrent {
    use std::borrow::Borrow;
    use std::cell::Cell;
    use std::hash::Hash;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use foldhash::quality::RandomState;
    use papaya::HashSet;

    use crate::sync::thread::{ExitGuard, Lifecycle};

    /// The number held by every thread that can use papaya's thread-local state.
    const USABLE: u32 = 0;

    thread_local! {
        static HELD: Cell<u32> = const { Cell::new(Lifecycle::UNKNOWN) };
        static GUARD: ExitGuard = const { ExitGuard::new(end) };
    }

    /// The lifecycle of papaya's thread-local state. It may already be gone while a thread's
    /// destructors run; touching it would then panic, and a panic in such a destructor aborts.
    ///
    /// Where threads have no locals of their own, the two may be destroyed in the other order. Then
    /// papaya's state begins anew, and there is no panic to prevent.
    const LIFECYCLE: Lifecycle = Lifecycle::new(&HELD, &GUARD);

    fn end(_: u32) {
        LIFECYCLE.forget();
    }

    /// A set of items looked up by name. A removed item stays alive while a thread that found it
    /// earlier still uses it.
    pub(crate) struct Index<T>(HashSet<T, RandomState>);

    impl<T: Borrow<str> + Hash + Eq> Index<T> {
        /// Calls `f` with the item called `name`, if there is one.
        #[inline]
        pub(crate) fn get_with<R>(&self, name: &str, f: impl FnOnce(&T) -> R) -> Option<R> {
            if self.may_change() {
                self.0.get(name, &self.0.guard()).map(f)
            } else {
                self.0.get(name, &self.0.owned_guard()).map(f)
            }
        }

        /// Calls `f` with each item. Some of those inserted or removed meanwhile are left out.
        pub(crate) fn for_each(&self, f: impl FnMut(&T)) {
            if self.may_change() {
                self.0.iter(&self.0.guard()).for_each(f);
            } else {
                self.0.iter(&self.0.owned_guard()).for_each(f);
            }
        }

        /// Returns whether the calling thread may insert and remove items: an exiting thread may
        /// only look them up.
        #[inline]
        pub(crate) fn may_change(&self) -> bool {
            let has_guard = || catch_unwind(AssertUnwindSafe(|| drop(self.0.guard()))).is_ok();
            LIFECYCLE
                .get_or_acquire(has_guard, || Some(USABLE))
                .is_some()
        }

        pub(crate) fn insert(&self, item: T) {
            self.0.insert(item, &self.0.guard());
        }

        pub(crate) fn remove(&self, name: &str) {
            self.0.remove(name, &self.0.guard());
        }
    }

    impl<T: Borrow<str> + Hash + Eq> Default for Index<T> {
        fn default() -> Self {
            Self(HashSet::default())
        }
    }
}

#[cfg(any(circuit_loom, circuit_shuttle))]
mod model {
    use std::borrow::Borrow;
    use std::sync::Arc;

    use crate::sync::Mutex;

    /// A stand-in for model checking: lookups can race with removal, but the hash table itself is
    /// not modelled.
    pub(crate) struct Index<T>(Mutex<Vec<Arc<T>>>);

    impl<T: Borrow<str>> Index<T> {
        pub(crate) fn get_with<R>(&self, name: &str, f: impl FnOnce(&T) -> R) -> Option<R> {
            let is_named = |item: &&Arc<T>| item.as_ref().borrow() == name;
            let found = self.0.lock().ok()?.iter().find(is_named).cloned();
            found.map(|item| f(&item))
        }

        pub(crate) fn for_each(&self, f: impl FnMut(&T)) {
            let items = self.0.lock().map(|items| items.clone());
            items.iter().flatten().map(Arc::as_ref).for_each(f);
        }

        pub(crate) fn may_change(&self) -> bool {
            true
        }

        pub(crate) fn insert(&self, item: T) {
            if let Ok(mut items) = self.0.lock() {
                items.push(Arc::new(item));
            }
        }

        pub(crate) fn remove(&self, name: &str) {
            if let Ok(mut items) = self.0.lock() {
                items.retain(|item| item.as_ref().borrow() != name);
            }
        }
    }

    impl<T> Default for Index<T> {
        fn default() -> Self {
            Self(Mutex::new(Vec::new()))
        }
    }
}

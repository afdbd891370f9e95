//! What is found by a name, without a lock.

use std::borrow::Borrow;
use std::hash::Hash;

/// Items that are found by their names. What is removed lives on for as long as a thread looks at it
/// that has found it before.
#[cfg(not(any(circuit_loom, circuit_shuttle)))]
pub(crate) struct Index<T>(papaya::HashSet<T, foldhash::quality::RandomState>);

#[cfg(not(any(circuit_loom, circuit_shuttle)))]
impl<T: Borrow<str> + Hash + Eq> Index<T> {
    /// Looks at what is called `name`.
    #[inline]
    pub(crate) fn look<R>(&self, name: &str, look: impl FnOnce(&T) -> R) -> Option<R> {
        if life::is_running(&self.0) {
            self.0.get(name, &self.0.guard()).map(look)
        } else {
            self.0.get(name, &self.0.owned_guard()).map(look)
        }
    }

    /// Whether the calling thread may add and remove items: one that is ending may only look.
    pub(crate) fn may_change(&self) -> bool {
        life::is_running(&self.0)
    }

    pub(crate) fn insert(&self, item: T) {
        self.0.insert(item, &self.0.guard());
    }

    pub(crate) fn remove(&self, name: &str) {
        self.0.remove(name, &self.0.guard());
    }
}

#[cfg(not(any(circuit_loom, circuit_shuttle)))]
impl<T: Borrow<str> + Hash + Eq> Default for Index<T> {
    fn default() -> Self {
        Self(papaya::HashSet::default())
    }
}

/// Whether a thread may use what papaya keeps for it. While its destructors run that may be gone already,
/// and asking for it would panic, which there ends the process.
#[cfg(not(any(circuit_loom, circuit_shuttle)))]
mod life {
    use std::cell::Cell;
    use std::hash::BuildHasher;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[derive(Clone, Copy)]
    enum Life {
        Unknown,
        Running,
        Ending,
    }

    thread_local! {
        /// Has no destructor, hence costs one load to read.
        static LIFE: Cell<Life> = const { Cell::new(Life::Unknown) };

        static END: End = const { End };
    }

    /// Says so when the thread ends.
    struct End;

    impl Drop for End {
        fn drop(&mut self) {
            LIFE.set(Life::Ending);
        }
    }

    #[inline]
    pub(super) fn is_running<T, S: BuildHasher>(set: &papaya::HashSet<T, S>) -> bool {
        match LIFE.get() {
            Life::Running => true,
            Life::Ending => false,
            Life::Unknown => begin(set),
        }
    }

    #[cold]
    fn begin<T, S: BuildHasher>(set: &papaya::HashSet<T, S>) -> bool {
        // In this order: of what a thread has, the last made goes first.
        let has_guard = catch_unwind(AssertUnwindSafe(|| drop(set.guard()))).is_ok();
        let is_running = has_guard && END.try_with(|_| ()).is_ok();
        LIFE.set(if is_running {
            Life::Running
        } else {
            Life::Ending
        });
        is_running
    }
}

/// Of which the checker sees who looks at what was removed meanwhile, though not how it is found.
#[cfg(any(circuit_loom, circuit_shuttle))]
pub(crate) struct Index<T>(crate::sync::Mutex<Vec<std::sync::Arc<T>>>);

#[cfg(any(circuit_loom, circuit_shuttle))]
impl<T: Borrow<str> + Hash + Eq> Index<T> {
    pub(crate) fn look<R>(&self, name: &str, look: impl FnOnce(&T) -> R) -> Option<R> {
        let is_named = |item: &&std::sync::Arc<T>| item.as_ref().borrow() == name;
        let found = self.0.lock().ok()?.iter().find(is_named).cloned();
        found.map(|item| look(&item))
    }

    pub(crate) fn may_change(&self) -> bool {
        true
    }

    pub(crate) fn insert(&self, item: T) {
        if let Ok(mut items) = self.0.lock() {
            items.push(std::sync::Arc::new(item));
        }
    }

    pub(crate) fn remove(&self, name: &str) {
        if let Ok(mut items) = self.0.lock() {
            items.retain(|item| item.as_ref().borrow() != name);
        }
    }
}

#[cfg(any(circuit_loom, circuit_shuttle))]
impl<T> Default for Index<T> {
    fn default() -> Self {
        Self(crate::sync::Mutex::new(Vec::new()))
    }
}

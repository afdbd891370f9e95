//! An append-only log with many writers and one reader.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Clone)]
pub(crate) struct Log<T> {
    entries: Arc<Mutex<Vec<T>>>,
}

impl<T: Copy> Log<T> {
    pub(crate) fn new() -> Self {
        Self {
            entries: Arc::default(),
        }
    }

    pub(crate) fn push(&self, entry: T) {
        self.lock().push(entry);
    }

    pub(crate) fn entries(&self) -> Vec<T> {
        self.entries_after(0)
    }

    /// Returns all entries except the first `seen`.
    pub(crate) fn entries_after(&self, seen: usize) -> Vec<T> {
        self.lock().iter().skip(seen).copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        // No entry is ever half-written.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

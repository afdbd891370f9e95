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
        self.lock().clone()
    }

    /// Returns a reader that has read no entry yet.
    pub(crate) fn reader(&self) -> Reader<T> {
        let log = self.clone();
        Reader { log, read: 0 }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        // No entry is ever half-written.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a log while it is written.
pub(crate) struct Reader<T> {
    log: Log<T>,
    read: usize,
}

impl<T: Copy> Reader<T> {
    /// Returns the entries that were added since the last time.
    pub(crate) fn read_on(&mut self) -> Vec<T> {
        let new: Vec<T> = self.log.lock().iter().skip(self.read).copied().collect();
        self.read += new.len();
        new
    }
}

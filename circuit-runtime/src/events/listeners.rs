//! Listeners: functions that are called with each change.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::change::StateChange;
use super::panics::contain;

/// A function that is called with each change.
type Listener = Box<dyn Fn(&StateChange) + Send + Sync>;

/// The listeners to one circuit, or to all.
#[derive(Default)]
pub(crate) struct Listeners {
    /// Replaced as a whole, so that a change takes the lock only to clone a reference.
    list: Mutex<Arc<Vec<Arc<Entry>>>>,
}

/// The listeners at one moment, at least one.
pub(super) struct Subscribed(Arc<Vec<Arc<Entry>>>);

/// A listener in the list.
pub(super) struct Entry {
    /// `None` only while it is dropped.
    listener: Option<Listener>,
    is_subscribed: AtomicBool,
}

/// The listeners to all circuits: created by the first, as nothing else needs it.
static GLOBAL: OnceLock<Arc<Listeners>> = OnceLock::new();

/// Returns the listeners to all circuits that are subscribed now; `None` without any.
pub(super) fn global_subscribed() -> Option<Subscribed> {
    GLOBAL.get()?.subscribed()
}

/// Returns the listeners to all circuits.
pub(super) fn global_or_init() -> &'static Arc<Listeners> {
    GLOBAL.get_or_init(Arc::default)
}

impl Listeners {
    /// Returns the listeners that are subscribed now; `None` without any.
    pub(super) fn subscribed(&self) -> Option<Subscribed> {
        let list = self.lock();
        (!list.is_empty()).then(|| Subscribed(Arc::clone(&list)))
    }

    /// Adds a listener.
    pub(super) fn add(
        &self,
        listener: impl Fn(&StateChange) + Send + Sync + 'static,
    ) -> Arc<Entry> {
        let entry = Arc::new(Entry {
            listener: Some(Box::new(listener)),
            is_subscribed: AtomicBool::new(true),
        });
        self.replace(|list| list.push(Arc::clone(&entry)));
        entry
    }

    /// Removes a listener.
    pub(super) fn remove(&self, entry: &Arc<Entry>) {
        self.replace(|list| list.retain(|other| !Arc::ptr_eq(other, entry)));
    }

    /// Changes the list. Listeners that are removed are dropped without the lock.
    fn replace(&self, change: impl FnOnce(&mut Vec<Arc<Entry>>)) {
        let mut current = self.lock();
        let mut list = Vec::clone(&current);
        change(&mut list);
        let before = std::mem::replace(&mut *current, Arc::new(list));
        drop(current);
        drop(before);
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Vec<Arc<Entry>>>> {
        // No user code runs under the lock, and no section panics half-way.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscribed {
    /// Calls each listener with a change, unless it has ended its subscription since.
    pub(super) fn call(&self, change: &StateChange) {
        for entry in self.0.iter() {
            entry.call(change);
        }
    }
}

impl Entry {
    /// Keeps deliveries from calling the listener, except for one that has begun.
    pub(super) fn unsubscribe(&self) {
        // Relaxed: a delivery that has begun may still call it.
        self.is_subscribed.store(false, Ordering::Relaxed);
    }

    fn call(&self, change: &StateChange) {
        // Relaxed: as in `unsubscribe`.
        if !self.is_subscribed.load(Ordering::Relaxed) {
            return;
        }
        if let Some(listener) = &self.listener {
            contain(|| listener(change));
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let listener = self.listener.take();
        contain(|| drop(listener));
    }
}

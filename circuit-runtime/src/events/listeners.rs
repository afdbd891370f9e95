//! Listeners, and their subscriptions.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use super::change::StateChange;
use super::panics::contain;

/// A function that is called with each change.
type Listener = Box<dyn Fn(&StateChange) + Send + Sync>;

/// The listeners to one circuit, or to all.
#[derive(Default)]
pub(crate) struct Listeners {
    /// Replaced as a whole, so that a delivery needs the lock only to get hold of it.
    list: Mutex<Arc<Vec<Arc<Entry>>>>,
    count: AtomicUsize,
}

struct Entry {
    /// `None` only while it is dropped.
    listener: Option<Listener>,
    is_subscribed: AtomicBool,
}

/// Created by the first listener, as nothing else needs it.
static OF_ALL: OnceLock<Arc<Listeners>> = OnceLock::new();

/// Returns the listeners to all circuits, if there ever was one.
pub(super) fn of_all() -> Option<&'static Listeners> {
    OF_ALL.get().map(|listeners| &**listeners)
}

/// Keeps a listener subscribed. Dropping it ends the subscription.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreaker, Config};
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// let breaker = CircuitBreaker::new("payments", Config::default());
/// let changes = Arc::new(AtomicU32::new(0));
/// let counted = Arc::clone(&changes);
/// let subscription = breaker.on_change(move |_| {
///     counted.fetch_add(1, Ordering::Relaxed);
/// });
///
/// breaker.trip();
/// drop(subscription);
/// breaker.reset();
/// assert_eq!(changes.load(Ordering::Relaxed), 1);
/// ```
#[must_use = "dropping a subscription ends it; call `forget` to keep it forever"]
pub struct Subscription {
    listeners: Weak<Listeners>,
    entry: Option<Arc<Entry>>,
}

impl Subscription {
    /// Subscribes to all circuits.
    pub(crate) fn to_all(listener: impl Fn(&StateChange) + Send + Sync + 'static) -> Self {
        Self::new(OF_ALL.get_or_init(Arc::default), listener)
    }

    /// Adds a listener.
    pub(crate) fn new(
        listeners: &Arc<Listeners>,
        listener: impl Fn(&StateChange) + Send + Sync + 'static,
    ) -> Self {
        let entry = Arc::new(Entry {
            listener: Some(Box::new(listener)),
            is_subscribed: AtomicBool::new(true),
        });
        listeners.replace(|list| list.push(Arc::clone(&entry)));
        Self {
            listeners: Arc::downgrade(listeners),
            entry: Some(entry),
        }
    }

    /// Keeps the listener subscribed for as long as its breaker is in use or, if it listens to all,
    /// forever.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::registry;
    ///
    /// registry::on_change(|change| println!("{}: {}", change.breaker, change.to)).forget();
    /// ```
    pub fn forget(mut self) {
        self.entry = None;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let Some(entry) = self.entry.take() else {
            return;
        };
        // Relaxed: a delivery that has begun may still call it.
        entry.is_subscribed.store(false, Ordering::Relaxed);
        if let Some(listeners) = self.listeners.upgrade() {
            listeners.replace(|list| list.retain(|other| !Arc::ptr_eq(other, &entry)));
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}

impl Listeners {
    pub(super) fn is_empty(&self) -> bool {
        // Relaxed: a subscription that happened before a change, in any order that its subscriber
        // could observe, is visible here.
        self.count.load(Ordering::Relaxed) == 0
    }

    /// Calls each listener with a change. No lock is held meanwhile.
    pub(super) fn call(&self, change: &StateChange) {
        if self.is_empty() {
            return;
        }
        let list = Arc::clone(&self.lock());
        for entry in list.iter() {
            entry.call(change);
        }
    }

    /// Changes the list. Listeners that are removed are dropped without the lock.
    fn replace(&self, change: impl FnOnce(&mut Vec<Arc<Entry>>)) {
        let mut current = self.lock();
        let mut list = Vec::clone(&current);
        change(&mut list);
        self.count.store(list.len(), Ordering::Relaxed);
        let before = std::mem::replace(&mut *current, Arc::new(list));
        drop(current);
        drop(before);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Arc<Vec<Arc<Entry>>>> {
        // No user code runs under the lock, and no section panics half-way.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn call(&self, change: &StateChange) {
        // Relaxed: as above.
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

//! A listener's subscription.

use std::fmt;
use std::sync::{Arc, Weak};

use super::change::StateChange;
use super::listeners::{self, Entry, Listeners};

/// Keeps a listener subscribed. Dropping it ends the subscription: no further call of the listener
/// begins. A call already running on another thread may still finish afterwards.
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
        Self::new(listeners::global_or_init(), listener)
    }

    /// Subscribes to the circuit or circuits of `listeners`.
    pub(crate) fn new(
        listeners: &Arc<Listeners>,
        listener: impl Fn(&StateChange) + Send + Sync + 'static,
    ) -> Self {
        Self {
            listeners: Arc::downgrade(listeners),
            entry: Some(listeners.add(listener)),
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
        entry.unsubscribe();
        if let Some(listeners) = self.listeners.upgrade() {
            listeners.remove(&entry);
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}

//! All circuit breakers that are in use, for health checks and operators.
//!
//! ```
//! use circuit_runtime::{CircuitBreaker, Config, registry};
//!
//! let breaker = CircuitBreaker::new("payments", Config::default());
//!
//! for breaker in registry::all() {
//!     println!("{}: {}", breaker.name(), breaker.state());
//! }
//!
//! registry::find("payments").unwrap().force_open();
//! assert!(breaker.try_acquire().is_err());
//!
//! drop(breaker);
//! assert!(registry::find("payments").is_none());
//! ```

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::breaker::CircuitBreaker;
use crate::circuit::Circuit;
use crate::keyed::Breakers;

/// Every breaker that has been made and not dropped, oldest first; those of a function that has one for
/// each `key` stand together. The breaker of an annotated function is made by its first call.
///
/// Whoever keeps a handle keeps the breaker: one of a key, which would be forgotten otherwise, too.
#[must_use]
pub fn all() -> Vec<CircuitBreaker> {
    in_use().into_iter().flat_map(InUse::breakers).collect()
}

/// The oldest breaker in use of this name.
///
/// The breaker of an annotated function is called `crate::module::function`, unless its option
/// `name` says otherwise; the one that it has for a `key`, `crate::module::function[key]`.
#[must_use]
pub fn find(name: &str) -> Option<CircuitBreaker> {
    in_use().into_iter().find_map(|entry| entry.named(name))
}

fn in_use() -> Vec<InUse> {
    // Handles are made while the lock is held and dropped after, as the last one takes the lock.
    Registered::with(|registered| {
        registered
            .entries
            .values()
            .filter_map(Entry::in_use)
            .collect()
    })
}

/// What the registry knows for as long as somebody uses it.
enum Entry {
    One(Weak<Circuit>),
    Keyed(Weak<Breakers>),
}

enum InUse {
    One(CircuitBreaker),
    Keyed(Arc<Breakers>),
}

impl Entry {
    fn in_use(&self) -> Option<InUse> {
        Some(match self {
            Self::One(circuit) => InUse::One(CircuitBreaker::from_circuit(circuit.upgrade()?)),
            Self::Keyed(breakers) => InUse::Keyed(breakers.upgrade()?),
        })
    }
}

impl InUse {
    fn breakers(self) -> Vec<CircuitBreaker> {
        match self {
            Self::One(breaker) => vec![breaker],
            Self::Keyed(breakers) => breakers.all(),
        }
    }

    fn named(self, name: &str) -> Option<CircuitBreaker> {
        match self {
            Self::One(breaker) => (breaker.name() == name).then_some(breaker),
            Self::Keyed(breakers) => breakers.named(name),
        }
    }
}

/// Where an entry stands in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id(NonZeroU64);

struct Registered {
    next: Id,
    entries: BTreeMap<Id, Entry>,
}

static REGISTERED: Mutex<Registered> = Mutex::new(Registered {
    next: Id(NonZeroU64::MIN),
    entries: BTreeMap::new(),
});

impl Registered {
    fn with<R>(section: impl FnOnce(&mut Self) -> R) -> R {
        // Nothing in a section can panic half-way.
        section(&mut REGISTERED.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(crate) fn add(circuit: &Weak<Circuit>) -> Id {
    add_entry(Entry::One(circuit.clone()))
}

pub(crate) fn add_keyed(breakers: &Weak<Breakers>) -> Id {
    add_entry(Entry::Keyed(breakers.clone()))
}

fn add_entry(entry: Entry) -> Id {
    Registered::with(|registered| {
        let id = registered.next;
        registered.next = Id(id.0.saturating_add(1));
        registered.entries.insert(id, entry);
        id
    })
}

pub(crate) fn remove(id: Id) {
    Registered::with(|registered| registered.entries.remove(&id));
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::{Entry, Registered};
    use crate::keyed::Breakers;
    use crate::{CircuitBreaker, Config};
    use std::sync::{Arc, Weak};

    fn is_registered(is_it: impl Fn(&Entry) -> bool) -> bool {
        Registered::with(|registered| registered.entries.values().any(is_it))
    }

    #[test]
    fn a_breaker_that_is_dropped_leaves_nothing_behind() {
        let breaker = CircuitBreaker::new("fleeting", Config::default());
        let weak = Arc::downgrade(breaker.circuit());
        let is_it = |entry: &Entry| matches!(entry, Entry::One(one) if Weak::ptr_eq(one, &weak));
        assert!(is_registered(is_it));
        drop(breaker);
        assert!(!is_registered(is_it));
    }

    #[test]
    fn neither_do_the_breakers_of_keys() {
        let breakers = Breakers::new("fleeting".into(), Config::default(), 10);
        breakers.of("key");
        let weak = Arc::downgrade(&breakers);
        let is_it =
            |entry: &Entry| matches!(entry, Entry::Keyed(keyed) if Weak::ptr_eq(keyed, &weak));
        assert!(is_registered(is_it));
        drop(breakers);
        assert!(!is_registered(is_it));
    }
}

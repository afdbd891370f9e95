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
use std::sync::{Mutex, PoisonError, Weak};

use crate::breaker::CircuitBreaker;
use crate::circuit::Circuit;

/// Every breaker that has been made and not dropped, oldest first. The breaker of an annotated
/// function is made by its first call.
#[must_use]
pub fn all() -> Vec<CircuitBreaker> {
    // Handles are made while the lock is held and dropped after, as the last one takes the lock.
    Registered::with(|registered| registered.breakers.values().filter_map(handle).collect())
}

/// The oldest breaker in use of this name.
///
/// The breaker of an annotated function is called `crate::module::function`, unless its option
/// `name` says otherwise.
#[must_use]
pub fn find(name: &str) -> Option<CircuitBreaker> {
    all().into_iter().find(|breaker| breaker.name() == name)
}

fn handle(circuit: &Weak<Circuit>) -> Option<CircuitBreaker> {
    circuit.upgrade().map(CircuitBreaker::from_circuit)
}

/// Where a breaker stands in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id(u64);

struct Registered {
    next: Id,
    breakers: BTreeMap<Id, Weak<Circuit>>,
}

static REGISTERED: Mutex<Registered> = Mutex::new(Registered {
    next: Id(0),
    breakers: BTreeMap::new(),
});

impl Registered {
    fn with<R>(section: impl FnOnce(&mut Self) -> R) -> R {
        // Nothing in a section can panic half-way.
        section(&mut REGISTERED.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(crate) fn add(circuit: &Weak<Circuit>) -> Id {
    Registered::with(|registered| {
        let id = registered.next;
        registered.next = Id(id.0 + 1);
        registered.breakers.insert(id, circuit.clone());
        id
    })
}

pub(crate) fn remove(id: Id) {
    Registered::with(|registered| registered.breakers.remove(&id));
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Registered;
    use crate::{CircuitBreaker, Config};

    #[test]
    fn a_breaker_that_is_dropped_leaves_nothing_behind() {
        let known = || Registered::with(|registered| registered.breakers.len());
        let before = known();
        let breakers: Vec<_> = (0..100)
            .map(|_| CircuitBreaker::new("fleeting", Config::default()))
            .collect();
        assert_eq!(known(), before + 100);
        drop(breakers);
        assert_eq!(known(), before);
    }
}

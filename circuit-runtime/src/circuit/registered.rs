//! The list of everything that the public registry shows.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::Circuit;

/// The shortest list that is pruned.
const MIN_PRUNED: usize = 64;

/// An entry of the registry: a circuit, or the keyed circuits of a function.
pub(crate) trait Listed: Send + Sync {
    /// Returns all of its circuits that are in use.
    fn circuits(self: Arc<Self>) -> Vec<Arc<Circuit>>;

    /// Finds the circuit called `name`.
    fn find_by_name(self: Arc<Self>, name: &str) -> Option<Arc<Circuit>>;
}

impl Listed for Circuit {
    fn circuits(self: Arc<Self>) -> Vec<Arc<Circuit>> {
        vec![self]
    }

    fn find_by_name(self: Arc<Self>, name: &str) -> Option<Arc<Circuit>> {
        (*self.name() == *name).then_some(self)
    }
}

/// Weak references, oldest first. Those whose target is gone are pruned once the list has doubled,
/// so that dropping a circuit takes no lock.
struct Registered {
    entries: Vec<Weak<dyn Listed>>,
    prune_at: usize,
}

static REGISTERED: Mutex<Registered> = Mutex::new(Registered {
    entries: Vec::new(),
    prune_at: MIN_PRUNED,
});

/// Registers `listed` until its last strong reference is dropped.
pub(crate) fn add<L: Listed + 'static>(listed: &Arc<L>) {
    let weak = Arc::downgrade(listed);
    with_registered(|registered| registered.push(weak));
}

/// Returns everything registered that is still in use, oldest first.
pub(crate) fn in_use() -> Vec<Arc<dyn Listed>> {
    with_registered(|registered| {
        registered
            .entries
            .iter()
            .filter_map(Weak::upgrade)
            .collect()
    })
}

fn with_registered<R>(section: impl FnOnce(&mut Registered) -> R) -> R {
    // No user code runs under the lock, and no section panics half-way, so poisoning is harmless.
    section(&mut REGISTERED.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Registered {
    fn push(&mut self, entry: Weak<dyn Listed>) {
        if self.entries.len() >= self.prune_at {
            self.entries.retain(|entry| entry.strong_count() > 0);
            self.prune_at = self.entries.len().saturating_mul(2).max(MIN_PRUNED);
            self.entries.shrink_to(self.prune_at);
        }
        self.entries.push(entry);
    }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::{Listed, MIN_PRUNED, Registered};
    use crate::circuit::Circuit;
    use crate::config::Config;
    use std::sync::{Arc, Weak};

    #[test]
    fn dropped_circuits_are_pruned_and_live_ones_stay_in_order() {
        let mut registered = Registered {
            entries: Vec::new(),
            prune_at: MIN_PRUNED,
        };
        let mut kept = Vec::new();
        for number in 0..10_000 {
            let circuit = Circuit::new(format!("{number}").into(), Config::default());
            let weak: Weak<dyn Listed> = Arc::downgrade(&(Arc::clone(&circuit) as Arc<dyn Listed>));
            registered.push(weak);
            if number % 1_000 == 0 {
                kept.push(circuit);
            }
            assert!(registered.entries.len() <= (2 * kept.len()).max(MIN_PRUNED));
        }
        let listed = registered.entries.iter().filter_map(Weak::upgrade);
        let names: Vec<_> = listed
            .flat_map(Listed::circuits)
            .map(|circuit| circuit.name().clone())
            .collect();
        let expected: Vec<_> = kept.iter().map(|circuit| circuit.name().clone()).collect();
        assert_eq!(names, expected);
    }
}

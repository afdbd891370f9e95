//! The keyed circuits that can be in use, and which of them are evicted.

use std::borrow::Borrow;
use std::collections::{BTreeMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::index::Index;
use crate::circuit::Circuit;
use crate::name::Name;

/// Second chances granted in one eviction before any idle circuit is taken.
pub(super) const MAX_SECOND_CHANCES: usize = 32;

/// Pinned circuits rechecked for each new key, so that creation stays O(1).
const RECHECKS: usize = 8;

/// Retired circuits tolerated between sweeps.
const SWEEP_THRESHOLD: usize = if cfg!(any(circuit_loom, circuit_shuttle)) {
    0
} else {
    64
};

/// All keyed circuits of one function: resident and retired.
///
/// A circuit is in use when its reference count exceeds the references held here and in the index.
/// A thread may find a circuit in the index and be preempted before it clones the handle; an
/// evicted circuit is therefore kept in `retired` until no thread can still reach it. Its key
/// returns the same circuit meanwhile, and it is never dropped with a call in flight.
///
/// Eviction is by second chance, the CLOCK algorithm (Corbató, "A Paging Experiment with the
/// Multics System", 1968): circuits not used recently first, and only if closed and idle.
#[derive(Default)]
pub(super) struct Residents {
    /// Resident circuits that may be idle; the front is the next eviction candidate.
    candidates: VecDeque<Arc<Circuit>>,
    /// Resident circuits that were in use or not closed when last checked.
    pinned: VecDeque<Arc<Circuit>>,
    /// Evicted circuits that another thread may still reach.
    retired: BTreeMap<Name, Arc<Circuit>>,
    /// The length of `retired` above which to sweep it.
    sweep_at: usize,
}

impl Residents {
    /// Returns the resident circuits.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Circuit>> {
        self.candidates.iter().chain(&self.pinned)
    }

    /// Returns the retired circuits that are still in use.
    pub(super) fn retired_in_use(&self) -> impl Iterator<Item = &Arc<Circuit>> {
        self.retired.values().filter(|circuit| !is_idle(circuit))
    }

    /// Returns the retired circuit called `name`, if it is still in use.
    pub(super) fn find_retired(&self, name: &str) -> Option<&Arc<Circuit>> {
        let retired = self.retired.get(name);
        retired.filter(|circuit| !is_idle(circuit))
    }

    /// Takes a circuit out of retirement.
    pub(super) fn revive(&mut self, name: &Name) -> Option<Arc<Circuit>> {
        self.retired.remove(name)
    }

    pub(super) fn retire(&mut self, circuit: Arc<Circuit>) {
        self.retired.insert(circuit.name().clone(), circuit);
    }

    pub(super) fn enter(&mut self, index: &Index<Entry>, circuit: Arc<Circuit>) {
        index.insert(Entry::new(&circuit));
        self.candidates.push_back(circuit);
    }

    /// Evicts until there is room for one more of `max_keys`, or no candidate is left.
    pub(super) fn evict(&mut self, index: &Index<Entry>, max_keys: usize) {
        if self.len() < max_keys {
            return;
        }
        self.recheck_pinned();
        let mut second_chances = 0;
        while self.len() >= max_keys {
            let Some(circuit) = self.candidates.pop_front() else {
                return;
            };
            let was_referenced = circuit.residency().take_referenced();
            if !is_idle(&circuit) {
                self.pinned.push_back(circuit);
            } else if was_referenced && second_chances < MAX_SECOND_CHANCES {
                second_chances = second_chances.saturating_add(1);
                self.candidates.push_back(circuit);
            } else {
                index.remove(circuit.name().key().unwrap_or_default());
                self.retire(circuit);
                if self.retired.len() > self.sweep_at {
                    self.sweep(index);
                }
            }
        }
    }

    /// Frees retired circuits that no thread can reach. One that has opened since its eviction
    /// becomes resident again.
    fn sweep(&mut self, index: &Index<Entry>) {
        let mut reopened = Vec::new();
        self.retired.retain(|_, circuit| {
            // The index drops its reference once no thread can be using it any more.
            let is_unreachable = Arc::get_mut(circuit).is_some();
            if is_unreachable && !circuit.is_closed_exclusive() {
                reopened.push(Arc::clone(circuit));
            }
            !is_unreachable
        });
        for circuit in reopened {
            self.enter(index, circuit);
        }
        self.sweep_at = self
            .retired
            .len()
            .saturating_mul(2)
            .saturating_add(SWEEP_THRESHOLD);
    }

    fn recheck_pinned(&mut self) {
        for _ in 0..RECHECKS.min(self.pinned.len()) {
            let Some(circuit) = self.pinned.pop_front() else {
                return;
            };
            if is_idle(&circuit) {
                self.candidates.push_back(circuit);
            } else {
                self.pinned.push_back(circuit);
            }
        }
    }

    fn len(&self) -> usize {
        self.candidates.len().saturating_add(self.pinned.len())
    }

    #[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
    pub(super) fn candidates(&self) -> usize {
        self.candidates.len()
    }

    #[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
    pub(super) fn retired(&self) -> usize {
        self.retired.len()
    }
}

/// Returns `true` if the circuit is closed and, by its reference count, no call is in flight.
fn is_idle(circuit: &Arc<Circuit>) -> bool {
    // Read `strong_count` first: if an entry is freed in between, the circuit looks busy, never
    // falsely idle.
    let references = Arc::strong_count(circuit);
    let ours = circuit.residency().index_refs().saturating_add(1);
    references <= ours && circuit.is_closed()
}

/// A circuit in the index, found by its key.
pub(super) struct Entry(Arc<Circuit>);

impl Entry {
    pub(super) fn new(circuit: &Arc<Circuit>) -> Self {
        circuit.residency().add_index_ref();
        Self(Arc::clone(circuit))
    }

    #[inline]
    pub(super) fn circuit(&self) -> &Arc<Circuit> {
        &self.0
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.0.residency().remove_index_ref();
    }
}

impl Borrow<str> for Entry {
    #[inline]
    fn borrow(&self) -> &str {
        self.0.name().key().unwrap_or_default()
    }
}

impl Hash for Entry {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Borrow::<str>::borrow(self).hash(state);
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        Borrow::<str>::borrow(self) == Borrow::<str>::borrow(other)
    }
}

impl Eq for Entry {}

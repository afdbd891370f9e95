//! The keyed circuits that can be in use, and which of them are evicted.

use std::borrow::Borrow;
use std::collections::{BTreeMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::ops::Bound;
use std::sync::Arc;

use super::cache;
use super::index::Index;
use crate::circuit::Circuit;
use crate::circuit::closing::Closing;
use crate::circuit::retention::{Reading, Retention};
use crate::circuit::totals::Totals;
use crate::name::Name;

/// Residents examined for each new key, so that creation stays O(1).
pub(super) const MAX_EXAMINED: usize = 128;

/// Second chances granted for each new key before one that was used recently is evicted.
pub(super) const MAX_SECOND_CHANCES: usize = 32;

/// Residents of a queue that are rechecked for each new key, out of those examined.
const RECHECKS: usize = 8;

/// The same for required residents while there are more than `max_keys`. The other half of those
/// examined are left for eviction.
const RECHECKS_ABOVE_BOUND: usize = MAX_EXAMINED / 2;

/// The queues that are searched for residents to evict, in order. The first pass over a queue
/// spares those that were used recently.
const PASSES: [Retention; 5] = [
    Retention::Closed,
    Retention::Expired,
    Retention::Closed,
    Retention::Evidence,
    Retention::Evidence,
];

/// Retired circuits tolerated without a sweep.
const SWEEP_THRESHOLD: usize = if cfg!(any(circuit_loom, circuit_shuttle)) {
    0
} else {
    64
};

/// Retired circuits swept for each one that is evicted, so that a sweep outpaces evictions although
/// one that is to be closed is swept twice.
const SWEPT_PER_EVICTED: usize = 3;

/// How many sweeps may be delivering at a time. A listener that looks up a new key begins another
/// one: without a limit, they would be nested until the stack overflows.
const MAX_DELIVERING: u32 = 8;

/// Queues with room for fewer circuits do not shrink.
const MIN_SHRUNK: usize = 64;

/// All circuits of one keyed map: resident and retired.
///
/// A circuit is in use when its reference count exceeds the references held here and in the index.
/// A thread may find a circuit in the index and be preempted before it clones the handle; an
/// evicted circuit is therefore kept in `retired` until no thread can still reach it. Its key
/// returns the same circuit meanwhile, and it is never dropped with a call in flight. One that was
/// last reported in another state than closed is closed before it is dropped, and stays retired
/// until that is delivered.
///
/// Each resident is in the queue of the [`Retention`] that it had when it was last examined, and is
/// examined again before it is evicted. The weakest are evicted first and, of one queue, by second
/// chance, the CLOCK algorithm (Corbató, "A Paging Experiment with the Multics System", 1968):
/// those not used recently first.
#[derive(Default)]
pub(super) struct Residents {
    closed: VecDeque<Arc<Circuit>>,
    expired: VecDeque<Arc<Circuit>>,
    evidence: VecDeque<Arc<Circuit>>,
    /// Those in use when last examined, too.
    required: VecDeque<Arc<Circuit>>,
    /// Evicted circuits that another thread may still reach.
    retired: BTreeMap<Name, Retired>,
    /// The last of them that was swept; the sweep continues after it.
    swept: Option<Name>,
    /// Sweeps that have found circuits to close, and are delivering that.
    delivering: u32,
    /// The totals of all circuits that are neither resident nor retired any more.
    freed: Totals,
    /// The totals of all circuits, freed ones included, as they were last exported.
    exported: Totals,
    /// For the latest new key: residents examined, and retired circuits swept.
    #[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
    work: (usize, usize),
}

struct Retired {
    circuit: Arc<Circuit>,
    /// The reason to retain it when it was evicted.
    retention: Retention,
}

/// The results of a sweep, for its caller to finish without the lock.
#[derive(Default)]
#[must_use = "the caller finishes it, without the lock"]
pub(super) struct Swept {
    /// Circuits that no thread can reach, to be dropped: that may take long.
    pub(super) unreachable: Vec<Arc<Circuit>>,
    /// The names of circuits to be closed, each by [`Residents::close`], before they are swept
    /// again.
    pub(super) to_close: Vec<Name>,
}

/// The search for residents to evict, for one new key.
struct Search {
    /// The clock is read once for all residents.
    now: Reading,
    max_keys: usize,
    /// Residents that may still be examined.
    left: usize,
    second_chances: usize,
    evicted: usize,
}

impl Residents {
    /// Returns the resident circuits.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Circuit>> {
        self.closed
            .iter()
            .chain(&self.expired)
            .chain(&self.evidence)
            .chain(&self.required)
    }

    /// Returns the resident circuits and the retired ones.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Circuit>> {
        let retired = self.retired.values();
        self.iter().chain(retired.map(|retired| &retired.circuit))
    }

    /// Returns the retired circuits that are still in use, or must be retained by now.
    pub(super) fn retired_in_use(&self) -> impl Iterator<Item = &Arc<Circuit>> {
        let now = Reading::now();
        let retired = self.retired.values().filter(move |it| it.is_in_use(now));
        retired.map(|retired| &retired.circuit)
    }

    /// Returns all retired circuits, and the totals of those freed. The references count as those
    /// of the index, so that a circuit does not look as if it was in use.
    pub(super) fn retired_and_freed(&self) -> (Vec<Entry>, Totals) {
        let retired = self.retired.values();
        let retired = retired.map(|retired| Entry::new(&retired.circuit));
        (retired.collect(), self.freed)
    }

    /// Returns the totals to export, given those that were just read. A circuit that was evicted
    /// meanwhile may have been missed, none was read twice: so the greater of two readings is the
    /// better one.
    pub(super) fn export(&mut self, totals: Totals) -> Totals {
        self.exported = self.exported.max(totals);
        self.exported
    }

    /// Returns the retired circuit called `name`, if it is still in use, or must be retained by
    /// now.
    pub(super) fn find_retired(&self, name: &str) -> Option<&Arc<Circuit>> {
        let retired = self.retired.get(name);
        let retired = retired.filter(|retired| retired.is_in_use(Reading::now()));
        retired.map(|retired| &retired.circuit)
    }

    /// Takes a circuit out of retirement.
    pub(super) fn revive(&mut self, name: &Name) -> Option<Arc<Circuit>> {
        self.retired.remove(name).map(|retired| retired.circuit)
    }

    /// Retires a circuit, until no thread can reach it or there is a reason to retain it that is
    /// stronger than this.
    pub(super) fn retire(&mut self, circuit: Arc<Circuit>, retention: Retention) {
        circuit.residency().set_resident(false);
        let name = circuit.name().clone();
        self.retired.insert(name, Retired { circuit, retention });
    }

    /// Retires the circuit of a new key on a thread that may not change the index.
    pub(super) fn retire_new(&mut self, circuit: Arc<Circuit>) -> Swept {
        self.retire(circuit, Retention::Closed);
        self.sweep_if_many(None, 1, Reading::now)
    }

    pub(super) fn enter(&mut self, index: &Index<Entry>, circuit: Arc<Circuit>) {
        circuit.residency().set_resident(true);
        index.insert(Entry::new(&circuit));
        self.closed.push_back(circuit);
    }

    /// Evicts until there is room for one more of `max_keys`, or no more residents may be examined.
    pub(super) fn evict(&mut self, index: &Index<Entry>, max_keys: usize) -> Swept {
        if self.len() < max_keys {
            return self.sweep_if_many(Some(index), 0, Reading::now);
        }
        let mut search = Search {
            now: Reading::now(),
            max_keys,
            left: MAX_EXAMINED,
            second_chances: MAX_SECOND_CHANCES,
            evicted: 0,
        };
        let rechecks = if self.len() > max_keys {
            RECHECKS_ABOVE_BOUND
        } else {
            RECHECKS
        };
        self.recheck(Retention::Required, rechecks, &mut search);
        self.recheck(Retention::Evidence, RECHECKS, &mut search);
        for retention in PASSES {
            self.evict_from(retention, index, &mut search);
        }
        #[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
        {
            self.work = (MAX_EXAMINED - search.left, 0);
        }
        self.shrink();
        self.sweep_if_many(Some(index), search.evicted, || search.now)
    }

    /// Sweeps some of the retired circuits, more than are retired at a time, if there are many.
    fn sweep_if_many(
        &mut self,
        index: Option<&Index<Entry>>,
        retired: usize,
        now: impl FnOnce() -> Reading,
    ) -> Swept {
        if self.retired.len() <= SWEEP_THRESHOLD {
            return Swept::default();
        }
        let count = retired.saturating_mul(SWEPT_PER_EVICTED);
        self.sweep(index, count.saturating_add(RECHECKS), now())
    }

    /// Moves residents whose retention has changed to the queue where they belong.
    fn recheck(&mut self, retention: Retention, count: usize, search: &mut Search) {
        for _ in 0..count.min(self.queue(retention).len()) {
            let Some(circuit) = self.queue(retention).pop_front() else {
                return;
            };
            let retention = search.examine(&circuit);
            self.queue(retention).push_back(circuit);
        }
    }

    /// Evicts residents of a queue, except those with a stronger reason to retain them.
    fn evict_from(&mut self, retention: Retention, index: &Index<Entry>, search: &mut Search) {
        for _ in 0..self.queue(retention).len() {
            if self.len() < search.max_keys || search.left == 0 {
                return;
            }
            let Some(circuit) = self.queue(retention).pop_front() else {
                return;
            };
            let was_referenced = circuit.residency().take_referenced();
            let found = search.examine(&circuit);
            let is_spared = was_referenced && found != Retention::Expired;
            if found > retention || (is_spared && search.second_chance()) {
                self.queue(found).push_back(circuit);
            } else if is_spared {
                self.queue(found).push_front(circuit);
                return;
            } else {
                index.remove(circuit.name().key().unwrap_or_default());
                self.retire(circuit, found);
                search.evicted = search.evicted.saturating_add(1);
            }
        }
    }

    /// Examines `count` of the retired circuits, and frees those that no thread can reach.
    fn sweep(&mut self, index: Option<&Index<Entry>>, count: usize, now: Reading) -> Swept {
        let last = self.swept.take();
        let start = last.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut unreachable = Vec::new();
        let mut visited = 0_usize;
        let range = (start, Bound::Unbounded);
        for (name, retired) in self.retired.range_mut::<str, _>(range).take(count) {
            cache::withdraw(&retired.circuit);
            // The index drops its reference once no thread can be using it any more.
            if Arc::get_mut(&mut retired.circuit).is_some() {
                unreachable.push(name.clone());
            }
            visited = visited.saturating_add(1);
            if visited == count {
                self.swept = Some(name.clone());
            }
        }
        #[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
        {
            self.work.1 = visited;
        }
        let mut swept = Swept::default();
        for name in unreachable {
            self.free(name, index, now, &mut swept);
        }
        if !swept.to_close.is_empty() {
            self.delivering = self.delivering.saturating_add(1);
        }
        swept
    }

    /// Frees a retired circuit that no thread can reach, unless it is to be closed first. One with
    /// a stronger reason to retain it than at its eviction becomes resident again, unless the
    /// thread may not change the index.
    fn free(&mut self, name: Name, index: Option<&Index<Entry>>, now: Reading, swept: &mut Swept) {
        let Some(retired) = self.retired.remove(&name) else {
            return;
        };
        let is_retained = retired.circuit.retention_exclusive(now) > retired.retention;
        match index {
            Some(index) if is_retained => self.enter(index, retired.circuit),
            None if is_retained => _ = self.retired.insert(name, retired),
            _ if !retired.circuit.is_reported_closed() => {
                if self.delivering < MAX_DELIVERING {
                    swept.to_close.push(name.clone());
                }
                self.retired.insert(name, retired);
            }
            _ => {
                // Under the lock, so that no reader misses it or counts it twice.
                self.freed = self.freed.plus(retired.circuit.totals());
                swept.unreachable.push(retired.circuit);
            }
        }
    }

    /// Closes a retired circuit that a sweep has found in another state; `None` if it is in use
    /// meanwhile, or was closed by another thread. The caller delivers the change.
    pub(super) fn close(&mut self, name: &Name) -> Option<Closing> {
        let Retired { circuit, retention } = self.retired.get_mut(name)?;
        cache::withdraw(circuit);
        let is_unreachable = Arc::get_mut(circuit).is_some();
        let may_close = is_unreachable && circuit.retention_exclusive(Reading::now()) <= *retention;
        (may_close && !circuit.is_reported_closed()).then(|| Closing::record(circuit))
    }

    /// Notes that the changes that a sweep has led to are delivered.
    pub(super) fn delivered(&mut self) {
        self.delivering = self.delivering.saturating_sub(1);
    }

    fn queue(&mut self, retention: Retention) -> &mut VecDeque<Arc<Circuit>> {
        match retention {
            Retention::Closed => &mut self.closed,
            Retention::Expired => &mut self.expired,
            Retention::Evidence => &mut self.evidence,
            Retention::Required => &mut self.required,
        }
    }

    /// Frees the memory of queues that are far shorter than they were.
    fn shrink(&mut self) {
        for queue in [
            &mut self.closed,
            &mut self.expired,
            &mut self.evidence,
            &mut self.required,
        ] {
            let double = queue.len().saturating_mul(2).max(MIN_SHRUNK);
            if double.saturating_mul(2) <= queue.capacity() {
                queue.shrink_to(double);
            }
        }
    }

    fn len(&self) -> usize {
        self.closed
            .len()
            .saturating_add(self.expired.len())
            .saturating_add(self.evidence.len())
            .saturating_add(self.required.len())
    }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
impl Residents {
    /// Returns how many residents may be evicted, as far as is known.
    pub(super) fn evictable(&self) -> usize {
        self.closed.len() + self.expired.len() + self.evidence.len()
    }

    pub(super) fn retired(&self) -> usize {
        self.retired.len()
    }

    /// Returns how many residents were examined for the latest new key, and how many retired
    /// circuits were swept.
    pub(super) fn work(&self) -> (usize, usize) {
        self.work
    }

    /// Returns for how many residents there is room without allocating.
    pub(super) fn capacity(&self) -> usize {
        let evictable = self.closed.capacity() + self.expired.capacity() + self.evidence.capacity();
        evictable + self.required.capacity()
    }
}

impl Retired {
    /// Returns whether a call is in flight, or there is a stronger reason to retain the circuit
    /// than at its eviction.
    fn is_in_use(&self, now: Reading) -> bool {
        is_in_use(&self.circuit) || self.circuit.retention(now) > self.retention
    }
}

impl Search {
    /// Returns the reason to retain a resident.
    fn examine(&mut self, circuit: &Arc<Circuit>) -> Retention {
        self.left = self.left.saturating_sub(1);
        // Read the reference count first: a call that ends in between leaves its result to be seen.
        if is_in_use(circuit) {
            Retention::Required
        } else {
            circuit.retention(self.now)
        }
    }

    /// Grants a second chance, unless too many were granted for this new key; returns `true` if it
    /// did.
    fn second_chance(&mut self) -> bool {
        let left = self.second_chances.checked_sub(1);
        self.second_chances = left.unwrap_or(0);
        left.is_some()
    }
}

/// Withdraws the cached handles of the circuit; returns `true` if, by its reference count, a call
/// may hold another.
fn is_in_use(circuit: &Arc<Circuit>) -> bool {
    has_handles(circuit) && {
        cache::withdraw(circuit);
        has_handles(circuit)
    }
}

/// Returns `true` if there are references to it besides our own.
fn has_handles(circuit: &Arc<Circuit>) -> bool {
    // Read `strong_count` first: if an entry is freed in between, the circuit looks busy, never
    // falsely idle.
    let references = Arc::strong_count(circuit);
    let ours = circuit.residency().index_refs().saturating_add(1);
    references > ours
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

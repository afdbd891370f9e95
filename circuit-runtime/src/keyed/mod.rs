//! One circuit for each key, created on first use.

mod cache;
mod handle;
mod index;
mod residents;
mod short_key;
#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests;

use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, PoisonError};

use foldhash::fast::RandomState;

pub(crate) use handle::KeyedHandle;
use index::Index;
use residents::{Entry, Residents, Swept};
use short_key::ShortKey;

use crate::circuit::reconfiguration::PolicyUsers;
use crate::circuit::registered::{self, Listed};
use crate::circuit::status::Status;
use crate::circuit::totals::Totals;
use crate::circuit::{Circuit, Owner, Policy, Tag};
use crate::config::{Config, ConfigError};
#[cfg(feature = "serde")]
use crate::events::Record;
use crate::name::Name;
use crate::sync::{AtomicU32, Mutex, Ordering};

/// One circuit for each key, all with the same rules.
///
/// Lookup takes no lock; creation and eviction take one. Beyond `max_keys`, idle circuits are
/// evicted; if none can be, the bound gives way. [`Residents`] explains which.
pub(crate) struct KeyedCircuits {
    name: Name,
    policy: Arc<Policy>,
    max_keys: AtomicU32,
    index: Index<Entry>,
    /// For the tags of keys. Collisions are harmless.
    hasher: RandomState,
    residents: Mutex<Residents>,
}

impl KeyedCircuits {
    pub(crate) fn new(name: Name, config: Config, owner: Owner, max_keys: u32) -> Arc<Self> {
        Arc::new(Self {
            name,
            policy: Arc::new(Policy::new(config, owner)),
            max_keys: AtomicU32::new(max_keys),
            index: Index::default(),
            hasher: RandomState::default(),
            residents: Mutex::new(Residents::default()),
        })
    }

    pub(crate) fn name(&self) -> &Name {
        &self.name
    }

    pub(crate) fn max_keys(&self) -> u32 {
        // Relaxed: creation, which reads it under the lock, may miss a change made meanwhile.
        self.max_keys.load(Ordering::Relaxed)
    }

    /// Sets the bound, which applies from the next new key on.
    pub(crate) fn set_max_keys(&self, max_keys: u32) {
        self.max_keys.store(max_keys, Ordering::Relaxed);
    }

    /// Replaces the rules of all circuits, those that are created later included.
    pub(crate) fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        self.policy.reconfigure(config, self)
    }

    /// Returns the circuit of `key`, created if there is none.
    #[inline]
    pub(crate) fn for_key(&self, key: &str) -> Arc<Circuit> {
        self.find(key).unwrap_or_else(|| self.create(key))
    }

    /// Returns a handle to the circuit of `key`, for one call.
    #[inline]
    pub(crate) fn handle_for_key(&self, key: &str) -> KeyedHandle {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(key.as_bytes());
        let tag = Tag::from_hash(hasher.finish());
        let is_wanted = |circuit: &Circuit| {
            circuit.has_policy(&self.policy)
                && circuit.name().has_key(key)
                && circuit.residency().is_resident()
        };
        KeyedHandle::new(match cache::take(tag, is_wanted) {
            Some(circuit) => {
                circuit.residency().touch();
                circuit
            }
            None => self.look_up(key, tag),
        })
    }

    /// Looks up a key of which this thread has cached no handle, and lets handles be cached once
    /// the key is busy.
    #[inline(never)]
    fn look_up(&self, key: &str, tag: Tag) -> Arc<Circuit> {
        let circuit = self.for_key(key);
        if circuit.is_busy() && circuit.residency().tag().is_none() {
            circuit.residency().set_tag(tag);
        }
        circuit
    }

    #[inline]
    fn find(&self, key: &str) -> Option<Arc<Circuit>> {
        self.index.get_with(key, |entry| {
            let circuit = entry.circuit();
            circuit.residency().touch();
            Arc::clone(circuit)
        })
    }

    /// Creates the circuit of a key that was not found.
    ///
    /// A long key is never found as it is, only by its short form. Its length is examined here, so
    /// that the lookup of a short one does not pay for it.
    #[cold]
    fn create(&self, key: &str) -> Arc<Circuit> {
        match ShortKey::new(key) {
            None => self.insert(key),
            Some(short) => {
                let key = short.as_str();
                self.find(key).unwrap_or_else(|| self.insert(key))
            }
        }
    }

    fn insert(&self, key: &str) -> Arc<Circuit> {
        #[cfg(feature = "serde")]
        let mut held = None;
        let (circuit, swept) = self.with_residents(|residents| {
            if let Some(circuit) = self.find(key) {
                return (circuit, Swept::default()); // created by another thread meanwhile
            }
            let name = Name::from_key(&self.name, key);
            // Before making room: sweeping may return a retired circuit to the index.
            let retired = residents.revive(&name);
            let circuit = retired.unwrap_or_else(|| {
                let circuit = Circuit::with_policy(name, Arc::clone(&self.policy));
                // Before another thread can find it, and under the lock: a file that is applied
                // from now on finds it among the residents.
                #[cfg(feature = "serde")]
                {
                    held = circuit.hold_new();
                }
                circuit
            });
            if !self.index.may_change() {
                // The next lookup of this key inserts it.
                let swept = residents.retire_new(Arc::clone(&circuit));
                return (circuit, swept);
            }
            let max_keys = usize::try_from(self.max_keys()).unwrap_or(usize::MAX);
            let swept = residents.evict(&self.index, max_keys);
            residents.enter(&self.index, Arc::clone(&circuit));
            (circuit, swept)
        });
        self.finish(swept);
        #[cfg(feature = "serde")]
        if let Some(held) = held {
            held.deliver();
        }
        circuit
    }

    /// Does the part of a sweep that is done without the lock.
    fn finish(&self, swept: Swept) {
        drop(swept.unreachable);
        if swept.to_close.is_empty() {
            return;
        }
        // One after the other: a listener that blocks delays no circuit but its own.
        for name in swept.to_close {
            if let Some(closing) = self.with_residents(|residents| residents.close(&name)) {
                closing.deliver();
            }
        }
        self.with_residents(Residents::delivered);
    }

    /// Calls `f` with each resident, without the lock: there may be a million.
    fn for_each_resident(&self, mut f: impl FnMut(&Arc<Circuit>)) {
        self.index.for_each(|entry| f(entry.circuit()));
    }

    fn with_residents<R>(&self, section: impl FnOnce(&mut Residents) -> R) -> R {
        // No user code runs under the lock, and no section panics half-way, so poisoning is
        // harmless.
        section(
            &mut self
                .residents
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

impl PolicyUsers for KeyedCircuits {
    fn for_each(&self, visit: &mut dyn FnMut(&Circuit)) {
        // Under the lock, as any of them may be evicted and another created.
        self.with_residents(|residents| residents.all().for_each(|circuit| visit(circuit)));
    }
}

impl Drop for KeyedCircuits {
    fn drop(&mut self) {
        registered::remove(self, self.read_all(&mut |_, _| ()));
        self.with_residents(|residents| {
            for circuit in residents.iter().chain(residents.retired_in_use()) {
                // A handle that a call holds is dropped when it is given back.
                circuit.residency().set_resident(false);
                cache::withdraw(circuit);
            }
        });
    }
}

impl Listed for KeyedCircuits {
    fn listed_as(&self) -> &str {
        &self.name
    }

    fn circuits(self: Arc<Self>) -> Vec<Arc<Circuit>> {
        // In this order: a circuit may become resident in between, and one that is retired in
        // between was not in use.
        let mut circuits = self.with_residents(|residents| {
            let retired = residents.retired_in_use().map(Arc::clone);
            retired.collect::<Vec<_>>()
        });
        let retired = circuits.clone();
        self.for_each_resident(|circuit| {
            if !retired.iter().any(|retired| Arc::ptr_eq(retired, circuit)) {
                circuits.push(Arc::clone(circuit));
            }
        });
        circuits
    }

    fn find_by_name(self: Arc<Self>, name: &str) -> Option<Arc<Circuit>> {
        let key = name.strip_prefix(&*self.name)?;
        let key = key.strip_prefix('[')?.strip_suffix(']')?;
        let short = ShortKey::new(key);
        let key = short.as_ref().map_or(key, ShortKey::as_str);
        self.find(key).or_else(|| {
            let name = Name::from_key(&self.name, key);
            self.with_residents(|residents| {
                let retired = || residents.find_retired(&name).map(Arc::clone);
                self.find(key).or_else(retired)
            })
        })
    }

    fn is_keyed(&self) -> bool {
        true
    }

    #[cfg(feature = "serde")]
    fn policy(&self) -> &Policy {
        &self.policy
    }

    #[cfg(feature = "serde")]
    fn replace_rules(&self, config: Config) {
        self.policy.replace(config, self);
    }

    #[cfg(feature = "serde")]
    fn hold_new(&self) -> Option<Record> {
        // There are no circuits yet.
        None
    }

    #[cfg(feature = "serde")]
    fn follow_file(&self) {
        // A circuit that is created later follows it by itself.
        let all =
            self.with_residents(|residents| residents.all().map(Entry::new).collect::<Vec<_>>());
        for entry in all {
            entry.circuit().follow_file();
        }
    }

    fn read_all(&self, read: &mut dyn FnMut(&Name, &Status)) -> Totals {
        // In this order: one that is retired or freed in between may be missed, but is not read
        // twice. Those retired stay, as long as we refer to them.
        let (retired, mut totals) = self.with_residents(|residents| residents.retired_and_freed());
        // One that is retired and revived in between may be in the index twice.
        let mut seen = HashSet::with_hasher(RandomState::default());
        let mut read_new = |circuit: &Arc<Circuit>| {
            if seen.insert(Arc::as_ptr(circuit)) {
                let status = circuit.status();
                totals = totals.plus(status.totals);
                read(circuit.name(), &status);
            }
        };
        let retired = retired.iter().map(Entry::circuit);
        retired.for_each(&mut read_new);
        self.for_each_resident(read_new);
        self.with_residents(|residents| residents.export(totals))
    }
}

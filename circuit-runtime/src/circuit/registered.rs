//! The list of everything that the public registry shows.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::ops::Bound;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use super::Circuit;
#[cfg(feature = "serde")]
use super::policy::Policy;
use super::status::Status;
use super::sums::Sums;
use super::totals::Totals;
#[cfg(feature = "serde")]
use crate::config::Config;
#[cfg(feature = "serde")]
use crate::events::Record;
use crate::name::Name;

/// The shortest list that is pruned.
const MIN_PRUNED: usize = 64;

/// Entries that are copied under the lock at a time.
const CHUNK: usize = 256;

/// An entry of the registry: a circuit, or the keyed circuits of a function.
pub(crate) trait Listed: Send + Sync {
    /// Returns the name of the circuit, or the one that its circuits have before their keys.
    fn listed_as(&self) -> &str;

    /// Returns all of its circuits that are in use.
    fn circuits(self: Arc<Self>) -> Vec<Arc<Circuit>>;

    /// Finds the circuit called `name`.
    fn find_by_name(self: Arc<Self>, name: &str) -> Option<Arc<Circuit>>;

    /// Returns whether its circuits have keys.
    fn is_keyed(&self) -> bool;

    /// Returns the rules of its circuits.
    #[cfg(feature = "serde")]
    fn policy(&self) -> &Policy;

    /// Replaces the rules, which have been checked.
    #[cfg(feature = "serde")]
    fn replace_rules(&self, config: Config);

    /// Holds its circuits as their file says, or releases them.
    #[cfg(feature = "serde")]
    fn follow_file(&self);

    /// Holds its circuits as their file says, while no other thread can reach them. Returns the
    /// change, which has yet to be delivered.
    #[cfg(feature = "serde")]
    fn hold_new(&self) -> Option<Record>;

    /// Reads the status of each of its circuits, without a lock over more than one. Returns the
    /// totals of all circuits that it ever had, none of which falls from one reading to the next.
    fn read_all(&self, read: &mut dyn FnMut(&Name, &Status)) -> Totals;
}

impl Listed for Circuit {
    fn listed_as(&self) -> &str {
        self.name()
    }

    fn circuits(self: Arc<Self>) -> Vec<Arc<Circuit>> {
        vec![self]
    }

    fn find_by_name(self: Arc<Self>, name: &str) -> Option<Arc<Circuit>> {
        (*self.name() == *name).then_some(self)
    }

    fn is_keyed(&self) -> bool {
        false
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
    fn follow_file(&self) {
        Self::follow_file(self);
    }

    #[cfg(feature = "serde")]
    fn hold_new(&self) -> Option<Record> {
        Self::hold_new(self)
    }

    fn read_all(&self, read: &mut dyn FnMut(&Name, &Status)) -> Totals {
        let status = self.status();
        read(self.name(), &status);
        status.totals
    }
}

/// Weak references. Those whose target is gone are pruned once the list has doubled, so that
/// dropping a circuit takes no time for others of its name.
///
/// No strong reference is taken under the lock: it might become the last one, and its drop would
/// free the circuit there.
struct Registered {
    entries: BTreeMap<Position, Weak<dyn Listed>>,
    next_age: Age,
    prune_at: usize,
    sums: Sums,
}

impl Drop for Circuit {
    fn drop(&mut self) {
        // The circuit of a key leaves its totals to its function.
        if self.name.key().is_none() {
            remove(self, self.totals());
        }
    }
}

/// The hash of a name, and the age of an entry of that name: an index by name that takes no memory
/// of its own. Hashes may collide.
type Position = (u64, Age);

/// Counts the registrations: the oldest entry has the lowest.
type Age = u64;

static REGISTERED: Mutex<Registered> = Mutex::new(Registered::new());

/// The keys of the hash of names, at random.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Registers `listed` until its last strong reference is dropped, which has to call [`remove`].
pub(crate) fn add<L: Listed + 'static>(listed: &Arc<L>) {
    let hash = hash(listed.listed_as());
    let weak = Arc::downgrade(listed);
    with_registered(|registered| registered.push(hash, weak));
}

/// Ends the registration of `listed`, which is being dropped. Its totals remain in the sum of its
/// name while others of that name are in use.
pub(crate) fn remove(listed: &impl Listed, totals: Totals) {
    let name = listed.listed_as();
    let hash = hash(name);
    with_registered(|registered| registered.remove(hash, &label(name), totals));
}

/// Returns the sum of the totals of everything that is or was registered under this label, given
/// that of everything in use, which the caller keeps in use. It does not fall until none is in use.
pub(crate) fn sum(label: &str, in_use: Totals) -> Totals {
    with_registered(|registered| registered.sums.export(label, in_use))
}

/// Returns a name as it is exported. Zero bytes, which end a file for some parsers, are replaced
/// before names are compared: two names that look the same are one.
pub(crate) fn label(name: &str) -> Cow<'_, str> {
    if name.contains('\0') {
        Cow::Owned(name.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(name)
    }
}

/// Returns everything registered, oldest first.
pub(crate) fn all() -> Vec<Weak<dyn Listed>> {
    let mut all = Vec::new();
    let mut last = None;
    loop {
        let before = all.len();
        with_registered(|registered| all.extend(registered.after(last).take(CHUNK)));
        if all.len() == before {
            break;
        }
        last = all.last().map(|&(position, _)| position);
    }
    all.sort_unstable_by_key(|&((_, age), _)| age);
    all.into_iter().map(|(_, listed)| listed).collect()
}

/// Returns the oldest circuit in use that is called `name`.
pub(crate) fn find(name: &str) -> Option<Arc<Circuit>> {
    let owners = owners(name).into_iter();
    let oldest = owners.filter_map(|owner| in_use(owner, name).next());
    let (_, circuit) = oldest.min_by_key(|&(age, _)| age)?;
    Some(circuit)
}

/// Returns all circuits in use that are called `name`, oldest first.
pub(crate) fn find_all(name: &str) -> Vec<Arc<Circuit>> {
    let owners = owners(name).into_iter();
    let mut found: Vec<_> = owners.flat_map(|owner| in_use(owner, name)).collect();
    found.sort_unstable_by_key(|&(age, _)| age);
    found.into_iter().map(|(_, circuit)| circuit).collect()
}

/// Returns the circuits in use that are called `name` and registered under a name with this hash,
/// oldest first.
fn in_use(owner: u64, name: &str) -> impl Iterator<Item = (Age, Arc<Circuit>)> {
    Named::new(owner)
        .filter_map(move |(age, listed)| Some((age, listed.upgrade()?.find_by_name(name)?)))
}

/// Returns the hashes of the names under which a circuit called `name` may be registered: its own
/// and, as it may be that of a key, everything before a bracket. Takes time proportional to the
/// length of the name, whatever it contains: it may come from outside. Names of the same label have
/// the same hash.
fn owners(name: &str) -> Vec<u64> {
    let name = label(name);
    let mut owners = Vec::new();
    let mut hasher = HASHER.build_hasher();
    let mut parts = name.split('[').peekable();
    while let Some(part) = parts.next() {
        hasher.write(part.as_bytes());
        if parts.peek().is_none() || name.ends_with(']') {
            owners.push(hasher.finish());
        }
        hasher.write_u8(b'[');
    }
    owners
}

/// Hashes a name, part by part between the brackets, as [`owners`] does.
fn hash(name: &str) -> u64 {
    owners(name).pop().unwrap_or_default()
}

/// The entries registered under one name, oldest first. The lock is taken for each.
struct Named {
    hash: u64,
    last: Option<Age>,
}

impl Named {
    fn new(hash: u64) -> Self {
        Self { hash, last: None }
    }
}

impl Iterator for Named {
    type Item = (Age, Weak<dyn Listed>);

    fn next(&mut self) -> Option<Self::Item> {
        let (age, listed) = with_registered(|registered| registered.next(self.hash, self.last))?;
        self.last = Some(age);
        Some((age, listed))
    }
}

fn with_registered<R>(section: impl FnOnce(&mut Registered) -> R) -> R {
    // No user code runs under the lock, and no section panics half-way, so poisoning is harmless.
    section(&mut REGISTERED.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Registered {
    const fn new() -> Self {
        Self {
            entries: BTreeMap::new(),
            next_age: 0,
            prune_at: MIN_PRUNED,
            sums: Sums::new(),
        }
    }

    fn push(&mut self, hash: u64, entry: Weak<dyn Listed>) {
        if self.entries.len() >= self.prune_at {
            self.entries.retain(|_, entry| entry.strong_count() > 0);
            self.prune_at = self.entries.len().saturating_mul(2).max(MIN_PRUNED);
        }
        self.entries.insert((hash, self.next_age), entry);
        self.next_age = self.next_age.wrapping_add(1);
    }

    /// Keeps the totals of one of this hash that is being dropped, unless none is in use any more.
    fn remove(&mut self, hash: u64, label: &str, totals: Totals) {
        let mut is_in_use = false;
        while let Some((age, entry)) = self.next(hash, None) {
            is_in_use = entry.strong_count() > 0;
            if is_in_use {
                break;
            }
            self.entries.remove(&(hash, age));
        }
        if is_in_use {
            self.sums.add_dropped(label, totals);
        } else {
            self.sums.forget(label);
        }
    }

    /// Returns the entries after the one at `last`, or all, in the order of their positions.
    fn after(&self, last: Option<Position>) -> impl Iterator<Item = (Position, Weak<dyn Listed>)> {
        let start = last.map_or(Bound::Unbounded, Bound::Excluded);
        let entries = self.entries.range((start, Bound::Unbounded));
        entries.map(|(&position, entry)| (position, Weak::clone(entry)))
    }

    /// Returns the oldest entry of this hash or, if there is a `last` age, the next one after it.
    fn next(&self, hash: u64, last: Option<Age>) -> Option<(Age, Weak<dyn Listed>)> {
        let start = last.map_or(Bound::Included((hash, 0)), |last| {
            Bound::Excluded((hash, last))
        });
        let range = (start, Bound::Included((hash, Age::MAX)));
        let (&(_, age), entry) = self.entries.range(range).next()?;
        Some((age, Weak::clone(entry)))
    }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::{Listed, MIN_PRUNED, Named, Registered, add, hash, owners};
    use crate::circuit::{Circuit, Owner};
    use crate::config::Config;
    use std::sync::{Arc, Weak};

    fn circuit(name: &str) -> Arc<Circuit> {
        Circuit::new(name.to_owned().into(), Config::default(), Owner::Breaker)
    }

    fn weak(circuit: &Arc<Circuit>) -> Weak<dyn Listed> {
        Arc::downgrade(&(Arc::clone(circuit) as Arc<dyn Listed>))
    }

    #[test]
    fn dropped_circuits_are_pruned_and_live_ones_stay() {
        let mut registered = Registered::new();
        let mut kept = Vec::new();
        for number in 0..10_000_u64 {
            let circuit = circuit(&number.to_string());
            registered.push(number, weak(&circuit));
            if number % 1_000 == 0 {
                kept.push(circuit);
            }
            assert!(registered.entries.len() <= (2 * kept.len()).max(MIN_PRUNED));
        }
        let listed = registered.after(None);
        let names: Vec<_> = listed
            .filter_map(|(_, entry)| entry.upgrade())
            .map(|listed| listed.listed_as().to_owned())
            .collect();
        let expected: Vec<_> = kept.iter().map(|circuit| circuit.name().as_str()).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn dropping_a_circuit_removes_those_before_the_oldest_in_use() {
        let name = "registered::dropped";
        let entries = || Named::new(hash(name)).count();
        let [first, second, third] = [(); 3].map(|()| circuit(name));
        [&first, &second, &third].into_iter().for_each(add);
        drop(second);
        assert_eq!(entries(), 3, "pruned later");
        drop(first);
        assert_eq!(entries(), 1);
        drop(third);
        assert_eq!(entries(), 0);
    }

    #[test]
    fn only_entries_of_the_same_name_are_examined_to_find_one() {
        let name = |number| format!("registered::{number}");
        let circuits: Vec<_> = (0..10_000).map(|number| circuit(&name(number))).collect();
        circuits.iter().for_each(add);
        let twin = circuit(&name(7));
        add(&twin);
        assert_eq!(Named::new(hash(&name(6))).count(), 1);
        let twins: Vec<_> = Named::new(hash(&name(7))).collect();
        assert_eq!(twins.len(), 2);
        let found = twins.iter().map(|(_, entry)| entry.upgrade().unwrap());
        for (found, expected) in found.zip([&circuits[7], &twin]) {
            let found = found.find_by_name(&name(7)).unwrap();
            assert!(Arc::ptr_eq(&found, expected), "oldest first");
        }
        assert_eq!(Named::new(hash(&name(10_000))).count(), 0);
    }

    #[test]
    fn a_name_can_be_that_of_a_circuit_or_of_a_key() {
        assert_eq!(owners("quote"), ["quote"].map(hash));
        assert_eq!(owners("quote[a"), ["quote[a"].map(hash));
        assert_eq!(owners("quote[a]"), ["quote", "quote[a]"].map(hash));
        let expected = ["f", "f[x]", "f[x][", "f[x][[a]]"].map(hash);
        assert_eq!(owners("f[x][[a]]"), expected);
    }
}

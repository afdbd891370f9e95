mod index;

use std::borrow::Borrow;
use std::collections::{BTreeMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, PoisonError};

use crate::breaker::CircuitBreaker;
use crate::circuit::Circuit;
use crate::circuit::policy::Policy;
use crate::config::Config;
use crate::name::Name;
use crate::registry;
use crate::sync::{AtomicBool, AtomicU32, Mutex, Ordering};
use index::Index;

/// The breakers of a function that has one for each key.
///
/// A breaker is found without a lock, and made or forgotten under one. Of more breakers than there may
/// be, those go that nobody has asked for in the longest time, if they are closed and no call is under
/// way. Where none may go, there are more.
///
/// Whoever uses a breaker has a handle to it, so that a breaker is in use when it has more handles than
/// are counted here. A thread may find a breaker, be stopped before it has a handle, and go on after the
/// breaker was taken out. Therefore one that was taken out is kept aside until nobody else can have it:
/// who asks for its key meanwhile gets the same one again, and it is never forgotten with a call under
/// way.
pub(crate) struct Breakers {
    name: Name,
    policy: Arc<Policy>,
    most: usize,
    index: Index<Entry>,
    roll: Mutex<Roll>,
    id: registry::Id,
}

/// A circuit that is found by its key.
struct Entry(Arc<Circuit>);

/// What a circuit knows of itself and its key.
#[derive(Default)]
pub(crate) struct Presence {
    /// Whether the key was asked for lately.
    wanted: AtomicBool,
    /// How many entries there are: more than one while an old one waits to be freed.
    entries: AtomicU32,
    /// The place in the name where the key begins.
    key_at: u32,
}

/// Every breaker that can be in use.
#[derive(Default)]
struct Roll {
    /// Those in the index that may be idle. Whether it may go is asked of the first one next.
    waiting: VecDeque<Arc<Circuit>>,
    /// Those in the index that were not, when they were asked last.
    busy: VecDeque<Arc<Circuit>>,
    /// Those that were taken out of it, and may have been found before.
    leaving: BTreeMap<Name, Arc<Circuit>>,
    /// As many are leaving when it is worth seeing which of them have left.
    next_farewell: usize,
}

/// How many are spared because they were asked for lately, until any will do that is idle.
const PATIENCE: usize = 32;

/// How many of those that were busy are asked again for each new one: not all, of which there may be many.
const ASKED_AGAIN: usize = 8;

impl Breakers {
    pub(crate) fn new(name: Name, config: Config, most: u32) -> Arc<Self> {
        Arc::new_cyclic(|breakers| Self {
            name,
            policy: Arc::new(Policy::new(config)),
            most: usize::try_from(most).unwrap_or(usize::MAX),
            index: Index::default(),
            roll: Mutex::new(Roll::default()),
            id: registry::add_keyed(breakers),
        })
    }

    /// The breaker of `key`, made if there is none.
    #[inline]
    pub(crate) fn of(&self, key: &str) -> CircuitBreaker {
        let circuit = self.find(key).unwrap_or_else(|| self.make(key));
        CircuitBreaker::from_circuit(circuit)
    }

    /// The breaker that is called `name`, if it is one of these.
    pub(crate) fn named(&self, name: &str) -> Option<CircuitBreaker> {
        let key = name.strip_prefix(&*self.name)?;
        let key = key.strip_prefix('[')?.strip_suffix(']')?;
        let found = self.find(key).or_else(|| {
            self.on_roll(|roll| {
                let staying = roll.leaving.get(name).filter(|circuit| !is_idle(circuit));
                self.find(key).or_else(|| staying.map(Arc::clone))
            })
        });
        found.map(CircuitBreaker::from_circuit)
    }

    pub(crate) fn all(&self) -> Vec<CircuitBreaker> {
        self.on_roll(|roll| {
            let staying = roll.leaving.values().filter(|circuit| !is_idle(circuit));
            let circuits = roll.present().chain(staying).map(Arc::clone);
            circuits.map(CircuitBreaker::from_circuit).collect()
        })
    }

    #[inline]
    fn find(&self, key: &str) -> Option<Arc<Circuit>> {
        self.index.look(key, |Entry(circuit)| {
            circuit.presence().want();
            Arc::clone(circuit)
        })
    }

    #[cold]
    fn make(&self, key: &str) -> Arc<Circuit> {
        self.on_roll(|roll| {
            if let Some(circuit) = self.find(key) {
                return circuit; // that another thread has made meanwhile
            }
            let name = Name::from(format!("{}[{key}]", self.name));
            // First, as whoever is on the way out may come back when room is made.
            let circuit = match roll.leaving.remove(&name) {
                Some(circuit) => circuit,
                None => Circuit::of_key(name, self.presence(), Arc::clone(&self.policy)),
            };
            if self.index.may_change() {
                self.make_room(roll);
                self.enter(roll, &circuit);
            } else {
                // The next thread that asks for it lets it in.
                roll.leaving
                    .insert(circuit.name().clone(), Arc::clone(&circuit));
            }
            circuit
        })
    }

    /// Of a circuit that is about to be made.
    fn presence(&self) -> Presence {
        Presence {
            key_at: u32::try_from(self.name.len() + 1).unwrap_or(u32::MAX),
            ..Presence::default()
        }
    }

    /// Takes breakers out until one more may come, or none is left that may go.
    fn make_room(&self, roll: &mut Roll) {
        if roll.len() < self.most {
            return;
        }
        roll.ask_some_busy_again();
        let mut spared = 0;
        while roll.len() >= self.most {
            let Some(circuit) = roll.waiting.pop_front() else {
                return;
            };
            let is_wanted = circuit.presence().take_wanted();
            if !is_idle(&circuit) {
                roll.busy.push_back(circuit);
            } else if is_wanted && spared < PATIENCE {
                spared += 1;
                roll.waiting.push_back(circuit);
            } else {
                self.leave(roll, circuit);
            }
        }
    }

    fn enter(&self, roll: &mut Roll, circuit: &Arc<Circuit>) {
        self.index.insert(Entry::new(circuit));
        roll.waiting.push_back(Arc::clone(circuit));
    }

    fn leave(&self, roll: &mut Roll, circuit: Arc<Circuit>) {
        self.index.remove(key(&circuit));
        roll.leaving.insert(circuit.name().clone(), circuit);
        if roll.leaving.len() > roll.next_farewell {
            self.bid_farewell(roll);
        }
    }

    /// Forgets the breakers that nobody can have any more. One that has opened on its way out comes back.
    fn bid_farewell(&self, roll: &mut Roll) {
        let mut returning = Vec::new();
        roll.leaving.retain(|_, circuit| {
            // The handle in the index is gone when no thread can look at it any more.
            let left = Arc::get_mut(circuit).is_some();
            if left && !circuit.is_closed_at_last() {
                returning.push(Arc::clone(circuit));
            }
            !left
        });
        for circuit in returning {
            self.enter(roll, &circuit);
        }
        roll.next_farewell = 2 * roll.leaving.len() + FEW_LEAVING;
    }

    fn on_roll<R>(&self, act: impl FnOnce(&mut Roll) -> R) -> R {
        // No code of the user's runs in it, and nothing in it can panic half-way.
        act(&mut self.roll.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The key in `name[key]`.
#[inline]
fn key(circuit: &Circuit) -> &str {
    let begin = circuit.presence().key_at as usize;
    let name = circuit.name().as_str();
    let end = name.len().saturating_sub(1);
    name.get(begin..end).unwrap_or_default()
}

/// Whether it is closed and, as far as can be told, no call is under way.
fn is_idle(circuit: &Arc<Circuit>) -> bool {
    // In this order: one whose old entry is freed in between looks busy, and not idle.
    let handles = Arc::strong_count(circuit);
    let ours = circuit.presence().entries() + 1; // the one on the roll
    handles <= ours && circuit.is_closed()
}

// Relaxed throughout: this is about which breaker goes first. That none is forgotten which is in use is
// not told by it.
impl Presence {
    #[inline]
    fn want(&self) {
        // Read first, so that threads which share it do not write.
        if !self.wanted.load(Ordering::Relaxed) {
            self.wanted.store(true, Ordering::Relaxed);
        }
    }

    /// Whether it was asked for since this was asked last.
    fn take_wanted(&self) -> bool {
        self.wanted.swap(false, Ordering::Relaxed)
    }

    fn entries(&self) -> usize {
        self.entries.load(Ordering::Relaxed) as usize
    }
}

impl Entry {
    fn new(circuit: &Arc<Circuit>) -> Self {
        circuit.presence().entries.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(circuit))
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.0.presence().entries.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Roll {
    /// Those in the index.
    fn present(&self) -> impl Iterator<Item = &Arc<Circuit>> {
        self.waiting.iter().chain(&self.busy)
    }

    fn len(&self) -> usize {
        self.waiting.len() + self.busy.len()
    }

    fn ask_some_busy_again(&mut self) {
        for _ in 0..ASKED_AGAIN.min(self.busy.len()) {
            let Some(circuit) = self.busy.pop_front() else {
                return;
            };
            if is_idle(&circuit) {
                self.waiting.push_back(circuit);
            } else {
                self.busy.push_back(circuit);
            }
        }
    }
}

/// How many may be leaving that are not looked at.
const FEW_LEAVING: usize = if cfg!(any(circuit_loom, circuit_shuttle)) {
    0
} else {
    64
};

impl Drop for Breakers {
    fn drop(&mut self) {
        registry::remove(self.id);
    }
}

impl Borrow<str> for Entry {
    fn borrow(&self) -> &str {
        key(&self.0)
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

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::{Breakers, Entry, PATIENCE, key};
    use crate::{CircuitBreaker, Config, State, registry};
    use std::collections::HashSet;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    fn breakers(most: u32) -> Arc<Breakers> {
        let config = Config::builder().max_failures(1).build();
        Breakers::new("quote".into(), config.unwrap(), most)
    }

    fn succeed(breaker: &CircuitBreaker) {
        breaker.try_acquire().unwrap().success();
    }

    fn fail(breaker: &CircuitBreaker) {
        breaker.try_acquire().unwrap().failure();
    }

    /// The keys whose breakers are known.
    fn known(breakers: &Breakers) -> HashSet<String> {
        breakers.on_roll(|roll| {
            roll.present()
                .map(|circuit| key(circuit).to_owned())
                .collect()
        })
    }

    #[test]
    fn an_entry_is_counted_while_it_is_there_and_is_what_its_key_is() {
        let breakers = breakers(10);
        let [one, other] = ["one", "other"].map(|key| Arc::clone(breakers.of(key).circuit()));
        let entries = one.presence().entries();
        let entry = Entry::new(&one);
        assert_eq!(one.presence().entries(), entries + 1);
        assert!(entry == Entry::new(&one) && entry != Entry::new(&other));
        drop(entry);
        assert_eq!(one.presence().entries(), entries);
    }

    #[test]
    fn a_key_has_one_breaker_and_another_key_another() {
        let breakers = breakers(10);
        succeed(&breakers.of("a"));
        succeed(&breakers.of("a"));
        succeed(&breakers.of(""));
        assert_eq!(breakers.of("a").snapshot().succeeded, 2);
        assert_eq!(breakers.of("").snapshot().succeeded, 1);
        assert_eq!(breakers.of("a").name(), "quote[a]");
        assert_eq!(breakers.of("[]").name(), "quote[[]]");
        assert_eq!(breakers.all().len(), 3);
    }

    #[test]
    fn a_breaker_is_found_by_its_name_and_not_made() {
        let breakers = breakers(10);
        fail(&breakers.of("a]"));
        let found = breakers.named("quote[a]]");
        assert_eq!(found.map(|breaker| breaker.state()), Some(State::Open));
        for name in ["quote[b]", "quote", "quote[", "quotes[a]]", "[a]]"] {
            assert!(breakers.named(name).is_none(), "{name}");
        }
        assert_eq!(breakers.all().len(), 1);
    }

    #[test]
    fn the_registry_knows_them_until_the_function_is_gone() {
        let breakers = Breakers::new("registered".into(), Config::default(), 10);
        breakers.of("a").force_open();
        let found = registry::find("registered[a]").map(|breaker| breaker.state());
        assert_eq!(found, Some(State::Open));
        let all = registry::all();
        assert!(all.iter().any(|breaker| breaker.name() == "registered[a]"));
        drop((all, breakers));
        assert!(registry::find("registered[a]").is_none());
    }

    #[test]
    fn those_go_first_that_nobody_asked_for() {
        let breakers = breakers(10);
        for key in 0..10 {
            breakers.of(&key.to_string());
        }
        // Each is asked once, and from then on only those that were asked for since are spared.
        breakers.of("new");
        for key in (0..10).filter(|key| *key != 7) {
            breakers.of(&key.to_string());
        }
        breakers.of("newer");
        assert!(!known(&breakers).contains("7"));
        assert_eq!(known(&breakers).len(), 10);
    }

    #[test]
    fn neither_an_open_breaker_goes_nor_one_with_a_call_under_way_nor_one_under_orders() {
        let breakers = breakers(4);
        fail(&breakers.of("open"));
        breakers.of("forced closed").force_closed();
        breakers.of("forced open").force_open();
        let busy = breakers.of("busy");
        let permit = busy.try_acquire().unwrap();
        for key in 0..1_000 {
            breakers.of(&key.to_string());
        }
        let known = known(&breakers);
        for key in ["open", "forced closed", "forced open", "busy"] {
            assert!(known.contains(key), "{key}");
        }
        // All of those that may stay are busy, so the bound gives way by some.
        assert!(known.len() <= 6, "{}", known.len());
        permit.failure();
        assert_eq!(breakers.of("busy").state(), State::Open);
    }

    #[test]
    fn the_bound_gives_way_while_all_are_busy_and_holds_again_after() {
        let breakers = breakers(100);
        for key in 0..1_000 {
            fail(&breakers.of(&key.to_string()));
        }
        assert_eq!(known(&breakers).len(), 1_000);
        for breaker in breakers.all() {
            breaker.reset();
        }
        for key in 1_000..1_200 {
            breakers.of(&key.to_string());
        }
        assert_eq!(known(&breakers).len(), 100);
    }

    #[test]
    fn while_all_are_busy_they_are_not_all_asked_again_for_each_new_key() {
        let breakers = breakers(100);
        for key in 0..1_000 {
            fail(&breakers.of(&key.to_string()));
            let waiting = breakers.on_roll(|roll| roll.waiting.len());
            assert!(key < 100 || waiting <= 1, "{waiting} after {key}");
        }
    }

    #[test]
    fn those_that_were_busy_go_when_they_are_idle_again() {
        let breakers = breakers(100);
        for key in 0..101 {
            fail(&breakers.of(&key.to_string()));
        }
        for breaker in breakers.all() {
            breaker.reset();
        }
        for key in 200..230 {
            breakers.of(&key.to_string());
            assert!(known(&breakers).len() <= 101);
        }
        assert_eq!(known(&breakers).len(), 100);
    }

    #[test]
    fn busy_ones_do_not_wear_out_the_patience_with_those_that_were_asked_for() {
        let breakers = breakers(100);
        for key in 0..100 {
            let breaker = breakers.of(&key.to_string());
            if key < 50 {
                fail(&breaker);
            }
        }
        breakers.of("50");
        breakers.of("new");
        assert!(known(&breakers).contains("50"));
        assert!(!known(&breakers).contains("51"));
    }

    #[test]
    fn one_on_its_way_out_is_found_by_its_name_while_it_is_used() {
        let breakers = breakers(1);
        breakers.of("a");
        let late = breakers.index.look("a", |entry| {
            breakers.of("b");
            Arc::clone(&entry.0)
        });
        let late = CircuitBreaker::from_circuit(late.unwrap());
        fail(&late);
        let found = breakers.named("quote[a]");
        assert!(found.is_some_and(|found| Arc::ptr_eq(found.circuit(), late.circuit())));
    }

    #[test]
    fn of_many_that_were_all_asked_for_lately_only_some_are_spared() {
        let breakers = breakers(100);
        for key in (0..100).chain(0..100) {
            breakers.of(&key.to_string());
        }
        breakers.of("new");
        let gone = (0..100).find(|key| !known(&breakers).contains(&key.to_string()));
        assert_eq!(gone, Some(PATIENCE));
    }

    #[test]
    fn one_on_its_way_out_is_listed_for_as_long_as_it_is_used() {
        let breakers = breakers(1);
        breakers.of("a");
        let late = breakers.index.look("a", |entry| {
            breakers.of("b");
            assert_eq!(breakers.all().len(), 1);
            Arc::clone(&entry.0)
        });
        assert_eq!(breakers.all().len(), 2);
        drop(late);
        assert_eq!(breakers.all().len(), 1);
    }

    #[test]
    fn the_one_idle_breaker_is_found_among_many_that_are_busy() {
        let breakers = breakers(100);
        for key in 0..100 {
            let breaker = breakers.of(&key.to_string());
            if key != 60 {
                fail(&breaker);
            }
        }
        breakers.of("new");
        assert_eq!(known(&breakers).len(), 100);
        assert!(!known(&breakers).contains("60"));
    }

    #[test]
    fn one_breaker_can_be_all_there_may_be() {
        let breakers = breakers(1);
        for key in ["a", "b", "a", "b"] {
            succeed(&breakers.of(key));
            assert_eq!(known(&breakers).len(), 1);
        }
    }

    #[test]
    fn a_breaker_that_was_found_on_its_way_out_comes_back() {
        let breakers = breakers(1);
        // As a thread that found it in the index before it was taken out, and has its handle only now.
        let found = breakers.index.look("a", |_| ()).is_none();
        assert!(found);
        breakers.of("a");
        let late = breakers.index.look("a", |entry| {
            breakers.of("b");
            assert!(!known(&breakers).contains("a"));
            Arc::clone(&entry.0)
        });
        let late = CircuitBreaker::from_circuit(late.unwrap());
        fail(&late);
        assert_eq!(breakers.of("a").state(), State::Open, "the same breaker");
        assert!(known(&breakers).contains("a"));
    }

    #[test]
    fn a_breaker_that_opened_on_its_way_out_is_not_forgotten() {
        let breakers = breakers(1);
        breakers.of("a");
        let late = breakers.index.look("a", |entry| {
            breakers.of("b");
            Arc::clone(&entry.0)
        });
        fail(&CircuitBreaker::from_circuit(late.unwrap()));
        for key in 0..1_000 {
            breakers.of(&key.to_string());
        }
        assert!(known(&breakers).contains("a"));
        assert_eq!(breakers.of("a").state(), State::Open);
    }

    #[test]
    fn keys_that_come_and_go_leave_nothing_behind() {
        let breakers = breakers(100);
        for key in 0..100_000 {
            succeed(&breakers.of(&key.to_string()));
        }
        assert_eq!(known(&breakers).len(), 100);
        let leaving = breakers.on_roll(|roll| roll.leaving.len());
        assert!(leaving < 1_000, "{leaving}");
    }

    #[test]
    fn threads_that_share_keys_share_their_breakers() {
        const CALLS: usize = 20_000;
        let breakers = breakers(8);
        let split = AtomicBool::new(false);
        thread::scope(|scope| {
            for thread in 0..4 {
                let (breakers, split) = (&breakers, &split);
                scope.spawn(move || {
                    for call in 0..CALLS {
                        // More keys than there may be breakers, so that they come and go all the time.
                        let key = ((call * 7 + thread) % 24).to_string();
                        let first = breakers.of(&key);
                        let permit = first.try_acquire().unwrap();
                        let second = breakers.of(&key);
                        let same = Arc::ptr_eq(first.circuit(), second.circuit());
                        split.fetch_or(!same, Ordering::Relaxed);
                        permit.success();
                    }
                });
            }
        });
        assert!(!split.into_inner(), "a key had two breakers at a time");
        assert!(known(&breakers).len() <= 8 + 4);
    }
}

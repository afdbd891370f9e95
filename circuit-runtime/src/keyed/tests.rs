//! Creation, lookup and eviction of keyed circuits.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use super::KeyedCircuits;
use super::residents::{Entry, MAX_SECOND_CHANCES};
use crate::circuit::Circuit;
use crate::circuit::registered::{self, Listed};
use crate::{CircuitBreaker, Config, State, registry};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// The circuits of the keys of one function, through their public handles.
struct Breakers(Arc<KeyedCircuits>);

impl Breakers {
    fn for_key(&self, key: &str) -> CircuitBreaker {
        CircuitBreaker::from_circuit(self.0.for_key(key))
    }

    fn find_by_name(&self, name: &str) -> Option<CircuitBreaker> {
        let found = Arc::clone(&self.0).find_by_name(name);
        found.map(CircuitBreaker::from_circuit)
    }

    fn all(&self) -> Vec<CircuitBreaker> {
        let circuits = Arc::clone(&self.0).circuits().into_iter();
        circuits.map(CircuitBreaker::from_circuit).collect()
    }

    /// Looks a key up like a thread that is preempted by `meanwhile` before it has its handle.
    fn find_late(&self, key: &str, meanwhile: impl FnOnce()) -> CircuitBreaker {
        let found = self.0.index.get_with(key, |entry| {
            meanwhile();
            Arc::clone(entry.circuit())
        });
        CircuitBreaker::from_circuit(found.unwrap())
    }
}

fn breakers(max_keys: u32) -> Breakers {
    let config = Config::builder().max_failures(1).build();
    Breakers(KeyedCircuits::new(
        "quote".into(),
        config.unwrap(),
        max_keys,
    ))
}

fn circuit(breaker: &CircuitBreaker) -> &Circuit {
    breaker.as_ref()
}

fn succeed(breaker: &CircuitBreaker) {
    breaker.try_acquire().unwrap().success();
}

fn fail(breaker: &CircuitBreaker) {
    breaker.try_acquire().unwrap().failure();
}

/// The keys whose breakers are resident.
fn resident(breakers: &Breakers) -> HashSet<String> {
    breakers.0.with_residents(|residents| {
        residents
            .iter()
            .filter_map(|circuit| circuit.name().key().map(str::to_owned))
            .collect()
    })
}

#[test]
fn an_index_entry_is_counted_while_it_exists_and_equals_by_key() {
    let breakers = breakers(10);
    let [one, other] = ["one", "other"].map(|key| breakers.0.for_key(key));
    let index_refs = one.residency().index_refs();
    let entry = Entry::new(&one);
    assert_eq!(one.residency().index_refs(), index_refs + 1);
    assert!(entry == Entry::new(&one) && entry != Entry::new(&other));
    drop(entry);
    assert_eq!(one.residency().index_refs(), index_refs);
}

#[test]
fn a_key_has_one_breaker_and_another_key_another() {
    let breakers = breakers(10);
    succeed(&breakers.for_key("a"));
    succeed(&breakers.for_key("a"));
    succeed(&breakers.for_key(""));
    assert_eq!(breakers.for_key("a").snapshot().succeeded, 2);
    assert_eq!(breakers.for_key("").snapshot().succeeded, 1);
    assert_eq!(breakers.for_key("a").name(), "quote[a]");
    assert_eq!(breakers.for_key("[]").name(), "quote[[]]");
    assert_eq!(breakers.all().len(), 3);
}

#[test]
fn finding_a_breaker_by_name_creates_none() {
    let breakers = breakers(10);
    fail(&breakers.for_key("a]"));
    let found = breakers.find_by_name("quote[a]]");
    assert_eq!(found.map(|breaker| breaker.state()), Some(State::Open));
    for name in ["quote[b]", "quote", "quote[", "quotes[a]]", "[a]]"] {
        assert!(breakers.find_by_name(name).is_none(), "{name}");
    }
    assert_eq!(breakers.all().len(), 1);
}

#[test]
fn the_registry_lists_keyed_breakers_until_the_last_handle_is_dropped() {
    let breakers = Breakers(KeyedCircuits::new(
        "registered".into(),
        Config::default(),
        10,
    ));
    registered::add(&breakers.0);
    breakers.for_key("a").force_open();
    let found = registry::find("registered[a]").map(|breaker| breaker.state());
    assert_eq!(found, Some(State::Open));
    let all = registry::all();
    assert!(all.iter().any(|breaker| breaker.name() == "registered[a]"));
    drop((all, breakers));
    assert!(registry::find("registered[a]").is_none());
}

#[test]
fn keys_that_were_not_looked_up_are_evicted_first() {
    let breakers = breakers(10);
    for key in 0..10 {
        breakers.for_key(&key.to_string());
    }
    // Each uses up its second chance; from then on only keys looked up since have one.
    breakers.for_key("new");
    for key in (0..10).filter(|key| *key != 7) {
        breakers.for_key(&key.to_string());
    }
    breakers.for_key("newer");
    assert!(!resident(&breakers).contains("7"));
    assert_eq!(resident(&breakers).len(), 10);
}

#[test]
fn open_and_forced_breakers_and_those_in_use_are_never_evicted() {
    let breakers = breakers(4);
    fail(&breakers.for_key("open"));
    breakers.for_key("forced closed").force_closed();
    breakers.for_key("forced open").force_open();
    let in_use = breakers.for_key("in use");
    let permit = in_use.try_acquire().unwrap();
    for key in 0..1_000 {
        breakers.for_key(&key.to_string());
    }
    let resident = resident(&breakers);
    for key in ["open", "forced closed", "forced open", "in use"] {
        assert!(resident.contains(key), "{key}");
    }
    // Those four are pinned, so the bound gives way by some.
    assert!(resident.len() <= 6, "{}", resident.len());
    permit.failure();
    assert_eq!(breakers.for_key("in use").state(), State::Open);
}

#[test]
fn the_bound_gives_way_while_all_are_open_and_holds_again_after() {
    let breakers = breakers(100);
    for key in 0..1_000 {
        fail(&breakers.for_key(&key.to_string()));
    }
    assert_eq!(resident(&breakers).len(), 1_000);
    for breaker in breakers.all() {
        breaker.reset();
    }
    for key in 1_000..1_200 {
        breakers.for_key(&key.to_string());
    }
    assert_eq!(resident(&breakers).len(), 100);
}

#[test]
fn a_new_key_rechecks_only_some_pinned_breakers() {
    let breakers = breakers(100);
    for key in 0..1_000 {
        fail(&breakers.for_key(&key.to_string()));
        let candidates = breakers
            .0
            .with_residents(|residents| residents.candidates());
        assert!(key < 100 || candidates <= 1, "{candidates} after {key}");
    }
}

#[test]
fn pinned_breakers_are_evicted_once_they_are_idle_again() {
    let breakers = breakers(100);
    for key in 0..101 {
        fail(&breakers.for_key(&key.to_string()));
    }
    for breaker in breakers.all() {
        breaker.reset();
    }
    for key in 200..230 {
        breakers.for_key(&key.to_string());
        assert!(resident(&breakers).len() <= 101);
    }
    assert_eq!(resident(&breakers).len(), 100);
}

#[test]
fn open_breakers_use_up_no_second_chances() {
    let breakers = breakers(100);
    for key in 0..100 {
        let breaker = breakers.for_key(&key.to_string());
        if key < 50 {
            fail(&breaker);
        }
    }
    breakers.for_key("50");
    breakers.for_key("new");
    assert!(resident(&breakers).contains("50"));
    assert!(!resident(&breakers).contains("51"));
}

#[test]
fn a_retired_breaker_is_found_by_name_while_it_is_in_use() {
    let breakers = breakers(1);
    breakers.for_key("a");
    let late = breakers.find_late("a", || {
        breakers.for_key("b");
    });
    fail(&late);
    let found = breakers.find_by_name("quote[a]");
    assert!(found.is_some_and(|found| std::ptr::eq(circuit(&found), circuit(&late))));
}

#[test]
fn second_chances_are_bounded_for_each_eviction() {
    let breakers = breakers(100);
    for key in (0..100).chain(0..100) {
        breakers.for_key(&key.to_string());
    }
    breakers.for_key("new");
    let evicted = (0..100).find(|key| !resident(&breakers).contains(&key.to_string()));
    assert_eq!(evicted, Some(MAX_SECOND_CHANCES));
}

#[test]
fn a_retired_breaker_is_listed_while_it_is_in_use() {
    let breakers = breakers(1);
    breakers.for_key("a");
    let late = breakers.find_late("a", || {
        breakers.for_key("b");
        assert_eq!(breakers.all().len(), 1);
    });
    assert_eq!(breakers.all().len(), 2);
    drop(late);
    assert_eq!(breakers.all().len(), 1);
}

#[test]
fn the_only_idle_breaker_is_evicted_among_many_open_ones() {
    let breakers = breakers(100);
    for key in 0..100 {
        let breaker = breakers.for_key(&key.to_string());
        if key != 60 {
            fail(&breaker);
        }
    }
    breakers.for_key("new");
    assert_eq!(resident(&breakers).len(), 100);
    assert!(!resident(&breakers).contains("60"));
}

#[test]
fn a_bound_of_one_breaker_holds() {
    let breakers = breakers(1);
    for key in ["a", "b", "a", "b"] {
        succeed(&breakers.for_key(key));
        assert_eq!(resident(&breakers).len(), 1);
    }
}

#[test]
fn a_retired_breaker_that_is_still_in_use_is_revived() {
    let breakers = breakers(1);
    breakers.for_key("a");
    let late = breakers.find_late("a", || {
        breakers.for_key("b");
        assert!(!resident(&breakers).contains("a"));
    });
    fail(&late);
    assert_eq!(
        breakers.for_key("a").state(),
        State::Open,
        "the same breaker"
    );
    assert!(resident(&breakers).contains("a"));
}

#[test]
fn a_breaker_that_opened_after_its_eviction_becomes_resident_again() {
    let breakers = breakers(1);
    breakers.for_key("a");
    let late = breakers.find_late("a", || {
        breakers.for_key("b");
    });
    fail(&late);
    drop(late);
    for key in 0..1_000 {
        breakers.for_key(&key.to_string());
    }
    assert!(resident(&breakers).contains("a"));
    assert_eq!(breakers.for_key("a").state(), State::Open);
}

#[test]
fn evicted_keys_leave_no_memory_behind() {
    let breakers = breakers(100);
    for key in 0..100_000 {
        succeed(&breakers.for_key(&key.to_string()));
    }
    assert_eq!(resident(&breakers).len(), 100);
    let retired = breakers.0.with_residents(|residents| residents.retired());
    assert!(retired < 1_000, "{retired}");
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
                    // More keys than `max_keys`, so that breakers are evicted all the time.
                    let key = ((call * 7 + thread) % 24).to_string();
                    let first = breakers.for_key(&key);
                    let permit = first.try_acquire().unwrap();
                    let second = breakers.for_key(&key);
                    let same = std::ptr::eq(circuit(&first), circuit(&second));
                    split.fetch_or(!same, Ordering::Relaxed);
                    permit.success();
                }
            });
        }
    });
    assert!(!split.into_inner(), "a key had two breakers at a time");
    assert!(resident(&breakers).len() <= 8 + 4);
}

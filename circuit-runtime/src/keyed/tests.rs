//! Creation, lookup and eviction of keyed circuits.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use super::residents::{Entry, MAX_EXAMINED, MAX_SECOND_CHANCES};
use super::{KeyedCircuits, KeyedHandle};
use crate::circuit::Owner;
use crate::circuit::handle::CircuitHandle;
use crate::circuit::registered::{self, Listed};
use crate::circuit::{Circuit, Outcome};
use crate::{CircuitBreaker, Config, State, registry};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
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
        Owner::Breakers,
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
        Owner::Breakers,
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
    // Those four are required, so the bound gives way by some.
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
fn a_new_key_rechecks_only_some_required_breakers() {
    let breakers = breakers(100);
    for key in 0..1_000 {
        fail(&breakers.for_key(&key.to_string()));
        let evictable = breakers.0.with_residents(|residents| residents.evictable());
        assert!(key < 100 || evictable <= 1, "{evictable} after {key}");
    }
}

#[test]
fn required_breakers_are_evicted_once_they_are_idle_again() {
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
fn residents_are_listed_without_the_lock_and_may_be_evicted_meanwhile() {
    let breakers = breakers(10);
    (0..10).for_each(|key| drop(breakers.for_key(&key.to_string())));
    let mut listed = 0;
    breakers.0.for_each_resident(|_| {
        breakers.for_key(&format!("new {listed}"));
        listed += 1;
    });
    assert!(listed >= 1);
    assert_eq!(resident(&breakers).len(), 10);
    breakers.for_key("another");
    assert_eq!(breakers.all().len(), 10);
}

#[test]
fn long_keys_that_differ_have_breakers_of_their_own_under_short_names() {
    let breakers = breakers(10);
    let long = |last: &str| format!("{}{last}", "x".repeat(1_000_000));
    let [a, b] = ["a", "b"].map(|last| breakers.for_key(&long(last)));
    fail(&a);
    assert_eq!(
        [&a, &b].map(CircuitBreaker::state),
        [State::Open, State::Closed]
    );
    assert_eq!(breakers.for_key(&long("a")).state(), State::Open);
    assert_eq!(breakers.all().len(), 2);
    assert!(a.name().len() <= "quote[]".len() + 256, "{}", a.name());
    // By the name that is shown, and by the name with the whole key.
    for name in [a.name().as_str(), &format!("quote[{}]", long("a"))] {
        let found = breakers.find_by_name(name).unwrap();
        assert!(std::ptr::eq(circuit(&found), circuit(&a)));
    }
    // Without the lock.
    let found = breakers.0.with_residents(|_| breakers.for_key(&long("b")));
    assert!(std::ptr::eq(circuit(&found), circuit(&b)));
    // A key that is a short form is the same key.
    let key = a.name().key().unwrap();
    assert!(std::ptr::eq(circuit(&breakers.for_key(key)), circuit(&a)));
}

#[test]
fn a_long_key_is_found_by_its_whole_name_when_its_breaker_is_retired() {
    let breakers = breakers(1);
    let key = "x".repeat(1_000);
    let short = breakers.for_key(&key).name().clone();
    let late = breakers.find_late(short.key().unwrap(), || {
        breakers.for_key("b");
    });
    assert!(!resident(&breakers).contains(short.key().unwrap()));
    let found = breakers.find_by_name(&format!("quote[{key}]")).unwrap();
    assert!(std::ptr::eq(circuit(&found), circuit(&late)));
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

/// Makes a call as the expansion does.
fn call(breakers: &Breakers, key: &str) {
    let handle = breakers.0.handle_for_key(key);
    let circuit: &Circuit = handle.as_ref();
    let ticket = circuit.admit().unwrap();
    circuit.settle(ticket, Outcome::Succeeded);
    handle.give_back();
}

/// Calls a key so often that its handles are cached.
fn make_busy(breakers: &Breakers, key: &str) {
    (0..1_500).for_each(|_| call(breakers, key));
}

fn references(breakers: &Breakers, key: &str) -> usize {
    // Its own, and the one that is counted.
    Arc::strong_count(&breakers.0.for_key(key))
}

#[test]
fn the_handle_of_a_busy_key_is_kept_for_the_next_call_of_its_thread() {
    let breakers = breakers(10);
    call(&breakers, "a");
    let uncached = references(&breakers, "a");
    make_busy(&breakers, "a");
    assert_eq!(references(&breakers, "a"), uncached + 1);
    let handle = breakers.0.handle_for_key("a");
    assert_eq!(references(&breakers, "a"), uncached + 1, "it was taken out");
    let second = breakers.0.handle_for_key("a");
    drop((handle, second));
    assert_eq!(references(&breakers, "a"), uncached);
    assert_eq!(breakers.for_key("a").snapshot().succeeded, 1_501);
}

#[test]
fn cached_handles_of_idle_threads_keep_no_key_from_being_evicted() {
    let breakers = breakers(10);
    let [busy, evicted] = [(); 2].map(|()| Barrier::new(5));
    let resident = thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                make_busy(&breakers, "a");
                busy.wait();
                evicted.wait();
            });
        }
        busy.wait();
        (0..100).for_each(|key| call(&breakers, &key.to_string()));
        let resident = resident(&breakers);
        evicted.wait();
        resident
    });
    assert!(!resident.contains("a"));
    assert_eq!(resident.len(), 10);
}

#[test]
fn a_busy_key_in_use_is_not_evicted() {
    let breakers = breakers(10);
    make_busy(&breakers, "a");
    let handle = breakers.0.handle_for_key("a");
    (0..100).for_each(|key| call(&breakers, &key.to_string()));
    assert!(resident(&breakers).contains("a"));
    handle.give_back();
}

#[test]
fn the_handle_of_an_evicted_key_is_not_cached() {
    let breakers = breakers(1);
    make_busy(&breakers, "a");
    let late = breakers.0.index.get_with("a", |entry| {
        breakers.for_key("b");
        Arc::clone(entry.circuit())
    });
    let late = late.unwrap();
    let references = Arc::strong_count(&late);
    KeyedHandle::new(Arc::clone(&late)).give_back();
    assert_eq!(Arc::strong_count(&late), references);
    call(&breakers, "a");
    assert!(
        resident(&breakers).contains("a"),
        "the same, and it is revived"
    );
    assert!(Arc::ptr_eq(&breakers.0.for_key("a"), &late));
}

#[test]
fn a_cached_handle_that_is_about_to_be_withdrawn_is_not_used() {
    let breakers = breakers(1);
    make_busy(&breakers, "a");
    // As in the midst of an eviction.
    let evicted = breakers.0.for_key("a");
    evicted.residency().set_resident(false);
    breakers.0.index.remove("a");
    let handle = breakers.0.handle_for_key("a");
    assert!(
        !std::ptr::eq(handle.as_ref(), Arc::as_ptr(&evicted)),
        "it was looked up"
    );
}

#[test]
fn a_key_of_two_functions_has_two_breakers_although_their_tags_are_equal() {
    let one = breakers(10);
    let mut other = breakers(10);
    Arc::get_mut(&mut other.0).unwrap().hasher = one.0.hasher.clone();
    for breakers in [&one, &other, &one, &other] {
        make_busy(breakers, "a");
    }
    for breakers in [one, other] {
        assert_eq!(breakers.for_key("a").snapshot().succeeded, 3_000);
    }
}

#[test]
fn cached_handles_are_dropped_with_their_keys() {
    let breakers = breakers(10);
    make_busy(&breakers, "a");
    let circuit = Arc::downgrade(&breakers.0.for_key("a"));
    assert!(circuit.upgrade().is_some());
    drop(breakers);
    assert!(circuit.upgrade().is_none());
}

#[test]
fn more_busy_keys_than_fit_into_a_cache_have_one_breaker_each() {
    let breakers = breakers(2_000);
    for _ in 0..3 {
        for key in 0..1_000 {
            let key = key.to_string();
            (0..500).for_each(|_| call(&breakers, &key));
        }
    }
    for key in 0..1_000 {
        let breaker = breakers.for_key(&key.to_string());
        assert_eq!(breaker.snapshot().succeeded, 1_500);
    }
}

/// Calls `act` on a thread that is exiting, which may not change the index.
fn while_exiting(act: impl FnOnce() + Send + 'static) {
    struct Late(std::cell::Cell<Option<Box<dyn FnOnce()>>>);

    impl Drop for Late {
        fn drop(&mut self) {
            self.0.take().unwrap()();
        }
    }

    thread_local!(static LATE: Late = const { Late(std::cell::Cell::new(None)) });

    let exiting = thread::spawn(|| {
        // Initialized first, so that it is destroyed last.
        LATE.with(|late| late.0.set(Some(Box::new(act))));
        breakers(1).for_key("a");
    });
    exiting.join().unwrap();
}

#[test]
fn keys_that_exiting_threads_use_first_leave_no_memory_behind_and_are_listed_while_open() {
    let breakers = breakers(10);
    for key in 0..1_000 {
        let late = Breakers(Arc::clone(&breakers.0));
        while_exiting(move || {
            let breaker = late.for_key(&key.to_string());
            assert!(!late.0.index.may_change());
            if key == 500 {
                fail(&breaker);
            } else {
                succeed(&breaker);
            }
        });
        let retired = breakers.0.with_residents(|residents| residents.retired());
        assert!(retired <= 100, "{retired}");
    }
    let state = |breaker: CircuitBreaker| breaker.state();
    assert_eq!(
        breakers.find_by_name("quote[500]").map(state),
        Some(State::Open)
    );
    assert!(
        breakers
            .all()
            .iter()
            .any(|breaker| breaker.name() == "quote[500]")
    );
    for key in 1_000..1_100 {
        breakers.for_key(&key.to_string());
    }
    assert_eq!(breakers.for_key("500").state(), State::Open);
    assert!(resident(&breakers).contains("500"));
}

/// Returns the residents examined and the retired circuits swept for the latest new key.
fn work(breakers: &Breakers) -> (usize, usize) {
    breakers.0.with_residents(|residents| residents.work())
}

/// Creates keys while none of the others may be evicted, then while all may.
#[test]
fn residents_examined_for_each_new_key_are_bounded() {
    let breakers = breakers(100);
    let create = |key: usize| {
        let breaker = breakers.for_key(&key.to_string());
        let (examined, _) = work(&breakers);
        assert!(examined <= MAX_EXAMINED, "{examined} for {key}");
        breaker
    };
    (0..2_000).for_each(|key| fail(&create(key)));
    for breaker in breakers.all() {
        breaker.reset();
        // Used recently, so that each of them gets a second chance.
        breakers.for_key(breaker.name().key().unwrap());
    }
    (2_000..2_100).for_each(|key| drop(create(key)));
    assert_eq!(resident(&breakers).len(), 100);
    let capacity = breakers.0.with_residents(|residents| residents.capacity());
    assert!(capacity < 1_000, "room for {capacity}");
}

/// Evicts while a thread that has found a breaker is preempted, so that none of them is freed.
#[test]
fn retired_breakers_swept_for_each_new_key_are_bounded() {
    let breakers = breakers(1);
    breakers.for_key("a");
    let create = |key: usize| {
        breakers.for_key(&key.to_string());
        let (_, swept) = work(&breakers);
        assert!(swept <= MAX_EXAMINED, "{swept} for {key}");
    };
    let retired = || breakers.0.with_residents(|residents| residents.retired());
    drop(breakers.find_late("a", || (0..10_000).for_each(create)));
    assert!(retired() >= 10_000);
    (10_000..13_000).for_each(create);
    assert!(retired() < 1_000, "{}", retired());
}

#[cfg(feature = "test-util")]
mod in_virtual_time {
    use super::Owner;
    use super::{Breakers, KeyedCircuits, breakers, circuit, fail, resident, succeed};
    use crate::name::Name;
    use crate::{CircuitBreaker, Config, State, registry};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;
    use tokio::time::advance;

    /// As in the rules of [`breakers`].
    const RESET: Duration = Duration::from_secs(30);

    async fn wait(resets: u32) {
        advance(RESET * resets).await;
    }

    fn create(breakers: &Breakers, keys: std::ops::Range<usize>) {
        keys.for_each(|key| drop(breakers.for_key(&format!("new {key}"))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_keys_that_failed_once_leaves_those_that_are_open() {
        let hosts = if cfg!(debug_assertions) {
            20_000
        } else {
            200_000
        };
        let breakers = breakers(1_000);
        let flood = |keys: std::ops::Range<usize>| {
            keys.for_each(|key| fail(&breakers.for_key(&key.to_string())));
        };
        flood(0..hosts);
        assert_eq!(resident(&breakers).len(), hosts);
        wait(2).await;
        // Each new key evicts more than one.
        flood(hosts..hosts + hosts / 20);
        assert!(resident(&breakers).len() <= hosts / 20 + 1_000);
        wait(2).await;
        create(&breakers, 0..500);
        assert!(resident(&breakers).len() <= 1_000);
        let retired = breakers.0.with_residents(|residents| residents.retired());
        assert!(retired < 1_000, "{retired}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_open_breaker_is_evicted_once_its_wait_has_been_over_for_another_reset() {
        let breakers = breakers(1);
        fail(&breakers.for_key("open"));
        for (micros, is_kept) in [(59_999_999, true), (1, false)] {
            advance(Duration::from_micros(micros)).await;
            create(&breakers, 0..100);
            assert_eq!(resident(&breakers).contains("open"), is_kept);
        }
        assert_eq!(breakers.for_key("open").state(), State::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn every_expired_breaker_that_is_examined_is_evicted_however_recently_it_was_used() {
        let breakers = breakers(1);
        for key in (0..60).chain(0..60) {
            let breaker = breakers.for_key(&key.to_string());
            let _ = breaker.try_acquire().map(crate::Permit::failure);
        }
        wait(2).await;
        create(&breakers, 0..1);
        assert_eq!(super::work(&breakers).0, 2 * 60);
        assert_eq!(resident(&breakers).len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_has_grown_is_waited_for() {
        let config = Config::builder().max_failures(1).max_reset(4 * RESET);
        let breakers = Breakers(KeyedCircuits::new(
            "quote".into(),
            config.build().unwrap(),
            Owner::Breakers,
            1,
        ));
        let breaker = breakers.for_key("open");
        fail(&breaker);
        wait(1).await;
        fail(&breaker);
        drop(breaker);
        // Half-open after another two resets, expired after three.
        wait(2).await;
        create(&breakers, 0..100);
        assert!(resident(&breakers).contains("open"));
        wait(1).await;
        create(&breakers, 0..100);
        assert!(!resident(&breakers).contains("open"));
    }

    #[tokio::test(start_paused = true)]
    async fn expired_breakers_are_evicted_after_closed_ones_but_before_those_used_recently() {
        let breakers = breakers(22);
        fail(&breakers.for_key("expired"));
        wait(2).await;
        (0..20).for_each(|key| drop(breakers.for_key(&key.to_string())));
        breakers.for_key("idle");
        // Evicts the closed one that was not used again, then the expired one.
        (0..20).for_each(|key| drop(breakers.for_key(&key.to_string())));
        breakers.for_key("first").force_open();
        assert!(!resident(&breakers).contains("idle"));
        assert!(resident(&breakers).contains("expired"));
        (0..20).for_each(|key| drop(breakers.for_key(&key.to_string())));
        breakers.for_key("second");
        assert!(!resident(&breakers).contains("expired"));
        assert_eq!(resident(&breakers).len(), 22);
    }

    #[tokio::test(start_paused = true)]
    async fn held_breakers_and_those_in_use_or_probed_are_not_evicted_however_long_they_wait() {
        let breakers = breakers(1);
        for key in ["held open", "in use", "probed"] {
            fail(&breakers.for_key(key));
        }
        breakers.for_key("held open").force_open();
        breakers.for_key("held closed").force_closed();
        let in_use = breakers.for_key("in use");
        wait(1_000).await;
        let probed = breakers.for_key("probed");
        // Never settled, and without its handle: only its slot is taken.
        let _ = circuit(&probed).admit().unwrap();
        drop(probed);
        create(&breakers, 0..1_000);
        for key in ["held open", "held closed", "in use", "probed"] {
            assert!(resident(&breakers).contains(key), "{key}");
        }
        drop(in_use);
        wait(1).await;
        create(&breakers, 0..1_000);
        let resident = resident(&breakers);
        assert!(!resident.contains("in use") && !resident.contains("probed"));
        assert!(resident.contains("held open") && resident.contains("held closed"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_expired_breaker_that_is_probed_after_its_eviction_is_retained_if_that_fails() {
        let acts: [fn(&CircuitBreaker); 2] = [succeed, fail];
        for (act, is_retained) in acts.into_iter().zip([false, true]) {
            let breakers = breakers(1);
            fail(&breakers.for_key("down"));
            wait(2).await;
            let late = breakers.find_late("down", || {
                create(&breakers, 0..10);
                assert!(!resident(&breakers).contains("down"));
            });
            act(&late);
            drop(late);
            create(&breakers, 10..1_000);
            assert_eq!(resident(&breakers).contains("down"), is_retained);
            let opened = breakers.for_key("down").snapshot().opened;
            assert_eq!(opened, if is_retained { 2 } else { 0 });
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_evicted_breaker_that_another_thread_can_reach_is_not_closed() {
        let breakers = breakers(1);
        fail(&breakers.for_key("down"));
        wait(2).await;
        let name = Name::from_key(breakers.0.name(), "down");
        let close = || {
            breakers
                .0
                .with_residents(|residents| residents.close(&name))
        };
        assert!(close().is_none(), "not evicted");
        let late = breakers.find_late("down", || {
            create(&breakers, 0..1_000);
            assert!(!resident(&breakers).contains("down"));
            assert!(close().is_none());
        });
        assert_eq!(late.state(), State::HalfOpen);
        assert!(close().is_none());
        drop(late);
    }

    /// Nested, the calls of the listener would overflow the stack.
    #[tokio::test(start_paused = true)]
    async fn a_listener_that_looks_up_a_new_key_for_each_eviction_is_not_nested() {
        const OPEN: u32 = 1_000;

        let breakers = Breakers(KeyedCircuits::new(
            "nested".into(),
            Config::builder().max_failures(1).build().unwrap(),
            Owner::Breakers,
            1,
        ));
        (0..OPEN).for_each(|key| fail(&breakers.for_key(&key.to_string())));
        wait(2).await;
        let [depth, deepest, called] = [(); 3].map(|()| Arc::new(AtomicU32::new(0)));
        let subscription = registry::on_change({
            let breakers = Breakers(Arc::clone(&breakers.0));
            let (deepest, called) = (Arc::clone(&deepest), Arc::clone(&called));
            move |change| {
                if change.breaker.function() == "nested" {
                    depth.fetch_add(1, Ordering::Relaxed);
                    deepest.fetch_max(depth.load(Ordering::Relaxed), Ordering::Relaxed);
                    let number = called.fetch_add(1, Ordering::Relaxed);
                    breakers.for_key(&format!("for {number}"));
                    depth.fetch_sub(1, Ordering::Relaxed);
                }
            }
        });
        create(&breakers, 0..2_000);
        drop(subscription);
        assert_eq!(called.load(Ordering::Relaxed), OPEN, "each is closed once");
        assert_eq!(deepest.load(Ordering::Relaxed), 1);
        let retired = breakers.0.with_residents(|residents| residents.retired());
        assert!(retired < 200, "{retired}");
    }

    /// Returns one breaker for each key, at most `max_keys`, with these rules.
    fn with_rules(rules: crate::ConfigBuilder, max_keys: u32) -> Breakers {
        let config = rules.reset(RESET).build().unwrap();
        Breakers(KeyedCircuits::new(
            "quote".into(),
            config,
            Owner::Breakers,
            max_keys,
        ))
    }

    const HOUR: Duration = Duration::from_secs(3_600);

    /// Every rule, with limits that one failure or slow call does not reach.
    fn rules() -> [crate::ConfigBuilder; 7] {
        let rules = Config::builder();
        let rate = rules.failure_rate(0.5);
        [
            rules.max_failures(5),
            rules.max_failures(5).window(HOUR),
            rules.max_failures(2_000).window(HOUR),
            rules.max_failures(5).last_calls(100),
            rate.window(HOUR),
            rate.last_calls(100),
            rate.slow_call(RESET).window(HOUR),
        ]
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_fails_now_and_then_among_many_others_opens_at_its_limit() {
        for rules in [rules()[0], rules()[1]] {
            let breakers = with_rules(rules, 10_000);
            for failed in 1..=5 {
                let real = breakers.for_key("#real");
                fail(&real);
                assert_eq!(real.state() == State::Open, failed == 5);
                drop(real);
                let others = failed * 11_000..(failed + 1) * 11_000;
                others.for_each(|key| succeed(&breakers.for_key(&key.to_string())));
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_breaker_is_evicted_after_others_while_a_failure_counts_under_every_rule() {
        for (number, rules) in rules().into_iter().enumerate() {
            let breakers = with_rules(rules, 10);
            fail(&breakers.for_key("failed"));
            create(&breakers, 0..1_000);
            assert!(resident(&breakers).contains("failed"), "rule {number}");
            wait(120).await;
            // Resets the streak, and joins the window.
            succeed(&breakers.for_key("failed"));
            if [3, 5].contains(&number) {
                (0..100).for_each(|_| succeed(&breakers.for_key("failed")));
            }
            create(&breakers, 0..1_000);
            assert!(!resident(&breakers).contains("failed"), "rule {number}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_call_and_one_that_is_overdue_count_like_a_failure() {
        let breakers = with_rules(rules()[6], 10);
        let [slow, overdue] = ["slow", "overdue"].map(|key| breakers.for_key(key));
        let call = slow.try_acquire().unwrap();
        // Never settled, and without its handle.
        let _ = circuit(&overdue).admit().unwrap();
        advance(RESET + Duration::from_secs(1)).await;
        call.success();
        succeed(&overdue);
        drop((slow, overdue));
        create(&breakers, 0..1_000);
        assert!(resident(&breakers).contains("slow"));
        assert!(resident(&breakers).contains("overdue"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_before_an_order_or_a_recovery_does_not_count() {
        for rules in rules() {
            let breakers = with_rules(rules, 10);
            fail(&breakers.for_key("failed"));
            breakers.for_key("failed").reset();
            create(&breakers, 0..1_000);
            assert!(!resident(&breakers).contains("failed"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn keys_that_fail_below_the_limit_are_bounded_and_the_recently_used_stay() {
        for rules in rules() {
            let breakers = with_rules(rules, 100);
            for key in 0..2_000 {
                fail(&breakers.for_key(&key.to_string()));
                breakers.for_key("0");
                let (examined, _) = super::work(&breakers);
                assert!(examined <= super::MAX_EXAMINED);
            }
            let resident = resident(&breakers);
            assert!(resident.len() <= 101, "{}", resident.len());
            assert!(resident.contains("0"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_after_the_eviction_of_its_breaker_is_not_lost() {
        let breakers = with_rules(rules()[0], 10);
        breakers.for_key("failing");
        let late = breakers.find_late("failing", || create(&breakers, 0..100));
        assert!(!resident(&breakers).contains("failing"));
        fail(&late);
        drop(late);
        create(&breakers, 100..2_000);
        assert!(resident(&breakers).contains("failing"));
        assert_eq!(breakers.for_key("failing").snapshot().failed, 1);
    }
}

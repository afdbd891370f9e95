//! The registry of the breakers in use.

use crate::support::{ServiceError, fail, poll_once, succeed};
use circuit_runtime::{CircuitBreaker, Config, circuit_breaker, registry};
use std::sync::Barrier;
use std::thread;

#[test]
fn a_breaker_is_listed_from_its_creation_until_its_last_handle_is_dropped() {
    assert!(registry::find("registry::listed").is_none());
    let breaker = CircuitBreaker::new("registry::listed", Config::default());
    let clone = breaker.clone();
    drop(breaker);
    let found = registry::find("registry::listed").unwrap();
    fail(&found);
    assert_eq!(clone.snapshot().failed, 1, "a handle to the same breaker");
    drop(clone);
    assert!(
        registry::find("registry::listed").is_some(),
        "the breaker that was found is a handle, too"
    );
    drop(found);
    assert!(registry::find("registry::listed").is_none());
}

#[test]
fn names_can_repeat_and_find_returns_the_oldest_breaker() {
    let first = CircuitBreaker::new("registry::twins", Config::default());
    let second = CircuitBreaker::new(String::from("registry::twins"), Config::default());
    succeed(&first);
    assert_eq!(
        registry::find("registry::twins")
            .unwrap()
            .snapshot()
            .succeeded,
        1
    );
    let twins = registry::all()
        .into_iter()
        .filter(|breaker| breaker.name() == "registry::twins");
    assert_eq!(twins.count(), 2);
    drop(first);
    assert_eq!(
        registry::find("registry::twins")
            .unwrap()
            .snapshot()
            .succeeded,
        0
    );
    drop(second);
}

#[test]
fn find_all_returns_every_breaker_of_a_name_and_find_the_oldest_whatever_it_belongs_to() {
    #[circuit_breaker(key = key, name = "registry::both")]
    async fn keyed(key: &str) -> Result<(), ServiceError> {
        Err(ServiceError::Failed)
    }

    let failed = |name| {
        let found = registry::find_all(name).into_iter();
        found
            .map(|found| found.snapshot().failed)
            .collect::<Vec<_>>()
    };
    assert_eq!(failed("registry::both[a]"), [0; 0]);
    let first = CircuitBreaker::new("registry::both[a]", Config::default());
    assert!(poll_once(&mut Box::pin(keyed("a"))).is_ready());
    let last = CircuitBreaker::new("registry::both[a]", Config::default());
    assert_eq!(failed("registry::both[a]"), [0, 1, 0]);
    assert_eq!(failed("registry::both[b]"), [0; 0]);
    let oldest = || {
        registry::find("registry::both[a]")
            .unwrap()
            .snapshot()
            .failed
    };
    assert_eq!(oldest(), 0);
    drop(first);
    assert_eq!((oldest(), failed("registry::both[a]")), (1, vec![1, 0]));
    drop(last);
    assert_eq!(failed("registry::both[a]"), [1]);
}

#[test]
fn breakers_can_be_created_and_dropped_during_lookups() {
    let begin = Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                begin.wait();
                for _ in 0..2_000 {
                    drop(CircuitBreaker::new("registry::fleeting", Config::default()));
                }
            });
            scope.spawn(|| {
                begin.wait();
                for _ in 0..2_000 {
                    // This may drop the last handle.
                    drop(registry::find("registry::fleeting"));
                }
            });
        }
    });
    assert!(registry::find("registry::fleeting").is_none());
}

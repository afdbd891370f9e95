//! The registry of the breakers in use.

use crate::support::{fail, succeed};
use circuit_runtime::{CircuitBreaker, Config, registry};
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

use crate::support::{fail, succeed};
use circuit_runtime::{CircuitBreaker, Config, registry};
use std::sync::Barrier;
use std::thread;

#[test]
fn a_breaker_is_known_from_its_making_to_its_last_handle() {
    assert!(registry::find("registry::known").is_none());
    let breaker = CircuitBreaker::new("registry::known", Config::default());
    let clone = breaker.clone();
    drop(breaker);
    let found = registry::find("registry::known").unwrap();
    fail(&found);
    assert_eq!(clone.snapshot().failed, 1, "a handle to the same breaker");
    drop(clone);
    assert!(
        registry::find("registry::known").is_some(),
        "the one that was found is a handle, too"
    );
    drop(found);
    assert!(registry::find("registry::known").is_none());
}

#[test]
fn names_may_repeat_and_the_oldest_is_found() {
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
fn breakers_that_come_and_go_while_others_look() {
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
                    // The handle that is found may well be the last one when it is dropped.
                    drop(registry::find("registry::fleeting"));
                }
            });
        }
    });
    assert!(registry::find("registry::fleeting").is_none());
}

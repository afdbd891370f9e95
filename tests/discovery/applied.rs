//! A program applies overrides to its annotated functions before any of them is called.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    reason = "a test that cannot go on fails, and functions that are never called are declared"
)]

use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use circuit_runtime::{
    Cause, CircuitBreaker, CircuitError, Config, HoldSource, Overrides, State, circuit_breaker,
    registry,
};

/// Overrides are in force in the whole process: tests take turns.
static TURN: Mutex<()> = Mutex::new(());

#[circuit_breaker(name = "legacy::order", max_failures = 2)]
async fn order() -> Result<(), CircuitError> {
    panic!("the call ran")
}

#[circuit_breaker(name = "legacy::page", key = host)]
async fn page(host: &str) -> Result<(), CircuitError> {
    panic!("the call of {host} ran")
}

#[circuit_breaker(name = "never called", reset = "10s", max_reset = "20s")]
async fn never_called() -> Result<(), CircuitError> {
    Ok(())
}

struct First;
struct Second;

impl First {
    #[circuit_breaker(name = "twice")]
    async fn twice() -> Result<(), CircuitError> {
        Ok(())
    }
}

impl Second {
    #[circuit_breaker(name = "twice", max_failures = 3)]
    async fn twice() -> Result<(), CircuitError> {
        Ok(())
    }
}

fn options(name: &str, max_failures: u32) -> Overrides {
    let options = Config::builder().max_failures(max_failures);
    Overrides::new().options(name, options).unwrap()
}

#[test]
fn functions_are_held_open_before_their_first_call() {
    let _turn = TURN.lock();
    let mut changes = registry::changes();
    let applied = registry::apply(Overrides::new().hold_open("legacy::*").unwrap()).unwrap();
    let names: Vec<_> = applied.changed.iter().map(|it| &*it.breaker).collect();
    assert_eq!(names, ["legacy::order", "legacy::page"]);
    assert!(applied.unmatched.is_empty());

    // Before any call.
    let order_breaker = registry::find("legacy::order").unwrap();
    assert_eq!(order_breaker.state(), State::Open);
    let hold = order_breaker.snapshot().hold.unwrap();
    assert_eq!(hold.source, HoldSource::File);
    let change = changes.try_recv().unwrap().unwrap();
    assert_eq!(change.breaker, "legacy::order");
    assert_eq!(change.cause, Cause::ForcedOpen);
    assert_eq!(changes.try_recv().unwrap(), None, "once");
    assert!(is_rejected(order()));
    assert!(is_rejected(page("old.example")));

    registry::apply(Overrides::new()).unwrap();
    assert_eq!(order_breaker.state(), State::Closed);
}

/// Makes a call, and returns whether it is rejected at once.
fn is_rejected(call: impl Future<Output = Result<(), CircuitError>>) -> bool {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result.unwrap_err().is_open(),
        Poll::Pending => panic!("the call is pending"),
    }
}

#[test]
fn an_override_that_is_invalid_for_a_function_that_was_never_called_changes_nothing() {
    let _turn = TURN.lock();
    let used = CircuitBreaker::new("used", Config::default());
    let reset = Config::builder().reset(Duration::from_secs(30));
    let overrides = options("used", 2).options("never *", reset).unwrap();
    let error = registry::apply(overrides).unwrap_err();
    assert_eq!(
        (error.circuit(), error.option()),
        ("never called", Some("max_reset"))
    );
    assert_eq!(used.config(), Config::default());
}

#[test]
fn functions_that_were_never_called_match_by_name_and_both_of_a_name_do() {
    let _turn = TURN.lock();
    let applied = registry::apply(options("twice", 9)).unwrap();
    assert!(applied.unmatched.is_empty());
    let twice = applied.changed.iter();
    let mut before: Vec<_> = twice.map(|it| it.before.max_failures()).collect();
    before.sort();
    assert_eq!(before, [Some(3), Some(5)]);
    for breaker in registry::find_all("twice") {
        assert_eq!(breaker.config().max_failures(), Some(9));
    }
    registry::apply(Overrides::new()).unwrap();

    let applied = registry::apply(options("never caled", 9)).unwrap();
    assert_eq!(applied.unmatched, ["never caled"]);
    registry::apply(Overrides::new()).unwrap();
}

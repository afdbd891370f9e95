//! Tests in which thirty seconds take no time.
//!
//! With the feature `test-util`, every breaker follows tokio's clock, and a test that pauses this
//! clock passes thirty seconds in no time:
//!
//! ```toml
//! [dev-dependencies]
//! circuit-runtime = { version = "0.1", features = ["test-util"] }
//! tokio = { version = "1", features = ["macros", "rt", "test-util"] }
//! ```
#![cfg_attr(
    feature = "test-util",
    doc = r#"
```
# #![allow(unused_imports)]
use circuit_runtime::{CircuitBreaker, Config, State};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn the_circuit_opens_and_recovers() {
    let breaker = CircuitBreaker::new("payments", Config::default());
    for _ in 0..5 {
        breaker.try_acquire().unwrap().failure();
    }
    assert_eq!(breaker.state(), State::Open);

    tokio::time::advance(Duration::from_secs(30)).await;
    breaker.try_acquire().unwrap().success();
    assert_eq!(breaker.state(), State::Closed);
}
```
"#
)]
//!
//! # An annotated function
//!
//! Tests that call the same annotated function share its breaker. They have to take turns, each
//! starting with a closed circuit:
#![cfg_attr(
    feature = "test-util",
    doc = r#"
```
# #![allow(dead_code, unused_imports)]
# use std::time::Duration;
use circuit_runtime::registry;

static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test(start_paused = true)]
async fn callers_learn_when_to_try_again() {
    let _turn = TURN.lock().await;
    // There is none before the first call.
    if let Some(breaker) = registry::find("shop::quote") {
        breaker.reset();
    }

    for _ in 0..5 {
        assert!(quote("ACME").await.is_err());
    }
    let Err(QuoteError::Circuit(error)) = quote("ACME").await else {
        panic!("the call was not rejected")
    };
    assert_eq!(error.retry_after(), Some(Duration::from_secs(30)));
}
```
"#
)]
//!
//! A test runner with one process per test, such as cargo-nextest, needs neither the lock nor the
//! reset. Time that a test advances passes on all threads for the breakers that the test uses. The
//! [front page](crate#time-in-tests) says where virtual time is less exact.
//!
//! # Without a circuit
//!
//! A test that is about something else switches a circuit off: with
//! [`force_closed`](crate::CircuitBreaker::force_closed), no failure opens it. With
//! [`force_open`](crate::CircuitBreaker::force_open), the first call is rejected already, and a
//! test sees what callers do then. The breaker of an annotated function exists from its first call
//! on; with the feature `discovery`, `registry::declared()` finds it before.
//!
//! # With mocks
//!
//! Beside `#[mockall::automock]`, annotate the method of the implementation, not that of the trait,
//! whose attributes are copied to the mock.
//!
//! The repository's `examples/testing.rs` passes through an outage of two hours.

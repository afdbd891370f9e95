//! What the tests of all topics share.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use circuit_runtime::{
    Applied, Cause, Changes, CircuitBreaker, Config, ConfigBuilder, Overrides, registry,
};
use tokio::sync::{Mutex, MutexGuard};

static TURN: Mutex<()> = Mutex::const_new(());

/// The right to apply overrides. At its end, none are in force.
pub(crate) struct Turn(#[expect(dead_code, reason = "held")] MutexGuard<'static, ()>);

impl Turn {
    /// Waits for the other tests on a thread outside of a runtime.
    pub(crate) fn wait() -> Self {
        Self(TURN.blocking_lock())
    }

    pub(crate) async fn come() -> Self {
        Self(TURN.lock().await)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Not after a failure, which may be one of applying.
        if !std::thread::panicking() {
            registry::apply(Overrides::new()).unwrap();
        }
    }
}

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn rules() -> ConfigBuilder {
    Config::builder()
}

/// Creates a breaker with the rules that are the default.
pub(crate) fn breaker(name: &'static str) -> CircuitBreaker {
    CircuitBreaker::new(name, Config::default())
}

/// Applies the overrides of a file.
pub(crate) fn apply(toml: &str) -> Applied {
    registry::apply(read(toml)).unwrap()
}

/// Applies the overrides of a file, which are invalid, and returns the circuit and the option that
/// are wrong, and the message.
pub(crate) fn refused(toml: &str) -> (String, Option<&'static str>, String) {
    let error = registry::apply(read(toml)).unwrap_err();
    let circuit = error.circuit().to_owned();
    (circuit, error.option(), error.to_string())
}

pub(crate) fn read(toml: &str) -> Overrides {
    toml::from_str(toml).unwrap()
}

pub(crate) fn fail(breaker: &CircuitBreaker) {
    breaker.try_acquire().unwrap().failure();
}

/// Returns how many failures count at this moment.
pub(crate) fn counted(breaker: &CircuitBreaker) -> u64 {
    let snapshot = breaker.snapshot();
    let consecutive = snapshot.consecutive_failures.map(u64::from);
    consecutive
        .or_else(|| Some(snapshot.window?.failed))
        .unwrap_or_default()
}

/// Polls a call once, which is ready.
pub(crate) fn called<F: Future>(call: F) -> F::Output {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("the call is pending"),
    }
}

/// Returns the causes of the changes of one breaker since the last time.
pub(crate) fn causes(changes: &mut Changes, breaker: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    while let Some(change) = changes.try_recv().unwrap() {
        if change.breaker == *breaker {
            causes.push(change.cause);
        }
    }
    causes
}

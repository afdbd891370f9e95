//! Support for the tests of all topics.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use circuit_runtime::{
    Applied, Cause, Changes, CircuitBreaker, Config, ConfigBuilder, Overrides, registry,
};
use tokio::sync::{Mutex, MutexGuard};

/// Long enough on any machine: a test that fails must end.
const PATIENCE: Duration = Duration::from_secs(30);

static TURN: Mutex<()> = Mutex::const_new(());

/// Set by a test that has locked up, so that the others fail instead of waiting for it.
static HAS_LOCKED_UP: AtomicBool = AtomicBool::new(false);

/// The right to apply overrides. None are in force at its beginning and its end.
pub(crate) struct Turn(#[expect(dead_code, reason = "held")] MutexGuard<'static, ()>);

impl Turn {
    /// Waits for the other tests on a thread outside of a runtime.
    pub(crate) fn wait() -> Self {
        Self::begin(TURN.blocking_lock())
    }

    pub(crate) async fn come() -> Self {
        Self::begin(TURN.lock().await)
    }

    fn begin(turn: MutexGuard<'static, ()>) -> Self {
        assert!(!HAS_LOCKED_UP.load(Ordering::Relaxed), "see another test");
        registry::apply(Overrides::new()).unwrap();
        Self(turn)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !thread::panicking() {
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

/// Calls `act` on a thread of its own, and fails if it never returns.
pub(crate) fn returns<R: Send + 'static>(act: impl FnOnce() -> R + Send + 'static) -> R {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(act()));
    receiver.recv_timeout(PATIENCE).unwrap_or_else(|error| {
        HAS_LOCKED_UP.store(error == RecvTimeoutError::Timeout, Ordering::Relaxed);
        panic!("no result: {error}")
    })
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

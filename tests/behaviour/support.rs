//! Breakers and calls that the tests of all topics share.

use std::future::pending;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use circuit_runtime::{
    CallError, Cause, CircuitBreaker, CircuitError, Config, ConfigBuilder, State, StateChange,
    Subscription,
};

/// The error of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

/// The error of an annotated function.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ServiceError {
    #[error("the service failed")]
    Failed,
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Creates a breaker with these rules.
pub(crate) fn breaker(config: ConfigBuilder) -> CircuitBreaker {
    CircuitBreaker::new("breaker", config.build().unwrap())
}

/// Opens after three consecutive failures, for thirty seconds.
pub(crate) fn consecutive() -> CircuitBreaker {
    let config = Config::builder().max_failures(3).build().unwrap();
    CircuitBreaker::new("consecutive", config)
}

/// Opens after three failures within ten seconds, for thirty seconds.
pub(crate) fn windowed() -> CircuitBreaker {
    let config = Config::builder()
        .max_failures(3)
        .window(seconds(10))
        .build()
        .unwrap();
    CircuitBreaker::new("windowed", config)
}

/// Calls time out after two seconds. Opens after three consecutive failures, for thirty seconds.
pub(crate) fn timed() -> CircuitBreaker {
    let config = Config::builder()
        .max_failures(3)
        .timeout(seconds(2))
        .build()
        .unwrap();
    CircuitBreaker::new("timed", config)
}

pub(crate) async fn advance(duration: Duration) {
    tokio::time::advance(duration).await;
}

pub(crate) fn succeed(breaker: &CircuitBreaker) {
    breaker.try_acquire().unwrap().success();
}

pub(crate) fn fail(breaker: &CircuitBreaker) {
    breaker.try_acquire().unwrap().failure();
}

/// Replaces the rules.
pub(crate) fn reconfigure(breaker: &CircuitBreaker, config: ConfigBuilder) {
    breaker.reconfigure(config.build().unwrap()).unwrap();
}

/// Opens the circuit by failures.
pub(crate) fn trip(breaker: &CircuitBreaker) {
    while breaker.state() == State::Closed {
        fail(breaker);
    }
}

/// Opens the circuit and advances time until it is half-open.
pub(crate) async fn half_open(breaker: &CircuitBreaker) {
    trip(breaker);
    advance(breaker.config().reset()).await;
    assert_eq!(breaker.state(), State::HalfOpen);
}

/// Makes a call, which must be rejected, and returns the `retry_after` of the rejection.
pub(crate) fn retry_after(breaker: &CircuitBreaker) -> Option<Duration> {
    let error = breaker.try_acquire().unwrap_err();
    assert!(error.is_open());
    assert_eq!(error.retry_after(), breaker.snapshot().retry_after);
    error.retry_after()
}

/// The states before and after a change, and its cause.
type Brief = (State, State, Cause);

/// The changes of one breaker, as a listener has seen them.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<StateChange>>>);

impl Seen {
    pub(crate) fn listen(&self, breaker: &CircuitBreaker) -> Subscription {
        let seen = self.clone();
        breaker.on_change(move |change| seen.add(change))
    }

    pub(crate) fn add(&self, change: &StateChange) {
        self.0.lock().unwrap().push(change.clone());
    }

    /// Returns the changes since the last time.
    pub(crate) fn take(&self) -> Vec<StateChange> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    pub(crate) fn briefs(&self) -> Vec<Brief> {
        self.take().iter().map(brief).collect()
    }
}

pub(crate) fn brief(change: &StateChange) -> Brief {
    (change.from, change.to, change.cause)
}

/// Starts a call that never completes: polls it once.
pub(crate) fn pending_call(
    breaker: &CircuitBreaker,
) -> Pin<Box<dyn Future<Output = Result<(), CallError<Failed>>> + Send + '_>> {
    let mut call = Box::pin(breaker.call(pending()));
    assert!(poll_once(call.as_mut()).is_pending());
    call
}

pub(crate) fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

//! What the tests of all topics share.

use std::future::pending;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use circuit_runtime::{CallError, CircuitBreaker, CircuitError, Config, ConfigBuilder, State};

/// An error of the service's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

/// What an annotated function returns when it fails.
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

/// A breaker of these rules.
pub(crate) fn breaker(config: ConfigBuilder) -> CircuitBreaker {
    CircuitBreaker::new("breaker", config.build().unwrap())
}

/// Opens at three failures in a row, for thirty seconds.
pub(crate) fn in_a_row() -> CircuitBreaker {
    let config = Config::builder().max_failures(3).build().unwrap();
    CircuitBreaker::new("in a row", config)
}

/// Opens at three failures within ten seconds, for thirty seconds.
pub(crate) fn windowed() -> CircuitBreaker {
    let config = Config::builder()
        .max_failures(3)
        .window(seconds(10))
        .build()
        .unwrap();
    CircuitBreaker::new("windowed", config)
}

/// Gives a call up after two seconds; opens at three failures in a row, for thirty seconds.
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

/// Opens the circuit by failures.
pub(crate) fn trip(breaker: &CircuitBreaker) {
    while breaker.state() == State::Closed {
        fail(breaker);
    }
}

/// Opens the circuit and waits until it is half-open.
pub(crate) async fn half_open(breaker: &CircuitBreaker) {
    trip(breaker);
    advance(breaker.config().reset()).await;
    assert_eq!(breaker.state(), State::HalfOpen);
}

/// For how long the circuit says not to ask again. The call must be rejected.
pub(crate) fn retry_after(breaker: &CircuitBreaker) -> Option<Duration> {
    let error = breaker.try_acquire().unwrap_err();
    assert!(error.is_open());
    assert_eq!(error.retry_after(), breaker.snapshot().retry_after);
    error.retry_after()
}

/// A call that gets no answer, polled once.
pub(crate) fn hang(
    breaker: &CircuitBreaker,
) -> Pin<Box<dyn Future<Output = Result<(), CallError<Failed>>> + Send + '_>> {
    let mut call = Box::pin(breaker.call(pending()));
    assert!(poll_once(call.as_mut()).is_pending());
    call
}

pub(crate) fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

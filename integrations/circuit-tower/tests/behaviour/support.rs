//! Services and breakers that the tests of all topics share.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Pending, Ready, pending, poll_fn, ready};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use circuit_runtime::{CircuitBreaker, CircuitError, Config, ConfigBuilder, State};
use circuit_tower::BoxError;
use tower::Service;

/// The error of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("failed")
    }
}

impl std::error::Error for Failed {}

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Creates a breaker with these rules.
pub(crate) fn breaker(config: ConfigBuilder) -> CircuitBreaker {
    CircuitBreaker::new("breaker", config.build().unwrap())
}

/// Opens after two consecutive failures, for thirty seconds.
pub(crate) fn two_failures() -> CircuitBreaker {
    breaker(Config::builder().max_failures(2))
}

/// Calls time out after two seconds.
pub(crate) fn timed() -> CircuitBreaker {
    breaker(Config::builder().max_failures(2).timeout(seconds(2)))
}

/// Opens the circuit and advances time until it is half-open.
pub(crate) async fn half_open(breaker: &CircuitBreaker) {
    breaker.trip();
    tokio::time::advance(breaker.config().reset()).await;
    assert_eq!(breaker.state(), State::HalfOpen);
}

/// Returns whether another probe would be admitted.
pub(crate) fn has_slot(breaker: &CircuitBreaker) -> bool {
    breaker.state() == State::HalfOpen && breaker.would_reject().is_none()
}

pub(crate) fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

pub(crate) fn poll_ready<S: Service<R>, R>(service: &mut S) -> Poll<Result<(), S::Error>> {
    service.poll_ready(&mut Context::from_waker(Waker::noop()))
}

/// Makes the service ready and calls it.
pub(crate) async fn call_ready<S: Service<()>>(service: &mut S) -> Result<S::Response, S::Error> {
    poll_fn(|cx| service.poll_ready(cx)).await?;
    service.call(()).await
}

/// Returns the error of the circuit.
pub(crate) fn circuit_error(error: &BoxError) -> &CircuitError {
    error.downcast_ref().expect("an error of the circuit")
}

pub(crate) fn is_open(error: &BoxError) -> bool {
    error
        .downcast_ref()
        .is_some_and(|error: &CircuitError| error.is_open())
}

/// A service that is never ready, and panics if it is called.
#[derive(Clone, Debug, Default)]
pub(crate) struct NeverReady {
    pub(crate) asked: Arc<AtomicUsize>,
}

impl NeverReady {
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl<R> Service<R> for NeverReady {
    type Response = ();
    type Error = Infallible;
    type Future = Ready<Result<(), Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Poll::Pending
    }

    fn call(&mut self, _: R) -> Self::Future {
        panic!("it was never ready")
    }
}

/// A service whose readiness fails.
#[derive(Clone, Debug)]
pub(crate) struct Dead;

impl<R> Service<R> for Dead {
    type Response = ();
    type Error = Failed;
    type Future = Ready<Result<(), Failed>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        Poll::Ready(Err(Failed))
    }

    fn call(&mut self, _: R) -> Self::Future {
        panic!("it failed to become ready")
    }
}

/// A service that is called only where it was made ready, and panics if a clone of it is called
/// instead. Its calls never complete.
#[derive(Debug, Default)]
pub(crate) struct Strict {
    is_ready: bool,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<R> Service<R> for Strict {
    type Response = ();
    type Error = Failed;
    type Future = Pending<Result<(), Failed>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: R) -> Self::Future {
        assert!(self.is_ready, "another clone was made ready");
        self.is_ready = false;
        pending()
    }
}

/// A service that answers as told, and counts its calls; the last answer is repeated.
#[derive(Clone, Debug)]
pub(crate) struct Script<T> {
    answers: Arc<Mutex<VecDeque<Result<T, Failed>>>>,
    calls: Arc<AtomicUsize>,
}

impl<T> Script<T> {
    pub(crate) fn new(answers: impl IntoIterator<Item = Result<T, Failed>>) -> Self {
        Self {
            answers: Arc::new(Mutex::new(answers.into_iter().collect())),
            calls: Arc::default(),
        }
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

impl<T: Clone, R> Service<R> for Script<T> {
    type Response = T;
    type Error = Failed;
    type Future = Ready<Result<T, Failed>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: R) -> Self::Future {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut answers = self.answers.lock().unwrap();
        let answer = answers.pop_front().unwrap();
        if answers.is_empty() {
            answers.push_back(answer.clone());
        }
        ready(answer)
    }
}

//! Fallbacks, which run in place of the body of a rejected call.

use crate::support::{ServiceError, advance, seconds};
use circuit_runtime::{CircuitError, State, circuit_breaker, registry};
use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_fallback_runs_only_when_a_call_is_rejected() {
    #[circuit_breaker(max_failures = 1, fallback = Ok(0), name = "fallback::rejected")]
    async fn service(answer: Option<u32>) -> Result<u32, ServiceError> {
        answer.ok_or(ServiceError::Failed)
    }

    assert_eq!(service(Some(7)).await, Ok(7));
    assert_eq!(
        service(None).await,
        Err(ServiceError::Failed),
        "a failure is returned unchanged"
    );
    assert_eq!(service(Some(7)).await, Ok(0));

    let breaker = registry::find("fallback::rejected").unwrap();
    let totals = breaker.snapshot();
    assert_eq!(
        (totals.succeeded, totals.failed, totals.rejected),
        (1, 1, 1)
    );
    advance(seconds(30)).await;
    assert_eq!(service(Some(7)).await, Ok(7), "the probe runs");
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_is_returned_without_the_fallback() {
    #[circuit_breaker(max_failures = 1, timeout = "2s", fallback = Ok(0))]
    async fn service() -> Result<u32, ServiceError> {
        pending().await
    }

    let ServiceError::Circuit(error) = service().await.unwrap_err() else {
        panic!("the call did not time out")
    };
    assert!(error.is_timeout());
    assert_eq!(service().await, Ok(0));
}

#[test]
fn a_missing_runtime_is_reported_without_the_fallback() {
    #[circuit_breaker(timeout = "2s", fallback = Ok(0), name = "fallback::no runtime")]
    async fn service() -> Result<u32, ServiceError> {
        Ok(7)
    }

    let result = crate::support::poll_once(&mut Box::pin(service()));
    assert!(matches!(
        result,
        std::task::Poll::Ready(Err(ServiceError::Circuit(CircuitError::NoRuntime { .. })))
    ));
    let breaker = registry::find("fallback::no runtime").unwrap();
    assert_eq!(breaker.snapshot().cancelled, 1);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_closure_receives_the_error() {
    #[circuit_breaker(max_failures = 1, reset = "5s", fallback = |error| Ok(error.retry_after()))]
    async fn service() -> Result<Option<Duration>, ServiceError> {
        Err(ServiceError::Failed)
    }

    assert!(service().await.is_err());
    assert_eq!(service().await, Ok(Some(seconds(5))));
    advance(seconds(3)).await;
    assert_eq!(service().await, Ok(Some(seconds(2))));
}

#[tokio::test(start_paused = true)]
async fn a_fallback_can_await_and_return_early() {
    async fn cached(number: u32) -> Option<u32> {
        tokio::time::sleep(seconds(1)).await;
        (number > 0).then_some(number)
    }

    #[circuit_breaker(max_failures = 1, fallback = {
        if number > 9 {
            return Ok(9);
        }
        Ok(cached(number).await.ok_or(ServiceError::Failed)? + 1)
    })]
    async fn service(number: u32) -> Result<u32, ServiceError> {
        Err(ServiceError::Failed)
    }

    assert!(service(1).await.is_err());
    assert_eq!(service(1).await, Ok(2));
    assert_eq!(service(0).await, Err(ServiceError::Failed));
    assert_eq!(service(10).await, Ok(9));
}

/// Counts its drops.
struct Counted(Rc<Cell<u32>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn body_and_fallback_can_both_move_an_argument() {
    #[circuit_breaker(max_failures = 1, fallback = Ok(argument))]
    async fn service(argument: Counted, other: Counted) -> Result<Counted, ServiceError> {
        drop((argument, other));
        Err(ServiceError::Failed)
    }

    let dropped = Rc::new(Cell::new(0));
    let counted = || Counted(Rc::clone(&dropped));
    assert!(service(counted(), counted()).await.is_err());
    assert_eq!(dropped.get(), 2);
    let kept = service(counted(), counted()).await;
    assert_eq!(
        dropped.get(),
        3,
        "only the argument that the fallback does not move"
    );
    drop(kept);
    assert_eq!(dropped.get(), 4);
}

#[tokio::test(start_paused = true)]
async fn the_result_of_a_fallback_is_not_counted() {
    #[circuit_breaker(
        max_failures = 1,
        fallback = Err(ServiceError::Failed),
        name = "fallback::not counted"
    )]
    async fn service() -> Result<u32, ServiceError> {
        Err(ServiceError::Failed)
    }

    for _ in 0..10 {
        assert_eq!(service().await, Err(ServiceError::Failed));
    }
    let totals = registry::find("fallback::not counted").unwrap().snapshot();
    assert_eq!((totals.failed, totals.rejected, totals.opened), (1, 9, 1));
}

#[tokio::test(start_paused = true)]
async fn a_running_call_with_a_fallback_that_is_dropped_is_cancelled_once() {
    #[circuit_breaker(fallback = Ok(()), name = "fallback::dropped")]
    async fn service() -> Result<(), ServiceError> {
        pending().await
    }

    let mut call = Box::pin(service());
    assert!(crate::support::poll_once(&mut call).is_pending());
    drop(call);
    drop(service());
    let totals = registry::find("fallback::dropped").unwrap().snapshot();
    assert_eq!((totals.cancelled, totals.rejected), (1, 0));
}

//! Fallbacks, which run in place of the body of a rejected call.

use crate::support::{ServiceError, advance, seconds};
use circuit_runtime::{CircuitError, State, circuit_breaker, registry};
use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

/// More rejections than a task has budget for, in one go.
const MANY: u32 = 10_000;

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
async fn an_argument_that_only_a_boxed_body_names_outlives_the_fallback() {
    #[circuit_breaker(max_failures = 1, fallback = Ok(dropped.get()))]
    fn service<'a>(
        counted: Counted,
        dropped: &'a Cell<u32>,
    ) -> Pin<Box<dyn Future<Output = Result<u32, ServiceError>> + 'a>> {
        Box::pin(async move {
            drop(counted);
            Err(ServiceError::Failed)
        })
    }

    let dropped = Rc::new(Cell::new(0));
    let counted = || Counted(Rc::clone(&dropped));
    assert!(service(counted(), &dropped).await.is_err());
    assert_eq!(service(counted(), &dropped).await, Ok(1));
    assert_eq!(dropped.get(), 2);
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

/// The function of the tests below, rejected by its circuit. One for each test, as a function has
/// only one breaker.
macro_rules! held_open {
    ($name:literal) => {{
        #[circuit_breaker(fallback = Ok(number), name = $name)]
        async fn service(number: u32) -> Result<u32, ServiceError> {
            Ok(number + 1)
        }

        assert_eq!(service(6).await, Ok(7));
        let breaker = registry::find($name).unwrap();
        breaker.force_open();
        (service, breaker)
    }};
}

#[tokio::test]
async fn a_loop_of_fallbacks_leaves_other_tasks_their_turn() {
    let (service, breaker) = held_open!("fallback::loop");
    let other = tokio::spawn(async {});
    let mut rejected = 0;
    while !other.is_finished() && rejected < MANY {
        assert_eq!(service(7).await, Ok(7));
        rejected += 1;
    }
    assert!(rejected < MANY, "the other task never ran");
    assert_eq!(breaker.snapshot().rejected, u64::from(rejected));
}

/// Makes calls with a fallback until one has to wait for budget; returns it, and how many did not.
async fn wait_for_budget<F: Future<Output = Result<u32, ServiceError>>>(
    service: impl Fn(u32) -> F,
) -> (Pin<Box<F>>, u64) {
    let mut rejected = 0;
    loop {
        let mut call = Box::pin(service(7));
        let polled = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx)));
        match polled.await {
            Poll::Ready(result) => assert_eq!(result, Ok(7)),
            Poll::Pending => return (call, rejected),
        }
        rejected += 1;
        assert!(rejected < u64::from(MANY), "the budget is never used up");
    }
}

/// As without a fallback, a call that waits for budget has not been rejected yet.
#[tokio::test]
async fn a_fallback_that_waits_for_budget_is_counted_once_and_not_before() {
    let (service, breaker) = held_open!("fallback::waiting");
    let (waiting, rejected) = wait_for_budget(service).await;
    assert!(
        rejected > 1,
        "a fallback runs at once while there is budget"
    );
    assert_eq!(breaker.snapshot().rejected, rejected);
    assert_eq!(waiting.await, Ok(7));
    assert_eq!(breaker.snapshot().rejected, rejected + 1);

    let (waiting, more) = wait_for_budget(service).await;
    drop(waiting);
    let totals = breaker.snapshot();
    assert_eq!(totals.rejected, rejected + 1 + more);
    assert_eq!(totals.cancelled, 0);
}

#[tokio::test]
async fn a_call_with_a_fallback_that_waits_for_budget_runs_if_the_circuit_has_closed_by_then() {
    let (service, breaker) = held_open!("fallback::closed by then");
    let (waiting, rejected) = wait_for_budget(service).await;
    breaker.reset();
    assert_eq!(waiting.await, Ok(8), "the body runs");
    let totals = breaker.snapshot();
    assert_eq!((totals.rejected, totals.succeeded), (rejected, 2));
}

#[tokio::test]
async fn a_fallback_that_is_dropped_while_it_waits_for_budget_does_not_run() {
    #[circuit_breaker(
        fallback = {
            ran.set(ran.get() + 1);
            Ok(())
        },
        name = "fallback::dropped while waiting"
    )]
    async fn service(ran: &Cell<u32>) -> Result<(), ServiceError> {
        Ok(())
    }

    let ran = Cell::new(0);
    service(&ran).await.unwrap();
    let breaker = registry::find("fallback::dropped while waiting").unwrap();
    breaker.force_open();
    let mut ready = 0;
    loop {
        let mut call = Box::pin(service(&ran));
        let polled = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx)));
        if polled.await.is_pending() {
            break;
        }
        ready += 1;
        assert!(ready < MANY, "the budget is never used up");
    }
    assert_eq!(ran.get(), ready);
    assert_eq!(breaker.snapshot().rejected, u64::from(ready));
}

/// Nothing waits without a budget.
#[test]
fn a_fallback_outside_of_a_runtime_runs_at_once() {
    #[circuit_breaker(fallback = Ok(7), name = "fallback::outside")]
    async fn service() -> Result<u32, ServiceError> {
        Ok(8)
    }

    let mut call = Box::pin(service());
    assert_eq!(crate::support::poll_once(&mut call), Poll::Ready(Ok(8)));
    registry::find("fallback::outside").unwrap().force_open();
    for _ in 0..MANY {
        let mut call = Box::pin(service());
        assert_eq!(crate::support::poll_once(&mut call), Poll::Ready(Ok(7)));
    }
}

//! The cooperative budget of a task: however often a call is rejected, other tasks have their turn.

use crate::support::{Failed, ServiceError, consecutive, timed as timed_breaker, trip};
use circuit_runtime::{CallError, CircuitBreaker, CircuitError, State, circuit_breaker, registry};
use std::future::{pending, poll_fn, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use tokio::runtime::Builder;
use tokio::task::{coop, unconstrained};

/// More rejections than a task has budget for, in one go.
const MANY: u32 = 10_000;

/// Makes calls that are rejected, or other calls, until another task of this thread has run, and
/// returns how many.
async fn rejections_until_another_task_runs<F>(mut call: impl FnMut() -> F) -> u32
where
    F: Future<Output = bool>,
{
    let ran = Arc::new(AtomicBool::new(false));
    let other = tokio::spawn({
        let ran = Arc::clone(&ran);
        async move { ran.store(true, Ordering::Relaxed) }
    });
    let mut rejected = 0;
    while !ran.load(Ordering::Relaxed) && rejected < MANY {
        assert!(call().await, "rejected");
        rejected += 1;
    }
    other.await.unwrap();
    rejected
}

fn open() -> CircuitBreaker {
    let breaker = consecutive();
    trip(&breaker);
    breaker
}

#[tokio::test]
async fn rejected_calls_leave_other_tasks_their_turn() {
    let breaker = open();
    let call = || async { breaker.call(ready(Ok::<_, Failed>(()))).await.is_err() };
    let rejected = rejections_until_another_task_runs(call).await;
    assert!(rejected < MANY);
    assert_eq!(breaker.snapshot().rejected, u64::from(rejected));
}

#[tokio::test]
async fn rejected_calls_of_a_circuit_that_is_held_open_leave_other_tasks_their_turn() {
    let breaker = consecutive();
    breaker.force_open();
    let call = || async { breaker.call(ready(Ok::<_, Failed>(()))).await.is_err() };
    assert!(rejections_until_another_task_runs(call).await < MANY);
}

#[tokio::test]
async fn rejections_beside_a_probe_leave_other_tasks_their_turn() {
    tokio::time::pause();
    let breaker = open();
    tokio::time::advance(breaker.config().reset()).await;
    let _probe = breaker.try_acquire().unwrap();
    let call = || async { breaker.call(ready(Ok::<_, Failed>(()))).await.is_err() };
    assert!(rejections_until_another_task_runs(call).await < MANY);
}

/// Each change is followed by another at once, as when a thread flaps a breaker.
#[tokio::test]
async fn changes_that_are_received_leave_other_tasks_their_turn() {
    let breaker = consecutive();
    let changes = tokio::sync::Mutex::new(registry::changes());
    let receive = || async {
        match breaker.state() {
            State::Open => breaker.reset(),
            State::Closed | State::HalfOpen => breaker.trip(),
        }
        // Those of other tests may be too many to be kept.
        let mut changes = changes.try_lock().unwrap();
        let (Ok(_) | Err(_)) = changes.recv().await;
        true
    };
    assert!(rejections_until_another_task_runs(receive).await < MANY);
}

/// A call on a closed circuit neither takes budget nor waits for it.
#[tokio::test]
async fn a_call_on_a_closed_circuit_runs_although_the_budget_is_used_up() {
    let breaker = consecutive();
    while coop::has_budget_remaining() {
        coop::consume_budget().await;
    }
    let mut call = Box::pin(breaker.call(ready(Ok::<_, Failed>(()))));
    let polled = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await;
    assert_eq!(polled, Poll::Ready(Ok(())));
}

#[circuit_breaker(max_failures = 1, name = "budget, plain")]
async fn plain() -> Result<(), ServiceError> {
    Err(ServiceError::Failed)
}

#[circuit_breaker(max_failures = 1, timeout = "1s", name = "budget, timed")]
async fn timed() -> Result<(), ServiceError> {
    Err(ServiceError::Failed)
}

#[circuit_breaker(max_failures = 1, key = host, name = "budget, keyed")]
async fn keyed(host: &str) -> Result<(), ServiceError> {
    let _ = host;
    Err(ServiceError::Failed)
}

#[circuit_breaker(max_failures = 1, name = "budget, fallback", fallback = Ok(true))]
async fn with_fallback() -> Result<bool, ServiceError> {
    Err(ServiceError::Failed)
}

#[circuit_breaker(breaker = breaker, fallback = |error| Ok(error.is_open()))]
async fn own(breaker: &CircuitBreaker) -> Result<bool, ServiceError> {
    Err(ServiceError::Failed)
}

fn is_open<T>(answer: &Result<T, ServiceError>) -> bool {
    matches!(answer, Err(ServiceError::Circuit(error)) if error.is_open())
}

#[tokio::test]
async fn rejections_of_annotated_functions_leave_other_tasks_their_turn() {
    assert!(plain().await.is_err());
    let rejected = rejections_until_another_task_runs(async || is_open(&plain().await)).await;
    assert!(rejected < MANY);
    let totals = registry::find("budget, plain").unwrap().snapshot();
    assert_eq!(totals.rejected, u64::from(rejected));

    assert!(timed().await.is_err());
    assert!(rejections_until_another_task_runs(async || is_open(&timed().await)).await < MANY);

    assert!(keyed("a").await.is_err());
    assert!(rejections_until_another_task_runs(async || is_open(&keyed("a").await)).await < MANY);
}

#[tokio::test]
async fn fallbacks_leave_other_tasks_their_turn() {
    assert!(with_fallback().await.is_err());
    let rejected =
        rejections_until_another_task_runs(async || with_fallback().await.unwrap()).await;
    assert!(rejected < MANY);
    let totals = registry::find("budget, fallback").unwrap().snapshot();
    assert_eq!(totals.rejected, u64::from(rejected));

    let breaker = open();
    let rejected = rejections_until_another_task_runs(async || own(&breaker).await.unwrap()).await;
    assert!(rejected < MANY);
    assert_eq!(breaker.snapshot().rejected, u64::from(rejected));
}

/// Outside of a task's budget nothing waits: neither without a runtime, nor in `unconstrained`.
#[tokio::test]
async fn rejections_without_a_budget_do_not_wait() {
    let breaker = open();
    let call = || async { breaker.call(ready(Ok::<_, Failed>(()))).await.is_err() };
    assert_eq!(
        unconstrained(rejections_until_another_task_runs(call)).await,
        MANY
    );
}

#[test]
fn rejections_outside_of_a_runtime_are_ready_at_once() {
    let breaker = open();
    for _ in 0..MANY {
        let call = breaker.call(ready(Ok::<_, Failed>(())));
        assert!(crate::support::poll_once(call).is_ready());
    }
    assert_eq!(breaker.snapshot().rejected, u64::from(MANY));
}

/// A call that has no timer ends with an error, which is paid for like a rejection.
#[test]
fn calls_without_a_timer_leave_other_tasks_their_turn() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let breaker = timed_breaker();
    let call = async || breaker.call(pending::<Result<(), Failed>>()).await.is_err();
    let ended = runtime.block_on(rejections_until_another_task_runs(call));
    assert!(ended < MANY);
    let totals = breaker.snapshot();
    assert_eq!((totals.cancelled, totals.rejected), (u64::from(ended), 0));
}

#[test]
fn a_call_without_a_timer_ends_even_if_its_body_uses_up_the_budget() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let breaker = timed_breaker();
    let mut polls = 0;
    let call = breaker.call(poll_fn(|cx| {
        polls += 1;
        while let Poll::Ready(budget) = coop::poll_proceed(cx) {
            budget.made_progress();
        }
        Poll::<Result<(), Failed>>::Pending
    }));
    let answer = runtime.block_on(call);
    assert!(matches!(
        answer,
        Err(CallError::Circuit(CircuitError::NoRuntime { .. }))
    ));
    assert_eq!(polls, 1);
    assert_eq!(breaker.snapshot().cancelled, 1);
}

/// A permit by hand is synchronous: it has no way to wait.
#[tokio::test]
async fn permits_take_nothing_from_the_budget() {
    let breaker = open();
    for _ in 0..MANY {
        assert!(breaker.try_acquire().is_err());
    }
    assert!(tokio::task::coop::has_budget_remaining());
}

#[tokio::test]
async fn calls_of_a_closed_circuit_take_nothing_from_the_budget() {
    let breaker = consecutive();
    for _ in 0..MANY {
        breaker.call(ready(Ok::<_, Failed>(()))).await.unwrap();
    }
    assert!(tokio::task::coop::has_budget_remaining());
}

/// A call that waits for budget has not been rejected yet: dropped, it is nowhere.
#[tokio::test]
async fn a_rejection_that_waits_for_budget_is_counted_once_and_not_before() {
    let breaker = open();
    let mut rejected = 0;
    let waiting = loop {
        let mut call = Box::pin(breaker.call(pending::<Result<(), Failed>>()));
        let polled = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_ready()));
        if !polled.await {
            break call;
        }
        rejected += 1;
    };
    assert_eq!(breaker.snapshot().rejected, rejected);
    tokio::task::yield_now().await;
    assert!(matches!(
        waiting.await,
        Err(CallError::Circuit(CircuitError::Open { .. }))
    ));
    assert_eq!(breaker.snapshot().rejected, rejected + 1);
    assert_eq!(breaker.snapshot().cancelled, 0);
}

//! Work that starts when it is made, and calls that own their breaker.

use crate::support::{
    Failed, advance, breaker, consecutive, half_open, millis, poll_once, seconds, succeed, timed,
    windowed,
};
use circuit_runtime::{CallError, CircuitBreaker, CircuitError, Config, State, Verdict, registry};
use std::cell::Cell;
use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use tokio::task::{JoinError, JoinHandle};

/// Spawns work that counts itself.
fn spawn(work: &Arc<AtomicU32>) -> JoinHandle<u32> {
    let work = Arc::clone(work);
    tokio::spawn(async move { work.fetch_add(1, Ordering::SeqCst) + 1 })
}

/// Runs everything that is spawned.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

fn is_rejected<E: std::fmt::Debug>(result: &Result<u32, CallError<E>>) -> bool {
    matches!(result, Err(CallError::Circuit(error)) if error.is_open())
}

#[tokio::test]
async fn spawned_work_runs_on_an_open_circuit_with_call_but_not_with_call_with() {
    let breaker = consecutive();
    let work = Arc::new(AtomicU32::new(0));
    let ran = || work.load(Ordering::SeqCst);
    breaker.force_open();

    for _ in 0..10 {
        assert!(is_rejected(&breaker.call(spawn(&work)).await));
    }
    settle().await;
    assert_eq!(ran(), 10, "as the documentation of `call` warns");

    for _ in 0..10 {
        assert!(is_rejected(&breaker.call_with(|| spawn(&work)).await));
        let owned = breaker.clone().call_owned_with(|| spawn(&work));
        assert!(is_rejected(&owned.await));
    }
    settle().await;
    assert_eq!(ran(), 10);
    assert_eq!(breaker.snapshot().rejected, 30);

    breaker.reset();
    assert!(matches!(breaker.call_with(|| spawn(&work)).await, Ok(11)));
    let owned = breaker.clone().call_owned_with(|| spawn(&work));
    assert!(matches!(owned.await, Ok(12)));
    assert_eq!(breaker.snapshot().succeeded, 2);
}

#[tokio::test]
async fn a_send_that_is_rejected_leaves_its_channel_alone() {
    let breaker = consecutive();
    let (sender, receiver) = std::sync::mpsc::channel();
    let send = |value: u8| ready(sender.send(value));
    breaker.force_open();
    breaker.call(send(1)).await.unwrap_err();
    breaker.call_with(|| send(2)).await.unwrap_err();
    breaker.reset();
    breaker.call_with(|| send(3)).await.unwrap();
    drop(sender);
    assert_eq!(receiver.into_iter().collect::<Vec<_>>(), [1, 3]);
}

#[tokio::test(start_paused = true)]
async fn the_closure_runs_once_on_the_first_poll() {
    let breaker = consecutive();
    let made = Cell::new(0);
    let call = breaker.call_with(|| {
        made.set(made.get() + 1);
        async {
            settle().await;
            Ok::<_, Failed>(7)
        }
    });
    assert_eq!(made.get(), 0);
    let mut call = Box::pin(call);
    assert!(poll_once(call.as_mut()).is_pending());
    assert_eq!(made.get(), 1);
    assert_eq!(call.as_mut().await, Ok(7));
    assert_eq!(made.get(), 1);
    assert!(poll_once(call).is_pending(), "it is over");

    drop(breaker.call_with(|| {
        made.set(made.get() + 1);
        ready(Ok::<_, Failed>(7))
    }));
    assert_eq!(made.get(), 1);
    let totals = breaker.snapshot();
    assert_eq!((totals.succeeded, totals.cancelled), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn the_closure_is_admitted_when_it_runs() {
    let breaker = consecutive();
    let call = breaker.call_with(|| {
        breaker.reset(); // from now on, this call is stale
        ready(Err::<(), _>(Failed))
    });
    half_open(&breaker).await;
    call.await.unwrap_err();
    assert_eq!(breaker.state(), State::Closed);

    half_open(&breaker).await;
    let call = breaker.call_with(|| {
        let second = breaker.try_acquire();
        second.expect_err("the closure runs with the slot of its call");
        ready(Ok::<_, Failed>(()))
    });
    call.await.unwrap();
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_closure_that_is_rejected_is_dropped_at_once() {
    let breaker = consecutive();
    breaker.force_open();
    let held = Rc::new(());
    let captured = Rc::clone(&held);
    let mut call = Box::pin(breaker.call_with(move || {
        drop(captured);
        ready(Ok::<_, Failed>(()))
    }));
    assert!(poll_once(call.as_mut()).is_ready());
    assert_eq!(Rc::strong_count(&held), 1, "though the call is kept");
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_closure_is_one_failure() {
    for breaker in [consecutive(), windowed(), timed()] {
        for turn in 1..=3 {
            let call = breaker.call_with(|| -> std::future::Ready<Result<(), Failed>> {
                resume_unwind(Box::new("closure panicked"))
            });
            let mut call = Box::pin(call);
            let payload = catch_unwind(AssertUnwindSafe(|| poll_once(call.as_mut()))).unwrap_err();
            assert_eq!(payload.downcast_ref(), Some(&"closure panicked"));
            assert!(poll_once(call.as_mut()).is_pending(), "it is over");
            drop(call);
            let totals = breaker.snapshot();
            assert_eq!(
                (totals.failed, totals.panicked, totals.cancelled),
                (turn, turn, 0)
            );
        }
        assert_eq!(breaker.state(), State::Open);
    }
}

/// Advances the clock without awaiting, as code does that blocks.
fn block(millis: u64) {
    let _ = poll_once(advance(crate::support::millis(millis)));
}

#[tokio::test(start_paused = true)]
async fn the_time_of_the_closure_counts_towards_the_timeout() {
    let breaker = timed();
    let late = breaker.call_with(|| {
        block(2_500);
        pending::<Result<(), Failed>>()
    });
    let started = tokio::time::Instant::now();
    let error = late.await.unwrap_err();
    assert!(matches!(error, CallError::Circuit(error) if error.is_timeout()));
    assert_eq!(started.elapsed(), millis(2_500), "at its first wait");
    assert_eq!(breaker.snapshot().timed_out, 1);

    let late = breaker.clone().call_owned_with(|| {
        block(1_500);
        pending::<Result<(), Failed>>()
    });
    let started = tokio::time::Instant::now();
    late.await.unwrap_err();
    assert_eq!(started.elapsed(), seconds(2));
    assert_eq!(breaker.snapshot().timed_out, 2);

    let call = breaker.call_with(|| {
        block(2_500);
        ready(Ok::<_, Failed>(7))
    });
    assert_eq!(call.await, Ok(7), "a result that is ready is the result");
    let call = breaker.call_with(|| async {
        tokio::time::sleep(millis(1_900)).await;
        Ok::<_, Failed>(7)
    });
    assert_eq!(call.await, Ok(7));
}

#[tokio::test(start_paused = true)]
async fn the_time_of_the_closure_makes_a_call_slow() {
    let slow = Config::builder().slow_call(millis(500)).min_calls(2);
    let breaker = breaker(slow.last_calls(10));
    for _ in 0..2 {
        let call = breaker.call_with(|| {
            block(1_000);
            ready(Ok::<_, Failed>(()))
        });
        call.await.unwrap();
    }
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn without_a_timer_the_closure_does_not_run() {
    fn unreached() -> std::future::Ready<Result<(), Failed>> {
        unreachable!("the call has no runtime to run on")
    }

    let breaker = timed();
    let assert_refused = || {
        let answer = poll_once(breaker.call_with(unreached));
        assert!(matches!(
            answer,
            Poll::Ready(Err(CallError::Circuit(CircuitError::NoRuntime { .. })))
        ));
    };
    assert_refused();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async { assert_refused() });
    let totals = breaker.snapshot();
    assert_eq!((totals.failed, totals.cancelled), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn it_is_classified_like_any_call() {
    let breaker = consecutive();
    let failing = || breaker.call_with(|| ready(Err::<u8, _>(Failed)));
    failing().failure_if(|_| false).await.unwrap_err();
    failing().ignore_if(|_| true).await.unwrap_err();
    let ok = breaker.call_with(|| ready(Ok::<u8, Failed>(7)));
    ok.classify(|_| Verdict::Failure).await.unwrap();
    let totals = breaker.snapshot();
    assert_eq!((totals.succeeded, totals.ignored, totals.failed), (1, 1, 1));
    let wait = failing().retry_after(|_| Some(seconds(7)));
    wait.await.unwrap_err();
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_one_is_cancelled_and_gives_its_slot_back() {
    for breaker in [consecutive(), windowed(), timed()] {
        half_open(&breaker).await;
        for _ in 0..10 {
            let mut call = Box::pin(breaker.call_with(pending::<Result<(), Failed>>));
            assert!(poll_once(call.as_mut()).is_pending());
            drop(call);
            let owned = breaker.clone().call_owned(pending::<Result<(), Failed>>());
            let mut owned = Box::pin(owned);
            assert!(poll_once(owned.as_mut()).is_pending());
        }
        assert_eq!(breaker.snapshot().cancelled, 20);
        succeed(&breaker);
        assert_eq!(breaker.state(), State::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn an_owned_call_can_be_spawned_and_keeps_its_breaker() -> Result<(), JoinError> {
    fn is_static<T: Send + 'static>(call: T) -> T {
        call
    }

    let breaker = CircuitBreaker::new("call_with::owned", Config::default());
    let call = breaker.clone().call_owned(ready(Ok::<_, Failed>(7)));
    let call_with = breaker
        .clone()
        .call_owned_with(|| ready(Err::<u32, _>(Failed)));
    let (call, call_with) = (is_static(call), is_static(call_with));
    drop(breaker);
    let listed = registry::find("call_with::owned").unwrap();
    assert_eq!(tokio::spawn(call).await?, Ok(7));
    let failed = tokio::spawn(call_with).await?;
    assert_eq!(failed, Err(CallError::Inner(Failed)));
    let totals = listed.snapshot();
    assert_eq!((totals.succeeded, totals.failed), (1, 1));
    drop(listed);
    assert!(registry::find("call_with::owned").is_none());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_owned_call_times_out_and_is_rejected_like_a_borrowed_one() {
    let breaker = timed();
    let late = breaker.clone().call_owned(pending::<Result<u32, Failed>>());
    let error = late.await.unwrap_err();
    assert!(matches!(error, CallError::Circuit(error) if error.is_timeout()));
    breaker.force_open();
    let rejected = breaker.clone().call_owned(ready(Ok::<u32, Failed>(7)));
    assert!(is_rejected(&rejected.await));
}

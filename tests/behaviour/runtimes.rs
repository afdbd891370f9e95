//! Calls that meet more than one runtime, and wakers that misbehave.

use crate::support::{Failed, advance, millis, seconds, timed};
use circuit_runtime::{CallError, CircuitBreaker, CircuitError, Config, State};
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, sleep};

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}

/// A waker whose clone panics, as tokio's timer clones it.
fn panicking_waker() -> Waker {
    static PANICS: RawWakerVTable = RawWakerVTable::new(
        |_| -> RawWaker { resume_unwind(Box::new("cloned")) },
        |_| {},
        |_| {},
        |_| {},
    );
    // SAFETY: no function of the table looks at the pointer.
    unsafe { Waker::new(std::ptr::null(), &PANICS) }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_callers_waker_keeps_unwinding_and_the_call_is_cancelled() {
    let breaker = timed();
    let mut call = Box::pin(breaker.call(pending::<Result<(), Failed>>()));
    let waker = panicking_waker();
    let polled = catch_unwind(AssertUnwindSafe(|| {
        call.as_mut()
            .poll(&mut Context::from_waker(&waker))
            .map(drop)
    }));
    assert_eq!(polled.unwrap_err().downcast_ref(), Some(&"cloned"));
    assert_eq!(breaker.snapshot().cancelled, 0, "it may be polled again");
    drop(call);
    let totals = breaker.snapshot();
    assert_eq!((totals.cancelled, totals.failed), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_keeps_its_timeout_after_a_waker_that_panicked() {
    let breaker = timed();
    let mut call = Box::pin(breaker.call(pending::<Result<(), Failed>>()));
    let waker = panicking_waker();
    let mut poll = |waker: &Waker| {
        let mut cx = Context::from_waker(waker);
        catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(&mut cx)))
    };
    assert!(poll(&waker).is_err());
    assert!(matches!(poll(Waker::noop()), Ok(Poll::Pending)));
    advance(seconds(2)).await;
    let answer = poll(Waker::noop());
    assert!(
        matches!(&answer, Ok(Poll::Ready(Err(CallError::Circuit(error)))) if error.is_timeout())
    );
    assert_eq!(breaker.snapshot().timed_out, 1);
}

/// The first runtime is gone while the call waits in it; the second has timers of its own.
#[test]
fn a_timed_call_goes_on_in_another_runtime_when_its_first_has_shut_down() {
    let breaker = timed();
    for (wait, expected) in [(millis(500), Ok(7)), (seconds(3), Err(()))] {
        let (sender, receiver) = tokio::sync::oneshot::channel::<u8>();
        let mut call = Box::pin(breaker.call(async { receiver.await.map_err(|_| Failed) }));
        let first = runtime();
        first.block_on(async {
            let polled = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_ready())).await;
            assert!(!polled);
        });
        drop(first);

        let answer = runtime().block_on(async {
            tokio::spawn(async move {
                sleep(wait).await;
                let _ = sender.send(7);
            });
            call.await
        });
        match expected {
            Ok(value) => assert_eq!(answer, Ok(value)),
            Err(()) => assert!(
                matches!(&answer, Err(CallError::Circuit(error)) if error.is_timeout()),
                "{answer:?}"
            ),
        }
    }
    let totals = breaker.snapshot();
    assert_eq!(
        (totals.succeeded, totals.timed_out, totals.cancelled),
        (1, 1, 0)
    );
}

/// The clocks of the two are an hour apart, which tells nothing about the timeout.
#[test]
fn a_timed_call_that_goes_on_by_a_clock_far_away_has_its_whole_timeout() {
    for ahead in [0, 1] {
        let breaker = timed();
        let [first, second] = [0, 1].map(|index| {
            let runtime = runtime();
            let hours = u64::from(index == ahead);
            runtime.block_on(advance(seconds(hours * 3_600)));
            runtime
        });
        let mut call = Box::pin(breaker.call(pending::<Result<(), Failed>>()));
        first.block_on(async {
            let polled = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_ready())).await;
            assert!(!polled);
        });
        drop(first);
        second.block_on(async {
            let start = Instant::now();
            assert!(call.await.is_err());
            let elapsed = start.elapsed();
            // Tokio's timers are exact to a millisecond.
            assert!(
                elapsed >= seconds(2) && elapsed <= millis(2_001),
                "{elapsed:?}"
            );
        });
        assert_eq!(breaker.snapshot().timed_out, 1);
    }
}

#[test]
fn a_timed_call_whose_runtimes_are_both_gone_has_none() {
    let breaker = CircuitBreaker::new(
        "timed",
        Config::builder().timeout(seconds(2)).build().unwrap(),
    );
    let mut call = Box::pin(breaker.call(pending::<Result<(), Failed>>()));
    let mut poll = || call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let first = runtime();
    assert!(first.block_on(async { poll() }).is_pending());
    drop(first);

    let second = runtime();
    let entered = second.handle().clone();
    drop(second);
    let _entered = entered.enter();
    assert!(matches!(
        poll(),
        Poll::Ready(Err(CallError::Circuit(CircuitError::NoRuntime { .. })))
    ));
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(breaker.snapshot().cancelled, 1);
}

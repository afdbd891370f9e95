//! The option `timeout`.

use crate::support::{
    Failed, advance, consecutive, half_open, millis, poll_once, seconds, succeed, timed,
};
use circuit_runtime::{CallError, CircuitBreaker, CircuitError, Config, State};
use std::future::{pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, RawWakerVTable, Waker};
use std::time::Duration;
use tokio::time::{Instant, sleep};

#[tokio::test(start_paused = true)]
async fn a_call_that_times_out_is_dropped_and_counts_as_a_failure() {
    struct Dropped<'a>(&'a AtomicBool);
    impl Drop for Dropped<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    let breaker = timed();
    let started = Instant::now();
    let dropped = AtomicBool::new(false);
    let guard = Dropped(&dropped);
    let error = breaker
        .call(async move {
            let _guard = guard;
            pending::<Result<(), Failed>>().await
        })
        .await
        .unwrap_err();

    let CallError::Circuit(error @ CircuitError::Timeout { .. }) = error else {
        panic!("not a timeout: {error:?}")
    };
    assert!(error.is_timeout());
    assert_eq!(error.breaker(), "timed");
    assert_eq!(error.retry_after(), None);
    assert_eq!(
        error.to_string(),
        "call through circuit `timed` timed out after 2s"
    );
    assert!(dropped.load(Ordering::Relaxed));
    assert_eq!(started.elapsed(), seconds(2));
    let totals = breaker.snapshot();
    assert_eq!(
        (totals.failed, totals.timed_out, totals.cancelled),
        (1, 1, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_times_out_is_dropped_before_its_error_is_returned() {
    let breaker = timed();
    let dropped = std::sync::Arc::new(());
    let held = dropped.clone();
    let mut call = Box::pin(breaker.call(async move {
        pending::<()>().await;
        drop(held);
        Ok::<_, Failed>(())
    }));
    call.as_mut().await.unwrap_err();
    assert_eq!(
        std::sync::Arc::strong_count(&dropped),
        1,
        "the body is dropped"
    );
}

#[tokio::test(start_paused = true)]
async fn timeouts_open_the_circuit() {
    let breaker = timed();
    for _ in 0..3 {
        assert_eq!(breaker.state(), State::Closed);
        breaker
            .call(pending::<Result<(), Failed>>())
            .await
            .unwrap_err();
    }
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_times_out_reopens_the_circuit() {
    let breaker = timed();
    half_open(&breaker).await;
    breaker
        .call(pending::<Result<(), Failed>>())
        .await
        .unwrap_err();
    assert_eq!(breaker.state(), State::Open);
    advance(seconds(30)).await;
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_call_within_its_timeout_completes() {
    let breaker = timed();
    for turn in 0..10 {
        let answer = breaker
            .call(async {
                sleep(millis(1_998)).await;
                Ok::<_, Failed>(turn)
            })
            .await;
        assert_eq!(answer, Ok(turn));
    }
    assert_eq!(breaker.snapshot().timed_out, 0);
}

#[tokio::test(start_paused = true)]
async fn a_result_that_is_ready_at_the_deadline_wins() {
    let breaker = timed();
    let ready_late = AtomicBool::new(false);
    let mut call = pin!(breaker.call(poll_fn(|_| {
        if ready_late.load(Ordering::Relaxed) {
            Poll::Ready(Ok::<_, Failed>("in time"))
        } else {
            Poll::Pending
        }
    })));
    assert!(poll_once(call.as_mut()).is_pending());
    advance(seconds(10)).await;
    ready_late.store(true, Ordering::Relaxed);
    assert_eq!(poll_once(call.as_mut()), Poll::Ready(Ok("in time")));
    assert_eq!(breaker.snapshot().succeeded, 1);
    assert_eq!(breaker.snapshot().timed_out, 0);
}

/// In a task without cooperative budget, a channel is pending although its message has arrived.
#[tokio::test(start_paused = true)]
async fn a_result_held_back_by_the_cooperative_budget_wins() {
    const CALLS: usize = 200;

    let breaker = timed();
    let (senders, mut calls): (Vec<_>, Vec<_>) = (0..CALLS)
        .map(|number| {
            let (sender, receiver) = tokio::sync::oneshot::channel();
            let call = breaker.call(async { receiver.await.map_err(|_| Failed) });
            (move || sender.send(number), Box::pin(call))
        })
        .unzip();
    for call in &mut calls {
        assert!(poll_once(call.as_mut()).is_pending());
    }
    for send in senders {
        send().unwrap();
    }
    advance(seconds(3)).await;

    let mut answers = 0;
    poll_fn(|cx| {
        calls.retain_mut(|call| match call.as_mut().poll(cx) {
            Poll::Ready(answer) => {
                answers += usize::from(answer.is_ok());
                false
            }
            Poll::Pending => true,
        });
        if calls.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    assert_eq!(answers, CALLS);
    assert_eq!(breaker.snapshot().timed_out, 0);
}

/// The timeout is measured from the end of the first poll of a call: it takes an exact reading of
/// the clock at its start to tell how long that poll takes.
#[tokio::test(start_paused = true)]
async fn a_call_has_its_whole_timeout_to_wait_for() {
    let breaker = timed();
    let mut call = pin!(breaker.call(async {
        let _ = poll_once(pin!(tokio::time::advance(millis(60))));
        pending::<Result<(), Failed>>().await
    }));
    assert!(poll_once(call.as_mut()).is_pending());
    advance(millis(1_999)).await;
    assert!(poll_once(call.as_mut()).is_pending());
    advance(millis(2)).await;
    assert!(poll_once(call.as_mut()).is_ready());
    assert_eq!(breaker.snapshot().timed_out, 1);
}

/// A call that always uses up the task's cooperative budget must still time out.
#[tokio::test(start_paused = true)]
async fn a_call_that_uses_up_the_cooperative_budget_times_out() {
    async fn never_yields() -> Result<(), Failed> {
        for _ in 0..100_000 {
            tokio::task::consume_budget().await;
            // Lets time pass while the call runs.
            let _ = poll_once(pin!(tokio::time::advance(millis(1))));
        }
        Ok(())
    }

    let breaker = timed();
    let error = breaker.call(never_yields()).await.unwrap_err();
    assert!(matches!(
        error,
        CallError::Circuit(CircuitError::Timeout { .. })
    ));
}

/// The call is settled before its body is dropped, and only once.
#[tokio::test(start_paused = true)]
async fn a_call_whose_drop_panics_at_the_deadline_has_timed_out() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            resume_unwind(Box::new("dropped"));
        }
    }

    let breaker = timed();
    half_open(&breaker).await;
    let before = breaker.snapshot();
    let held = Panics;
    let mut call = Box::pin(breaker.call(async move {
        let _held = held;
        pending::<Result<(), Failed>>().await
    }));
    assert!(poll_once(call.as_mut()).is_pending());
    advance(seconds(3)).await;
    let panic = catch_unwind(AssertUnwindSafe(|| poll_once(call.as_mut()))).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"dropped"));
    std::mem::forget(call);

    let after = breaker.snapshot();
    assert_eq!(after.state, State::Open);
    assert_eq!(after.timed_out, before.timed_out + 1);
    assert_eq!(after.failed, before.failed + 1);
    assert_eq!((after.panicked, after.cancelled), (0, 0));
}

#[test]
fn a_rejection_needs_no_runtime() {
    let breaker = timed();
    breaker.force_open();
    let Poll::Ready(Err(CallError::Circuit(error))) =
        poll_once(breaker.call(ready(Ok::<_, Failed>(()))))
    else {
        panic!("not rejected")
    };
    assert!(error.is_open());
    assert_eq!(breaker.snapshot().rejected, 1);
}

#[test]
fn a_timeout_outside_of_a_runtime_is_a_no_runtime_error() {
    let breaker = timed();
    let ran = AtomicBool::new(false);
    let answer = poll_once(breaker.call(async {
        ran.store(true, Ordering::Relaxed);
        Ok::<_, Failed>(())
    }));
    let Poll::Ready(Err(CallError::Circuit(error))) = answer else {
        panic!("no error: {answer:?}")
    };
    assert_eq!(
        error.to_string(),
        "circuit `timed` has a timeout, which needs a tokio runtime with timers; \
         make the call inside of one, or leave `timeout` out",
    );
    assert!(!error.is_open() && !error.is_timeout());
    assert!(
        !ran.load(Ordering::Relaxed),
        "a call without a timer must not start"
    );
    assert_eq!(breaker.snapshot().failed, 0);
}

#[test]
fn a_runtime_without_timers_is_an_error_not_a_panic() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let breaker = timed();
    runtime.block_on(async {
        assert_eq!(breaker.call(ready(Ok::<_, Failed>(1))).await, Ok(1));
        let error = breaker
            .call(pending::<Result<(), Failed>>())
            .await
            .unwrap_err();
        assert!(matches!(
            error,
            CallError::Circuit(CircuitError::NoRuntime { .. })
        ));
    });
    let totals = breaker.snapshot();
    assert_eq!(
        (totals.succeeded, totals.failed, totals.cancelled),
        (1, 0, 1)
    );
}

#[test]
fn a_runtime_that_is_shut_down_is_an_error_not_a_panic() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let handle = runtime.handle().clone();
    drop(runtime);
    let _entered = handle.enter();

    let breaker = timed();
    let answer = poll_once(breaker.call(pending::<Result<(), Failed>>()));
    assert!(matches!(
        answer,
        Poll::Ready(Err(CallError::Circuit(CircuitError::NoRuntime { .. })))
    ));
    let totals = breaker.snapshot();
    assert_eq!((totals.failed, totals.cancelled), (0, 1));
}

/// Tokio's timer clones the waker. If that panics, the probe's slot is still released.
#[tokio::test(start_paused = true)]
async fn a_waker_that_panics_leaks_no_probe_slot() {
    static PANICS: RawWakerVTable = RawWakerVTable::new(
        |_| resume_unwind(Box::new("cloned")),
        |_| {},
        |_| {},
        |_| {},
    );

    let breaker = timed();
    half_open(&breaker).await;
    // SAFETY: no function of the table uses the pointer.
    let waker = unsafe { Waker::new(std::ptr::null(), &PANICS) };
    let mut call = Box::pin(breaker.call(pending::<Result<(), Failed>>()));
    let polled = catch_unwind(AssertUnwindSafe(|| {
        call.as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_ready()
    }));
    assert!(polled.is_err() || polled.is_ok_and(|ready| ready));
    drop(call);
    assert_eq!(breaker.snapshot().cancelled, 1);
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn calls_without_a_timeout_need_no_runtime() {
    let breaker = consecutive();
    assert_eq!(
        poll_once(breaker.call(ready(Ok::<_, Failed>(7)))),
        Poll::Ready(Ok(7))
    );
    assert_eq!(breaker.call_blocking(|| Ok::<_, Failed>(7)), Ok(7));
    assert_eq!(
        timed().call_blocking(|| Ok::<_, Failed>(7)),
        Ok(7),
        "a blocking call has none"
    );
}

#[tokio::test(start_paused = true)]
async fn the_longest_and_the_shortest_timeout_do_not_overflow() {
    let breaker = |timeout| {
        let config = Config::builder().timeout(timeout).build().unwrap();
        CircuitBreaker::new("extreme", config)
    };
    let sleeps = || async {
        sleep(seconds(1)).await;
        Ok::<_, Failed>(())
    };
    assert_eq!(breaker(Duration::MAX).call(sleeps()).await, Ok(()));
    breaker(Duration::from_nanos(1))
        .call(sleeps())
        .await
        .unwrap_err();
    assert_eq!(
        breaker(Duration::from_nanos(1))
            .call(ready(Ok::<_, Failed>(())))
            .await,
        Ok(())
    );
}

/// The conversion of an error is user code, and may need a resource that the body holds.
mod conversion {
    use crate::support::millis;
    use circuit_runtime::{CircuitBreaker, CircuitError, Config, circuit_breaker};
    use std::cell::Cell;
    use std::future::pending;

    thread_local!(static IS_HELD: Cell<bool> = const { Cell::new(false) });

    struct Held;

    impl Held {
        fn new() -> Self {
            IS_HELD.set(true);
            Self
        }
    }

    impl Drop for Held {
        fn drop(&mut self) {
            IS_HELD.set(false);
        }
    }

    #[derive(Debug)]
    struct Converted {
        was_held: bool,
    }

    impl From<CircuitError> for Converted {
        fn from(_: CircuitError) -> Self {
            Self {
                was_held: IS_HELD.get(),
            }
        }
    }

    #[circuit_breaker(timeout = "100ms")]
    async fn holds() -> Result<(), Converted> {
        let _held = Held::new();
        pending().await
    }

    #[circuit_breaker(breaker = breaker)]
    async fn holds_behind(breaker: &CircuitBreaker) -> Result<(), Converted> {
        let _held = Held::new();
        pending().await
    }

    #[circuit_breaker(timeout = "100ms", fallback = Ok(()))]
    async fn holds_beside_a_fallback() -> Result<(), Converted> {
        let _held = Held::new();
        pending().await
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_times_out_is_dropped_before_its_error_is_converted() {
        let config = Config::builder().timeout(millis(100)).build().unwrap();
        let breaker = CircuitBreaker::new("held", config);
        for result in [
            holds().await,
            holds_behind(&breaker).await,
            holds_beside_a_fallback().await,
        ] {
            assert!(!result.unwrap_err().was_held);
        }
    }

    struct Fragile;

    impl From<CircuitError> for Fragile {
        fn from(_: CircuitError) -> Self {
            panic!("a conversion beside another panic would end the process")
        }
    }

    struct PanicsOnDrop;

    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            panic!("on drop")
        }
    }

    #[circuit_breaker(timeout = "100ms")]
    async fn panics_on_drop() -> Result<(), Fragile> {
        let _held = PanicsOnDrop;
        pending().await
    }

    #[tokio::test(start_paused = true)]
    async fn no_error_is_converted_when_dropping_the_body_panics() {
        let joined = tokio::spawn(panics_on_drop()).await;
        let panic = joined.err().unwrap().into_panic();
        assert_eq!(panic.downcast_ref(), Some(&"on drop"));
    }
}

//! Calls that panic, and calls dropped by a panic.

use crate::support::{Failed, consecutive, half_open, pending_call, succeed, windowed};
use circuit_runtime::{CircuitBreaker, State};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

/// Panics without a message on the console.
fn panics() -> Result<(), Failed> {
    resume_unwind(Box::new("body panicked"))
}

fn panic_in_a_call(breaker: &CircuitBreaker) {
    let call = breaker.call(async { panics() });
    let mut call = Box::pin(call);
    let payload = catch_unwind(AssertUnwindSafe(|| {
        crate::support::poll_once(call.as_mut())
    }))
    .unwrap_err();
    assert_eq!(
        payload.downcast_ref(),
        Some(&"body panicked"),
        "the panic keeps unwinding unchanged"
    );
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_one_failure_and_keeps_unwinding() {
    for breaker in [consecutive(), windowed()] {
        for turn in 1..=3 {
            assert_eq!(breaker.state(), State::Closed);
            panic_in_a_call(&breaker);
            let totals = breaker.snapshot();
            assert_eq!(
                (totals.failed, totals.panicked, totals.cancelled),
                (turn, turn, 0)
            );
        }
        assert_eq!(breaker.state(), State::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_blocking_call_is_one_failure() {
    let breaker = consecutive();
    for _ in 0..3 {
        let payload = catch_unwind(AssertUnwindSafe(|| breaker.call_blocking(panics))).unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"body panicked"));
    }
    assert_eq!(breaker.state(), State::Open);
    assert_eq!(breaker.snapshot().panicked, 3);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_panics_reopens_the_circuit_and_releases_its_slot() {
    let breaker = consecutive();
    half_open(&breaker).await;
    panic_in_a_call(&breaker);
    assert_eq!(breaker.state(), State::Open);
    crate::support::advance(breaker.config().reset()).await;
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_while_another_panic_unwinds_is_cancelled_not_failed() {
    let breaker = consecutive();
    half_open(&breaker).await;
    catch_unwind(AssertUnwindSafe(|| {
        let _dropped = pending_call(&breaker);
        resume_unwind(Box::new("elsewhere"));
    }))
    .unwrap_err();
    let totals = breaker.snapshot();
    assert_eq!((totals.panicked, totals.cancelled), (0, 1));
    assert_eq!(breaker.state(), State::HalfOpen);
    succeed(&breaker);
}

#[tokio::test(start_paused = true)]
async fn a_permit_dropped_by_a_panic_is_neither_success_nor_failure() {
    let breaker = consecutive();
    half_open(&breaker).await;
    catch_unwind(AssertUnwindSafe(|| {
        let _permit = breaker.try_acquire();
        resume_unwind(Box::new("elsewhere"));
    }))
    .unwrap_err();
    assert_eq!(breaker.snapshot().cancelled, 1);
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_thread_that_panics_leaves_the_breaker_usable() {
    let breaker = consecutive();
    thread::scope(|scope| {
        scope
            .spawn(|| breaker.call_blocking(panics))
            .join()
            .unwrap_err();
    });
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

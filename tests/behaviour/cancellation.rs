//! Calls that are dropped before they complete.

use crate::support::{
    Failed, consecutive, fail, half_open, pending_call, succeed, timed, windowed,
};
use circuit_runtime::{CircuitBreaker, Permit, State};
use std::future::{pending, ready};

#[tokio::test(start_paused = true)]
async fn a_dropped_call_is_neither_success_nor_failure() {
    for breaker in [consecutive(), windowed(), timed()] {
        for _ in 0..100 {
            drop(pending_call(&breaker));
        }
        assert_eq!(breaker.state(), State::Closed);
        assert_eq!(breaker.snapshot().cancelled, 100);
        assert_eq!(breaker.snapshot().failed, 0);

        fail(&breaker);
        fail(&breaker);
        drop(pending_call(&breaker));
        fail(&breaker);
        assert_eq!(
            breaker.state(),
            State::Open,
            "a dropped call does not reset the streak"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_probe_releases_its_slot() {
    for breaker in [consecutive(), windowed(), timed()] {
        half_open(&breaker).await;
        for _ in 0..100 {
            drop(pending_call(&breaker));
        }
        assert_eq!(breaker.state(), State::HalfOpen);
        succeed(&breaker);
        assert_eq!(breaker.state(), State::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_never_polled_is_never_admitted() {
    let breaker = consecutive();
    drop(breaker.call(pending::<Result<(), Failed>>()));
    assert_eq!(breaker.snapshot().cancelled, 0);

    half_open(&breaker).await;
    let unpolled = breaker.call(pending::<Result<(), Failed>>());
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
    drop(unpolled);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_loses_a_select_is_dropped_at_once() {
    let breaker = consecutive();
    half_open(&breaker).await;
    tokio::select! {
        biased;
        _ = breaker.call(pending::<Result<(), Failed>>()) => unreachable!(),
        () = ready(()) => {}
    }
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn permits_and_calls_can_move_between_threads() {
    fn is_send_and_sync<T: Send + Sync>(_: &T) {}

    let breaker = consecutive();
    let permit: Permit<'_> = breaker.try_acquire().unwrap();
    is_send_and_sync(&breaker);
    is_send_and_sync(&permit);
    is_send_and_sync(&breaker.call(ready(Ok::<_, Failed>(()))));

    half_open(&breaker).await;
    let moved = CircuitBreaker::clone(&breaker);
    tokio::spawn(async move { moved.call(ready(Ok::<_, Failed>(()))).await })
        .await
        .unwrap()
        .unwrap();
    assert_eq!(breaker.state(), State::Closed);
    drop(permit);
}

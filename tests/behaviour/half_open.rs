//! A half-open circuit with one probe.

use crate::support::{
    advance, consecutive, fail, half_open, millis, pending_call, retry_after, seconds, succeed,
    windowed,
};
use circuit_runtime::State;

#[tokio::test(start_paused = true)]
async fn one_probe_is_admitted_and_all_other_calls_are_rejected() {
    let breaker = consecutive();
    half_open(&breaker).await;
    let probe = breaker.try_acquire().unwrap();
    for _ in 0..100 {
        breaker.try_acquire().unwrap_err();
    }
    assert_eq!(breaker.state(), State::HalfOpen);
    probe.success();
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_succeeds_closes_the_circuit_without_evidence() {
    for breaker in [consecutive(), windowed()] {
        half_open(&breaker).await;
        succeed(&breaker);
        assert_eq!(breaker.state(), State::Closed);
        fail(&breaker);
        fail(&breaker);
        assert_eq!(breaker.state(), State::Closed);
        fail(&breaker);
        assert_eq!(breaker.state(), State::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_fails_reopens_the_circuit_for_another_reset() {
    let breaker = consecutive();
    half_open(&breaker).await;
    let probe = breaker.try_acquire().unwrap();
    advance(seconds(5)).await;
    probe.failure();

    assert_eq!(breaker.state(), State::Open);
    assert_eq!(retry_after(&breaker), Some(seconds(30)));
    advance(millis(29_999)).await;
    assert_eq!(breaker.state(), State::Open);
    advance(millis(1)).await;
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_beside_a_probe_reports_the_rest_of_its_lease() {
    let breaker = consecutive();
    half_open(&breaker).await;
    advance(seconds(100)).await;
    let probe = breaker.try_acquire().unwrap();
    assert_eq!(retry_after(&breaker), Some(seconds(30)));
    advance(millis(29_999)).await;
    assert_eq!(retry_after(&breaker), Some(millis(1)));
    drop(probe);
}

#[tokio::test(start_paused = true)]
async fn an_overdue_probe_loses_its_slot_after_reset() {
    let breaker = consecutive();
    half_open(&breaker).await;
    let overdue = pending_call(&breaker);
    advance(millis(29_999)).await;
    breaker.try_acquire().unwrap_err();
    advance(millis(1)).await;

    let probe = breaker.try_acquire().unwrap();
    breaker.try_acquire().unwrap_err();
    drop(overdue);
    breaker
        .try_acquire()
        .expect_err("the overdue probe must not release the slot of the next");
    probe.success();
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_leaked_probe_does_not_lock_the_circuit() {
    let breaker = consecutive();
    half_open(&breaker).await;
    for _ in 0..10 {
        std::mem::forget(breaker.try_acquire().unwrap());
        breaker.try_acquire().unwrap_err();
        advance(seconds(30)).await;
    }
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

/// A service that always takes longer than `reset` must still be able to close the circuit.
#[tokio::test(start_paused = true)]
async fn a_probe_that_completes_after_its_lease_still_counts() {
    let breaker = consecutive();
    half_open(&breaker).await;
    let slow = breaker.try_acquire().unwrap();
    advance(seconds(40)).await;
    let second = breaker.try_acquire().unwrap();
    slow.success();
    assert_eq!(breaker.state(), State::Closed);

    second.failure();
    assert_eq!(breaker.state(), State::Closed, "the second result is stale");

    half_open(&breaker).await;
    let slow = breaker.try_acquire().unwrap();
    advance(seconds(40)).await;
    let second = breaker.try_acquire().unwrap();
    slow.failure();
    assert_eq!(breaker.state(), State::Open);
    second.success();
    assert_eq!(breaker.state(), State::Open, "the second result is stale");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_or_ignored_probe_releases_its_slot() {
    let breaker = consecutive();
    half_open(&breaker).await;
    drop(breaker.try_acquire().unwrap());
    assert_eq!(breaker.state(), State::HalfOpen);
    breaker.try_acquire().unwrap().ignore();
    assert_eq!(breaker.state(), State::HalfOpen);
    drop(pending_call(&breaker));
    assert_eq!(breaker.state(), State::HalfOpen);
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

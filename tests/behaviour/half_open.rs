use crate::support::{
    advance, fail, half_open, hang, in_a_row, millis, retry_after, seconds, succeed, windowed,
};
use circuit_runtime::State;

#[tokio::test(start_paused = true)]
async fn one_probe_is_let_in_and_everyone_else_rejected() {
    let breaker = in_a_row();
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
async fn a_probe_that_succeeds_closes_the_circuit_with_no_evidence() {
    for breaker in [in_a_row(), windowed()] {
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
async fn a_probe_that_fails_opens_the_circuit_for_reset_anew() {
    let breaker = in_a_row();
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
async fn while_a_probe_is_out_a_rejection_says_what_is_left_of_its_lease() {
    let breaker = in_a_row();
    half_open(&breaker).await;
    advance(seconds(100)).await;
    let probe = breaker.try_acquire().unwrap();
    assert_eq!(retry_after(&breaker), Some(seconds(30)));
    advance(millis(29_999)).await;
    assert_eq!(retry_after(&breaker), Some(millis(1)));
    drop(probe);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_loses_its_place_after_reset() {
    let breaker = in_a_row();
    half_open(&breaker).await;
    let hung = hang(&breaker);
    advance(millis(29_999)).await;
    breaker.try_acquire().unwrap_err();
    advance(millis(1)).await;

    let probe = breaker.try_acquire().unwrap();
    breaker.try_acquire().unwrap_err();
    drop(hung);
    breaker
        .try_acquire()
        .expect_err("the hung probe must not free the place of the next");
    probe.success();
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_probe_does_not_lock_the_circuit() {
    let breaker = in_a_row();
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
async fn a_probe_that_answers_after_its_lease_still_counts() {
    let breaker = in_a_row();
    half_open(&breaker).await;
    let slow = breaker.try_acquire().unwrap();
    advance(seconds(40)).await;
    let second = breaker.try_acquire().unwrap();
    slow.success();
    assert_eq!(breaker.state(), State::Closed);

    second.failure();
    assert_eq!(
        breaker.state(),
        State::Closed,
        "the second is of the half-open circuit"
    );

    half_open(&breaker).await;
    let slow = breaker.try_acquire().unwrap();
    advance(seconds(40)).await;
    let second = breaker.try_acquire().unwrap();
    slow.failure();
    assert_eq!(breaker.state(), State::Open);
    second.success();
    assert_eq!(
        breaker.state(),
        State::Open,
        "the second is of the half-open circuit"
    );
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_dropped_or_ignored_makes_room_for_another() {
    let breaker = in_a_row();
    half_open(&breaker).await;
    drop(breaker.try_acquire().unwrap());
    assert_eq!(breaker.state(), State::HalfOpen);
    breaker.try_acquire().unwrap().ignore();
    assert_eq!(breaker.state(), State::HalfOpen);
    drop(hang(&breaker));
    assert_eq!(breaker.state(), State::HalfOpen);
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

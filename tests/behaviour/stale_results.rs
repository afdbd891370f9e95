//! A result counts only in the generation that admitted its call.

use crate::support::{
    advance, consecutive, fail, half_open, millis, retry_after, seconds, succeed, trip, windowed,
};
use circuit_runtime::{CircuitBreaker, Config, State};

#[tokio::test(start_paused = true)]
async fn a_stale_success_does_not_close_an_open_circuit() {
    let breaker = consecutive();
    let stale = breaker.try_acquire().unwrap();
    trip(&breaker);
    stale.success();
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_stale_failure_does_not_prolong_the_wait_of_an_open_circuit() {
    let breaker = consecutive();
    let stale = breaker.try_acquire().unwrap();
    trip(&breaker);
    advance(seconds(10)).await;
    stale.failure();
    assert_eq!(retry_after(&breaker), Some(seconds(20)));
    assert_eq!(breaker.snapshot().opened, 1);
}

#[tokio::test(start_paused = true)]
async fn stale_results_do_not_affect_a_half_open_circuit_or_its_probe() {
    let breaker = consecutive();
    let stale: Vec<_> = (0..12).map(|_| breaker.try_acquire().unwrap()).collect();
    half_open(&breaker).await;
    let probe = breaker.try_acquire().unwrap();
    for (number, stale) in stale.into_iter().enumerate() {
        match number % 4 {
            0 => stale.success(),
            1 => stale.failure(),
            2 => stale.ignore(),
            _ => drop(stale),
        }
        assert_eq!(breaker.state(), State::HalfOpen);
        breaker.try_acquire().expect_err("the slot is taken");
    }
    probe.success();
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn stale_failures_do_not_trip_a_recovered_circuit() {
    for breaker in [consecutive(), windowed()] {
        let stale: Vec<_> = (0..12).map(|_| breaker.try_acquire().unwrap()).collect();
        half_open(&breaker).await;
        succeed(&breaker);
        fail(&breaker);
        fail(&breaker);
        stale.into_iter().for_each(circuit_runtime::Permit::failure);
        assert_eq!(breaker.state(), State::Closed);
        fail(&breaker);
        assert_eq!(breaker.state(), State::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stale_success_does_not_reset_a_later_streak() {
    let breaker = consecutive();
    let stale = breaker.try_acquire().unwrap();
    breaker.reset();
    fail(&breaker);
    fail(&breaker);
    stale.success();
    fail(&breaker);
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_stale_result_is_not_counted_however_many_generations_later() {
    let config = Config::builder().max_failures(1).build().unwrap();
    let breaker = CircuitBreaker::new("generations", config);
    for between in 0..200 {
        let stale = breaker.try_acquire().unwrap();
        for _ in 0..=between {
            breaker.reset();
        }
        stale.failure();
        assert_eq!(
            breaker.state(),
            State::Closed,
            "{between} resets at the same moment"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_result_counts_while_the_state_is_unchanged() {
    let breaker = windowed();
    let slow: Vec<_> = (0..3).map(|_| breaker.try_acquire().unwrap()).collect();
    advance(seconds(3_600)).await;
    slow.into_iter().for_each(circuit_runtime::Permit::failure);
    assert_eq!(breaker.state(), State::Open);

    let breaker = consecutive();
    fail(&breaker);
    fail(&breaker);
    let slow = breaker.try_acquire().unwrap();
    advance(millis(1)).await;
    slow.success();
    fail(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

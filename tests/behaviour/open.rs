//! An open circuit: its rejections, and the end of its wait.

use crate::support::{
    Failed, advance, consecutive, fail, half_open, millis, retry_after, seconds, succeed, trip,
    windowed,
};
use circuit_runtime::{CallError, CircuitBreaker, CircuitError, Config, State};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn no_call_runs_while_the_circuit_is_open() {
    let breaker = consecutive();
    trip(&breaker);
    for _ in 0..30 {
        let error = breaker
            .call(async { unreachable!("a rejected call ran") as Result<(), Failed> })
            .await
            .unwrap_err();
        assert!(matches!(
            error,
            CallError::Circuit(CircuitError::Open { .. })
        ));
        advance(millis(999)).await;
    }
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_reports_the_rest_of_the_wait() {
    let breaker = consecutive();
    trip(&breaker);
    assert_eq!(retry_after(&breaker), Some(seconds(30)));
    advance(millis(17_700)).await;
    assert_eq!(retry_after(&breaker), Some(millis(12_300)));
    advance(millis(12_299)).await;
    assert_eq!(retry_after(&breaker), Some(millis(1)));
}

#[tokio::test(start_paused = true)]
async fn a_rejection_names_the_circuit() {
    for breaker in [
        CircuitBreaker::new("payments", Config::default()),
        CircuitBreaker::new(String::from("payments"), Config::default()),
    ] {
        trip(&breaker);
        advance(millis(17_700)).await;
        let error = breaker.try_acquire().unwrap_err();
        assert_eq!(
            error.to_string(),
            "circuit `payments` is open; retry in 12.3s"
        );
        assert_eq!(error.breaker(), "payments");
        assert_eq!(error, error.clone());
    }
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_becomes_half_open_by_time_alone() {
    let breaker = consecutive();
    trip(&breaker);
    advance(millis(29_999)).await;
    assert_eq!(breaker.state(), State::Open);
    assert_eq!(breaker.snapshot().state, State::Open);
    advance(millis(1)).await;
    assert_eq!(breaker.state(), State::HalfOpen);
    assert_eq!(breaker.snapshot().state, State::HalfOpen);
    assert_eq!(breaker.snapshot().retry_after, None);
}

#[tokio::test(start_paused = true)]
async fn rejections_are_not_evidence() {
    for breaker in [consecutive(), windowed()] {
        trip(&breaker);
        for _ in 0..1_000 {
            breaker.try_acquire().unwrap_err();
        }
        advance(seconds(30)).await;
        succeed(&breaker);
        fail(&breaker);
        fail(&breaker);
        assert_eq!(breaker.state(), State::Closed);
        assert_eq!(breaker.snapshot().rejected, 1_000);
        assert_eq!(breaker.snapshot().failed, 5);
    }
}

#[tokio::test(start_paused = true)]
async fn the_shortest_and_the_longest_reset_do_not_overflow() {
    let breaker = |reset| {
        let config = Config::builder()
            .max_failures(1)
            .reset(reset)
            .build()
            .unwrap();
        CircuitBreaker::new("extreme", config)
    };

    let shortest = breaker(Duration::from_nanos(1));
    trip(&shortest);
    advance(millis(1)).await;
    assert_eq!(shortest.state(), State::HalfOpen);
    succeed(&shortest);
    assert_eq!(shortest.state(), State::Closed);

    let longest = breaker(Duration::MAX);
    trip(&longest);
    assert!(retry_after(&longest).unwrap() > seconds(60 * 60 * 24 * 365 * 1_000));
    advance(seconds(60 * 60 * 24 * 365)).await;
    assert_eq!(longest.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_circuit_can_open_and_close_any_number_of_times() {
    let breaker = consecutive();
    for round in 1..=1_000 {
        half_open(&breaker).await;
        succeed(&breaker);
        assert_eq!(breaker.state(), State::Closed);
        assert_eq!(breaker.snapshot().opened, round);
    }
}

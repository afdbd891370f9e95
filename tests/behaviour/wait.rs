//! The wait of an open circuit.

use crate::support::{advance, fail, millis, retry_after, seconds, succeed, trip};
use circuit_runtime::{
    CircuitBreaker, CircuitError, Config, ConfigBuilder, State, circuit_breaker,
};

fn breaker(config: ConfigBuilder) -> CircuitBreaker {
    CircuitBreaker::new("wait", config.max_failures(1).build().unwrap())
}

#[tokio::test(start_paused = true)]
async fn each_failed_probe_doubles_the_wait_up_to_max_reset() {
    let breaker = breaker(Config::builder().reset(seconds(30)).max_reset(seconds(200)));
    for _ in 0..2 {
        trip(&breaker);
        for wait in [30, 60, 120, 200, 200].map(seconds) {
            assert_eq!(retry_after(&breaker), Some(wait));
            advance(wait.saturating_sub(millis(1))).await;
            assert_eq!(breaker.state(), State::Open);
            advance(millis(1)).await;
            assert_eq!(breaker.state(), State::HalfOpen);
            fail(&breaker);
        }
        advance(seconds(200)).await;
        succeed(&breaker);
        assert_eq!(
            breaker.state(),
            State::Closed,
            "a recovery starts again from `reset`"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_probe_does_not_double_the_wait() {
    let breaker = breaker(Config::builder().max_reset(seconds(3_600)));
    trip(&breaker);
    advance(seconds(30)).await;
    drop(breaker.try_acquire().unwrap());
    fail(&breaker);
    assert_eq!(retry_after(&breaker), Some(seconds(60)));
}

#[tokio::test(start_paused = true)]
async fn an_order_starts_the_wait_again_from_reset() {
    let breaker = breaker(Config::builder().max_reset(seconds(3_600)));
    for order in [CircuitBreaker::reset, CircuitBreaker::force_closed] {
        trip(&breaker);
        advance(seconds(30)).await;
        fail(&breaker);
        assert_eq!(retry_after(&breaker), Some(seconds(60)));
        order(&breaker);
        breaker.reset();
    }
    trip(&breaker);
    assert_eq!(retry_after(&breaker), Some(seconds(30)));
}

#[tokio::test(start_paused = true)]
async fn a_lease_lasts_for_reset_however_long_the_wait() {
    let breaker = breaker(Config::builder().max_reset(seconds(3_600)).jitter(1.0));
    trip(&breaker);
    for _ in 0..4 {
        advance(retry_after(&breaker).unwrap()).await;
        fail(&breaker);
    }
    advance(retry_after(&breaker).unwrap()).await;
    let overdue = breaker.try_acquire().unwrap();
    assert_eq!(retry_after(&breaker), Some(seconds(30)));
    advance(seconds(30)).await;
    succeed(&breaker);
    drop(overdue);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_reopenings_do_not_overflow() {
    let bound = seconds(3_600);
    let breaker = breaker(Config::builder().reset(millis(1)).max_reset(bound));
    trip(&breaker);
    let mut wait = millis(1);
    for _ in 0..1_000 {
        assert_eq!(retry_after(&breaker), Some(wait));
        advance(wait).await;
        fail(&breaker);
        wait = bound.min(wait * 2);
    }
    assert_eq!(breaker.snapshot().opened, 1_001);
}

#[tokio::test(start_paused = true)]
async fn jitter_spreads_breakers_that_trip_together() {
    let waits: Vec<f64> = (0..1_000)
        .map(|number| {
            let config = Config::builder().max_failures(1).jitter(0.1);
            let breaker = CircuitBreaker::new(format!("member {number}"), config.build().unwrap());
            trip(&breaker);
            retry_after(&breaker).unwrap().as_secs_f64()
        })
        .collect();
    let mean = waits.iter().sum::<f64>() / 1_000.0;
    // Seven standard deviations to either side.
    assert!((31.3..31.7).contains(&mean), "{mean}");
    assert!(waits.iter().all(|wait| (30.0..=33.0).contains(wait)));
    assert!(waits.iter().any(|wait| *wait < 30.3) && waits.iter().any(|wait| *wait > 32.7));
}

#[tokio::test(start_paused = true)]
async fn max_reset_works_through_the_attribute() {
    #[circuit_breaker(
        max_failures = 1,
        reset = "30s",
        max_reset = "1m",
        name = "wait::attribute"
    )]
    async fn service() -> Result<(), CircuitError> {
        Err(CircuitError::NoRuntime {
            breaker: "inner".into(),
        })
    }

    service().await.unwrap_err();
    for wait in [30, 60, 60].map(seconds) {
        assert_eq!(service().await.unwrap_err().retry_after(), Some(wait));
        advance(wait).await;
        assert_eq!(service().await.unwrap_err().breaker(), "inner");
    }
}

//! The gradual admission of calls after a recovery.

use crate::support::{advance, breaker, fail, half_open, millis, retry_after, seconds, succeed};
use circuit_runtime::{CircuitBreaker, Config, ConfigBuilder, State};

const RAMP: ConfigBuilder = Config::builder().max_failures(2).ramp(seconds(100));

/// Creates a breaker whose probe has just succeeded.
async fn recovered(config: ConfigBuilder) -> CircuitBreaker {
    let breaker = breaker(config);
    half_open(&breaker).await;
    succeed(&breaker);
    assert_eq!(breaker.state(), State::HalfOpen);
    breaker
}

/// Makes a hundred calls that succeed if they are admitted, and returns how many are.
fn admitted(breaker: &CircuitBreaker) -> usize {
    let calls = (0..100).filter_map(|_| breaker.try_acquire().ok());
    calls.map(circuit_runtime::Permit::success).count()
}

#[tokio::test(start_paused = true)]
async fn the_admitted_share_grows_until_the_circuit_closes() {
    let breaker = recovered(RAMP).await;
    for (second, share) in [(0, 10_u16), (10, 10), (30, 30), (55, 55), (90, 90)] {
        let elapsed = breaker.snapshot().since;
        advance(seconds(second).saturating_sub(elapsed)).await;
        let shown = breaker.snapshot().ramp.unwrap() * 100.0;
        assert!((shown - f64::from(share)).abs() < 0.001, "{shown}");
        let admitted = admitted(&breaker);
        assert!(
            admitted.abs_diff(share.into()) <= 1,
            "{admitted} at {share} %"
        );
    }
    advance(millis(9_999)).await;
    assert_eq!(breaker.state(), State::HalfOpen);
    advance(millis(1)).await;
    assert_eq!(breaker.state(), State::Closed, "by time alone");
    assert_eq!(breaker.snapshot().ramp, None);
    assert_eq!(admitted(&breaker), 100);
}

#[tokio::test(start_paused = true)]
async fn the_first_call_is_admitted_and_one_whenever_none_was_for_a_tenth_of_the_ramp() {
    let breaker = recovered(RAMP).await;
    succeed(&breaker);
    assert_eq!(retry_after_of_rejection(&breaker), seconds(10));
    assert!(breaker.would_reject().is_some());
    advance(seconds(10)).await;
    assert!(breaker.would_reject().is_none());
    succeed(&breaker);
    breaker.try_acquire().unwrap_err();
    // One call in ten seconds is never rejected.
    for _ in 0..7 {
        advance(seconds(10)).await;
        succeed(&breaker);
    }
}

#[tokio::test(start_paused = true)]
async fn the_share_is_admitted_of_calls_that_are_rejected_ahead() {
    let breaker = recovered(RAMP).await;
    advance(seconds(50)).await;
    let call = |_: &usize| {
        if breaker.would_reject().is_some() {
            breaker.record_rejection();
            return false;
        }
        breaker
            .try_acquire()
            .map(circuit_runtime::Permit::success)
            .is_ok()
    };
    let admitted = (0..100).filter(call).count();
    assert!(admitted.abs_diff(50) <= 1, "{admitted} at 50 %");
    assert_eq!(breaker.snapshot().rejected, 100 - admitted as u64);
}

/// Makes a call, which must be rejected. The next one may run.
fn retry_after_of_rejection(breaker: &CircuitBreaker) -> std::time::Duration {
    breaker.try_acquire().unwrap_err().retry_after().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_shows_the_share_of_a_ramp_and_the_wait_of_a_rejected_call() {
    let breaker = recovered(RAMP).await;
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.ramp, snapshot.retry_after), (Some(0.1), None));
    succeed(&breaker);
    assert_eq!(retry_after_of_rejection(&breaker), seconds(10));
    assert_eq!(breaker.snapshot().retry_after, Some(seconds(10)));
    advance(seconds(10)).await;
    assert_eq!(breaker.snapshot().retry_after, None, "a call would run");
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_reached_on_the_ramp_reopens_the_circuit() {
    let breaker = recovered(RAMP.max_reset(seconds(600))).await;
    for reopened in 1..=3 {
        fail(&breaker);
        advance(seconds(10)).await;
        fail(&breaker);
        assert_eq!(breaker.snapshot().reopenings, reopened);
        let wait = seconds(30) * 2_u32.pow(reopened);
        assert_eq!(retry_after(&breaker), Some(wait), "as after a failed probe");
        advance(wait).await;
        succeed(&breaker);
        assert_eq!(breaker.state(), State::HalfOpen);
        assert_eq!(breaker.snapshot().reopenings, reopened);
    }
    advance(seconds(100)).await;
    assert_eq!(breaker.snapshot().reopenings, 0);
    half_open(&breaker).await;
    assert_eq!(breaker.snapshot().opened, 5);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_ramp_leaves_no_evidence() {
    let breaker = recovered(RAMP).await;
    let stale = breaker.try_acquire().unwrap();
    advance(seconds(10)).await;
    fail(&breaker);
    advance(seconds(90)).await;
    assert_eq!(breaker.state(), State::Closed);
    stale.failure();
    assert_eq!(
        breaker.state(),
        State::Closed,
        "stale, though no call has come yet"
    );
    fail(&breaker);
    assert_eq!(breaker.state(), State::Closed);
    fail(&breaker);
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn orders_end_a_ramp() {
    let breaker = recovered(RAMP).await;
    breaker.trip();
    assert_eq!(breaker.state(), State::Open);
    assert_eq!(breaker.snapshot().reopenings, 1);
    breaker.reset();
    assert_eq!((breaker.state(), admitted(&breaker)), (State::Closed, 100));

    for end in [CircuitBreaker::reset, CircuitBreaker::force_closed] {
        let breaker = recovered(RAMP).await;
        end(&breaker);
        assert_eq!((breaker.state(), admitted(&breaker)), (State::Closed, 100));
    }
    let breaker = recovered(RAMP).await;
    breaker.force_open_for(seconds(5));
    assert_eq!(retry_after(&breaker), Some(seconds(5)));
    advance(seconds(5)).await;
    assert_eq!((breaker.state(), admitted(&breaker)), (State::Closed, 100));
}

#[tokio::test(start_paused = true)]
async fn rates_are_judged_on_the_ramp_by_the_admitted_calls_alone() {
    let rate = Config::builder()
        .failure_rate(0.5)
        .min_calls(4)
        .window(seconds(60))
        .ramp(seconds(100));
    let breaker = breaker(rate);
    for _ in 0..4 {
        fail(&breaker);
    }
    advance(seconds(30)).await;
    succeed(&breaker);
    for _ in 0..100 {
        if let Ok(permit) = breaker.try_acquire() {
            permit.failure();
        }
    }
    assert_eq!(breaker.state(), State::Open);
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.failed, snapshot.reopenings), (8, 1));
}

#[tokio::test(start_paused = true)]
async fn a_ramp_of_centuries_and_one_of_a_microsecond_work() {
    let breaker = recovered(RAMP.ramp(std::time::Duration::MAX)).await;
    assert_eq!(admitted(&breaker), 10);
    let breaker = self::breaker(RAMP.ramp(std::time::Duration::from_nanos(1)));
    half_open(&breaker).await;
    succeed(&breaker);
    advance(millis(1)).await;
    assert_eq!(breaker.state(), State::Closed);
}

//! The evidence that a snapshot shows.

use crate::support::{
    advance, breaker, consecutive, fail, half_open, millis, seconds, succeed, windowed,
};
use circuit_runtime::{CircuitBreaker, Config};

/// Returns the calls, the failed ones and the slow ones that count.
fn window(breaker: &CircuitBreaker) -> (Option<u64>, u64, Option<u64>) {
    let snapshot = breaker.snapshot();
    assert_eq!(snapshot.consecutive_failures, None);
    let window = snapshot.window.unwrap();
    (window.calls, window.failed, window.slow)
}

#[tokio::test(start_paused = true)]
async fn consecutive_failures_are_shown_until_a_success_or_a_transition() {
    let breaker = consecutive();
    let shown = || breaker.snapshot().consecutive_failures;
    assert_eq!(shown(), Some(0));
    fail(&breaker);
    fail(&breaker);
    advance(seconds(3_600)).await;
    assert_eq!(shown(), Some(2), "however long ago");
    succeed(&breaker);
    assert_eq!(shown(), Some(0));
    fail(&breaker);
    assert_eq!(shown(), Some(1));
    half_open(&breaker).await;
    assert_eq!(shown(), Some(0));
    fail(&breaker);
    assert_eq!(shown(), Some(0), "a probe counts towards no limit");
    assert_eq!(breaker.snapshot().window, None);
}

#[tokio::test(start_paused = true)]
async fn failures_are_shown_for_as_long_as_they_are_in_the_window() {
    let many = Config::builder().max_failures(2_000).window(seconds(10));
    for breaker in [windowed(), breaker(many)] {
        fail(&breaker);
        advance(seconds(5)).await;
        fail(&breaker);
        succeed(&breaker);
        assert_eq!(window(&breaker), (None, 2, None), "no rule counts calls");
        advance(millis(4_999)).await;
        assert_eq!(window(&breaker).1, 2);
        advance(millis(1)).await;
        assert_eq!(window(&breaker).1, 1);
        breaker.reset();
        assert_eq!(window(&breaker), (None, 0, None));
    }
}

#[tokio::test(start_paused = true)]
async fn all_calls_are_shown_where_a_rate_counts_them() {
    let config = Config::builder().failure_rate(0.5).min_calls(4);
    let breaker = breaker(config.window(seconds(10)));
    assert_eq!(window(&breaker), (Some(0), 0, None));
    for _ in 0..3 {
        succeed(&breaker);
        advance(seconds(2)).await;
    }
    assert_eq!(window(&breaker), (Some(3), 0, None));
    advance(seconds(4)).await;
    assert_eq!(window(&breaker), (Some(2), 0, None), "before any failure");
    fail(&breaker);
    assert_eq!(window(&breaker), (Some(3), 1, None));
    advance(seconds(2)).await;
    assert_eq!(window(&breaker), (Some(2), 1, None));
    drop(breaker.try_acquire());
    breaker.try_acquire().unwrap().ignore();
    assert_eq!(window(&breaker), (Some(2), 1, None));

    fail(&breaker);
    fail(&breaker);
    assert_eq!(breaker.snapshot().opened, 1);
    assert_eq!(window(&breaker), (Some(0), 0, None), "open");
    advance(seconds(30)).await;
    succeed(&breaker);
    assert_eq!(window(&breaker), (Some(0), 0, None), "closed anew");
    succeed(&breaker);
    assert_eq!(window(&breaker), (Some(1), 0, None));
}

#[tokio::test(start_paused = true)]
async fn as_many_of_the_last_calls_are_shown_as_count() {
    let breaker = breaker(Config::builder().max_failures(3).last_calls(4));
    fail(&breaker);
    for expected in [2, 3, 4] {
        succeed(&breaker);
        assert_eq!(window(&breaker), (Some(expected), 1, None));
    }
    succeed(&breaker);
    assert_eq!(window(&breaker), (Some(4), 0, None));
}

#[tokio::test(start_paused = true)]
async fn slow_calls_are_shown_before_and_after_they_end() {
    let config = Config::builder().slow_call(seconds(1)).slow_rate(0.9);
    for config in [config.window(seconds(100)), config.last_calls(100)] {
        let breaker = breaker(config);
        succeed(&breaker);
        fail(&breaker);
        breaker.reset();
        succeed(&breaker);
        let [first, second, cancelled] = [(); 3].map(|()| breaker.try_acquire().unwrap());
        assert_eq!(window(&breaker), (Some(1), 0, Some(0)));
        advance(seconds(2)).await;
        assert_eq!(window(&breaker), (Some(1), 0, Some(3)), "in flight");
        assert_eq!(breaker.snapshot().slow, 0);
        first.success();
        second.failure();
        drop(cancelled);
        assert_eq!(window(&breaker), (Some(3), 1, Some(2)));
        assert_eq!(breaker.snapshot().slow, 2);

        breaker.reset();
        assert_eq!(window(&breaker), (Some(0), 0, Some(0)));
        assert_eq!(breaker.snapshot().slow, 2, "since the start");
    }
}

#[tokio::test(start_paused = true)]
async fn evidence_on_trial_is_shown_and_cleared_when_a_limit_is_withheld() {
    let breaker = windowed();
    breaker.force_closed();
    fail(&breaker);
    fail(&breaker);
    assert_eq!(window(&breaker).1, 2);
    fail(&breaker);
    assert_eq!((window(&breaker).1, breaker.snapshot().withheld), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_ramp_and_a_hold_leave_no_evidence_once_they_are_over() {
    let breaker = breaker(Config::builder().max_failures(3).ramp(seconds(60)));
    half_open(&breaker).await;
    succeed(&breaker);
    fail(&breaker);
    assert_eq!(
        breaker.snapshot().consecutive_failures,
        Some(1),
        "on the ramp"
    );
    advance(seconds(60)).await;
    assert_eq!(breaker.snapshot().consecutive_failures, Some(0));

    breaker.force_closed_for(seconds(60));
    fail(&breaker);
    assert_eq!(breaker.snapshot().consecutive_failures, Some(1));
    advance(seconds(60)).await;
    assert_eq!(breaker.snapshot().consecutive_failures, Some(0));
}

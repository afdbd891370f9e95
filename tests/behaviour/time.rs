//! Where time comes from, and what happens when it misbehaves.

use crate::support::{
    advance, breaker, fail, millis, poll_once, retry_after, seconds, succeed, trip, windowed,
};
use circuit_runtime::{Config, State};
use std::time::Duration;

fn with_paused_time(test: impl AsyncFnOnce()) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(test());
}

/// Tests that share the breaker of an annotated function run in runtimes of their own. Others that run
/// at the same time may move the beginning of the next, but never back.
#[test]
fn a_breaker_that_outlives_a_paused_runtime_goes_on_in_the_next() {
    const DAY: u64 = 86_400;
    const RESET: Duration = seconds(100 * DAY);
    const LATER: Duration = seconds(100 * DAY - 10);
    let breaker = breaker(Config::builder().max_failures(1).reset(RESET));
    for _ in 0..3 {
        with_paused_time(async || {
            trip(&breaker);
            advance(seconds(10)).await;
            assert_eq!(retry_after(&breaker), Some(LATER));
        });
        with_paused_time(async || {
            let left = retry_after(&breaker).unwrap();
            assert!(left <= LATER);
            advance(left.saturating_sub(millis(1))).await;
            assert_eq!(breaker.state(), State::Open);
            advance(millis(1)).await;
            succeed(&breaker);
            assert_eq!(breaker.state(), State::Closed);
        });
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_hour_leaves_no_evidence() {
    let breaker = windowed();
    fail(&breaker);
    fail(&breaker);
    advance(seconds(3_600)).await;
    fail(&breaker);
    fail(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

/// Old evidence goes by its time stamp: no timer has to fire, no task to run.
#[tokio::test(start_paused = true)]
async fn a_stalled_runtime_changes_nothing() {
    let breaker = windowed();
    fail(&breaker);
    fail(&breaker);
    // Three windows go by while this task keeps its thread, and no other could run.
    let mut advancing = std::pin::pin!(tokio::time::advance(seconds(30)));
    assert!(poll_once(advancing.as_mut()).is_pending());
    fail(&breaker);
    assert_eq!(breaker.state(), State::Closed);
    fail(&breaker);
    fail(&breaker);
    assert_eq!(breaker.state(), State::Open);

    advance(seconds(90)).await;
    assert_eq!(breaker.state(), State::HalfOpen);
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

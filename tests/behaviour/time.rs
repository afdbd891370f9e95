//! Clocks that are paused, stalled or idle, and durations at their extremes.

use crate::support::{
    Failed, advance, breaker, fail, millis, poll_once, retry_after, seconds, succeed, trip,
    windowed,
};
use circuit_runtime::{CallError, CircuitBreaker, Config, ConfigBuilder, State};
use std::future::{pending, poll_fn};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

fn with_paused_time(test: impl AsyncFnOnce()) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(test());
}

/// Tests that share the breaker of an annotated function run in runtimes of their own.
#[test]
fn a_breaker_that_outlives_a_paused_runtime_continues_in_the_next() {
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
async fn evidence_expires_in_an_idle_hour() {
    let breaker = windowed();
    fail(&breaker);
    fail(&breaker);
    advance(seconds(3_600)).await;
    fail(&breaker);
    fail(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

/// Lets time pass while this task blocks its thread, so that no other task can run.
fn stall(time: Duration) {
    let advancing = std::pin::pin!(tokio::time::advance(time));
    assert!(poll_once(advancing).is_pending());
}

/// Evidence expires by its time stamp, without a timer or a task.
#[tokio::test(start_paused = true)]
async fn a_stalled_runtime_does_not_delay_the_expiry_of_evidence() {
    let breaker = windowed();
    fail(&breaker);
    fail(&breaker);
    stall(seconds(30));
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

#[tokio::test(start_paused = true)]
async fn a_stalled_runtime_keeps_no_old_calls_in_a_rate() {
    let config = Config::builder().failure_rate(0.5).min_calls(4);
    let breaker = breaker(config.window(seconds(10)));
    (0..3).for_each(|_| fail(&breaker));
    stall(seconds(30));
    (0..3).for_each(|_| fail(&breaker));
    assert_eq!(breaker.state(), State::Closed, "3 of 3, and not 6 of 6");
    fail(&breaker);
    assert_eq!(breaker.state(), State::Open);
}

/// The duration of a call in flight includes the stall.
#[tokio::test(start_paused = true)]
async fn a_stalled_runtime_makes_calls_in_flight_slow() {
    let config = Config::builder().slow_call(seconds(1)).min_calls(4);
    for config in [config.window(seconds(10)), config.last_calls(10)] {
        let breaker = breaker(config);
        let calls: Vec<_> = (0..4).map(|_| breaker.try_acquire().unwrap()).collect();
        assert_eq!(breaker.state(), State::Closed);
        stall(seconds(30));
        breaker.try_acquire().expect_err("4 of 4 are slow already");
        drop(calls);
    }
}

/// A result that is ready wins, however late it is polled; a call without one has timed out.
#[tokio::test(start_paused = true)]
async fn a_stalled_runtime_times_out_only_calls_that_are_not_ready() {
    let config = Config::builder().max_failures(1).timeout(seconds(2));
    let breaker = breaker(config);
    let answered = AtomicBool::new(false);
    let mut completes = Box::pin(breaker.call(poll_fn(|_| {
        if answered.load(Ordering::Relaxed) {
            Poll::Ready(Ok::<_, Failed>(7))
        } else {
            Poll::Pending
        }
    })));
    let mut never_completes = Box::pin(breaker.call(pending::<Result<(), Failed>>()));
    assert!(poll_once(completes.as_mut()).is_pending());
    assert!(poll_once(never_completes.as_mut()).is_pending());
    answered.store(true, Ordering::Relaxed);
    stall(seconds(30));
    tokio::task::yield_now().await;
    assert_eq!(poll_once(completes.as_mut()), Poll::Ready(Ok(7)));
    assert_eq!(breaker.state(), State::Closed);
    let Poll::Ready(Err(CallError::Circuit(error))) = poll_once(never_completes.as_mut()) else {
        panic!("the call is still pending")
    };
    assert!(error.is_timeout());
    assert_eq!(retry_after(&breaker), Some(seconds(30)), "from now on");
    stall(seconds(30));
    assert_eq!(breaker.state(), State::HalfOpen);
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

/// Every duration at both of its extremes, in all combinations: nothing overflows, and each rule
/// holds.
#[tokio::test(start_paused = true)]
async fn durations_at_both_extremes_do_not_overflow() {
    const SHORTEST: Duration = Duration::from_nanos(1);
    const YEAR: Duration = seconds(365 * 86_400);

    let either = |config: &[ConfigBuilder], set: fn(ConfigBuilder, Duration) -> ConfigBuilder| {
        let with = |&config: &ConfigBuilder| [set(config, SHORTEST), set(config, Duration::MAX)];
        config.iter().flat_map(with).collect::<Vec<_>>()
    };
    let rules = Config::builder().max_failures(2).failure_rate(1.0);
    let configs = either(&[rules.min_calls(1_000)], ConfigBuilder::window);
    let configs = either(&configs, ConfigBuilder::slow_call);
    let configs = either(&configs, ConfigBuilder::reset);
    let configs = either(&configs, ConfigBuilder::timeout);
    let configs = [configs.clone(), either(&configs, ConfigBuilder::max_reset)].concat();
    let configs: Vec<_> = configs.into_iter().flat_map(ConfigBuilder::build).collect();
    assert_eq!(configs.len(), 2 * 2 * 2 * 2 + 3 * 2 * 2 * 2);

    for config in configs {
        let breaker = CircuitBreaker::new("extremes", config);
        let is_long = |duration: Option<Duration>| duration > Some(YEAR);
        succeed(&breaker);

        let mut never_completes = Box::pin(breaker.call(pending::<Result<(), Failed>>()));
        assert!(poll_once(never_completes.as_mut()).is_pending());
        advance(millis(2)).await;
        let timed_out = poll_once(never_completes.as_mut()).is_ready();
        assert_eq!(timed_out, !is_long(config.timeout()), "{config:?}");
        drop(never_completes);

        breaker.reset();
        fail(&breaker);
        advance(millis(1)).await;
        fail(&breaker);
        let opened = breaker.state() == State::Open;
        assert_eq!(opened, is_long(config.window()), "{config:?}");
        if !opened {
            fail(&breaker);
        }
        assert_eq!(breaker.state(), State::Open, "two at once, {config:?}");

        if is_long(Some(config.reset())) {
            advance(YEAR).await;
            assert!(retry_after(&breaker) > Some(YEAR), "{config:?}");
            continue;
        }
        for _ in 0..70 {
            let wait = retry_after(&breaker).unwrap();
            if wait > YEAR {
                break;
            }
            advance(wait).await;
            assert_eq!(breaker.state(), State::HalfOpen, "{config:?}");
            fail(&breaker);
        }
        let doubled = retry_after(&breaker) > Some(YEAR);
        assert_eq!(doubled, is_long(config.max_reset()), "{config:?}");
    }
}

//! The rule `slow_call`: slow and overdue calls.

use crate::support::{Failed, advance, breaker, fail, millis, pending_call, seconds, succeed};
use circuit_runtime::{CircuitBreaker, Config, ConfigBuilder, Permit, State};

/// A call is slow after one second. Opens when half of at least ten calls are slow.
fn half_of_ten() -> ConfigBuilder {
    Config::builder()
        .slow_call(seconds(1))
        .slow_rate(0.5)
        .min_calls(10)
}

fn both() -> [CircuitBreaker; 2] {
    [
        breaker(half_of_ten().window(seconds(60))),
        breaker(half_of_ten().last_calls(100)),
    ]
}

fn start(breaker: &CircuitBreaker, calls: usize) -> Vec<Permit<'_>> {
    (0..calls).map(|_| breaker.try_acquire().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_call_longer_than_slow_call_is_slow_whether_it_succeeds_or_fails() {
    for breaker in both() {
        (0..6).for_each(|_| succeed(&breaker));
        let calls = start(&breaker, 5);
        advance(millis(1_001)).await;
        for (index, permit) in calls.into_iter().enumerate() {
            assert_eq!(breaker.state(), State::Closed, "{index} of {}", 6 + index);
            if index % 2 == 0 {
                permit.success();
            } else {
                permit.failure();
            }
        }
        assert_eq!(breaker.state(), State::Closed, "5 of 11");
        let slow = breaker.try_acquire().unwrap();
        advance(millis(1_001)).await;
        slow.success();
        assert_eq!(breaker.state(), State::Open, "6 of 12");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_of_exactly_slow_call_is_not_slow() {
    for breaker in both() {
        for _ in 0..10 {
            let calls = start(&breaker, 2);
            advance(seconds(1)).await;
            calls.into_iter().for_each(Permit::success);
        }
        assert_eq!(breaker.state(), State::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn an_overdue_call_counts_as_slow() {
    for breaker in both() {
        let overdue: Vec<_> = (0..10).map(|_| pending_call(&breaker)).collect();
        advance(seconds(1)).await;
        drop(breaker.try_acquire().unwrap());
        assert_eq!(breaker.state(), State::Closed, "none is overdue yet");

        advance(millis(1)).await;
        assert_eq!(
            breaker.state(),
            State::Closed,
            "no call has detected them yet"
        );
        breaker.try_acquire().unwrap_err();
        assert_eq!(breaker.state(), State::Open);
        assert_eq!(breaker.snapshot().rejected, 1);
        drop(overdue);
        assert_eq!(breaker.state(), State::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn a_completed_call_detects_overdue_calls() {
    for breaker in both() {
        let overdue = start(&breaker, 9);
        advance(millis(500)).await;
        let fast = breaker.try_acquire().unwrap();
        advance(millis(501)).await;
        assert_eq!(breaker.state(), State::Closed);
        fast.success();
        assert_eq!(breaker.state(), State::Open, "9 of 10");
        drop(overdue);
    }
}

#[tokio::test(start_paused = true)]
async fn an_overdue_call_counts_once() {
    for breaker in both() {
        let overdue = start(&breaker, 6);
        advance(millis(1_001)).await;
        succeed(&breaker);
        overdue.into_iter().for_each(Permit::success);
        succeed(&breaker);
        succeed(&breaker);
        assert_eq!(breaker.state(), State::Closed, "6 of 9: too few calls");
        succeed(&breaker);
        assert_eq!(breaker.state(), State::Open, "6 of 10");
    }
}

#[tokio::test(start_paused = true)]
async fn an_overdue_call_that_is_dropped_is_not_counted() {
    for breaker in both() {
        let mut overdue = start(&breaker, 9);
        advance(millis(1_001)).await;
        drop(breaker.try_acquire().unwrap());
        overdue.truncate(4);
        (0..20).for_each(|_| succeed(&breaker));
        assert_eq!(breaker.state(), State::Closed, "4 of 24");
        drop(overdue);
    }
}

#[tokio::test(start_paused = true)]
async fn fast_failures_do_not_count_towards_slow_rate() {
    for breaker in both() {
        (0..1_000).for_each(|_| fail(&breaker));
        assert_eq!(breaker.state(), State::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn all_calls_must_be_slow_unless_slow_rate_is_set() {
    let config = Config::builder().slow_call(seconds(1)).min_calls(3);
    let breaker = breaker(config.window(seconds(60)));
    succeed(&breaker);
    for _ in 0..20 {
        let slow = breaker.try_acquire().unwrap();
        advance(millis(1_500)).await;
        slow.success();
    }
    assert_eq!(breaker.state(), State::Closed, "20 of 21");
    advance(seconds(60)).await;
    let slow = start(&breaker, 3);
    advance(millis(1_500)).await;
    slow.into_iter().for_each(Permit::success);
    assert_eq!(breaker.state(), State::Open, "3 of 3");
}

#[tokio::test(start_paused = true)]
async fn slow_calls_expire() {
    let breaker = breaker(half_of_ten().window(seconds(10)));
    let slow = start(&breaker, 9);
    advance(seconds(2)).await;
    slow.into_iter().for_each(Permit::success);
    advance(seconds(10)).await;
    (0..20).for_each(|_| succeed(&breaker));
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_call_overdue_since_before_a_recovery_is_not_counted() {
    for breaker in both() {
        let overdue = start(&breaker, 9);
        advance(millis(1_001)).await;
        breaker.reset();
        advance(seconds(5)).await;
        (0..2).for_each(|_| succeed(&breaker));
        assert_eq!(breaker.state(), State::Closed);
        overdue.into_iter().for_each(Permit::success);
        (0..10).for_each(|_| succeed(&breaker));
        assert_eq!(breaker.state(), State::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_can_start_on_one_thread_and_end_on_another() {
    for breaker in both() {
        for call in 0..1_000 {
            let permit = breaker.try_acquire().unwrap();
            let runtime = tokio::runtime::Handle::current();
            if call % 3 == 0 {
                advance(millis(100)).await;
                std::thread::scope(|scope| {
                    scope.spawn(move || {
                        let _entered = runtime.enter();
                        permit.success();
                    });
                });
            } else {
                permit.success();
            }
        }
        advance(seconds(5)).await;
        (0..100).for_each(|_| succeed(&breaker));
        assert_eq!(breaker.state(), State::Closed, "no call is overdue");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_times_out_counts_as_slow() {
    let config = half_of_ten().window(seconds(60)).timeout(seconds(2));
    let breaker = breaker(config);
    for _ in 0..5 {
        succeed(&breaker);
        let call = breaker.call(std::future::pending::<Result<(), Failed>>());
        call.await.unwrap_err();
    }
    assert_eq!(breaker.state(), State::Open);
    assert_eq!(breaker.snapshot().timed_out, 5);
}

#[tokio::test(start_paused = true)]
async fn a_leaked_call_stays_overdue_until_the_circuit_recovers() {
    for breaker in both() {
        start(&breaker, 10).into_iter().for_each(std::mem::forget);
        advance(seconds(2)).await;
        breaker.try_acquire().unwrap_err();
        advance(seconds(30)).await;
        succeed(&breaker);
        (0..100).for_each(|_| succeed(&breaker));
        assert_eq!(breaker.state(), State::Closed);
    }
}

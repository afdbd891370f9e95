//! The rule `failure_rate`.

use crate::support::{advance, breaker, fail, half_open, millis, pending_call, seconds, succeed};
use circuit_runtime::{CircuitBreaker, Config, State};

/// Opens when half of at least ten calls within ten seconds have failed.
fn half_of_ten_seconds() -> CircuitBreaker {
    let config = Config::builder().failure_rate(0.5).min_calls(10);
    breaker(config.window(seconds(10)))
}

/// Opens when half of the last twenty calls, at least ten, have failed.
fn half_of_twenty_calls() -> CircuitBreaker {
    let config = Config::builder().failure_rate(0.5).min_calls(10);
    breaker(config.last_calls(20))
}

fn both() -> [CircuitBreaker; 2] {
    [half_of_ten_seconds(), half_of_twenty_calls()]
}

fn repeat(times: u32, mut act: impl FnMut()) {
    (0..times).for_each(|_| act());
}

#[tokio::test(start_paused = true)]
async fn the_circuit_opens_when_the_failure_rate_is_reached() {
    for breaker in both() {
        repeat(6, || succeed(&breaker));
        repeat(5, || fail(&breaker));
        assert_eq!(breaker.state(), State::Closed, "5 of 11");
        fail(&breaker);
        assert_eq!(breaker.state(), State::Open, "6 of 12");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_not_evaluated_below_min_calls() {
    for breaker in both() {
        repeat(9, || fail(&breaker));
        assert_eq!(breaker.state(), State::Closed);
        fail(&breaker);
        assert_eq!(breaker.state(), State::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn a_success_that_reaches_min_calls_can_open_the_circuit() {
    for breaker in both() {
        repeat(8, || fail(&breaker));
        succeed(&breaker);
        assert_eq!(breaker.state(), State::Closed, "8 of 9");
        succeed(&breaker);
        assert_eq!(breaker.state(), State::Open, "8 of 10");
    }
}

#[tokio::test(start_paused = true)]
async fn twenty_calls_are_enough_unless_min_calls_is_set() {
    let config = Config::builder().failure_rate(1.0);
    for breaker in [
        breaker(config.window(seconds(10))),
        breaker(config.last_calls(100)),
    ] {
        repeat(19, || fail(&breaker));
        assert_eq!(breaker.state(), State::Closed);
        fail(&breaker);
        assert_eq!(breaker.state(), State::Open);
    }
    let breaker = breaker(config.last_calls(3));
    repeat(2, || fail(&breaker));
    assert_eq!(breaker.state(), State::Closed);
    fail(&breaker);
    assert_eq!(
        breaker.state(),
        State::Open,
        "there are never more than three"
    );
}

#[tokio::test(start_paused = true)]
async fn fifty_seven_of_a_hundred_are_fifty_seven_percent() {
    let config = Config::builder().failure_rate(0.57).min_calls(100);
    for breaker in [
        breaker(config.window(seconds(10))),
        breaker(config.last_calls(100)),
    ] {
        repeat(43, || succeed(&breaker));
        repeat(56, || fail(&breaker));
        assert_eq!(breaker.state(), State::Closed);
        fail(&breaker);
        assert_eq!(breaker.state(), State::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn successes_alone_never_open_the_circuit() {
    let config = Config::builder()
        .failure_rate(f64::MIN_POSITIVE)
        .min_calls(1);
    for breaker in [
        breaker(config.window(seconds(10))),
        breaker(config.last_calls(100)),
    ] {
        repeat(1_000, || succeed(&breaker));
        assert_eq!(breaker.state(), State::Closed);
        fail(&breaker);
        assert_eq!(breaker.state(), State::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn the_window_of_a_rate_slides_to_a_tenth_of_its_length() {
    for offset in 0..40 {
        let breaker = half_of_ten_seconds();
        advance(millis(offset * 250)).await;
        repeat(20, || succeed(&breaker));
        advance(millis(9_000)).await;
        repeat(9, || fail(&breaker));
        repeat(10, || fail(&breaker));
        assert_eq!(breaker.state(), State::Closed, "19 of 39: all count");

        advance(millis(1_000)).await;
        succeed(&breaker);
        assert_eq!(
            breaker.state(),
            State::Open,
            "19 of 20: the first are ten seconds old"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_evidence_of_a_rate_expires_in_an_idle_hour() {
    let breaker = half_of_ten_seconds();
    repeat(9, || fail(&breaker));
    advance(seconds(3_600)).await;
    repeat(9, || fail(&breaker));
    assert_eq!(breaker.state(), State::Closed, "9 calls are too few");
    fail(&breaker);
    assert_eq!(breaker.state(), State::Open);

    let breaker = half_of_ten_seconds();
    repeat(100, || succeed(&breaker));
    advance(seconds(3_600)).await;
    repeat(10, || fail(&breaker));
    assert_eq!(breaker.state(), State::Open, "nor do successes");
}

#[tokio::test(start_paused = true)]
async fn the_last_calls_count_however_long_ago() {
    let breaker = half_of_twenty_calls();
    repeat(10, || succeed(&breaker));
    repeat(9, || fail(&breaker));
    advance(seconds(3_600)).await;
    assert_eq!(breaker.state(), State::Closed, "9 of 19");
    fail(&breaker);
    assert_eq!(breaker.state(), State::Open, "10 of 20");
}

#[tokio::test(start_paused = true)]
async fn each_call_displaces_the_oldest_of_the_last_calls() {
    let breaker = half_of_twenty_calls();
    repeat(9, || fail(&breaker));
    breaker.try_acquire().unwrap().ignore();
    drop(breaker.try_acquire().unwrap());
    drop(pending_call(&breaker));
    assert_eq!(
        breaker.state(),
        State::Closed,
        "ignored and cancelled calls are not among the ten"
    );

    let config = Config::builder().max_failures(3).last_calls(5);
    let breaker = crate::support::breaker(config);
    for _ in 0..1_000 {
        fail(&breaker);
        fail(&breaker);
        repeat(3, || succeed(&breaker));
        assert_eq!(breaker.state(), State::Closed, "2 of 5");
    }
    fail(&breaker);
    fail(&breaker);
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
    fail(&breaker);
    assert_eq!(breaker.state(), State::Open, "3 of 4");
}

#[tokio::test(start_paused = true)]
async fn a_recovery_clears_the_evidence_of_a_rate() {
    for breaker in both() {
        half_open(&breaker).await;
        succeed(&breaker);
        assert_eq!(breaker.state(), State::Closed);
        repeat(9, || fail(&breaker));
        assert_eq!(breaker.state(), State::Closed, "9 calls are too few");
        fail(&breaker);
        assert_eq!(breaker.state(), State::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stale_result_is_not_counted_towards_a_rate() {
    for breaker in both() {
        let stale: Vec<_> = (0..20).map(|_| breaker.try_acquire().unwrap()).collect();
        breaker.reset();
        repeat(9, || fail(&breaker));
        for (index, permit) in stale.into_iter().enumerate() {
            if index % 2 == 0 {
                permit.success();
            } else {
                permit.failure();
            }
        }
        assert_eq!(breaker.state(), State::Closed, "9 calls are too few");
        fail(&breaker);
        assert_eq!(breaker.state(), State::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn failure_rate_and_max_failures_open_the_circuit_independently() {
    for config in [
        Config::builder().window(seconds(10)),
        Config::builder().last_calls(1_000),
    ] {
        let config = config.failure_rate(0.5).min_calls(10).max_failures(20);
        let by_rate = breaker(config);
        repeat(10, || fail(&by_rate));
        assert_eq!(by_rate.state(), State::Open);

        let by_number = breaker(config);
        repeat(100, || succeed(&by_number));
        repeat(19, || fail(&by_number));
        assert_eq!(by_number.state(), State::Closed);
        fail(&by_number);
        assert_eq!(by_number.state(), State::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rate_without_max_failures_has_no_failure_limit() {
    let config = Config::builder().failure_rate(0.5).min_calls(1_000);
    let breaker = breaker(config.window(seconds(10)));
    repeat(999, || fail(&breaker));
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_rate_works_over_the_shortest_and_the_longest_window() {
    for window in [std::time::Duration::from_nanos(1), std::time::Duration::MAX] {
        let config = Config::builder().failure_rate(0.5).min_calls(2);
        let breaker = breaker(config.window(window));
        succeed(&breaker);
        fail(&breaker);
        assert_eq!(breaker.state(), State::Open, "1 of 2 at the same moment");
    }
}

#[tokio::test(start_paused = true)]
async fn the_largest_number_of_last_calls_is_exact() {
    let config = Config::builder().failure_rate(0.5).min_calls(65_536);
    let breaker = breaker(config.last_calls(65_536));
    repeat(32_768, || succeed(&breaker));
    repeat(32_767, || fail(&breaker));
    repeat(100_000, || succeed(&breaker));
    repeat(32_767, || fail(&breaker));
    assert_eq!(breaker.state(), State::Closed);
    fail(&breaker);
    assert_eq!(breaker.state(), State::Open);
}

//! New rules for a breaker in use: limits, windows and slow calls.

use crate::support::{advance, breaker, fail, millis, pending_call, reconfigure, seconds, succeed};
use circuit_runtime::{CircuitBreaker, Config, ConfigBuilder, Permit, State};

const BASE: ConfigBuilder = Config::builder();

/// Rules on this many failures: consecutive ones, in a span of time, and among the last calls.
fn failures(limit: u32) -> [ConfigBuilder; 3] {
    let rule = BASE.max_failures(limit);
    [rule, rule.window(seconds(60)), rule.last_calls(100)]
}

/// Returns how many failures are counted.
fn failed(breaker: &CircuitBreaker) -> u64 {
    let seen = breaker.snapshot();
    let consecutive = seen.consecutive_failures.map(u64::from);
    consecutive.unwrap_or_else(|| seen.window.unwrap().failed)
}

/// Returns how many calls are counted, and how many of them were slow.
fn calls_and_slow(breaker: &CircuitBreaker) -> (u64, u64) {
    let window = breaker.snapshot().window.unwrap();
    (window.calls.unwrap(), window.slow.unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_limit_below_what_is_counted_opens_on_the_next_failure() {
    for (before, after) in failures(10).into_iter().zip(failures(3)) {
        let breaker = breaker(before);
        (0..5).for_each(|_| fail(&breaker));
        reconfigure(&breaker, after);
        assert_eq!(breaker.state(), State::Closed, "not by itself");
        assert_eq!(failed(&breaker), 5);
        fail(&breaker);
        assert_eq!(breaker.state(), State::Open);
        let change = breaker.snapshot().last_change.unwrap();
        assert!((3..=6).contains(&change.window.unwrap().failed));
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_lowered_and_raised_again_forgets_nothing() {
    for ((few, many), more) in failures(3).into_iter().zip(failures(10)).zip(failures(7)) {
        let breaker = breaker(many);
        (0..5).for_each(|_| fail(&breaker));
        reconfigure(&breaker, few);
        reconfigure(&breaker, more);
        assert_eq!(failed(&breaker), 5);
        fail(&breaker);
        assert_eq!(breaker.state(), State::Closed, "six of seven");
        fail(&breaker);
        assert_eq!(breaker.state(), State::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn a_higher_limit_keeps_the_failures_that_are_counted() {
    for (before, after) in failures(3).into_iter().zip(failures(5)) {
        let breaker = breaker(before);
        (0..2).for_each(|_| fail(&breaker));
        reconfigure(&breaker, after);
        assert_eq!(failed(&breaker), 2);
        (0..2).for_each(|_| fail(&breaker));
        assert_eq!(breaker.state(), State::Closed, "four of five");
        fail(&breaker);
        assert_eq!(breaker.state(), State::Open);
    }
}

/// Up to a thousand, the time of every failure is known; above, its hundredth of the window.
#[tokio::test(start_paused = true)]
async fn a_limit_may_pass_the_bound_of_exact_times_in_either_direction() {
    let rule = |limit| BASE.max_failures(limit).window(seconds(100));
    for (before, after) in [(1_000, 1_500), (1_500, 1_000), (1_500, 2_000), (900, 1_000)] {
        let breaker = breaker(rule(before));
        for _ in 0..8 {
            (0..100).for_each(|_| fail(&breaker));
            advance(seconds(10)).await;
        }
        reconfigure(&breaker, rule(after));
        assert_eq!(failed(&breaker), 800);
        advance(seconds(20)).await;
        let counted = failed(&breaker);
        assert!(
            (600..=700).contains(&counted),
            "{counted}: the first are as old as the window"
        );
        let more = u64::from(after) - counted;
        (1..more).for_each(|_| fail(&breaker));
        assert_eq!(breaker.state(), State::Closed, "one too few");
        fail(&breaker);
        assert_eq!(breaker.state(), State::Open);
    }
}

/// After few calls, and after more than are counted in a compact way.
#[tokio::test(start_paused = true)]
async fn a_rate_is_judged_anew_with_the_next_result_a_success_too() {
    for window in [BASE.window(seconds(60)), BASE.last_calls(2_000)] {
        for pairs in [6, 600] {
            let reached = window.failure_rate(0.5).min_calls(10);
            for before in [reached.failure_rate(0.9), reached.min_calls(1_900)] {
                let breaker = breaker(before);
                for _ in 0..pairs {
                    succeed(&breaker);
                    fail(&breaker);
                }
                fail(&breaker);
                reconfigure(&breaker, reached);
                assert_eq!(breaker.state(), State::Closed, "not by itself");
                succeed(&breaker);
                assert_eq!(breaker.state(), State::Open, "{pairs} pairs");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_higher_rate_and_more_min_calls_open_no_circuit() {
    for window in [BASE.window(seconds(60)), BASE.last_calls(100)] {
        let breaker = breaker(window.failure_rate(0.8).min_calls(10));
        (0..4).for_each(|_| succeed(&breaker));
        (0..6).for_each(|_| fail(&breaker));
        reconfigure(&breaker, window.failure_rate(0.9).min_calls(10));
        fail(&breaker);
        reconfigure(&breaker, window.failure_rate(0.5).min_calls(50));
        fail(&breaker);
        assert_eq!(breaker.state(), State::Closed);
        assert_eq!(calls(&breaker), 12);
    }
}

fn calls(breaker: &CircuitBreaker) -> u64 {
    breaker.snapshot().window.unwrap().calls.unwrap()
}

/// Few successes, and more than are counted in a compact way.
#[tokio::test(start_paused = true)]
async fn successes_stay_as_long_as_the_window_does() {
    for window in [BASE.window(seconds(60)), BASE.last_calls(2_000)] {
        for before in [3, 1_500] {
            let rate = window.failure_rate(0.5);
            let breaker = breaker(rate);
            (0..before).for_each(|_| succeed(&breaker));
            for rules in [
                window.failure_rate(0.7),
                window.failure_rate(0.7).min_calls(100),
                window.failure_rate(0.7).slow_call(seconds(1)),
                window.slow_call(seconds(2)),
                window.slow_call(seconds(2)).max_failures(7),
                rate.reset(seconds(7)),
            ] {
                reconfigure(&breaker, rules);
                assert_eq!(calls(&breaker), before, "{rules:?}");
            }
            succeed(&breaker);
            assert_eq!(calls(&breaker), before + 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn another_window_begins_without_evidence_and_so_does_the_first_when_it_is_back() {
    let rate = BASE.failure_rate(0.9).max_failures(50);
    let rules = [
        BASE.max_failures(50),
        BASE.max_failures(50).window(seconds(60)),
        BASE.max_failures(50).window(seconds(59)),
        BASE.max_failures(50).last_calls(100),
        rate.last_calls(99),
        rate.window(seconds(61)),
    ];
    for before in rules {
        for after in rules {
            if before.build() == after.build() {
                continue;
            }
            for succeeds in [true, false] {
                let breaker = breaker(before);
                if succeeds {
                    (0..4).for_each(|_| succeed(&breaker));
                }
                (0..4).for_each(|_| fail(&breaker));
                let seen = |calls, failed| {
                    let seen = breaker.snapshot();
                    let counted = seen.window.and_then(|window| window.calls);
                    assert!(counted.is_none_or(|counted| counted == calls));
                    assert_eq!(self::failed(&breaker), failed);
                };
                reconfigure(&breaker, after);
                seen(0, 0);
                (0..3).for_each(|_| fail(&breaker));
                seen(3, 3);
                reconfigure(&breaker, before);
                seen(0, 0);
                fail(&breaker);
                seen(1, 1);
            }
        }
    }
}

/// The failures that are counted stay, and calls are counted from now on.
#[tokio::test(start_paused = true)]
async fn a_rate_beside_a_limit_in_the_same_window_keeps_the_failures() {
    let limit = BASE.max_failures(6).window(seconds(60));
    let both = limit.failure_rate(0.5).min_calls(100);
    let breaker = breaker(limit);
    for rules in [both, limit, both, limit] {
        fail(&breaker);
        reconfigure(&breaker, rules);
        succeed(&breaker);
    }
    fail(&breaker);
    assert_eq!(breaker.state(), State::Closed, "five of six");
    fail(&breaker);
    assert_eq!(breaker.state(), State::Open);
}

/// The failures that a rate has counted stay, exact to a tenth of the window.
#[tokio::test(start_paused = true)]
async fn a_limit_beside_a_rate_or_instead_of_it_keeps_the_failures_of_the_same_window() {
    let rate = BASE.window(seconds(100)).failure_rate(1.0).min_calls(9_999);
    let limit = |limit| BASE.max_failures(limit).window(seconds(100));
    for most in [12, 2_000] {
        for rules in [limit(most), limit(most).failure_rate(1.0).min_calls(9_999)] {
            let breaker = breaker(rate);
            for _ in 0..2 {
                (0..most / 2).for_each(|_| fail(&breaker));
                advance(seconds(30)).await;
            }
            succeed(&breaker);
            reconfigure(&breaker, rules);
            assert_eq!(breaker.state(), State::Closed, "not by itself");
            fail(&breaker);
            assert_eq!(breaker.state(), State::Open, "{most}: all count");
        }

        // Half of them are as old as the window, or nearly.
        let breaker = breaker(rate);
        (0..most / 2).for_each(|_| fail(&breaker));
        advance(seconds(60)).await;
        (0..most / 2).for_each(|_| fail(&breaker));
        reconfigure(&breaker, limit(most));
        advance(seconds(40)).await;
        (0..most / 2 - 1).for_each(|_| fail(&breaker));
        assert_eq!(breaker.state(), State::Closed, "{most}: one less");
        fail(&breaker);
        assert_eq!(breaker.state(), State::Open);
    }

    // Those of an earlier generation, or of another window, do not count.
    let breaker = breaker(rate);
    (0..5).for_each(|_| fail(&breaker));
    breaker.trip();
    breaker.reset();
    reconfigure(&breaker, limit(2));
    fail(&breaker);
    assert_eq!(breaker.state(), State::Closed);
    reconfigure(&breaker, rate);
    reconfigure(&breaker, BASE.max_failures(2).window(seconds(200)));
    fail(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

/// A lower limit drops none before the next failure, so it can be raised again.
#[tokio::test(start_paused = true)]
async fn a_limit_that_is_lowered_and_raised_again_keeps_the_failures() {
    let limit = |limit| BASE.max_failures(limit).window(seconds(100));
    let rate = BASE.window(seconds(100)).failure_rate(1.0).min_calls(9_999);
    for (before, lower, most) in [
        (limit(100), limit(10), 100),
        (limit(1_500), limit(10), 1_500),
        (rate, limit(10), 100),
        (rate, rate.max_failures(10), 1_500),
    ] {
        let breaker = breaker(before);
        (0..60).for_each(|_| fail(&breaker));
        reconfigure(&breaker, lower);
        reconfigure(&breaker, limit(most));
        (60..most - 1).for_each(|_| fail(&breaker));
        assert_eq!(breaker.state(), State::Closed, "{lower:?}: one less");
        fail(&breaker);
        assert_eq!(breaker.state(), State::Open, "{lower:?}: all count");
    }
}

/// A call is slow after this many seconds. Opens when half of at least four calls are slow.
fn slow(window: ConfigBuilder, limit: u64) -> ConfigBuilder {
    window.slow_call(seconds(limit)).slow_rate(0.5).min_calls(4)
}

fn windows() -> [ConfigBuilder; 2] {
    [BASE.window(seconds(600)), BASE.last_calls(100)]
}

fn start(breaker: &CircuitBreaker, calls: usize) -> Vec<Permit<'_>> {
    (0..calls).map(|_| breaker.try_acquire().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn calls_in_flight_are_slow_by_the_limit_at_their_end() {
    for window in windows() {
        for (limit, expected) in [(1, 2), (7, 1), (20, 0)] {
            let breaker = breaker(slow(window, 5).min_calls(50));
            let first = start(&breaker, 1);
            advance(seconds(4)).await;
            let second = start(&breaker, 1);
            advance(seconds(2)).await;
            reconfigure(&breaker, slow(window, limit).min_calls(50));
            advance(seconds(4)).await;
            // They took 10 s and 6 s.
            first.into_iter().for_each(Permit::success);
            second.into_iter().for_each(Permit::success);
            assert_eq!(calls_and_slow(&breaker), (2, expected), "{limit} s");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn calls_in_flight_become_overdue_by_a_shorter_slow_call() {
    for window in windows() {
        let breaker = breaker(slow(window, 50));
        (0..3).for_each(|_| succeed(&breaker));
        let overdue: Vec<_> = (0..3).map(|_| pending_call(&breaker)).collect();
        advance(seconds(10)).await;
        assert_eq!(calls_and_slow(&breaker), (3, 0));
        reconfigure(&breaker, slow(window, 20));
        assert_eq!(calls_and_slow(&breaker), (3, 0));
        advance(seconds(10)).await;
        // By a seventh of `slow_call` later, at most.
        advance(seconds(8)).await;
        assert_eq!(breaker.snapshot().window.unwrap().slow, Some(3));
        breaker.try_acquire().unwrap_err();
        assert_eq!(breaker.state(), State::Open);
        drop(overdue);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_were_found_overdue_are_not_by_a_longer_slow_call_until_it_is_over() {
    for window in windows() {
        let breaker = breaker(slow(window, 5).min_calls(50));
        (0..3).for_each(|_| succeed(&breaker));
        let overdue = start(&breaker, 3);
        advance(seconds(6)).await;
        succeed(&breaker);
        assert_eq!(calls_and_slow(&breaker), (4, 3));
        reconfigure(&breaker, slow(window, 30).min_calls(50));
        assert_eq!(calls_and_slow(&breaker), (4, 0));
        advance(seconds(23)).await;
        assert_eq!(calls_and_slow(&breaker), (4, 0));
        advance(seconds(2)).await;
        assert_eq!(calls_and_slow(&breaker), (4, 3), "overdue again");
        overdue.into_iter().for_each(Permit::success);
        assert_eq!(calls_and_slow(&breaker), (7, 3), "each once");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_were_found_overdue_may_end_fast_by_a_longer_slow_call() {
    for window in windows() {
        let breaker = breaker(slow(window, 5).min_calls(50));
        let overdue = start(&breaker, 3);
        advance(seconds(6)).await;
        assert_eq!(calls_and_slow(&breaker), (0, 3));
        reconfigure(&breaker, slow(window, 30).min_calls(50));
        overdue.into_iter().for_each(Permit::success);
        assert_eq!(calls_and_slow(&breaker), (3, 0));
        advance(seconds(100)).await;
        assert_eq!(calls_and_slow(&breaker), (3, 0), "none is in flight");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_that_is_removed_and_added_again_times_calls_as_before() {
    for window in windows() {
        let rules = slow(window, 5).min_calls(50);
        let breaker = breaker(rules);
        let [first, second] = [(); 2].map(|()| breaker.try_acquire().unwrap());
        reconfigure(&breaker, window.failure_rate(0.9));
        let untimed = breaker.try_acquire().unwrap();
        advance(seconds(6)).await;
        first.success();
        assert_eq!(
            breaker.snapshot().window.unwrap().slow,
            None,
            "no call is slow"
        );
        reconfigure(&breaker, rules);
        second.success();
        untimed.success();
        assert_eq!(calls_and_slow(&breaker), (3, 1), "the second took 6 s");
        advance(seconds(60)).await;
        assert_eq!(calls_and_slow(&breaker).1, 1, "none is in flight");
        let third = start(&breaker, 1);
        advance(seconds(6)).await;
        third.into_iter().for_each(Permit::failure);
        assert_eq!(calls_and_slow(&breaker).1, 2);
    }
}

/// Through rules that count no calls.
#[tokio::test(start_paused = true)]
async fn calls_in_flight_through_other_windows_are_neither_lost_nor_overdue_for_ever() {
    for window in windows() {
        for between in [
            BASE.max_failures(50),
            BASE.max_failures(50).window(seconds(9)),
        ] {
            let rules = slow(window, 5).min_calls(50);
            let breaker = breaker(rules);
            let [first, second, third, fourth] = [(); 4].map(|()| breaker.try_acquire().unwrap());
            reconfigure(&breaker, between);
            first.success();
            second.failure();
            drop(third);
            reconfigure(&breaker, rules);
            assert_eq!(calls_and_slow(&breaker), (0, 0));
            advance(seconds(6)).await;
            assert_eq!(calls_and_slow(&breaker), (0, 1), "the fourth");
            fourth.success();
            assert_eq!(calls_and_slow(&breaker), (1, 1));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_that_is_added_times_the_calls_that_start_from_then_on() {
    for window in windows() {
        for before in [0, 1_200] {
            let breaker = breaker(window.failure_rate(0.9).min_calls(50));
            (0..before).for_each(|_| succeed(&breaker));
            let untimed = breaker.try_acquire().unwrap();
            reconfigure(&breaker, slow(window, 1).min_calls(50));
            let timed = breaker.try_acquire().unwrap();
            advance(millis(1_500)).await;
            assert_eq!(calls_and_slow(&breaker).1, 1);
            untimed.success();
            timed.success();
            assert_eq!(calls_and_slow(&breaker).1, 1);
            assert_eq!(breaker.snapshot().slow, 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_call_that_nothing_timed_finds_one_that_is_overdue() {
    let breaker = breaker(BASE.max_failures(1).last_calls(1));
    let untimed = breaker.try_acquire().unwrap();
    let timed = BASE.last_calls(1).slow_call(seconds(5)).slow_rate(0.01);
    reconfigure(&breaker, timed.min_calls(1));
    let _overdue = breaker.try_acquire().unwrap();
    advance(seconds(6)).await;
    untimed.success();
    assert_eq!(breaker.state(), State::Open);
}

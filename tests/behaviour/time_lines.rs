//! Breakers that are used in more than one runtime, each with a paused clock of its own.

use crate::support::{
    advance, breaker, consecutive, fail, millis, retry_after, seconds, succeed, trip,
};
use circuit_runtime::{CircuitBreaker, Config, State};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

const DAY: u64 = 86_400;
const RESET: Duration = seconds(30);
const JUST_BEFORE: Duration = millis(29_999);

fn paused() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap()
}

/// Does what a test does with a breaker that others have used: opens the circuit, and sees it
/// recover after `RESET`.
async fn open_and_recover(breaker: &CircuitBreaker) {
    breaker.reset();
    trip(breaker);
    assert_eq!(retry_after(breaker), Some(RESET));
    advance(JUST_BEFORE).await;
    assert_eq!(breaker.state(), State::Open);
    advance(millis(1)).await;
    assert_eq!(breaker.state(), State::HalfOpen);
    succeed(breaker);
    assert_eq!(breaker.state(), State::Closed);
    breaker.force_open();
    breaker.reset();
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_circuit_recovers_in_a_runtime_that_had_used_it_before_another_ran_ahead() {
    let breaker = consecutive();
    let (first, second) = (paused(), paused());
    first.block_on(async { assert_eq!(breaker.state(), State::Closed) });
    second.block_on(async {
        advance(seconds(100 * DAY)).await;
        open_and_recover(&breaker).await;
    });
    first.block_on(open_and_recover(&breaker));
    second.block_on(open_and_recover(&breaker));
}

/// By turns in an order that repeats late, with spans from none to years, in runtimes that are paused,
/// were not when they used the breaker first, or never are.
#[test]
fn a_circuit_recovers_in_any_order_of_runtimes() {
    let breaker = consecutive();
    let resumed = Builder::new_current_thread().enable_time().build();
    let resumed = resumed.unwrap();
    resumed.block_on(async {
        trip(&breaker);
        tokio::time::pause();
        advance(RESET).await;
        assert_eq!(breaker.state(), State::HalfOpen);
    });
    let real = Builder::new_current_thread().enable_time().build().unwrap();
    let runtimes = [paused(), resumed, paused(), paused()];
    let mut order = 1_usize;
    for _ in 0..1_000 {
        order = order * 75 % 65_537;
        let days = [0, 0, 1, 30, 700][order % 5];
        let runtime = &runtimes[order % 7 % 4];
        runtime.block_on(async {
            if order.is_multiple_of(2) {
                trip(&breaker);
            }
            advance(seconds(days * DAY)).await;
            open_and_recover(&breaker).await;
        });
        if order.is_multiple_of(3) {
            // Its time is real, and cannot be advanced: only that it does not go back.
            real.block_on(async { assert_eq!(breaker.state(), State::Closed) });
            assert_eq!(breaker.state(), State::Closed, "outside of any");
        }
    }
}

/// Nineteen centuries for one breaker, and as many for all others.
#[test]
fn centuries_fit_into_one_process() {
    let shared = consecutive();
    let cases = if cfg!(debug_assertions) {
        20_000
    } else {
        100_000
    };
    let days = 1_900 * 366 / cases;
    for _ in 0..cases {
        let alone = consecutive();
        paused().block_on(async {
            open_and_recover(&shared).await;
            open_and_recover(&alone).await;
            advance(seconds(days * DAY)).await;
            trip(&alone);
            open_and_recover(&shared).await;
            open_and_recover(&alone).await;
        });
    }
}

/// A paused clock shows one moment for any number of transitions.
#[tokio::test(start_paused = true)]
async fn a_circuit_recovers_on_time_after_many_transitions_at_one_moment() {
    let breaker = consecutive();
    for transitions in [0, 31, 32, 33, 64, 1_000] {
        (0..transitions).for_each(|_| breaker.reset());
        trip(&breaker);
        advance(RESET).await;
        assert_eq!(breaker.state(), State::HalfOpen);
        breaker.reset();
    }
}

/// Evidence expires by the time that has passed in the runtimes which have used the breaker.
#[test]
fn a_window_spans_runtimes() {
    let config = Config::builder().max_failures(3).window(seconds(10));
    let breaker = breaker(config);
    let runtimes = [paused(), paused()];
    let fail_after = |runtime: usize, wait| {
        runtimes[runtime].block_on(async {
            // The clock of a runtime that the breaker has not seen yet is not known to have moved.
            assert_eq!(breaker.state(), State::Closed);
            advance(seconds(wait)).await;
            fail(&breaker);
        });
    };
    fail_after(0, 0);
    fail_after(1, 4);
    fail_after(0, 7);
    assert_eq!(breaker.state(), State::Closed, "the first is too old");
    fail_after(1, 1);
    assert_eq!(breaker.state(), State::Open);
}

/// A call and a probe go on in another runtime, whose clock is behind.
#[test]
fn calls_go_on_in_another_runtime() {
    let config = Config::builder().slow_call(seconds(1)).min_calls(2);
    let slow = breaker(config.last_calls(2));
    let probed = consecutive();
    let (first, second) = (paused(), paused());
    let (calls, probe) = first.block_on(async {
        advance(seconds(DAY)).await;
        let calls = [(); 2].map(|()| slow.try_acquire().unwrap());
        trip(&probed);
        advance(RESET).await;
        assert_eq!(slow.state(), State::Closed, "in its time, too");
        (calls, probed.try_acquire().unwrap())
    });
    second.block_on(async {
        calls.into_iter().for_each(circuit_runtime::Permit::success);
        assert_eq!(slow.state(), State::Open, "both took as long as they did");
        assert_eq!(probed.state(), State::HalfOpen);
        probed.try_acquire().expect_err("a probe has the slot");
        advance(RESET).await;
        succeed(&probed);
        assert_eq!(probed.state(), State::Closed, "the lease has ended");
    });
    first.block_on(async {
        probe.failure();
        assert_eq!(probed.state(), State::Closed, "it is stale");
    });
}

/// Tests that run at the same time, each with a breaker of its own and one that all share.
#[test]
fn runtimes_at_the_same_time_disturb_only_what_they_share() {
    const THREADS: usize = 4;
    let shared = consecutive();
    let together = Barrier::new(THREADS);
    thread::scope(|scope| {
        for number in 0..THREADS as u64 {
            let (shared, together) = (&shared, &together);
            scope.spawn(move || {
                let own = consecutive();
                together.wait();
                for _ in 0..200 {
                    paused().block_on(async {
                        fail(shared);
                        advance(seconds(number * DAY)).await;
                        open_and_recover(&own).await;
                        shared.reset();
                        let _ = (shared.state(), shared.snapshot());
                    });
                }
            });
        }
    });
    paused().block_on(open_and_recover(&shared));
}

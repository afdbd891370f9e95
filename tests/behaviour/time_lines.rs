//! Breakers that are used in more than one runtime, each with a paused clock of its own, and on
//! threads outside of any.

use crate::support::{
    Failed, advance, breaker, consecutive, fail, millis, retry_after, seconds, succeed, trip,
};
use circuit_runtime::{CircuitBreaker, Config, State};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant as SystemInstant};
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

/// By turns in an order that repeats late, with spans from none to years, in runtimes that are
/// paused, were not when they used the breaker first, or never are.
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
        10_000
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

/// Runs `action` on a thread outside of any runtime.
fn on_thread<R: Send>(action: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| scope.spawn(action).join().unwrap())
}

/// Opens the circuit by calls.
fn fail_blocking(breaker: &CircuitBreaker) {
    for _ in 0..3 {
        assert!(breaker.call_blocking(|| Err::<(), _>(Failed)).is_err());
    }
    assert_eq!(breaker.state(), State::Open);
}

/// Sees a circuit recover that was opened just now, and elsewhere: real time passes there, but not
/// for seconds.
async fn recover(breaker: &CircuitBreaker) {
    assert_eq!(breaker.state(), State::Open);
    recover_unseen(breaker).await;
}

/// The same without a reading of the clock before it is advanced.
async fn recover_unseen(breaker: &CircuitBreaker) {
    advance(seconds(20)).await;
    assert_eq!(breaker.state(), State::Open);
    advance(seconds(10)).await;
    assert_eq!(breaker.state(), State::HalfOpen);
}

#[test]
fn a_circuit_that_a_thread_opens_recovers_on_time() {
    let breaker = consecutive();
    paused().block_on(async {
        breaker.reset();
        on_thread(|| fail_blocking(&breaker));
        recover_unseen(&breaker).await;
        // Again, an hour later, and after the thread has had to wait for the processor.
        advance(seconds(3_600)).await;
        on_thread(|| {
            (0..1_000).for_each(|_| thread::yield_now());
            breaker.reset();
            fail_blocking(&breaker);
        });
        recover(&breaker).await;
    });
}

/// The runtime has created the breaker, but not used it when the thread opens the circuit.
#[test]
fn a_circuit_that_a_thread_opens_first_recovers_on_time() {
    paused().block_on(async {
        advance(seconds(DAY)).await;
        let breaker = consecutive();
        advance(seconds(DAY)).await;
        on_thread(|| fail_blocking(&breaker));
        recover_unseen(&breaker).await;
    });
}

/// No breaker was created or used in the runtime before its clock is advanced.
#[test]
fn a_circuit_that_was_opened_outside_of_a_runtime_recovers_in_it() {
    let breaker = consecutive();
    fail_blocking(&breaker);
    paused().block_on(recover_at_once(&breaker));

    // The runtime has stood still for a time that is not known, but short.
    let (mut breaker, mut runtime);
    while {
        let start = SystemInstant::now();
        (breaker, runtime) = (consecutive(), paused());
        on_thread(|| fail_blocking(&breaker));
        start.elapsed() > millis(500)
    } {}
    runtime.block_on(recover_at_once(&breaker));
}

async fn recover_at_once(breaker: &CircuitBreaker) {
    advance(RESET).await;
    assert_eq!(breaker.state(), State::HalfOpen);
}

#[test]
fn a_circuit_that_a_runtime_on_the_real_clock_opens_recovers_on_time() {
    let breaker = consecutive();
    let mut builder = Builder::new_multi_thread();
    let real = builder.worker_threads(1).enable_time().build().unwrap();
    paused().block_on(async {
        breaker.reset();
        on_thread(|| real.block_on(async { fail_blocking(&breaker) }));
        recover(&breaker).await;
        // A thread sees so before this runtime asks again.
        breaker.reset();
        on_thread(|| fail_blocking(&breaker));
        advance(RESET).await;
        on_thread(|| real.block_on(async { assert_eq!(breaker.state(), State::HalfOpen) }));
    });
}

#[test]
fn a_circuit_that_a_runtime_ahead_opens_recovers_on_time() {
    let breaker = consecutive();
    let (behind, ahead) = (paused(), paused());
    behind.block_on(async { breaker.reset() });
    ahead.block_on(async {
        breaker.reset();
        advance(seconds(10)).await;
        fail_blocking(&breaker);
    });
    behind.block_on(recover(&breaker));
}

/// The test's runtime has used another breaker only, before the circuit opens or after.
#[test]
fn a_circuit_that_another_paused_runtime_opens_recovers_on_time() {
    let (breaker, other) = (consecutive(), consecutive());
    let user = paused();
    let open = || {
        user.block_on(async {
            advance(seconds(DAY)).await;
            breaker.reset();
            fail_blocking(&breaker);
        });
    };
    let use_other = || assert_eq!(other.state(), State::Closed);
    user.block_on(async { breaker.reset() });
    for is_known_before in [true, false] {
        let test = paused();
        if is_known_before {
            test.block_on(async {
                use_other();
                advance(seconds(DAY)).await;
            });
            open();
        } else {
            open();
            test.block_on(async { use_other() });
        }
        test.block_on(async {
            advance(seconds(20)).await;
            // A thread that asks meanwhile takes nothing away from it.
            on_thread(|| assert_eq!(breaker.state(), State::Open));
            advance(millis(9_500)).await;
            assert_eq!(breaker.state(), State::Open);
            advance(millis(500)).await;
            assert_eq!(breaker.state(), State::HalfOpen);
        });
    }
}

/// Time that was advanced before a circuit opened is over by then, on whichever thread.
#[test]
fn earlier_advances_do_not_count_for_a_circuit_that_opens_later() {
    let (shared, other) = (consecutive(), consecutive());
    let (first, second) = (paused(), paused());
    second.block_on(async { assert_eq!(other.state(), State::Closed) });
    first.block_on(async { shared.reset() });
    for hours in 1..20 {
        // One of them uses the circuit, the other one begins to.
        first.block_on(advance(seconds(hours * 3_600)));
        second.block_on(advance(seconds(hours * 3_600)));
        if hours % 2 == 0 {
            on_thread(|| fail_blocking(&shared));
        } else {
            first.block_on(async { fail_blocking(&shared) });
        }
        second.block_on(async { assert_eq!(shared.state(), State::Open) });
        first.block_on(recover(&shared));
        shared.reset();
    }
}

#[test]
fn a_thread_may_probe_after_an_advance() {
    let breaker = consecutive();
    paused().block_on(async {
        trip(&breaker);
        advance(seconds(20)).await;
        on_thread(|| assert!(breaker.try_acquire().is_err()));
        advance(seconds(10)).await;
        on_thread(|| succeed(&breaker));
        assert_eq!(breaker.state(), State::Closed);
    });
}

#[test]
fn evidence_of_a_thread_expires_on_time() {
    let config = Config::builder().max_failures(2).window(seconds(10));
    let breaker = breaker(config);
    paused().block_on(async {
        for (wait, expected) in [(10, State::Closed), (5, State::Open)] {
            breaker.reset();
            on_thread(|| fail(&breaker));
            advance(seconds(wait)).await;
            fail(&breaker);
            assert_eq!(breaker.state(), expected, "after {wait} s");
        }
    });
}

/// However many others have used the circuit meanwhile, and whether they still exist.
#[test]
fn a_circuit_recovers_beside_any_number_of_runtimes() {
    const OTHERS: usize = 100;
    let breaker = consecutive();
    let first = paused();
    first.block_on(async { trip(&breaker) });
    let others: Vec<_> = (0..OTHERS).map(|_| paused()).collect();
    for other in &others {
        other.block_on(async { assert_eq!(breaker.state(), State::Open) });
    }
    first.block_on(async {
        advance(RESET).await;
        assert_eq!(breaker.state(), State::HalfOpen);
        open_and_recover(&breaker).await;
        trip(&breaker);
    });
    let together = Barrier::new(OTHERS);
    thread::scope(|scope| {
        for _ in 0..OTHERS {
            scope.spawn(|| {
                let runtime = paused();
                together.wait();
                runtime.block_on(async { assert_eq!(breaker.state(), State::Open) });
                together.wait();
            });
        }
    });
    first.block_on(async {
        advance(RESET).await;
        assert_eq!(breaker.state(), State::HalfOpen);
    });
    for other in others {
        other.block_on(open_and_recover(&breaker));
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
            // Before that, it is not known exactly how far the clock of a runtime has moved.
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

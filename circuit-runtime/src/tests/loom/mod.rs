//! Loom models: small programs, checked under every interleaving, the longer ones under those with
//! at most two or three preemptions. Run with `RUSTFLAGS="--cfg circuit_loom" cargo test -p
//! circuit-runtime --lib --release tests::loom`.

mod delivery;
mod details;
mod evidence;
mod holds;
mod ramp;
mod remote;
mod rules;
mod unavailable;
mod withheld;

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use loom::thread;

use crate::circuit::counters::{Counters, Total};
use crate::circuit::handle::CircuitHandle;
use crate::circuit::state::Phase;
use crate::circuit::{Circuit, Outcome, Owner};
use crate::clock::model::{keep_behind, set as set_clock};
use crate::keyed::{KeyedCircuits, KeyedHandle};
use crate::sync::thread::{leave_slots, release_slot};
use crate::{CircuitBreaker, Config, ConfigBuilder, State};

const RESET: u64 = 30_000_000;
const LAG: u64 = crate::clock::LAG.as_micros();

/// The program of one thread.
type Run<R = ()> = Box<dyn FnOnce() -> R>;

/// Creates a breaker that opens after `max_failures` consecutive failures, for thirty seconds. The
/// clock starts at zero; the breaker is never freed, so that permits can be moved to other threads.
fn breaker(max_failures: u32) -> &'static CircuitBreaker {
    set_clock(0);
    keep_behind(0);
    let config = Config::builder().max_failures(max_failures);
    let config = config.reset(Duration::from_micros(RESET)).build().unwrap();
    Box::leak(Box::new(CircuitBreaker::new("model", config)))
}

/// Creates a breaker that has just become half-open.
fn half_open() -> &'static CircuitBreaker {
    let breaker = breaker(1);
    breaker.try_acquire().unwrap().failure();
    set_clock(RESET);
    breaker
}

fn circuit(breaker: &CircuitBreaker) -> &Circuit {
    breaker.as_ref()
}

/// Runs all concurrently, and returns their results in order.
fn race<R: 'static, const N: usize>(runs: [Run<R>; N]) -> [R; N] {
    runs.map(thread::spawn)
        .map(|running| running.join().unwrap())
}

fn admitted(breaker: &CircuitBreaker) -> bool {
    breaker.try_acquire().map(mem::forget).is_ok()
}

/// Failures that reach the limit together open the circuit, once.
#[test]
fn trip_against_trip() {
    loom::model(|| {
        let breaker = breaker(2);
        let fail = || breaker.try_acquire().unwrap().failure();
        race([Box::new(fail), Box::new(fail)]);
        assert_eq!(breaker.state(), State::Open);
        assert_eq!(breaker.snapshot().opened, 1);
        assert_eq!(breaker.snapshot().failed, 2);
    });
}

/// A stale failure is not counted in the evidence of a later generation.
#[test]
fn stale_failure_against_later_evidence() {
    loom::model(|| {
        let breaker = breaker(3);
        let stale = breaker.try_acquire().unwrap();
        race([
            Box::new(move || stale.failure()),
            Box::new(|| {
                breaker.reset();
                breaker.try_acquire().unwrap().failure();
            }),
        ]);
        breaker.try_acquire().unwrap().failure();
        assert_eq!(breaker.state(), State::Closed, "two of three failures");
        breaker.try_acquire().unwrap().failure();
        assert_eq!(breaker.state(), State::Open);
    });
}

/// The result of a call that a trip has made stale neither closes nor reopens the circuit, and does
/// not count once the circuit has recovered.
#[test]
fn trip_against_stale_results() {
    let number = Config::builder().max_failures(2);
    let span = number.window(Duration::from_micros(RESET));
    for config in [number, span, number.last_calls(10)] {
        for success in [true, false] {
            // It would reset the streak.
            if success && config.build().unwrap() == number.build().unwrap() {
                continue;
            }
            model_of_three(move || {
                let breaker = breaker_with(config);
                let [first, second, stale] = [(); 3].map(|()| breaker.try_acquire().unwrap());
                race([
                    Box::new(move || {
                        first.failure();
                        second.failure();
                    }) as Run,
                    Box::new(move || {
                        if success {
                            stale.success();
                        } else {
                            stale.failure();
                        }
                    }),
                ]);
                assert_eq!(breaker.state(), State::Open);
                assert_eq!(breaker.snapshot().opened, 1);
                set_clock(RESET);
                succeed(breaker);
                fail(breaker);
                assert_eq!(breaker.state(), State::Closed, "one of two failures");
                fail(breaker);
                assert_eq!(breaker.state(), State::Open);
            });
        }
    }
}

/// Whichever comes first, the order holds: a trip neither opens a circuit that is forced closed or
/// was reset, nor releases one that is forced open.
#[test]
fn trip_against_orders() {
    let orders: [(fn(&CircuitBreaker), bool); 3] = [
        (CircuitBreaker::force_open, true),
        (CircuitBreaker::force_closed, false),
        (CircuitBreaker::reset, false),
    ];
    for (order, stays_open) in orders {
        loom::model(move || {
            let breaker = breaker(1);
            let call = breaker.try_acquire().unwrap();
            race([
                Box::new(move || call.failure()) as Run,
                Box::new(move || order(breaker)),
            ]);
            set_clock(2 * RESET);
            assert_eq!(admitted(breaker), !stays_open);
            assert_eq!(breaker.state() == State::Open, stays_open);
            assert_eq!(breaker.snapshot().retry_after, None);
        });
    }
}

/// Checks three threads, with at most two preemptions: with three, it takes gigabytes.
fn model_of_three(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

/// Checks programs of very many steps, with at most two preemptions.
fn model_of_few_preemptions(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

/// Exactly one of three calls at the deadline is admitted, even if the coarse clock lags behind
/// the deadline.
#[test]
fn three_calls_race_for_a_slot_at_the_deadline() {
    for lag in [0, LAG - 1] {
        model_of_three(move || {
            let breaker = half_open();
            keep_behind(lag);
            let call = || admitted(breaker);
            let admitted = race([Box::new(call), Box::new(call), Box::new(call)]);
            assert_eq!(admitted.iter().filter(|&&admitted| admitted).count(), 1);
        });
    }
}

/// A call racing the deadline may be admitted or not, but never two of them.
#[test]
fn two_calls_race_the_deadline() {
    model_of_three(|| {
        let breaker = half_open();
        set_clock(RESET - 1);
        let [_, first, second] = race([
            Box::new(|| {
                set_clock(RESET);
                false
            }) as Run<bool>,
            Box::new(|| admitted(breaker)),
            Box::new(|| admitted(breaker)),
        ]);
        assert!(!(first && second), "there is one slot");
        assert_eq!(admitted(breaker), !(first || second));
    });
}

/// Whatever the result of a probe, a concurrent order holds.
#[test]
fn probe_against_order() {
    for success in [true, false] {
        loom::model(move || {
            let breaker = half_open();
            let probe = breaker.try_acquire().unwrap();
            race([
                Box::new(move || {
                    if success {
                        probe.success()
                    } else {
                        probe.failure()
                    }
                }),
                Box::new(|| {
                    breaker.force_open();
                    assert!(!admitted(breaker));
                }),
            ]);
            assert!(!admitted(breaker));
            assert_eq!(breaker.snapshot().retry_after, None);
        });
    }
}

/// A probe that succeeds while the circuit is reset does not clear the evidence that follows the
/// reset.
#[test]
fn probe_success_against_reset() {
    loom::model(|| {
        let breaker = breaker(3);
        (0..3).for_each(|_| fail(breaker));
        set_clock(RESET);
        let probe = breaker.try_acquire().unwrap();
        race([
            Box::new(move || probe.success()) as Run,
            Box::new(|| {
                breaker.reset();
                fail(breaker);
            }),
        ]);
        assert_eq!(breaker.state(), State::Closed);
        fail(breaker);
        assert_eq!(breaker.state(), State::Closed, "two of three failures");
        fail(breaker);
        assert_eq!(breaker.state(), State::Open);
    });
}

/// A slot that is released after an order admits no call.
#[test]
fn probe_drop_against_order() {
    loom::model(|| {
        let breaker = half_open();
        let probe = breaker.try_acquire().unwrap();
        let [_, admitted] = race([
            Box::new(move || {
                breaker.force_open();
                drop(probe);
                false
            }),
            Box::new(|| admitted(breaker)),
        ]);
        assert!(!admitted, "the slot was taken until the order");
    });
}

/// A request for a slot of a generation that a reset has just ended takes no slot, and blocks no
/// other call.
#[test]
fn slot_request_against_reset() {
    model_of_three(|| {
        let breaker = half_open();
        let request = || {
            circuit(breaker)
                .admit()
                .ok()
                .map(|ticket| ticket.word().phase())
        };
        let [_, first, second] = race([
            Box::new(|| {
                breaker.reset();
                None
            }) as Run<Option<Phase>>,
            Box::new(request),
            Box::new(request),
        ]);
        if [first, second].contains(&None) {
            assert!(
                [first, second].contains(&Some(Phase::Open)),
                "one is a probe"
            );
        }
    });
}

/// A probe whose lease has expired does not release the slot of the next probe.
#[test]
fn overdue_probe_drop_against_two_calls() {
    model_of_three(|| {
        let breaker = half_open();
        let overdue = breaker.try_acquire().unwrap();
        set_clock(2 * RESET);
        let [_, first, second] = race([
            Box::new(move || {
                drop(overdue);
                false
            }),
            Box::new(|| admitted(breaker)),
            Box::new(|| admitted(breaker)),
        ]);
        assert!(first ^ second, "exactly one is admitted");
    });
}

/// A probe is dropped while its lease expires: its slot becomes free once.
#[test]
fn probe_drop_against_the_end_of_its_lease() {
    loom::model(|| {
        let breaker = half_open();
        let probe = breaker.try_acquire().unwrap();
        let [_, next] = race([
            Box::new(move || {
                drop(probe);
                false
            }),
            Box::new(|| {
                set_clock(2 * RESET);
                admitted(breaker)
            }),
        ]);
        assert!(next, "the slot is free");
        assert!(!admitted(breaker), "the slot is taken");
    });
}

/// The first of two results in one half-open generation decides, and the other is stale.
#[test]
fn probe_success_against_failure_of_an_overdue_probe() {
    loom::model(|| {
        let breaker = half_open();
        let overdue = breaker.try_acquire().unwrap();
        set_clock(2 * RESET);
        let probe = breaker.try_acquire().unwrap();
        race([
            Box::new(move || overdue.failure()) as Run,
            Box::new(move || probe.success()),
        ]);
        assert_ne!(breaker.state(), State::HalfOpen);
        assert_eq!(
            breaker.snapshot().opened > 1,
            breaker.state() == State::Open
        );
    });
}

/// A success resets the streak of the failures before it, whatever fails concurrently.
#[test]
fn success_against_consecutive_failures() {
    loom::model(|| {
        let breaker = breaker(3);
        breaker.try_acquire().unwrap().failure();
        race([
            Box::new(|| breaker.try_acquire().unwrap().success()) as Run,
            Box::new(|| breaker.try_acquire().unwrap().failure()),
        ]);
        breaker.try_acquire().unwrap().failure();
        assert_eq!(
            breaker.state(),
            State::Closed,
            "at most two consecutive failures"
        );
    });
}

/// A success either resets the streak before the failure that would reach the limit, or returns
/// after the circuit has opened: a call that it finds closed then stays closed.
#[test]
fn success_against_the_failure_that_reaches_the_limit() {
    loom::model(|| {
        let breaker = breaker(2);
        fail(breaker);
        let [failing, succeeding] = [(); 2].map(|()| breaker.try_acquire().unwrap());
        let [_, admitted] = race([
            Box::new(move || {
                failing.failure();
                false
            }) as Run<bool>,
            Box::new(move || {
                succeeding.success();
                admitted(breaker)
            }),
        ]);
        assert_eq!(breaker.state() == State::Closed, admitted);
    });
}

/// A thread's slot, and the stripe that belongs to it, is passed on with everything counted so far.
#[test]
fn stripes_against_reuse_of_a_slot() {
    loom::model(|| {
        let counters: &'static Counters = Box::leak(Box::default());
        let count = || {
            counters.add(Total::Succeeded);
            release_slot();
        };
        race([Box::new(count), Box::new(count)]);
        assert_eq!(counters.total(Total::Succeeded), 2);
    });
}

/// One of two threads finds the only slot taken, and takes it once the other has released it.
#[test]
fn a_thread_without_a_slot_against_the_release_of_one() {
    loom::model(|| {
        leave_slots(1);
        let counters: &'static Counters = Box::leak(Box::default());
        let count = || {
            counters.add(Total::Succeeded);
            counters.add(Total::Succeeded);
            release_slot();
        };
        race([Box::new(count), Box::new(count)]);
        assert_eq!(counters.total(Total::Succeeded), 4);
    });
}

/// A reader never sees a total decrease or exceed its true value, and in the end each is exact.
#[test]
fn stripes_against_a_reader() {
    model_of_three(|| {
        let counters: &'static Counters = Box::leak(Box::default());
        let total = || counters.total(Total::Succeeded);
        let count = || {
            counters.add(Total::Succeeded);
            counters.add(Total::Succeeded);
            release_slot();
        };
        race([
            Box::new(count) as Run,
            Box::new(count),
            Box::new(move || {
                let first = total();
                let second = total();
                assert!(first <= second && second <= 4, "{first}, then {second}");
            }),
        ]);
        assert_eq!(total(), 4);
    });
}

/// `slow_call`, and the length of a bucket of the window.
const SPAN: u64 = 7_000;

/// Creates a breaker with these rules, which is never freed. The clock starts at zero.
fn breaker_with(config: ConfigBuilder) -> &'static CircuitBreaker {
    set_clock(0);
    keep_behind(0);
    let config = config.reset(Duration::from_micros(RESET)).build().unwrap();
    Box::leak(Box::new(CircuitBreaker::new("model", config)))
}

/// Creates a breaker with two probes that has just become half-open.
fn half_open_for_two(max_failures: u32) -> &'static CircuitBreaker {
    let breaker = breaker_with(Config::builder().max_failures(max_failures).probes(2));
    (0..max_failures).for_each(|_| fail(breaker));
    set_clock(RESET);
    breaker
}

/// Returns rules that open at this share of at least `min_calls` calls: of the last ten, and in a
/// time window.
fn rates(failure_rate: f64, min_calls: u32) -> [ConfigBuilder; 2] {
    let config = Config::builder()
        .failure_rate(failure_rate)
        .min_calls(min_calls);
    [
        config.last_calls(10),
        config.window(Duration::from_micros(20 * SPAN)),
    ]
}

fn succeed(breaker: &CircuitBreaker) {
    breaker.try_acquire().unwrap().success();
}

fn fail(breaker: &CircuitBreaker) {
    breaker.try_acquire().unwrap().failure();
}

/// Exactly two of three calls at the deadline of a circuit with two slots are admitted.
#[test]
fn three_calls_race_for_two_slots_at_the_deadline() {
    model_of_three(|| {
        let breaker = half_open_for_two(1);
        let call = || admitted(breaker);
        let admitted = race([Box::new(call), Box::new(call), Box::new(call)]);
        assert_eq!(admitted.iter().filter(|&&admitted| admitted).count(), 2);
    });
}

/// Two concurrent successes of probes close the circuit once: every failure after that counts.
#[test]
fn probe_success_against_another_success() {
    model_of_few_preemptions(|| {
        let breaker = half_open_for_two(3);
        let probes = [(); 2].map(|()| breaker.try_acquire().unwrap());
        let runs = probes.map(|probe| {
            let run = move || {
                probe.success();
                let closed = breaker.state() == State::Closed;
                if closed {
                    fail(breaker);
                }
                closed
            };
            Box::new(run) as Run<bool>
        });
        let failed = race(runs).iter().filter(|&&failed| failed).count();
        assert!(failed > 0, "the last one finds it closed");
        (failed..2).for_each(|_| fail(breaker));
        assert_eq!(breaker.state(), State::Closed, "two of three failures");
        fail(breaker);
        assert_eq!(breaker.state(), State::Open);
    });
}

/// If one of two probes fails, the circuit reopens once, whichever ends first.
#[test]
fn probe_success_against_failure_of_another() {
    loom::model(|| {
        let breaker = half_open_for_two(1);
        let (first, second) = (
            breaker.try_acquire().unwrap(),
            breaker.try_acquire().unwrap(),
        );
        race([
            Box::new(move || first.success()) as Run,
            Box::new(move || second.failure()),
        ]);
        assert_eq!(breaker.state(), State::Open);
        assert_eq!(breaker.snapshot().opened, 2);
    });
}

/// The slot of a probe that succeeds admits no other call.
#[test]
fn probe_success_against_a_slot_request() {
    loom::model(|| {
        let breaker = half_open_for_two(1);
        let probe = breaker.try_acquire().unwrap();
        mem::forget(breaker.try_acquire().unwrap());
        let [_, admitted] = race([
            Box::new(move || {
                probe.success();
                false
            }),
            Box::new(|| admitted(breaker)),
        ]);
        assert!(!admitted, "both slots are taken");
    });
}

/// A released slot goes to one of two calls, and the other slot stays taken.
#[test]
fn probe_drop_against_two_slot_requests() {
    model_of_three(|| {
        let breaker = half_open_for_two(1);
        let probe = breaker.try_acquire().unwrap();
        mem::forget(breaker.try_acquire().unwrap());
        let [_, first, second] = race([
            Box::new(move || {
                drop(probe);
                false
            }),
            Box::new(|| admitted(breaker)),
            Box::new(|| admitted(breaker)),
        ]);
        assert!(!(first && second), "one slot was released");
        assert_eq!(admitted(breaker), !(first || second));
    });
}

/// A concurrent success and failure are both counted towards a rate, which the next call evaluates
/// with both.
#[test]
fn success_against_failure_under_a_rate() {
    for config in rates(0.5, 3) {
        loom::model(move || {
            let breaker = breaker_with(config);
            race([
                Box::new(|| succeed(breaker)) as Run,
                Box::new(|| fail(breaker)),
            ]);
            assert_eq!(breaker.state(), State::Closed, "two calls are too few");
            fail(breaker);
            assert_eq!(breaker.state(), State::Open, "2 of 3");
        });
    }
    for config in rates(0.7, 2) {
        loom::model(move || {
            let breaker = breaker_with(config);
            race([
                Box::new(|| succeed(breaker)) as Run,
                Box::new(|| fail(breaker)),
            ]);
            fail(breaker);
            assert_eq!(breaker.state(), State::Closed, "2 of 3");
        });
    }
}

/// A rate is exceeded, but `min_calls` is not reached: of concurrent successes, the one that
/// reaches it opens the circuit, once, even on a thread that has counted before.
#[test]
fn successes_race_to_reach_min_calls() {
    for config in rates(0.4, 5) {
        model_of_few_preemptions(move || {
            let breaker = breaker_with(config);
            fail(breaker);
            fail(breaker);
            race([
                Box::new(|| {
                    succeed(breaker);
                    succeed(breaker);
                }) as Run,
                Box::new(|| succeed(breaker)),
            ]);
            assert_eq!(breaker.state(), State::Open, "2 of 5");
            assert_eq!(breaker.snapshot().opened, 1);
        });
    }
}

/// Stale results, on a thread that has counted in the earlier generation, neither count in the next
/// one nor remove evidence from it.
#[test]
fn stale_results_against_the_first_call_under_a_rate() {
    for success in [true, false] {
        for config in rates(0.3, 3) {
            model_of_few_preemptions(move || {
                let breaker = breaker_with(config);
                let stale = [(); 2].map(|()| breaker.try_acquire().unwrap());
                race([
                    Box::new(move || {
                        let [first, second] = stale;
                        first.success();
                        if success {
                            second.success();
                        } else {
                            second.failure();
                        }
                    }) as Run,
                    Box::new(|| {
                        breaker.reset();
                        fail(breaker);
                    }),
                ]);
                succeed(breaker);
                assert_eq!(breaker.state(), State::Closed, "two calls are too few");
                succeed(breaker);
                assert_eq!(breaker.state(), State::Open, "1 of 3");
            });
        }
    }
}

/// The first calls of a generation on two threads are both counted in it.
#[test]
fn first_call_of_a_generation_against_another_first_call() {
    for config in rates(0.6, 3) {
        model_of_few_preemptions(move || {
            let breaker = breaker_with(config);
            succeed(breaker);
            fail(breaker);
            breaker.reset();
            race([
                Box::new(|| succeed(breaker)) as Run,
                Box::new(|| fail(breaker)),
            ]);
            assert_eq!(breaker.state(), State::Closed, "two calls are too few");
            fail(breaker);
            assert_eq!(breaker.state(), State::Open, "2 of 3");
        });
    }
}

/// Returns a rule that opens when three of ten calls, at least three, in a time window were slow.
fn slow_calls() -> ConfigBuilder {
    Config::builder()
        .slow_call(Duration::from_micros(SPAN))
        .slow_rate(0.3)
        .min_calls(3)
        .window(Duration::from_micros(20 * SPAN))
}

/// Asserts that no earlier call is overdue or in the window, and that every later overdue call is
/// detected.
fn assert_none_overdue(breaker: &CircuitBreaker) {
    set_clock(30 * SPAN);
    (0..4).for_each(|_| succeed(breaker));
    assert_eq!(breaker.state(), State::Closed, "0 of 4");
    (0..2).for_each(|_| mem::forget(breaker.try_acquire().unwrap()));
    set_clock(32 * SPAN);
    assert!(!admitted(breaker), "2 of 6");
}

/// An overdue call ends on another thread than it started on, while a third thread detects it: it
/// counts once, and is not overdue any more.
#[test]
fn end_of_an_overdue_call_against_its_detection() {
    model_of_few_preemptions(|| {
        let breaker = breaker_with(slow_calls());
        let overdue = breaker.try_acquire().unwrap();
        set_clock(SPAN + 1);
        race([
            Box::new(move || overdue.success()) as Run,
            Box::new(|| drop(breaker.try_acquire())),
        ]);
        succeed(breaker);
        assert_eq!(breaker.state(), State::Closed, "1 of 2: once");
        assert_none_overdue(breaker);
    });
}

/// A call ends just before it is overdue, or after: a concurrent call may find it overdue, but none
/// does once it has ended.
#[test]
fn end_of_a_call_against_the_moment_it_becomes_overdue() {
    model_of_few_preemptions(|| {
        let breaker = breaker_with(slow_calls());
        let call = breaker.try_acquire().unwrap();
        set_clock(SPAN);
        race([
            Box::new(move || call.success()) as Run,
            Box::new(|| {
                set_clock(SPAN + 1);
                drop(breaker.try_acquire());
            }),
        ]);
        assert_none_overdue(breaker);
    });
}

/// A call ends while a failure on another thread moves all evidence to the full ledger: it counts
/// as a success once, and is not in flight any more.
#[test]
fn end_of_a_call_against_the_move_of_all_evidence() {
    let config = slow_calls().failure_rate(0.5);
    model_of_few_preemptions(move || {
        let breaker = breaker_with(config);
        let call = breaker.try_acquire().unwrap();
        race([
            Box::new(move || call.success()) as Run,
            Box::new(|| fail(breaker)),
        ]);
        assert_eq!(breaker.state(), State::Closed, "two calls are too few");
        succeed(breaker);
        assert_eq!(breaker.state(), State::Closed, "1 of 3");
        fail(breaker);
        assert_eq!(breaker.state(), State::Open, "2 of 4");
    });
    model_of_few_preemptions(|| {
        let breaker = breaker_with(slow_calls());
        let [call, other] = [(); 2].map(|()| breaker.try_acquire().unwrap());
        race([
            Box::new(move || call.success()) as Run,
            Box::new(move || other.failure()),
        ]);
        assert_none_overdue(breaker);
    });
}

/// Two threads find at once that there is no room for another success, and move all evidence: once.
#[test]
fn move_of_all_evidence_against_another_move() {
    for config in rates(0.2, 5) {
        model_of_few_preemptions(move || {
            let breaker = breaker_with(config);
            succeed(breaker);
            race([
                Box::new(|| succeed(breaker)) as Run,
                Box::new(|| succeed(breaker)),
            ]);
            fail(breaker);
            assert_eq!(breaker.state(), State::Closed, "four calls are too few");
            succeed(breaker);
            assert_eq!(breaker.state(), State::Open, "1 of 5");
        });
    }
}

/// A call starts on a thread that has read the clock, while another thread opens the next group and
/// finds the previous one overdue.
#[test]
fn start_of_a_call_against_the_end_of_its_group() {
    model_of_few_preemptions(|| {
        let breaker = breaker_with(slow_calls());
        succeed(breaker);
        race([
            Box::new(|| succeed(breaker)) as Run,
            Box::new(|| {
                set_clock(2 * SPAN);
                drop(breaker.try_acquire());
            }),
        ]);
        assert_none_overdue(breaker);
    });
}

/// A call that is counted while another thread begins the next bucket is in one of the two.
#[test]
fn rotation_of_a_bucket_against_a_call() {
    let [_, config] = rates(0.5, 4);
    model_of_few_preemptions(move || {
        let breaker = breaker_with(config);
        set_clock(100 * SPAN);
        succeed(breaker);
        race([
            Box::new(|| succeed(breaker)) as Run,
            Box::new(|| {
                set_clock(101 * SPAN);
                fail(breaker);
            }),
        ]);
        assert_eq!(breaker.state(), State::Closed, "three calls are too few");
        fail(breaker);
        assert_eq!(breaker.state(), State::Open, "2 of 4");
    });
    let [_, config] = rates(0.7, 3);
    model_of_few_preemptions(move || {
        let breaker = breaker_with(config);
        set_clock(100 * SPAN);
        succeed(breaker);
        race([
            Box::new(|| succeed(breaker)) as Run,
            Box::new(|| {
                set_clock(101 * SPAN);
                fail(breaker);
            }),
        ]);
        fail(breaker);
        assert_eq!(breaker.state(), State::Closed, "2 of 4");
        set_clock(121 * SPAN);
        fail(breaker);
        fail(breaker);
        assert_eq!(breaker.state(), State::Closed, "earlier calls have expired");
        fail(breaker);
        assert_eq!(breaker.state(), State::Open, "3 of 3");
    });
}

/// An overdue probe fails while another probe is admitted: the lease of that one blocks no call of
/// the next half-open phase.
#[test]
fn failure_of_an_overdue_probe_against_another_probe() {
    loom::model(|| {
        let breaker = half_open();
        let overdue = breaker.try_acquire().unwrap();
        set_clock(2 * RESET);
        race([
            Box::new(move || overdue.failure()) as Run,
            Box::new(|| {
                set_clock(2 * RESET + 5);
                admitted(breaker);
            }),
        ]);
        assert_eq!(breaker.state(), State::Open);
        set_clock(3 * RESET + 4);
        if breaker.state() == State::HalfOpen {
            assert!(admitted(breaker), "the slot is free");
        }
    });
}

/// A call that requests a slot while the circuit reopens, and is preempted until the next half-open
/// phase, blocks no call of that phase.
#[test]
fn slot_request_of_an_earlier_phase_against_the_next() {
    loom::model(|| {
        let breaker = half_open();
        let overdue = breaker.try_acquire().unwrap();
        set_clock(2 * RESET);
        let [_, first] = race([
            Box::new(move || {
                overdue.failure();
                set_clock(3 * RESET);
                false
            }),
            Box::new(|| admitted(breaker)),
        ]);
        assert!(first || admitted(breaker), "all slots are free");
    });
}

/// A failure that is recorded while time passes counts at its own time: never together with one
/// that is a window older, always with one that is younger than that.
#[test]
fn failure_that_enters_the_window_against_one_that_expires() {
    for (later, all_count) in [(SPAN, false), (SPAN - 1, true)] {
        loom::model(move || {
            let span = Duration::from_micros(SPAN);
            let breaker = breaker_with(Config::builder().max_failures(3).window(span));
            fail(breaker);
            race([
                Box::new(|| fail(breaker)) as Run,
                Box::new(move || {
                    set_clock(later);
                    fail(breaker);
                }),
            ]);
            assert_eq!(breaker.state() == State::Open, all_count);
            assert_eq!(breaker.snapshot().opened, u64::from(all_count));
        });
    }
}

/// A success displaces a failure among the last calls before that counts, or after it has opened
/// the circuit.
#[test]
fn failure_of_the_last_calls_against_the_success_that_displaces_it() {
    let config = Config::builder().max_failures(1).last_calls(1);
    for config in [config, config.slow_call(Duration::from_micros(SPAN))] {
        model_of_few_preemptions(move || {
            let breaker = breaker_with(config);
            succeed(breaker);
            let [failing, first, second] = [(); 3].map(|()| breaker.try_acquire().unwrap());
            race([
                Box::new(move || failing.failure()) as Run,
                Box::new(move || {
                    // The first on its thread is counted under the lock.
                    first.success();
                    second.success();
                }),
            ]);
            assert_eq!(breaker.snapshot().opened, 1);
        });
    }
}

/// Creates a keyed map of at most one circuit, which opens at one failure; the key `a` exists.
fn keyed() -> &'static KeyedCircuits {
    set_clock(0);
    let config = Config::builder().max_failures(1).build().unwrap();
    let circuits = KeyedCircuits::new("model".into(), config, Owner::Breakers, 1);
    circuits.for_key("a");
    Box::leak(Box::new(circuits))
}

/// A thread that finds a circuit just before its eviction and one that looks its key up afterwards
/// have the same circuit.
#[test]
fn lookup_of_a_key_against_its_eviction() {
    model_of_few_preemptions(|| {
        let circuits = keyed();
        let find = || circuits.for_key("a");
        let evict = || {
            circuits.for_key("b");
            circuits.for_key("a")
        };
        let [found, found_again] = race([Box::new(find), Box::new(evict)]);
        assert!(Arc::ptr_eq(&found, &found_again));
    });
}

/// A failure of a call that started before its circuit was evicted opens the circuit of its key.
#[test]
fn failure_of_a_key_against_its_eviction() {
    model_of_few_preemptions(|| {
        let circuits = keyed();
        let call = || fail(&CircuitBreaker::from_circuit(circuits.for_key("a")));
        let evict = || {
            circuits.for_key("b");
            circuits.for_key("c");
        };
        race([Box::new(call), Box::new(evict)]);
        assert_eq!(circuits.for_key("a").state(), State::Open);
    });
}

/// Creates a keyed map as [`keyed`] does; the circuit of `a` has opened, and has not been probed
/// for so long that it may be evicted.
fn keyed_expired() -> &'static KeyedCircuits {
    let circuits = keyed();
    fail(&CircuitBreaker::from_circuit(circuits.for_key("a")));
    set_clock(2 * RESET);
    circuits
}

/// A thread that finds an expired circuit just before its eviction and one that looks its key up
/// afterwards have the same circuit, which admits one of them as its probe.
#[test]
fn probe_of_a_key_against_its_eviction_and_another_call() {
    model_of_few_preemptions(|| {
        let circuits = keyed_expired();
        let call = || {
            let circuit = circuits.for_key("a");
            let admitted = circuit.admit().is_ok();
            (circuit, admitted)
        };
        let evict = move || {
            circuits.for_key("b");
            call()
        };
        let [found, found_again] = race([Box::new(call), Box::new(evict)]);
        assert!(Arc::ptr_eq(&found.0, &found_again.0));
        // Evicted and forgotten before either found it, it is closed and admits both.
        let state = found.0.state();
        let admitted = [found.1, found_again.1]
            .iter()
            .filter(|&&admitted| admitted)
            .count();
        assert_eq!(admitted, if state == State::Closed { 2 } else { 1 });
    });
}

/// The failure of a probe that started before its circuit was evicted opens the circuit of its key.
#[test]
fn failed_probe_of_a_key_against_its_eviction() {
    model_of_few_preemptions(|| {
        let circuits = keyed_expired();
        let probe = || fail(&CircuitBreaker::from_circuit(circuits.for_key("a")));
        let evict = || {
            circuits.for_key("b");
            circuits.for_key("c");
        };
        race([Box::new(probe), Box::new(evict)]);
        assert_eq!(circuits.for_key("a").state(), State::Open);
    });
}

/// Makes `a` a busy key, and puts its handle into the cache of this thread.
fn cache_handle(circuits: &KeyedCircuits) {
    for _ in 0..3 {
        call(&circuits.handle_for_key("a"), Outcome::Succeeded);
    }
    circuits.handle_for_key("a").give_back();
}

fn call(handle: &KeyedHandle, outcome: Outcome) {
    let circuit: &Circuit = handle.as_ref();
    let ticket = circuit.admit().unwrap();
    circuit.settle(ticket, outcome);
}

/// A call with a cached handle, and one that looks its key up after an eviction, have the same
/// circuit; a failure of the first opens it.
#[test]
fn cached_handle_against_the_eviction_of_its_key() {
    model_of_few_preemptions(|| {
        let circuits = keyed();
        let cached = || {
            cache_handle(circuits);
            let handle = circuits.handle_for_key("a");
            call(&handle, Outcome::Failed);
            let circuit = std::ptr::from_ref(handle.as_ref()).addr();
            handle.give_back();
            release_slot();
            circuit
        };
        let evict = || {
            circuits.for_key("b");
            circuits.for_key("c");
        };
        let evicting = thread::spawn(evict);
        let circuit = cached();
        evicting.join().unwrap();
        let found = circuits.for_key("a");
        assert_eq!(found.state(), State::Open);
        assert_eq!(std::ptr::from_ref(&*found).addr(), circuit);
    });
}

/// Two threads that look up a new key concurrently have the same circuit.
#[test]
fn first_call_of_a_key_against_another_first_call() {
    loom::model(|| {
        let circuits = keyed();
        let look_up = || circuits.for_key("b");
        let [one, other] = race([Box::new(look_up), Box::new(look_up)]);
        assert!(Arc::ptr_eq(&one, &other));
    });
}

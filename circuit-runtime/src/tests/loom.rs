//! Small programs whose every interleaving the model checker `loom` runs; of the longer ones those with at most
//! two or three preemptions. Each says what must hold in all of them. Run with `RUSTFLAGS="--cfg circuit_loom" cargo test -p circuit-runtime --lib --release`.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use loom::thread;

use crate::circuit::Circuit;
use crate::circuit::counters::{Counters, Total};
use crate::circuit::state::Phase;
use crate::clock::model::{keep_behind, set as set_clock};
use crate::keyed::KeyedCircuits;
use crate::sync::thread::release_slot;
use crate::{CircuitBreaker, Config, ConfigBuilder, State};

const RESET: u64 = 30_000_000;
const LAG: u64 = crate::clock::LAG.as_micros();

/// Opens at `max_failures` in a row, for thirty seconds. Made at the beginning of time, and never
/// freed, so that permits can be moved to other threads.
fn breaker(max_failures: u32) -> &'static CircuitBreaker {
    set_clock(0);
    keep_behind(0);
    let config = Config::builder().max_failures(max_failures);
    let config = config.reset(Duration::from_micros(RESET)).build().unwrap();
    Box::leak(Box::new(CircuitBreaker::new("model", config)))
}

/// Half-open since this moment.
fn half_open() -> &'static CircuitBreaker {
    let breaker = breaker(1);
    breaker.try_acquire().unwrap().failure();
    set_clock(RESET);
    breaker
}

fn circuit(breaker: &CircuitBreaker) -> &Circuit {
    breaker.as_ref()
}

/// Runs all at the same time. What they came to, in their order.
fn race<R: 'static, const N: usize>(runs: [Box<dyn FnOnce() -> R>; N]) -> [R; N] {
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

/// A failure of an earlier generation adds nothing to the evidence of a later one.
#[test]
fn late_failure_against_later_evidence() {
    loom::model(|| {
        let breaker = breaker(3);
        let late = breaker.try_acquire().unwrap();
        race([
            Box::new(move || late.failure()),
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

/// What a call comes to that the trip has overtaken neither closes the circuit nor opens it once more, and
/// is no evidence when it has recovered.
#[test]
fn trip_against_late_results() {
    let number = Config::builder().max_failures(2);
    let span = number.window(Duration::from_micros(RESET));
    for config in [number, span, number.last_calls(10)] {
        for success in [true, false] {
            // It would end the row.
            if success && config.build().unwrap() == number.build().unwrap() {
                continue;
            }
            model_of_three(move || {
                let breaker = breaker_of(config);
                let [first, second, late] = [(); 3].map(|()| breaker.try_acquire().unwrap());
                race([
                    Box::new(move || {
                        first.failure();
                        second.failure();
                    }) as Box<dyn FnOnce()>,
                    Box::new(move || {
                        if success {
                            late.success();
                        } else {
                            late.failure();
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

/// Whichever of the two comes first, the order stands: a trip opens no circuit that is forced closed or was
/// reset, and puts no end to one that is forced open.
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
                Box::new(move || call.failure()) as Box<dyn FnOnce()>,
                Box::new(move || order(breaker)),
            ]);
            set_clock(2 * RESET);
            assert_eq!(admitted(breaker), !stays_open);
            assert_eq!(breaker.state() == State::Open, stays_open);
            assert_eq!(breaker.snapshot().retry_after, None);
        });
    }
}

/// All interleavings of three threads take minutes; with at most three switches that no thread has to
/// make they take seconds. Both have been run.
fn model_of_three(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// The same for programs of very many steps, with at most two such switches.
fn model_of_few_switches(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

/// Of three callers at the deadline exactly one is let in, also when the coarse clock has not come there
/// yet.
#[test]
fn deadline_raced_by_three() {
    for lag in [0, LAG - 1] {
        model_of_three(move || {
            let breaker = half_open();
            keep_behind(lag);
            let come = || admitted(breaker);
            let admitted = race([Box::new(come), Box::new(come), Box::new(come)]);
            assert_eq!(admitted.iter().filter(|&&admitted| admitted).count(), 1);
        });
    }
}

/// Who asks while the deadline passes is let in or not, but no second one is.
#[test]
fn deadline_that_passes_against_two_that_ask() {
    model_of_three(|| {
        let breaker = half_open();
        set_clock(RESET - 1);
        let [_, first, second] = race([
            Box::new(|| {
                set_clock(RESET);
                false
            }) as Box<dyn FnOnce() -> bool>,
            Box::new(|| admitted(breaker)),
            Box::new(|| admitted(breaker)),
        ]);
        assert!(!(first && second), "there is one place");
        assert_eq!(admitted(breaker), !(first || second));
    });
}

/// Whatever a probe comes to, an order that is given meanwhile stands.
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

/// A probe that succeeds while the circuit is reset takes no evidence of what comes after away.
#[test]
fn probe_success_against_reset() {
    loom::model(|| {
        let breaker = breaker(3);
        (0..3).for_each(|_| fail(breaker));
        set_clock(RESET);
        let probe = breaker.try_acquire().unwrap();
        race([
            Box::new(move || probe.success()) as Box<dyn FnOnce()>,
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

/// A place that becomes free when an order is given already lets nobody in.
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
        assert!(!admitted, "the place was taken until the order was given");
    });
}

/// Who asks for a place that a reset has just ended is no probe, and keeps nobody else from being one.
#[test]
fn asking_for_a_place_against_reset() {
    model_of_three(|| {
        let breaker = half_open();
        let ask = || {
            circuit(breaker)
                .admit()
                .ok()
                .map(|ticket| ticket.word().phase())
        };
        let [_, first, second] = race([
            Box::new(|| {
                breaker.reset();
                None
            }) as Box<dyn FnOnce() -> Option<Phase>>,
            Box::new(ask),
            Box::new(ask),
        ]);
        if [first, second].contains(&None) {
            assert!([first, second].contains(&Some(Phase::Open)), "one probes");
        }
    });
}

/// A probe whose lease has ended does not free the place of the one that followed.
#[test]
fn probe_drop_against_end_of_lease() {
    model_of_three(|| {
        let breaker = half_open();
        let hung = breaker.try_acquire().unwrap();
        set_clock(2 * RESET);
        let [_, first, second] = race([
            Box::new(move || {
                drop(hung);
                false
            }),
            Box::new(|| admitted(breaker)),
            Box::new(|| admitted(breaker)),
        ]);
        assert!(first ^ second, "exactly one follows");
    });
}

/// A probe is dropped while its lease ends: its place is free, and free once.
#[test]
fn probe_drop_while_its_lease_ends() {
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
        assert!(next, "its place is free");
        assert!(!admitted(breaker), "and taken");
    });
}

/// Of two results of one half-open phase the first decides, and the other is late.
#[test]
fn probe_success_against_failure_after_its_lease() {
    loom::model(|| {
        let breaker = half_open();
        let hung = breaker.try_acquire().unwrap();
        set_clock(2 * RESET);
        let probe = breaker.try_acquire().unwrap();
        race([
            Box::new(move || hung.failure()) as Box<dyn FnOnce()>,
            Box::new(move || probe.success()),
        ]);
        assert_ne!(breaker.state(), State::HalfOpen);
        assert_eq!(
            breaker.snapshot().opened > 1,
            breaker.state() == State::Open
        );
    });
}

/// A success ends the row of the failures before it, whatever fails beside it.
#[test]
fn success_against_failure_in_a_row() {
    loom::model(|| {
        let breaker = breaker(3);
        breaker.try_acquire().unwrap().failure();
        race([
            Box::new(|| breaker.try_acquire().unwrap().success()) as Box<dyn FnOnce()>,
            Box::new(|| breaker.try_acquire().unwrap().failure()),
        ]);
        breaker.try_acquire().unwrap().failure();
        assert_eq!(breaker.state(), State::Closed, "at most two in a row");
    });
}

/// A success either ends the row before the failure that makes it long enough, or comes after the circuit
/// has opened: whoever finds that closed then knows that it stays closed.
#[test]
fn success_against_the_failure_that_is_too_much() {
    loom::model(|| {
        let breaker = breaker(2);
        fail(breaker);
        let [failing, succeeding] = [(); 2].map(|()| breaker.try_acquire().unwrap());
        let [_, let_in] = race([
            Box::new(move || {
                failing.failure();
                false
            }) as Box<dyn FnOnce() -> bool>,
            Box::new(move || {
                succeeding.success();
                admitted(breaker)
            }),
        ]);
        assert_eq!(breaker.state() == State::Closed, let_in);
    });
}

/// A thread's number, and the stripe that goes with it, is handed on with all that was counted.
#[test]
fn stripes_against_reuse_of_a_number() {
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

/// A reader of the totals sees none that goes down or is too high, and in the end each is exact.
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
            Box::new(count) as Box<dyn FnOnce()>,
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

/// How long a call may take until it is slow, and a slice of the window.
const SPAN: u64 = 7_000;

/// Of these rules, made at the beginning of time, and never freed.
fn breaker_of(config: ConfigBuilder) -> &'static CircuitBreaker {
    set_clock(0);
    keep_behind(0);
    let config = config.reset(Duration::from_micros(RESET)).build().unwrap();
    Box::leak(Box::new(CircuitBreaker::new("model", config)))
}

/// Opens at one failure, and closes when two probes have succeeded; half-open since this moment.
fn half_open_for_two(max_failures: u32) -> &'static CircuitBreaker {
    let breaker = breaker_of(Config::builder().max_failures(max_failures).probes(2));
    (0..max_failures).for_each(|_| fail(breaker));
    set_clock(RESET);
    breaker
}

/// Opens when this share of at least so many calls has failed: of the last ten, and of those in a
/// span of time.
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

/// Of three callers at the deadline exactly two are let in when there are two places.
#[test]
fn deadline_of_two_probes_raced_by_three() {
    model_of_three(|| {
        let breaker = half_open_for_two(1);
        let come = || admitted(breaker);
        let admitted = race([Box::new(come), Box::new(come), Box::new(come)]);
        assert_eq!(admitted.iter().filter(|&&admitted| admitted).count(), 2);
    });
}

/// Two probes that succeed together close the circuit once: what fails after that is evidence.
#[test]
fn success_of_a_probe_against_success_of_another() {
    model_of_few_switches(|| {
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
            Box::new(run) as Box<dyn FnOnce() -> bool>
        });
        let failed = race(runs).iter().filter(|&&failed| failed).count();
        assert!(failed > 0, "whoever comes last sees it closed");
        (failed..2).for_each(|_| fail(breaker));
        assert_eq!(breaker.state(), State::Closed, "two of three failures");
        fail(breaker);
        assert_eq!(breaker.state(), State::Open);
    });
}

/// Of two probes one fails: the circuit is open again, once, whichever comes first.
#[test]
fn success_of_a_probe_against_failure_of_another() {
    loom::model(|| {
        let breaker = half_open_for_two(1);
        let (first, second) = (
            breaker.try_acquire().unwrap(),
            breaker.try_acquire().unwrap(),
        );
        race([
            Box::new(move || first.success()) as Box<dyn FnOnce()>,
            Box::new(move || second.failure()),
        ]);
        assert_eq!(breaker.state(), State::Open);
        assert_eq!(breaker.snapshot().opened, 2);
    });
}

/// The place of a probe that succeeds lets nobody in.
#[test]
fn success_of_a_probe_against_one_that_asks() {
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
        assert!(!admitted, "both places are taken, by then or for ever");
    });
}

/// A place that is given back goes to one of those who ask, and the other places stay taken.
#[test]
fn place_given_back_against_two_that_ask() {
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
        assert!(!(first && second), "one place was given back");
        assert_eq!(admitted(breaker), !(first || second));
    });
}

/// A success and a failure that race are both counted towards a rate, and the call after them judges
/// it by both.
#[test]
fn success_against_failure_under_a_rate() {
    for config in rates(0.5, 3) {
        loom::model(move || {
            let breaker = breaker_of(config);
            race([
                Box::new(|| succeed(breaker)) as Box<dyn FnOnce()>,
                Box::new(|| fail(breaker)),
            ]);
            assert_eq!(breaker.state(), State::Closed, "two calls are too few");
            fail(breaker);
            assert_eq!(breaker.state(), State::Open, "2 of 3");
        });
    }
    for config in rates(0.7, 2) {
        loom::model(move || {
            let breaker = breaker_of(config);
            race([
                Box::new(|| succeed(breaker)) as Box<dyn FnOnce()>,
                Box::new(|| fail(breaker)),
            ]);
            fail(breaker);
            assert_eq!(breaker.state(), State::Closed, "2 of 3");
        });
    }
}

/// A rate is reached but for some calls: of successes that race the last one that was missing opens the
/// circuit, once, also on a thread that has counted before.
#[test]
fn success_against_successes_of_which_one_was_missing() {
    for config in rates(0.4, 5) {
        model_of_few_switches(move || {
            let breaker = breaker_of(config);
            fail(breaker);
            fail(breaker);
            race([
                Box::new(|| {
                    succeed(breaker);
                    succeed(breaker);
                }) as Box<dyn FnOnce()>,
                Box::new(|| succeed(breaker)),
            ]);
            assert_eq!(breaker.state(), State::Open, "2 of 5");
            assert_eq!(breaker.snapshot().opened, 1);
        });
    }
}

/// Late results, on a thread that has counted in the earlier generation and goes on to, are no
/// evidence of the next one, and take none away.
#[test]
fn late_results_against_the_first_call_under_a_rate() {
    for success in [true, false] {
        for config in rates(0.3, 3) {
            loom::model(move || {
                let breaker = breaker_of(config);
                let late = [(); 2].map(|()| breaker.try_acquire().unwrap());
                race([
                    Box::new(move || {
                        let [first, second] = late;
                        first.success();
                        if success {
                            second.success();
                        } else {
                            second.failure();
                        }
                    }) as Box<dyn FnOnce()>,
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
fn first_call_of_a_generation_against_another() {
    for config in rates(0.6, 3) {
        model_of_few_switches(move || {
            let breaker = breaker_of(config);
            succeed(breaker);
            fail(breaker);
            breaker.reset();
            race([
                Box::new(|| succeed(breaker)) as Box<dyn FnOnce()>,
                Box::new(|| fail(breaker)),
            ]);
            assert_eq!(breaker.state(), State::Closed, "two calls are too few");
            fail(breaker);
            assert_eq!(breaker.state(), State::Open, "2 of 3");
        });
    }
}

/// Opens when three of ten calls in a span of time were slow, of three at least.
fn slow_calls() -> ConfigBuilder {
    Config::builder()
        .slow_call(Duration::from_micros(SPAN))
        .slow_rate(0.3)
        .min_calls(3)
        .window(Duration::from_micros(20 * SPAN))
}

/// All calls of the window are those that are made now: none of before hangs, and what hangs from now on
/// is all found.
fn assert_nothing_hangs(breaker: &CircuitBreaker) {
    set_clock(30 * SPAN);
    (0..4).for_each(|_| succeed(breaker));
    assert_eq!(breaker.state(), State::Closed, "0 of 4");
    (0..2).for_each(|_| mem::forget(breaker.try_acquire().unwrap()));
    set_clock(32 * SPAN);
    assert!(!admitted(breaker), "2 of 6");
}

/// A call that hangs ends on another thread than it started, while a third thread looks: it counts
/// once, and nothing hangs any more.
#[test]
fn end_of_a_hanging_call_against_a_look() {
    model_of_few_switches(|| {
        let breaker = breaker_of(slow_calls());
        let hanging = breaker.try_acquire().unwrap();
        set_clock(SPAN + 1);
        race([
            Box::new(move || hanging.success()) as Box<dyn FnOnce()>,
            Box::new(|| drop(breaker.try_acquire())),
        ]);
        succeed(breaker);
        assert_eq!(breaker.state(), State::Closed, "1 of 2: once");
        assert_nothing_hangs(breaker);
    });
}

/// A call ends just in time, or not: whoever looks a moment later may find that it hangs, but nobody
/// does when it has ended.
#[test]
fn end_of_a_call_against_the_moment_it_hangs() {
    model_of_few_switches(|| {
        let breaker = breaker_of(slow_calls());
        let call = breaker.try_acquire().unwrap();
        set_clock(SPAN);
        race([
            Box::new(move || call.success()) as Box<dyn FnOnce()>,
            Box::new(|| {
                set_clock(SPAN + 1);
                drop(breaker.try_acquire());
            }),
        ]);
        assert_nothing_hangs(breaker);
    });
}

/// A call starts on a thread that has read the clock while another goes on to the next group, and
/// finds the one before hanging.
#[test]
fn start_of_a_call_against_the_end_of_its_group() {
    model_of_few_switches(|| {
        let breaker = breaker_of(slow_calls());
        succeed(breaker);
        race([
            Box::new(|| succeed(breaker)) as Box<dyn FnOnce()>,
            Box::new(|| {
                set_clock(2 * SPAN);
                drop(breaker.try_acquire());
            }),
        ]);
        assert_nothing_hangs(breaker);
    });
}

/// A call that is counted while another thread begins the next slice is in one of the two.
#[test]
fn rotation_of_a_slice_against_a_call() {
    let [_, config] = rates(0.5, 4);
    model_of_few_switches(move || {
        let breaker = breaker_of(config);
        set_clock(100 * SPAN);
        succeed(breaker);
        race([
            Box::new(|| succeed(breaker)) as Box<dyn FnOnce()>,
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
    model_of_few_switches(move || {
        let breaker = breaker_of(config);
        set_clock(100 * SPAN);
        succeed(breaker);
        race([
            Box::new(|| succeed(breaker)) as Box<dyn FnOnce()>,
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
        assert_eq!(breaker.state(), State::Closed, "none of before counts");
        fail(breaker);
        assert_eq!(breaker.state(), State::Open, "3 of 3");
    });
}

/// A hung probe fails at a moment after which another is let in beside it: the lease of that one keeps
/// nobody out of the next half-open phase.
#[test]
fn late_failure_of_a_probe_against_another_probe() {
    loom::model(|| {
        let breaker = half_open();
        let hung = breaker.try_acquire().unwrap();
        set_clock(2 * RESET);
        race([
            Box::new(move || hung.failure()) as Box<dyn FnOnce()>,
            Box::new(|| {
                set_clock(2 * RESET + 5);
                admitted(breaker);
            }),
        ]);
        assert_eq!(breaker.state(), State::Open);
        set_clock(3 * RESET + 4);
        if breaker.state() == State::HalfOpen {
            assert!(admitted(breaker), "nobody probes yet");
        }
    });
}

/// Whoever asks while the circuit opens again, and goes on in the next half-open phase, keeps nobody out
/// of that.
#[test]
fn asking_in_an_earlier_phase_against_the_next() {
    loom::model(|| {
        let breaker = half_open();
        let hung = breaker.try_acquire().unwrap();
        set_clock(2 * RESET);
        let [_, first] = race([
            Box::new(move || {
                hung.failure();
                set_clock(3 * RESET);
                false
            }),
            Box::new(|| admitted(breaker)),
        ]);
        assert!(first || admitted(breaker), "all places are free");
    });
}

/// A failure that is counted while the window goes on counts at its own time: with one that is a window
/// older it is never counted, with one that is younger than that always.
#[test]
fn failure_that_enters_the_window_against_one_that_leaves() {
    for (later, all_count) in [(SPAN, false), (SPAN - 1, true)] {
        loom::model(move || {
            let span = Duration::from_micros(SPAN);
            let breaker = breaker_of(Config::builder().max_failures(3).window(span));
            fail(breaker);
            race([
                Box::new(|| fail(breaker)) as Box<dyn FnOnce()>,
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

/// The circuits of at most one key, which open at one failure; that of `a` exists.
fn keyed() -> &'static KeyedCircuits {
    set_clock(0);
    let config = Config::builder().max_failures(1).build().unwrap();
    let circuits = KeyedCircuits::new("model".into(), config, 1);
    circuits.for_key("a");
    Box::leak(Box::new(circuits))
}

/// Who finds the breaker of a key just before it is taken out, and who asks for that key after, have the
/// same one.
#[test]
fn finding_a_key_against_its_eviction() {
    model_of_few_switches(|| {
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

/// A failure of a call that began before its breaker was taken out opens the circuit of its key.
#[test]
fn failure_of_a_key_against_its_eviction() {
    model_of_few_switches(|| {
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

/// Two threads that ask for a new key first have the same breaker.
#[test]
fn first_call_of_a_key_against_another() {
    loom::model(|| {
        let circuits = keyed();
        let ask = || circuits.for_key("b");
        let [one, other] = race([Box::new(ask), Box::new(ask)]);
        assert!(Arc::ptr_eq(&one, &other));
    });
}

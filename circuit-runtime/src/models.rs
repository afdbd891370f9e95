//! Small programs whose every interleaving the model checker `loom` runs. Each says what must hold
//! in all of them. Run with `RUSTFLAGS="--cfg loom" cargo test -p circuit-runtime --lib --release`.

use std::mem;
use std::time::Duration;

use loom::thread;

use crate::clock::source::set as set_clock;
use crate::counters::Counters;
use crate::thread::leave;
use crate::{CircuitBreaker, Config, State};

const RESET: u64 = 30_000_000;

/// Opens at `max_failures` in a row, for thirty seconds. Made at the beginning of time, and never
/// freed, so that permits can be moved to other threads.
fn breaker(max_failures: u32) -> &'static CircuitBreaker {
    set_clock(0);
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

/// All interleavings of three threads take minutes; with at most three switches that no thread has to
/// make they take seconds. Both have been run.
fn model_of_three(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// Of three callers at the deadline exactly one is let in.
#[test]
fn deadline_raced_by_three() {
    model_of_three(|| {
        let breaker = half_open();
        let come = || admitted(breaker);
        let admitted = race([Box::new(come), Box::new(come), Box::new(come)]);
        assert_eq!(admitted.iter().filter(|&&admitted| admitted).count(), 1);
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

/// A thread's number, and the stripe that goes with it, is handed on with all that was counted.
#[test]
fn stripes_against_reuse_of_a_number() {
    loom::model(|| {
        let counters: &'static Counters = Box::leak(Box::default());
        let count = || {
            counters.add(|stripe| &stripe.succeeded);
            leave();
        };
        race([Box::new(count), Box::new(count)]);
        assert_eq!(counters.total(|stripe| &stripe.succeeded), 2);
    });
}

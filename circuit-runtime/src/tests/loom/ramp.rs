//! Models of the gradual admission after a recovery.

use std::time::Duration;

use super::{
    RESET, Run, admitted, breaker_with, circuit, fail, model_of_few_preemptions, model_of_three,
    race, succeed,
};
use crate::circuit::state::Phase;
use crate::clock::model::set as set_clock;
use crate::{CircuitBreaker, Config, ConfigBuilder, State};

const RAMP: u64 = 10_000_000;
const BEGIN: u64 = RESET;
const END: u64 = BEGIN + RAMP;

fn rules(max_failures: u32) -> ConfigBuilder {
    Config::builder()
        .max_failures(max_failures)
        .ramp(Duration::from_micros(RAMP))
}

/// Returns rules on consecutive failures, and on those in a time window, each with a ramp.
fn both_rules(max_failures: u32) -> [ConfigBuilder; 2] {
    let consecutive = rules(max_failures);
    [
        consecutive,
        consecutive.window(Duration::from_micros(RESET)),
    ]
}

/// Creates a breaker whose last probe is about to succeed.
fn half_open(rules: ConfigBuilder) -> &'static CircuitBreaker {
    let breaker = breaker_with(rules);
    breaker.trip();
    set_clock(BEGIN);
    breaker
}

/// Creates a breaker whose ramp has just begun.
fn on_ramp(rules: ConfigBuilder) -> &'static CircuitBreaker {
    let breaker = half_open(rules);
    succeed(breaker);
    breaker
}

/// Requests a call; returns the phase that admits it.
fn admitting_phase(breaker: &CircuitBreaker) -> Option<Phase> {
    let ticket = circuit(breaker).admit().ok();
    ticket.map(|ticket| ticket.word().phase())
}

/// A rejection that is counted by hand takes the tenth admission from no call.
#[test]
fn a_call_races_with_the_count_of_a_rejection() {
    loom::model(|| {
        let breaker = on_ramp(rules(1));
        assert!(admitted(breaker), "the first");
        for _ in 0..8 {
            breaker.record_rejection();
        }
        let call = || admitted(breaker);
        let reject = || {
            breaker.record_rejection();
            false
        };
        let [called, _] = race([Box::new(call), Box::new(reject)]);
        assert!(called ^ admitted(breaker), "one of ten calls");
    });
}

/// The first call of a ramp is admitted, and no other beside it.
#[test]
fn two_calls_race_to_be_the_first_of_a_ramp() {
    loom::model(|| {
        let breaker = on_ramp(rules(1));
        let call = || admitted(breaker);
        let [first, second] = race([Box::new(call), Box::new(call)]);
        assert!(first ^ second, "one is the first");
        assert!(!admitted(breaker));
    });
}

/// No call was admitted for a tenth of the ramp: exactly one of those that find that out is.
#[test]
fn calls_race_for_the_admission_that_is_due_on_a_ramp() {
    model_of_three(|| {
        let breaker = on_ramp(rules(1));
        assert!(admitted(breaker), "the first");
        set_clock(BEGIN + RAMP / 10);
        let call = || admitted(breaker);
        let admitted = race([Box::new(call), Box::new(call), Box::new(call)]);
        assert_eq!(admitted.iter().filter(|&&admitted| admitted).count(), 1);
    });
}

/// A call at the moment at which a ramp begins is its first call, or is rejected before that.
#[test]
fn begin_of_a_ramp_against_its_first_call() {
    loom::model(|| {
        let breaker = half_open(rules(1));
        let probe = breaker.try_acquire().unwrap();
        let [_, phase] = race([
            Box::new(move || {
                probe.success();
                None
            }) as Run<Option<Phase>>,
            Box::new(|| admitting_phase(breaker)),
        ]);
        assert!(
            [None, Some(Phase::Ramp)].contains(&phase),
            "the slot is taken"
        );
        assert_eq!(admitted(breaker), phase.is_none(), "the first call");
        assert!(!admitted(breaker));
    });
}

/// Once a ramp is over, a failure of a call that it admitted is stale, whichever call finds out
/// first.
#[test]
fn failure_of_a_ramp_that_is_over_against_the_next_call() {
    for rules in both_rules(1) {
        loom::model(move || {
            let breaker = on_ramp(rules);
            let call = breaker.try_acquire().unwrap();
            set_clock(END);
            let [_, phase] = race([
                Box::new(move || {
                    call.failure();
                    None
                }) as Run<Option<Phase>>,
                Box::new(|| admitting_phase(breaker)),
            ]);
            assert_eq!(phase, Some(Phase::Closed));
            assert_eq!(breaker.state(), State::Closed);
            assert_eq!(breaker.snapshot().opened, 1);
            fail(breaker);
            assert_eq!(breaker.state(), State::Open);
            assert_eq!(breaker.snapshot().reopenings, 0, "it was closed");
        });
    }
}

/// A limit is reached while the ramp ends: the circuit reopens before that, or the failures are
/// stale and do not count together with those after the ramp.
#[test]
fn limit_reached_on_a_ramp_against_its_end() {
    for rules in both_rules(2) {
        model_of_few_preemptions(move || {
            let breaker = on_ramp(rules);
            let first = breaker.try_acquire().unwrap();
            set_clock(BEGIN + RAMP / 10);
            let second = breaker.try_acquire().unwrap();
            let [_, closed] = race([
                Box::new(move || {
                    first.failure();
                    second.failure();
                    false
                }) as Run<bool>,
                Box::new(|| {
                    set_clock(END);
                    match breaker.try_acquire() {
                        Ok(call) => {
                            call.failure();
                            true
                        }
                        Err(_) => false,
                    }
                }),
            ]);
            let seen = breaker.snapshot();
            if closed {
                assert_eq!((seen.state, seen.opened), (State::Closed, 1));
                fail(breaker);
                assert_eq!(breaker.state(), State::Open, "two failures");
                assert_eq!(breaker.snapshot().reopenings, 0);
            } else {
                assert_eq!((seen.state, seen.opened), (State::Open, 2));
                assert_eq!(seen.reopenings, 1);
            }
        });
    }
}

/// Two calls that find a ramp over belong to the same closed phase, in which both failures count.
#[test]
fn two_calls_race_to_end_a_ramp() {
    for rules in both_rules(2) {
        model_of_few_preemptions(move || {
            let breaker = on_ramp(rules);
            set_clock(END);
            let call = || fail(breaker);
            race([Box::new(call), Box::new(call)]);
            assert_eq!(breaker.state(), State::Open, "two failures");
            assert_eq!(breaker.snapshot().opened, 2);
            assert_eq!(breaker.snapshot().reopenings, 0);
        });
    }
}

/// A reset and the end of a ramp leave the circuit closed, with the failures after the reset alone.
#[test]
fn end_of_a_ramp_against_reset() {
    model_of_few_preemptions(|| {
        let breaker = on_ramp(rules(3));
        let early = breaker.try_acquire().unwrap();
        set_clock(END);
        race([
            Box::new(|| {
                breaker.reset();
                fail(breaker);
            }) as Run,
            Box::new(move || {
                early.failure();
                drop(breaker.try_acquire().unwrap());
            }),
        ]);
        let seen = breaker.snapshot();
        assert_eq!((seen.state, seen.opened), (State::Closed, 1));
        assert_eq!(seen.consecutive_failures, Some(1));
        assert_eq!(
            seen.since,
            Duration::ZERO,
            "closed since the end of the ramp"
        );
    });
}

/// A limit is reached on a ramp that is reset: the reset is final.
#[test]
fn limit_reached_on_a_ramp_against_reset() {
    for rules in both_rules(1) {
        loom::model(move || {
            let breaker = on_ramp(rules);
            let call = breaker.try_acquire().unwrap();
            race([
                Box::new(move || call.failure()) as Run,
                Box::new(|| breaker.reset()),
            ]);
            let seen = breaker.snapshot();
            assert_eq!((seen.state, seen.ramp), (State::Closed, None));
            assert_eq!((seen.reopenings, seen.retry_after), (0, None));
            assert_eq!(breaker.would_reject(), None);
        });
    }
}

/// A circuit that is held open while its ramp begins stays so.
#[test]
fn begin_of_a_ramp_against_an_order() {
    loom::model(|| {
        let breaker = half_open(rules(1));
        let probe = breaker.try_acquire().unwrap();
        race([
            Box::new(move || probe.success()) as Run,
            Box::new(|| {
                breaker.force_open();
                assert!(!admitted(breaker));
            }),
        ]);
        set_clock(END);
        assert!(!admitted(breaker));
        let seen = breaker.snapshot();
        assert_eq!((seen.state, seen.ramp), (State::Open, None));
        assert!(seen.hold.is_some());
    });
}

/// The success that begins a ramp admits no further probe.
#[test]
fn begin_of_a_ramp_against_a_slot_request() {
    model_of_few_preemptions(|| {
        let breaker = half_open(rules(1).probes(2));
        succeed(breaker);
        let last = breaker.try_acquire().unwrap();
        let request = || admitting_phase(breaker);
        let [_, first, second] = race([
            Box::new(move || {
                last.success();
                None
            }) as Run<Option<Phase>>,
            Box::new(request),
            Box::new(request),
        ]);
        assert!(![first, second].contains(&Some(Phase::Open)));
        assert!(first.is_none() || second.is_none(), "one call is the first");
        assert_eq!(
            admitted(breaker),
            first.is_none() && second.is_none(),
            "the first call"
        );
    });
}

/// The success of the last probe begins a ramp, or the failure of an overdue one reopens the
/// circuit; the other is stale.
#[test]
fn begin_of_a_ramp_against_failure_of_an_overdue_probe() {
    loom::model(|| {
        let breaker = half_open(rules(1));
        let overdue = breaker.try_acquire().unwrap();
        set_clock(2 * RESET);
        let probe = breaker.try_acquire().unwrap();
        race([
            Box::new(move || overdue.failure()) as Run,
            Box::new(move || probe.success()),
        ]);
        let seen = breaker.snapshot();
        let reopened = seen.opened > 1;
        assert_eq!(seen.ramp.is_none(), reopened);
        assert_eq!(seen.state == State::Open, reopened);
        assert_eq!(seen.reopenings, u32::from(reopened));
    });
}

//! Models of orders that end by themselves.

use std::time::Duration;

use super::{
    RESET, Run, admitted, breaker, circuit, model_of_few_preemptions, model_of_three, race,
};
use crate::circuit::state::Phase;
use crate::clock::model::set as set_clock;
use crate::{CircuitBreaker, State};

const HOLD: u64 = 1_000_000;
const TIME: Duration = Duration::from_micros(HOLD);

type Order = fn(&CircuitBreaker);

const HOLDS: [Order; 2] = [
    |breaker| breaker.force_open_for(TIME),
    |breaker| breaker.force_closed_for(TIME),
];

/// A call at the end of a hold finds the circuit closed, whichever call ends it: all belong to one
/// generation.
#[test]
fn calls_race_to_end_a_hold() {
    for hold in HOLDS {
        model_of_three(move || {
            let breaker = breaker(1);
            hold(breaker);
            set_clock(HOLD);
            let call = || circuit(breaker).admit().ok().map(|ticket| ticket.word());
            let [first, second] = race([Box::new(call), Box::new(call)]);
            assert_eq!(first.map(|word| word.phase()), Some(Phase::Closed));
            assert_eq!(first, second);
            assert_eq!(breaker.snapshot().hold, None);
        });
    }
}

/// An order at the end of a hold is final, and a call is admitted by the time or by the order.
#[test]
fn end_of_a_hold_against_another_order() {
    let seconds = Duration::from_secs;
    let orders: [(Order, Option<State>, Option<Duration>); 5] = [
        (CircuitBreaker::force_open, Some(State::Open), None),
        (CircuitBreaker::force_closed, Some(State::Closed), None),
        (
            |breaker| breaker.force_open_for(Duration::from_secs(7)),
            Some(State::Open),
            Some(seconds(7)),
        ),
        (
            |breaker| breaker.force_closed_for(Duration::from_secs(7)),
            Some(State::Closed),
            Some(seconds(7)),
        ),
        (CircuitBreaker::reset, None, None),
    ];
    for hold in HOLDS {
        for (order, held, time) in orders {
            model_of_few_preemptions(move || {
                let breaker = breaker(1);
                hold(breaker);
                set_clock(HOLD);
                let [_, phase] = race([
                    Box::new(move || {
                        order(breaker);
                        None
                    }) as Run<Option<Phase>>,
                    Box::new(|| {
                        circuit(breaker)
                            .admit()
                            .ok()
                            .map(|ticket| ticket.word().phase())
                    }),
                ]);
                let by_order = match held {
                    Some(State::Open) => None,
                    Some(_) => Some(Phase::ForcedClosed),
                    None => Some(Phase::Closed),
                };
                assert!(phase == Some(Phase::Closed) || phase == by_order);
                let hold = breaker.snapshot().hold;
                assert_eq!(hold.map(|hold| hold.to), held);
                assert_eq!(hold.and_then(|hold| hold.ends_in), time);
            });
        }
    }
}

/// A call races the end of a hold: it is rejected before that, or finds the circuit closed.
#[test]
fn call_against_the_end_of_a_hold() {
    loom::model(|| {
        let breaker = breaker(1);
        breaker.force_open_for(TIME);
        let [_, phase] = race([
            Box::new(|| {
                set_clock(HOLD);
                circuit(breaker)
                    .admit()
                    .ok()
                    .map(|ticket| ticket.word().phase())
            }) as Run<Option<Phase>>,
            Box::new(|| {
                circuit(breaker)
                    .admit()
                    .ok()
                    .map(|ticket| ticket.word().phase())
            }),
        ]);
        assert!([None, Some(Phase::Closed)].contains(&phase));
        assert!(admitted(breaker));
        assert_eq!(breaker.snapshot().opened, 1);
    });
}

/// A failure that reaches the limit while a hold ends is withheld, or stale.
#[test]
fn end_of_a_hold_against_a_failure_that_it_withholds() {
    model_of_few_preemptions(|| {
        let breaker = breaker(1);
        breaker.force_closed_for(TIME);
        let call = breaker.try_acquire().unwrap();
        race([
            Box::new(move || call.failure()) as Run,
            Box::new(|| {
                set_clock(HOLD);
                assert!(admitted(breaker));
            }),
        ]);
        let seen = breaker.snapshot();
        assert_eq!((seen.state, seen.hold), (State::Closed, None));
        assert!(seen.opened == 0 && seen.withheld <= 1);
        breaker.try_acquire().unwrap().failure();
        assert_eq!(breaker.state(), State::Open);
    });
}

/// One of two orders at once is in force at the end, with its own time.
#[test]
fn order_against_another_order() {
    loom::model(|| {
        let breaker = breaker(1);
        race([
            Box::new(|| breaker.force_open_for(Duration::from_secs(5))) as Run,
            Box::new(|| breaker.force_closed_for(Duration::from_secs(7))),
        ]);
        let hold = breaker.snapshot().hold.unwrap();
        let in_force = (hold.to, hold.ends_in.map(|time| time.as_secs()));
        assert!([(State::Open, Some(5)), (State::Closed, Some(7))].contains(&in_force));
    });
}

/// A circuit that is tripped while an operator holds it stays held, and what is left of a wait is
/// that of the last order that gave one.
#[test]
fn trip_against_a_hold() {
    loom::model(|| {
        let breaker = breaker(1);
        race([
            Box::new(|| breaker.open_for(Duration::from_micros(3 * RESET))) as Run,
            Box::new(|| breaker.force_open_for(TIME)),
        ]);
        let seen = breaker.snapshot();
        assert_eq!(seen.hold.map(|hold| hold.to), Some(State::Open));
        assert_eq!(seen.retry_after, Some(TIME));
        assert_eq!(seen.opened, 1);
    });
}

//! Models of changes that are delivered while others happen.

use std::sync::Arc;

use super::{
    RESET, Run, admitted, breaker, circuit, half_open, keyed_expired, model_of_few_preemptions,
    race, set_clock,
};
use crate::sync::Mutex;
use crate::{Cause, CircuitBreaker, State, StateChange};

use State::{Closed, HalfOpen, Open};

/// The states before and after each change that a listener has seen, and its cause. The lock is
/// that of the model, so that other threads look before and after each change.
type Seen = Arc<Mutex<Vec<(State, State, Cause)>>>;

fn listen(breaker: &CircuitBreaker) -> Seen {
    let seen = Seen::default();
    let told = Arc::clone(&seen);
    let listener = move |change: &StateChange| {
        let brief = (change.from, change.to, change.cause);
        told.lock().unwrap().push(brief);
    };
    breaker.on_change(listener).forget();
    seen
}

/// Asserts that every change begins where the one before has ended, and that the last one is the
/// latest of all.
fn assert_in_order(breaker: &CircuitBreaker, seen: &Seen, mut state: State) {
    let seen = seen.lock().unwrap();
    for &(from, to, _) in seen.iter() {
        assert_eq!(from, state);
        state = to;
    }
    assert_eq!(state, breaker.state());
    let last = breaker.snapshot().last_change;
    let last = last.map(|change| (change.from, change.to, change.cause));
    assert_eq!(seen.last().copied(), last);
}

/// Whichever thread delivers, each change is seen once and in order, and none is left over.
#[test]
fn order_against_another_order() {
    model_of_few_preemptions(|| {
        let breaker = breaker(1);
        let seen = listen(breaker);
        race([
            Box::new(|| {
                breaker.force_open();
                breaker.reset();
            }) as Run,
            Box::new(|| breaker.trip()),
        ]);
        assert_in_order(breaker, &seen, Closed);
        let opened = breaker.snapshot().opened;
        let seen = seen.lock().unwrap();
        let opening = |(from, to, _): &&(State, State, Cause)| from != to && *to == Open;
        assert_eq!(seen.iter().filter(opening).count() as u64, opened);
    });
}

/// The first probe is reported once, before its result, and not after an order.
#[test]
fn first_probe_against_an_order() {
    model_of_few_preemptions(|| {
        let breaker = half_open();
        let seen = listen(breaker);
        race([
            Box::new(|| {
                if let Ok(probe) = breaker.try_acquire() {
                    probe.success();
                }
            }) as Run,
            Box::new(|| breaker.reset()),
        ]);
        assert_in_order(breaker, &seen, Open);
        let half_open = seen
            .lock()
            .unwrap()
            .iter()
            .filter(|seen| seen.1 == HalfOpen)
            .count();
        assert!(half_open <= 1);
    });
}

/// One of the two probes of a half-open circuit is the first.
#[test]
fn first_probe_against_another_probe() {
    model_of_few_preemptions(|| {
        let breaker = half_open();
        let seen = listen(breaker);
        race([(); 2].map(|()| {
            Box::new(|| {
                if let Ok(ticket) = circuit(breaker).admit() {
                    circuit(breaker).settle(ticket, crate::circuit::Outcome::Cancelled);
                }
            }) as Run
        }));
        assert_eq!(*seen.lock().unwrap(), [(Open, HalfOpen, Cause::WaitOver)]);
    });
}

/// An order reads the clock before the wait is over, and comes after the first probe.
#[test]
fn first_probe_against_an_order_from_before_the_end_of_the_wait() {
    model_of_few_preemptions(|| {
        let breaker = half_open();
        set_clock(RESET - 1);
        let seen = listen(breaker);
        race([
            Box::new(|| breaker.force_open()) as Run,
            Box::new(|| {
                set_clock(RESET);
                admitted(breaker);
            }),
        ]);
        assert_in_order(breaker, &seen, Open);
    });
}

/// The circuit of a key that is looked up during an eviction is the one before, whose changes go
/// on, or a new one, once the one before was reported as closed.
#[test]
fn new_circuit_of_a_key_against_the_eviction_of_the_one_before() {
    model_of_few_preemptions(|| {
        let circuits = keyed_expired();
        let seen = {
            let before = CircuitBreaker::from_circuit(circuits.for_key("a"));
            // It has opened before anybody listened.
            listen(&before)
        };
        let told = Arc::clone(&seen);
        let use_it = move || {
            let found = CircuitBreaker::from_circuit(circuits.for_key("a"));
            if found.snapshot().opened == 0 {
                let over = (Open, Closed, Cause::Reset);
                assert_eq!(*told.lock().unwrap(), [over], "reported before");
                true
            } else {
                found.trip();
                false
            }
        };
        let evict = || {
            circuits.for_key("b");
            circuits.for_key("c");
            false
        };
        let [is_new, _] = race([Box::new(use_it) as Run<bool>, Box::new(evict)]);
        if !is_new {
            let found = CircuitBreaker::from_circuit(circuits.for_key("a"));
            assert_in_order(&found, &seen, Open);
        }
    });
}

/// A listener, the first of its breaker or a later one, is told of each change since its
/// subscription, once and in order, and of none before. Not with a listener to all: it would see
/// the models that run at the same time.
#[test]
fn subscription_against_changes() {
    for is_first in [false, true] {
        model_of_few_preemptions(move || {
            let breaker = breaker(1);
            let earlier = (!is_first).then(|| listen(breaker));
            let [seen, _] = race([
                Box::new(|| {
                    let seen = listen(breaker);
                    breaker.force_closed();
                    seen
                }) as Run<Seen>,
                Box::new(|| {
                    breaker.force_open();
                    breaker.reset();
                    Seen::default()
                }),
            ]);
            let (first, ..) = *seen.lock().unwrap().first().unwrap();
            assert_in_order(breaker, &seen, first);
            let seen = seen.lock().unwrap();
            let ordered = |(.., cause): &&(State, State, Cause)| *cause == Cause::ForcedClosed;
            assert_eq!(seen.iter().filter(ordered).count(), 1);
            if let Some(earlier) = earlier {
                assert_in_order(breaker, &earlier, Closed);
                let earlier = earlier.lock().unwrap();
                assert!(earlier.ends_with(&seen), "{seen:?} of {earlier:?}");
            }
        });
    }
}

/// Listeners of two breakers cause changes of the other one, on two threads: none is delivered
/// within another of its thread, and none is lost.
#[test]
fn changes_that_listeners_cause_against_each_other() {
    model_of_few_preemptions(|| {
        let breakers = [(); 2].map(|()| breaker(1));
        let seen = breakers.map(listen);
        for [own, other] in [[0, 1], [1, 0]].map(|pair| pair.map(|index| breakers[index])) {
            let is_called = std::sync::atomic::AtomicBool::new(false);
            own.on_change(move |change| {
                let is_nested = is_called.swap(true, std::sync::atomic::Ordering::Relaxed);
                assert!(!is_nested, "delivered within another change");
                if change.cause == Cause::Tripped {
                    other.reset();
                    other.force_open();
                }
                is_called.store(false, std::sync::atomic::Ordering::Relaxed);
            })
            .forget();
        }
        race(breakers.map(|breaker| Box::new(|| breaker.trip()) as Run));
        for (breaker, seen) in breakers.into_iter().zip(&seen) {
            assert_in_order(breaker, seen, Closed);
        }
    });
}

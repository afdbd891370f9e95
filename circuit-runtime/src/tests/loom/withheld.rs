//! Models of limits that are reached while the circuit is held closed.

use super::{Run, breaker, circuit, fail, model_of_few_preemptions, race};
use crate::circuit::{Outcome, Ticket};
use crate::{CircuitBreaker, State};

/// Creates a breaker that is held closed.
fn held_closed(max_failures: u32) -> &'static CircuitBreaker {
    let breaker = breaker(max_failures);
    breaker.force_closed();
    breaker
}

/// Makes a call that fails, and returns the ticket it had.
fn failed_call(breaker: &CircuitBreaker) -> Ticket {
    let ticket = circuit(breaker).admit().ok().unwrap();
    circuit(breaker).settle(ticket, Outcome::Failed);
    ticket
}

/// Failures that reach the limit together are withheld once.
#[test]
fn limit_withheld_against_itself() {
    for (limit, before) in [(2, 0), (1, 0), (2, 1)] {
        model_of_few_preemptions(move || {
            let breaker = held_closed(limit);
            (0..before).for_each(|_| fail(breaker));
            let [one, other] = [(); 2].map(|()| breaker.try_acquire().unwrap());
            race([
                Box::new(move || one.failure()) as Run,
                Box::new(move || other.failure()),
            ]);
            let seen = breaker.snapshot();
            assert_eq!((seen.state, seen.opened), (State::Closed, 0));
            assert_eq!(seen.withheld, 1);
            assert_eq!(seen.consecutive_failures, Some(0));
        });
    }
}

/// Two of three failures reach the limit, and the third counts if its call started after that.
#[test]
fn limit_withheld_against_another_failure() {
    model_of_few_preemptions(|| {
        let breaker = held_closed(2);
        let tickets = race([
            Box::new(|| vec![failed_call(breaker), failed_call(breaker)]) as Run<Vec<Ticket>>,
            Box::new(|| vec![failed_call(breaker)]),
        ])
        .concat();
        let generations = tickets.iter().map(|ticket| ticket.word().generation());
        let first = generations.clone().min();
        let later = generations.filter(|&other| Some(other) > first).count();
        let seen = breaker.snapshot();
        assert_eq!((seen.withheld, seen.failed), (1, 3));
        assert!(later <= 1);
        assert_eq!(
            seen.consecutive_failures.map(|count| count as usize),
            Some(later)
        );
    });
}

/// A limit is withheld before a reset, or the failure is stale; after it, failures count anew.
#[test]
fn limit_withheld_against_reset() {
    model_of_few_preemptions(|| {
        let breaker = held_closed(2);
        fail(breaker);
        let call = breaker.try_acquire().unwrap();
        race([
            Box::new(move || call.failure()) as Run,
            Box::new(|| {
                breaker.reset();
                fail(breaker);
            }),
        ]);
        let seen = breaker.snapshot();
        assert!(seen.withheld <= 1);
        assert_eq!((seen.state, seen.hold), (State::Closed, None));
        assert_eq!(seen.consecutive_failures, Some(1), "that after the reset");
        fail(breaker);
        assert_eq!(breaker.state(), State::Open);
    });
}

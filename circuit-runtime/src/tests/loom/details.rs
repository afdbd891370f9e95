//! Models of readers, which see the details of one phase, whatever transitions take place
//! meanwhile.

use std::time::Duration;

use super::{RESET, Run, breaker, circuit, fail, model_of_few_preemptions, race};
use crate::clock::model::set as set_clock;
use crate::{CircuitBreaker, State};

const BEFORE: u64 = RESET;

/// Creates a breaker that has reopened once.
fn reopened() -> &'static CircuitBreaker {
    let breaker = breaker(1);
    fail(breaker);
    set_clock(BEFORE);
    fail(breaker);
    breaker
}

/// Three transitions, so that each of the two slots is written while it is read.
fn transitions(breaker: &CircuitBreaker) {
    breaker.open_for(Duration::from_secs(5));
    breaker.reset();
    breaker.force_open_for(Duration::from_secs(7));
}

/// A phase as a snapshot shows it: the state, the wait, the end of the hold, the reopenings.
type Seen = (State, Option<u64>, Option<u64>, u32);

/// The phases that it shows before the transitions, and after each of them.
const PHASES: [Seen; 4] = [
    (State::Open, Some(30), None, 1),
    (State::Open, Some(5), None, 1),
    (State::Closed, None, None, 0),
    (State::Open, Some(7), Some(7), 0),
];

fn seconds(time: Option<Duration>) -> Option<u64> {
    time.map(|time| time.as_secs())
}

/// A snapshot shows one phase: never the wait of one with the reopenings or the hold of another.
#[test]
fn snapshot_against_transitions() {
    model_of_few_preemptions(|| {
        let breaker = reopened();
        race([
            Box::new(|| transitions(breaker)) as Run,
            Box::new(|| {
                let seen = breaker.snapshot();
                let hold = seen.hold.and_then(|hold| hold.ends_in);
                let seen = (
                    seen.state,
                    seconds(seen.retry_after),
                    seconds(hold),
                    seen.reopenings,
                );
                assert!(PHASES.contains(&seen), "{seen:?}");
            }),
        ]);
    });
}

/// Returns the wait of a rejection, if there is one.
type Question = fn(&CircuitBreaker) -> Option<Option<Duration>>;

/// The wait of a rejection, real or asked for, is that of one phase.
#[test]
fn rejections_against_transitions() {
    let questions: [Question; 2] = [
        |breaker| breaker.would_reject().map(|error| error.retry_after()),
        |breaker| {
            circuit(breaker)
                .admit()
                .err()
                .map(|rejection| rejection.retry_after())
        },
    ];
    for question in questions {
        model_of_few_preemptions(move || {
            let breaker = reopened();
            race([
                Box::new(|| transitions(breaker)) as Run,
                Box::new(move || {
                    if let Some(wait) = question(breaker) {
                        let wait = seconds(wait);
                        assert!([Some(30), Some(5), Some(7)].contains(&wait), "{wait:?}");
                    }
                }),
            ]);
        });
    }
}

/// A state that holds while the phase changes has held since it began.
#[test]
fn begin_of_the_state_against_transitions() {
    model_of_few_preemptions(|| {
        let breaker = reopened();
        set_clock(BEFORE + 2_000_000);
        race([
            Box::new(|| {
                breaker.force_open();
                breaker.open_for(Duration::from_secs(5));
                breaker.force_open_for(Duration::from_secs(7));
            }) as Run,
            Box::new(|| {
                let seen = breaker.snapshot();
                assert_eq!(
                    (seen.state, seconds(Some(seen.since))),
                    (State::Open, Some(2))
                );
            }),
        ]);
    });
}

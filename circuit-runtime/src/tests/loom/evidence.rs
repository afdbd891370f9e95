//! Models of snapshots that show the evidence while it is counted.

use std::time::Duration;

use super::{
    Run, SPAN, breaker, breaker_with, fail, model_of_few_preemptions, race, rates, slow_calls,
    succeed,
};
use crate::clock::model::set as set_clock;
use crate::{CircuitBreaker, Config};

/// Returns the calls that a snapshot shows, and how many of them failed.
fn calls_and_failed(breaker: &CircuitBreaker) -> (u64, u64) {
    let window = breaker.snapshot().window.unwrap();
    (window.calls.unwrap(), window.failed)
}

/// A failure moves all evidence to the full ledger: a snapshot shows the calls before it, with or
/// without the failure.
#[test]
fn snapshot_against_the_move_of_all_evidence() {
    for config in rates(1.0, 5) {
        model_of_few_preemptions(move || {
            let breaker = breaker_with(config);
            succeed(breaker);
            race([
                Box::new(|| fail(breaker)) as Run,
                Box::new(|| {
                    let seen = calls_and_failed(breaker);
                    assert!([(1, 0), (2, 1)].contains(&seen), "{seen:?}");
                }),
            ]);
            assert_eq!(calls_and_failed(breaker), (2, 1));
        });
    }
}

/// Overdue calls are counted once while they end, and while all evidence moves.
#[test]
fn snapshot_against_the_end_of_an_overdue_call() {
    model_of_few_preemptions(|| {
        let breaker = breaker_with(slow_calls());
        let overdue = breaker.try_acquire().unwrap();
        set_clock(2 * SPAN);
        race([
            Box::new(move || overdue.success()) as Run,
            Box::new(|| {
                let window = breaker.snapshot().window.unwrap();
                let seen = (window.calls.unwrap(), window.slow.unwrap());
                assert!([(0, 1), (1, 1)].contains(&seen), "{seen:?}");
            }),
        ]);
        let window = breaker.snapshot().window.unwrap();
        assert_eq!((window.calls, window.slow), (Some(1), Some(1)));
    });
}

/// A snapshot shows the evidence of one generation: what there was before a reset, or after it.
#[test]
fn snapshot_against_a_new_generation() {
    for config in rates(1.0, 5) {
        model_of_few_preemptions(move || {
            let breaker = breaker_with(config);
            succeed(breaker);
            fail(breaker);
            race([
                Box::new(|| {
                    breaker.reset();
                    assert_eq!(calls_and_failed(breaker), (0, 0));
                    fail(breaker);
                }) as Run,
                Box::new(|| {
                    let seen = calls_and_failed(breaker);
                    assert!([(2, 1), (0, 0), (1, 1)].contains(&seen), "{seen:?}");
                }),
            ]);
            assert_eq!(calls_and_failed(breaker), (1, 1));
        });
    }
}

/// The same of rules that count failures alone.
#[test]
fn snapshot_of_failures_against_a_new_generation() {
    let span = Config::builder()
        .max_failures(5)
        .window(Duration::from_secs(1));
    for has_window in [true, false] {
        model_of_few_preemptions(move || {
            let breaker = if has_window {
                breaker_with(span)
            } else {
                breaker(5)
            };
            let failed = || {
                let seen = breaker.snapshot();
                let consecutive = seen.consecutive_failures.map(u64::from);
                seen.window.map(|window| window.failed).or(consecutive)
            };
            (0..3).for_each(|_| fail(breaker));
            race([
                Box::new(move || {
                    breaker.reset();
                    assert_eq!(failed(), Some(0));
                    fail(breaker);
                }) as Run,
                Box::new(move || {
                    let seen = failed();
                    assert!([Some(3), Some(0), Some(1)].contains(&seen), "{seen:?}");
                }),
            ]);
            assert_eq!(failed(), Some(1));
        });
    }
}

/// A failure that opens the circuit is not shown as evidence of the open circuit.
#[test]
fn snapshot_against_the_failure_that_reaches_the_limit() {
    for config in rates(0.5, 2) {
        model_of_few_preemptions(move || {
            let breaker = breaker_with(config);
            succeed(breaker);
            race([
                Box::new(|| fail(breaker)) as Run,
                Box::new(|| {
                    let seen = breaker.snapshot();
                    let window = seen.window.unwrap();
                    let counts = (seen.opened, window.calls.unwrap(), window.failed);
                    let expected = [(0, 1, 0), (0, 2, 1), (1, 0, 0), (1, 1, 0), (1, 2, 1)];
                    assert!(expected.contains(&counts), "{counts:?}");
                }),
            ]);
            assert_eq!(calls_and_failed(breaker), (0, 0));
        });
    }
}

//! Models of services that ask to be left alone.

use std::time::Duration;

use super::{
    RESET, Run, breaker, breaker_with, circuit, fail, half_open_for_two, model_of_few_preemptions,
    race, succeed,
};
use crate::circuit::{Outcome, Ticket};
use crate::clock::Span;
use crate::clock::model::set as set_clock;
use crate::{CircuitBreaker, Config, State};

const MINUTE: Duration = Duration::from_secs(60);
const USUAL: Duration = Duration::from_micros(RESET);

fn acquire(breaker: &CircuitBreaker) -> Ticket {
    circuit(breaker).admit().ok().unwrap()
}

fn unavailable(breaker: &CircuitBreaker, ticket: Ticket, wait: Duration) {
    circuit(breaker).settle_unavailable(ticket, Span::from_duration(wait));
}

/// The circuit opens for as long as its service asked, even if another failure counts at the same
/// time that does not reach the limit by itself.
#[test]
fn request_against_a_failure_below_the_limit() {
    let number = Config::builder().max_failures(2);
    let rate = Config::builder().failure_rate(1.0).min_calls(2);
    for config in [number, number.window(USUAL), rate.last_calls(2)] {
        model_of_few_preemptions(move || {
            let breaker = breaker_with(config);
            let [asks, fails] = [(); 2].map(|()| acquire(breaker));
            race([
                Box::new(move || unavailable(breaker, asks, MINUTE)) as Run,
                Box::new(move || circuit(breaker).settle(fails, Outcome::Failed)),
            ]);
            let seen = breaker.snapshot();
            assert_eq!((seen.state, seen.opened), (State::Open, 1));
            assert_eq!(seen.retry_after, Some(MINUTE), "as long as was asked for");
            assert_eq!(seen.failed, 2);
        });
    }
}

/// The first of a request and a failure that reaches the limit opens the circuit, once.
#[test]
fn request_against_the_failure_that_reaches_the_limit() {
    loom::model(|| {
        let breaker = breaker(2);
        fail(breaker);
        let [asks, fails] = [(); 2].map(|()| acquire(breaker));
        race([
            Box::new(move || unavailable(breaker, asks, MINUTE)) as Run,
            Box::new(move || circuit(breaker).settle(fails, Outcome::Failed)),
        ]);
        let seen = breaker.snapshot();
        assert_eq!((seen.state, seen.opened), (State::Open, 1));
        assert!([Some(MINUTE), Some(USUAL)].contains(&seen.retry_after));
    });
}

/// The result of a call that a request has made stale changes nothing, then or after the recovery.
#[test]
fn request_against_stale_results() {
    for outcome in [Outcome::Succeeded, Outcome::Failed] {
        model_of_few_preemptions(move || {
            let breaker = breaker(3);
            let [asks, stale, other] = [(); 3].map(|()| acquire(breaker));
            race([
                Box::new(move || {
                    unavailable(breaker, asks, MINUTE);
                    circuit(breaker).settle(stale, outcome);
                }) as Run,
                Box::new(move || circuit(breaker).settle(other, outcome)),
            ]);
            assert_eq!(breaker.snapshot().retry_after, Some(MINUTE));
            set_clock(2 * RESET);
            succeed(breaker);
            let seen = breaker.snapshot();
            assert_eq!((seen.state, seen.opened), (State::Closed, 1));
            assert_eq!(seen.consecutive_failures, Some(0));
        });
    }
}

/// A request of a generation that a reset ends has no effect after that.
#[test]
fn request_against_reset() {
    loom::model(|| {
        let breaker = breaker(3);
        let asks = acquire(breaker);
        race([
            Box::new(move || unavailable(breaker, asks, MINUTE)) as Run,
            Box::new(|| {
                breaker.reset();
                fail(breaker);
            }),
        ]);
        let seen = breaker.snapshot();
        assert_eq!((seen.state, seen.retry_after), (State::Closed, None));
        assert_eq!(seen.consecutive_failures, Some(1), "that after the reset");
    });
}

/// Two probes end at once, at least one with a request: the circuit reopens once, for as long as
/// one of those that failed says.
#[test]
fn request_of_a_probe_against_the_result_of_another() {
    const HOUR: Duration = Duration::from_secs(3_600);
    let failed: fn(&CircuitBreaker, Ticket) =
        |breaker, probe| circuit(breaker).settle(probe, Outcome::Failed);
    let succeeded: fn(&CircuitBreaker, Ticket) =
        |breaker, probe| circuit(breaker).settle(probe, Outcome::Succeeded);
    let asked: fn(&CircuitBreaker, Ticket) = |breaker, probe| unavailable(breaker, probe, HOUR);
    for (end, wait) in [(failed, USUAL), (succeeded, MINUTE), (asked, HOUR)] {
        model_of_few_preemptions(move || {
            let breaker = half_open_for_two(1);
            let [asks, other] = [(); 2].map(|()| acquire(breaker));
            race([
                Box::new(move || unavailable(breaker, asks, MINUTE)) as Run,
                Box::new(move || end(breaker, other)),
            ]);
            let seen = breaker.snapshot();
            assert_eq!((seen.state, seen.opened), (State::Open, 2));
            assert_eq!(seen.reopenings, 1);
            assert!([Some(MINUTE), Some(wait)].contains(&seen.retry_after));
        });
    }
}

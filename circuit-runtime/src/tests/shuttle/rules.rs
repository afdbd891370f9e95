//! New rules while threads call: longer programs than those of `loom`, with random rules.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use shuttle::thread;

use super::{RESET, below, explore, one_of, together};
use crate::circuit::state::Phase;
use crate::circuit::{Circuit, Outcome};
use crate::clock::Instant;
use crate::clock::model::{keep_behind, set as set_clock};
use crate::sync::live::watched;
use crate::{Cause, CircuitBreaker, Config, ConfigBuilder, State, WindowCounts};

const SECOND: u64 = 1_000_000;
const CALLS: usize = 6;

/// Returns rules that differ in everything, so that a mix of two of them shows: waits of 10 and 20
/// seconds, or of 15 and more; a rate of few calls or of many; one window or the other.
fn sets() -> [ConfigBuilder; 4] {
    let first = Config::builder()
        .reset(Duration::from_secs(10))
        .max_reset(Duration::from_secs(20))
        .probes(2);
    let second = Config::builder()
        .reset(Duration::from_secs(15))
        .max_reset(Duration::from_secs(10_000))
        .probes(1);
    let window = Duration::from_secs(100);
    [
        first.failure_rate(0.9).min_calls(2).window(window),
        second.failure_rate(0.5).min_calls(5).window(window),
        first.max_failures(3),
        second.failure_rate(0.5).min_calls(4).last_calls(8),
    ]
}

/// Returns whether the calls in `window` reach a limit of these rules.
fn is_reached(config: &Config, cause: Cause, window: WindowCounts) -> bool {
    let calls = window.calls.unwrap_or_default();
    match cause {
        Cause::MaxFailures => config
            .max_failures()
            .is_some_and(|limit| window.failed >= limit.into()),
        Cause::FailureRate => config.failure_rate().is_some_and(|rate| {
            calls >= config.min_calls().into() && window.failed as f64 >= rate * calls as f64
        }),
        _ => true,
    }
}

/// Returns the wait of these rules after so many reopenings.
fn wait(config: &Config, reopenings: u32) -> Duration {
    let longest = config.max_reset().unwrap_or(config.reset());
    (config.reset() * 2_u32.pow(reopenings)).min(longest)
}

/// Every opening is by the limit of one set and for the wait of one, as many probes are in flight
/// at most as one set admits, no call is lost, and in the end the rules are those of the last
/// change.
#[test]
fn new_rules_against_calls() {
    explore(|| {
        set_clock(RESET);
        keep_behind(0);
        let sets = sets();
        // Two at a time: a mix of two must not be one of a third.
        let pair = [one_of(sets), one_of(sets)].map(|rules| rules.build().unwrap());
        let create = || CircuitBreaker::new("model", pair[0]);
        let breaker: &'static CircuitBreaker = Box::leak(Box::new(watched(create)));
        let reopenings = Mutex::new(None::<u32>);
        let _subscription = breaker.on_change(move |change| {
            let mut reopenings = reopenings.lock().unwrap();
            match change.to {
                State::Closed => *reopenings = None,
                State::HalfOpen => {}
                State::Open => {
                    let number = reopenings.map_or(0, |number| number + 1);
                    *reopenings = Some(number);
                    let waits = pair.map(|config| Some(wait(&config, number)));
                    assert!(waits.contains(&change.retry_after), "{change:?}, {pair:?}");
                    if let Some(window) = change.window {
                        let by = |config| is_reached(config, change.cause, window);
                        assert!(pair.iter().any(by), "{change:?}, {pair:?}");
                    }
                }
            }
        });
        let probes = Arc::new(Mutex::new(Vec::new()));
        let most = pair.map(|config| config.probes() as usize);
        let most = most.into_iter().max().unwrap();
        let now = Arc::new(Mutex::new(RESET));
        let circuit: &Circuit = breaker.as_ref();
        let shared = Box::leak(Box::new((probes, now)));
        let (probes, now) = (&shared.0, &shared.1);
        let calls = together(4, move |number| {
            let mut ended = 0;
            for turn in 0..CALLS {
                if number == 0 {
                    breaker.reconfigure(pair[(turn + 1) % 2]).unwrap();
                    let mut now = now.lock().unwrap();
                    *now += below(20 * SECOND);
                    set_clock(*now);
                    continue;
                }
                let Ok(ticket) = circuit.admit() else {
                    continue;
                };
                let is_probe = ticket.word().phase() == Phase::Open;
                if is_probe {
                    let now = Instant::from_micros(*now.lock().unwrap());
                    let mut probes = probes.lock().unwrap();
                    let generation = ticket.word().generation();
                    let probe = (generation, ticket.lease().until());
                    probes.push(probe);
                    let live = probes.iter().filter(|it| it.0 == generation && it.1 > now);
                    assert!(live.count() <= most, "more probes than any set admits");
                }
                thread::yield_now();
                let outcome = one_of([Outcome::Succeeded, Outcome::Failed, Outcome::Failed]);
                if is_probe {
                    let probe = (ticket.word().generation(), ticket.lease().until());
                    let mut probes = probes.lock().unwrap();
                    let index = probes.iter().position(|other| *other == probe);
                    probes.swap_remove(index.unwrap());
                }
                circuit.settle(ticket, outcome);
                ended += 1;
            }
            ended
        });
        let seen = breaker.snapshot();
        assert_eq!(seen.succeeded + seen.failed, calls.iter().sum::<u64>());
        assert_eq!(seen.config, pair[CALLS % 2]);
        breaker.reset();
        let config = seen.config;
        let limit = config.max_failures().unwrap_or(config.min_calls());
        for failed in 0..limit {
            assert_eq!(breaker.state(), State::Closed, "{failed} by {config:?}");
            breaker.try_acquire().unwrap().failure();
        }
        assert_eq!(breaker.state(), State::Open, "by {config:?}");
        assert_eq!(breaker.snapshot().retry_after, Some(config.reset()));
    });
}

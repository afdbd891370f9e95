//! New rules again and again while threads call: no thread sees what neither set of rules gives.
//!
//! Time is virtual, and stands still while the threads run, so that waits are known exactly.
//! `HAMMER_ROUNDS` is the number of rounds for each test; release builds make more of them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot continue has failed"
)]

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use circuit_runtime::{
    CallError, Cause, CircuitBreaker, CircuitError, Config, ConfigBuilder, State, WindowCounts,
};
use tokio::runtime::Runtime;

/// The threads that call, beside the one that changes the rules.
const CALLERS: usize = 3;

/// The calls of each thread in a round.
const CALLS: usize = 200;

/// The least number of rounds.
fn rounds() -> usize {
    let rounds = std::env::var("HAMMER_ROUNDS").ok();
    rounds.and_then(|rounds| rounds.parse().ok()).unwrap_or(60)
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A breaker whose rules change between two sets.
struct Hammer {
    runtime: Runtime,
    breaker: CircuitBreaker,
    rules: [Config; 2],
}

impl Hammer {
    fn new(rules: &[ConfigBuilder; 2]) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        let runtime = runtime.unwrap();
        let rules = rules.map(|rules| rules.build().unwrap());
        let entered = runtime.enter();
        let breaker = CircuitBreaker::new("hammer", rules[0]);
        drop(entered);
        Self {
            runtime,
            breaker,
            rules,
        }
    }

    fn advance(&self, time: Duration) {
        self.runtime.block_on(tokio::time::advance(time));
    }

    /// Has all threads call, each so many times, while the rules change.
    fn round(&self, call: impl Fn(usize) + Sync) {
        let begin = Barrier::new(CALLERS + 1);
        let callers = AtomicU64::new(CALLERS as u64);
        thread::scope(|scope| {
            let (begin, callers, call) = (&begin, &callers, &call);
            for caller in 0..CALLERS {
                scope.spawn(move || {
                    let _entered = self.runtime.enter();
                    let _end = End(callers);
                    begin.wait();
                    (0..CALLS).for_each(|number| call(number * CALLERS + caller));
                });
            }
            let _entered = self.runtime.enter();
            begin.wait();
            for config in self.rules.iter().cycle() {
                assert_eq!(self.breaker.reconfigure(*config), Ok(()));
                if callers.load(Ordering::Relaxed) == 0 {
                    break;
                }
            }
        });
    }
}

/// Counts a caller that ends, also by a panic.
struct End<'c>(&'c AtomicU64);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Records which of two outcomes were seen.
#[derive(Default)]
struct Seen([AtomicBool; 2]);

impl Seen {
    /// Records one of `outcomes`; any other is a mix of two sets of rules.
    fn one_of<T: PartialEq + std::fmt::Debug>(&self, outcomes: &[T; 2], outcome: &T) {
        let index = outcomes.iter().position(|other| other == outcome);
        let Some(index) = index else {
            panic!("{outcome:?} is by neither set of rules, but {outcomes:?} would be");
        };
        self.add(index);
    }

    fn add(&self, index: usize) {
        self.0.get(index).unwrap().store(true, Ordering::Relaxed);
    }

    fn are_both(&self) -> bool {
        self.0.iter().all(|seen| seen.load(Ordering::Relaxed))
    }
}

/// Runs rounds until there were enough and both outcomes were seen.
fn run(seen: &Seen, mut round: impl FnMut()) {
    let least = rounds();
    for number in 0.. {
        if number >= least && seen.are_both() {
            return;
        }
        assert!(number < least + 10_000, "rules that never show");
        round();
    }
}

fn opens_at_once() -> ConfigBuilder {
    Config::builder().max_failures(1)
}

/// After two reopenings, a wait of 30 or 64 ms; by `reset` of one set and `max_reset` of the other,
/// it would be 40 ms, and after one 30 ms in place of 20 or 32 ms.
#[test]
fn every_wait_is_by_one_set_of_rules() {
    let hammer = Hammer::new(&[
        opens_at_once().reset(millis(10)).max_reset(millis(30)),
        opens_at_once().reset(millis(16)).max_reset(millis(1_000)),
    ]);
    let breaker = &hammer.breaker;
    let seen = Seen::default();
    run(&seen, || {
        breaker.reset();
        hammer.round(|_| {
            // The event of each opening shows the wait, too.
            if let Ok(permit) = breaker.try_acquire() {
                permit.failure();
            }
            let waits = [millis(10), millis(16)].map(Some);
            let change = breaker.snapshot().last_change.unwrap();
            seen.one_of(&waits, &change.retry_after);
        });
        for waits in [[20, 32], [30, 64]] {
            hammer.advance(millis(65));
            assert_eq!(breaker.state(), State::HalfOpen);
            breaker.try_acquire().unwrap().failure();
            hammer.advance(millis(7));
            let left = waits.map(|wait| Some(millis(wait - 7)));
            hammer.round(|number| {
                let shown = match number % 3 {
                    0 => breaker.try_acquire().unwrap_err().retry_after(),
                    1 => breaker.snapshot().retry_after,
                    _ => breaker.would_reject().unwrap().retry_after(),
                };
                seen.one_of(&left, &shown);
            });
        }
    });
}

/// Half-open by the one set and open by the other: a call is admitted or waits, and one probe is
/// admitted at most. The circuit that has admitted it stays half-open.
#[test]
fn every_admission_is_by_one_set_of_rules() {
    let hammer = Hammer::new(&[
        opens_at_once().reset(millis(10)),
        opens_at_once().reset(millis(16)),
    ]);
    let breaker = &hammer.breaker;
    let seen = Seen::default();
    run(&seen, || {
        breaker.reset();
        breaker.try_acquire().unwrap().failure();
        hammer.advance(millis(12));
        let admitted = AtomicU64::new(0);
        hammer.round(|_| {
            let was_admitted = admitted.load(Ordering::Acquire) > 0;
            match breaker.try_acquire() {
                Ok(permit) => {
                    std::mem::forget(permit);
                    admitted.fetch_add(1, Ordering::Release);
                }
                Err(rejected) if rejected.retry_after() == Some(millis(4)) => {
                    assert!(!was_admitted, "open again after a probe");
                    seen.add(1);
                }
                Err(rejected) => {
                    seen.add(0);
                    let lease = rejected.retry_after().unwrap();
                    assert!([10, 16].map(millis).contains(&lease), "{lease:?}");
                }
            }
            if was_admitted {
                assert_eq!(breaker.state(), State::HalfOpen);
            }
        });
        assert!(admitted.into_inner() <= 1, "there is one slot");
    });
}

/// Makes calls of which three in five fail, and judges each opening.
fn judge_openings(rules: &[ConfigBuilder; 2], judge: fn(Cause, WindowCounts) -> [bool; 2]) {
    let hammer = Hammer::new(rules);
    let breaker = &hammer.breaker;
    let seen = Arc::new(Seen::default());
    let wrong = Arc::new(Mutex::new(None));
    let (judged, found) = (seen.clone(), wrong.clone());
    let _subscription = breaker.on_change(move |change| {
        if let (State::Open, Some(window)) = (change.to, change.window) {
            let by = judge(change.cause, window);
            by.into_iter()
                .enumerate()
                .filter(|(_, by)| *by)
                .for_each(|(set, _)| judged.add(set));
            if by == [false; 2] {
                found.lock().unwrap().replace((change.cause, window));
            }
        }
    });
    run(&seen, || {
        breaker.reset();
        hammer.round(|number| match breaker.try_acquire() {
            Ok(permit) if (number * 7) % 5 < 2 => permit.success(),
            Ok(permit) => permit.failure(),
            Err(_) => breaker.reset(),
        });
        assert_eq!(*wrong.lock().unwrap(), None, "by neither set of rules");
    });
}

/// Nine tenths of at least four calls, or half of at least forty.
#[test]
fn every_rate_is_that_of_one_set_of_rules() {
    for window in [
        Config::builder().last_calls(100),
        Config::builder().window(millis(1_000)),
    ] {
        judge_openings(
            &[
                window.failure_rate(0.9).min_calls(4),
                window.failure_rate(0.5).min_calls(40),
            ],
            |_, window| {
                let (calls, failed) = (window.calls.unwrap(), window.failed);
                [
                    calls >= 4 && failed * 10 >= calls * 9,
                    calls >= 40 && failed * 2 >= calls,
                ]
            },
        );
    }
}

/// Three consecutive failures, or half of at least twelve of the last calls.
#[test]
fn every_limit_is_on_the_calls_of_its_own_window() {
    let consecutive = Config::builder().max_failures(3);
    let rate = Config::builder().last_calls(64).failure_rate(0.5);
    judge_openings(&[consecutive, rate.min_calls(12)], |cause, window| {
        [
            cause == Cause::MaxFailures && window.failed >= 3,
            cause == Cause::FailureRate
                && window
                    .calls
                    .is_some_and(|calls| calls >= 12 && window.failed * 2 >= calls),
        ]
    });
}

/// A call in flight that never ends by itself.
type Running<'b> = Pin<Box<dyn Future<Output = Result<(), CallError<()>>> + Send + 'b>>;

/// Calls start while the rules change, and each has one of the timeouts, to its end.
#[test]
fn every_timeout_is_that_of_one_set_of_rules() {
    let rules = Config::builder().max_failures(u32::MAX);
    let hammer = Hammer::new(&[rules.timeout(millis(5)), rules.timeout(millis(11))]);
    let breaker = &hammer.breaker;
    let seen = Seen::default();
    let poll = |call: &mut Running<'_>| {
        let mut cx = Context::from_waker(Waker::noop());
        match call.as_mut().poll(&mut cx) {
            Poll::Pending => true,
            Poll::Ready(Err(CallError::Circuit(CircuitError::Timeout { after, .. }))) => {
                seen.one_of(&[millis(5), millis(11)], &after);
                false
            }
            Poll::Ready(other) => panic!("{other:?}"),
        }
    };
    run(&seen, || {
        let calls = Mutex::new(Vec::new());
        hammer.round(|number| {
            if number % 4 < 3 {
                let mut call: Running<'_> = Box::pin(breaker.call(std::future::pending()));
                assert!(poll(&mut call));
                calls.lock().unwrap().push(call);
            } else if let Some(mut call) = calls.lock().unwrap().pop() {
                assert!(poll(&mut call), "no time has passed");
            }
        });
        let mut calls = calls.into_inner().unwrap();
        for time in [5, 6] {
            hammer.advance(millis(time));
            let _entered = hammer.runtime.enter();
            calls.retain_mut(poll);
        }
        assert_eq!(calls.len(), 0, "calls that wait on");
    });
}

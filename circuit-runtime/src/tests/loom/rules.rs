//! Models of new rules: a call observes those from before a change or those from after it.

use std::time::Duration;

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

use super::{LAG, Run, fail, model_of_few_preemptions, model_of_three, race, succeed};
use crate::circuit::Circuit;
use crate::clock::model::{keep_behind, set as set_clock};
use crate::sync::live::watched;
use crate::sync::once_box::exact;
use crate::sync::sequenced::Sequenced;
use crate::{CircuitBreaker, Config, ConfigBuilder, State};

const SECOND: u64 = 1_000_000;

/// Checks programs of even more steps, with one preemption.
fn model_of_one_preemption(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(1);
    builder.check(model);
}

/// Creates a breaker whose rules change. The clock starts at zero.
fn breaker(config: ConfigBuilder) -> &'static CircuitBreaker {
    set_clock(0);
    keep_behind(0);
    let config = config.build().unwrap();
    Box::leak(Box::new(watched(|| CircuitBreaker::new("model", config))))
}

/// Creates the same, with boxes that order no more than they do outside of models: for what other
/// orderings have to guarantee.
fn exact_breaker(config: ConfigBuilder) -> &'static CircuitBreaker {
    exact(|| breaker(config))
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn change(breaker: &CircuitBreaker, config: ConfigBuilder) {
    breaker.reconfigure(config.build().unwrap()).unwrap();
}

/// Requests a call and leaks its permit; returns the wait of a rejection.
fn rejected(breaker: &CircuitBreaker) -> Option<Duration> {
    match breaker.try_acquire() {
        Ok(permit) => {
            std::mem::forget(permit);
            None
        }
        Err(error) => error.retry_after(),
    }
}

/// Returns for how many seconds the next call would be rejected.
fn rejection_of_next(breaker: &CircuitBreaker) -> Option<u64> {
    let wait = breaker.would_reject()?.retry_after()?;
    Some(wait.as_secs())
}

/// Opens at so many failures: consecutive ones, in a span of time, and among the last calls.
fn failures(limit: u32) -> [ConfigBuilder; 3] {
    let config = Config::builder().max_failures(limit);
    [config, config.window(seconds(10)), config.last_calls(10)]
}

/// Returns how many failures are counted.
fn counted(breaker: &CircuitBreaker) -> u64 {
    let seen = breaker.snapshot();
    let consecutive = seen.consecutive_failures.unwrap_or_default();
    seen.window
        .map_or(consecutive.into(), |window| window.failed)
}

/// Words that change together are read together, and the reader finds none only during a change.
#[test]
fn words_that_change_against_their_reader() {
    loom::model(|| {
        let words: &'static Sequenced<2> = Box::leak(Box::new(watched(|| Sequenced::new([1, 1]))));
        let is_done: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
        let writer = thread::spawn(|| {
            words.write([2, 2]);
            is_done.store(true, Ordering::Release);
            words.write([3, 3]);
        });
        let was_done = is_done.load(Ordering::Acquire);
        let seen = words.read();
        assert!([None, Some([1, 1]), Some([2, 2]), Some([3, 3])].contains(&seen));
        assert!(
            !was_done || seen != Some([1, 1]),
            "the first change was done"
        );
        writer.join().unwrap();
        assert_eq!(words.read(), Some([3, 3]));
    });
}

#[test]
fn words_that_have_changed_are_found() {
    loom::model(|| {
        let words: &'static Sequenced<2> = Box::leak(Box::new(watched(|| Sequenced::new([1, 1]))));
        let is_done: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
        let writer = thread::spawn(|| {
            words.write([2, 2]);
            is_done.store(true, Ordering::Release);
        });
        if is_done.load(Ordering::Acquire) {
            assert_eq!(words.read(), Some([2, 2]));
        }
        writer.join().unwrap();
    });
}

/// A failure is judged by the limit from before or after, and counts for those to come.
#[test]
fn lower_limit_against_a_failure() {
    for (before, after) in failures(3).into_iter().zip(failures(2)) {
        model_of_three(move || {
            let breaker = breaker(before);
            fail(breaker);
            race([
                Box::new(|| fail(breaker)) as Run,
                Box::new(move || change(breaker, after)),
            ]);
            if breaker.state() == State::Closed {
                assert_eq!(counted(breaker), 2);
                fail(breaker);
            }
            assert_eq!(breaker.state(), State::Open);
            assert_eq!(breaker.snapshot().opened, 1);
        });
    }
}

/// Five failures in ten seconds, or three in one second: after three in this moment, or five
/// seconds ago, one more opens the circuit neither by the one rule nor by the other.
#[test]
fn another_limit_and_window_against_a_failure() {
    let rule = |limit, window| {
        Config::builder()
            .max_failures(limit)
            .window(seconds(window))
    };
    let last = |limit| Config::builder().max_failures(limit).last_calls(10);
    let consecutive = Config::builder();
    for (before, after, limit) in [
        (rule(5, 10), rule(3, 1), 3),
        (rule(5, 10), last(3), 3),
        (rule(5, 10), consecutive.max_failures(3), 3),
        (last(5), rule(3, 10), 3),
        (last(5), last(3).last_calls(4), 3),
        (last(5), consecutive.max_failures(3), 3),
        (consecutive.max_failures(5), rule(3, 10), 3),
        (consecutive.max_failures(5), last(3), 3),
    ] {
        for now in [0, 5 * SECOND] {
            model_of_few_preemptions(move || {
                let breaker = breaker(before);
                (0..3).for_each(|_| fail(breaker));
                set_clock(now);
                race([
                    Box::new(|| fail(breaker)) as Run,
                    Box::new(move || change(breaker, after)),
                ]);
                assert_eq!(breaker.state(), State::Closed, "a mix of two rules");
                let counted = counted(breaker);
                assert!(counted <= 1, "{counted} failures of another window");
                (counted..limit - 1).for_each(|_| fail(breaker));
                assert_eq!(breaker.state(), State::Closed);
                fail(breaker);
                assert_eq!(breaker.state(), State::Open);
            });
        }
    }
}

/// A failure that reaches the limit while the window changes opens the circuit, or counts in the
/// new window, or is gone with the old one; it does not count twice.
#[test]
fn another_window_against_the_failure_that_reaches_the_limit() {
    for before in failures(2) {
        for after in failures(2) {
            if before.build() == after.build() {
                continue;
            }
            model_of_one_preemption(move || {
                let breaker = breaker(before);
                fail(breaker);
                race([
                    Box::new(|| fail(breaker)) as Run,
                    Box::new(move || change(breaker, after)),
                ]);
                if breaker.state() == State::Closed {
                    let counted = counted(breaker);
                    assert!(counted <= 1, "{counted} failures of another window");
                    (counted..2).for_each(|_| fail(breaker));
                    assert_eq!(breaker.state(), State::Open);
                }
            });
        }
    }
}

/// A failure counts once towards a number that is added beside a rate, or instead of it: with those
/// that the rate has counted, or after them.
#[test]
fn another_limit_beside_a_rate_against_a_failure() {
    let rate = |config: ConfigBuilder| config.failure_rate(1.0).min_calls(100);
    let limit = Config::builder().max_failures(3).window(seconds(10));
    for (is_first, after) in [(false, limit), (false, rate(limit)), (true, rate(limit))] {
        model_of_one_preemption(move || {
            let breaker = breaker(rate(Config::builder().window(seconds(10))));
            if !is_first {
                fail(breaker);
            }
            race([
                Box::new(|| fail(breaker)) as Run,
                Box::new(move || change(breaker, after)),
            ]);
            if is_first {
                fail(breaker);
            }
            assert_eq!(breaker.state(), State::Closed, "two failures");
            fail(breaker);
            assert_eq!(breaker.state(), State::Open, "three failures");
        });
    }
}

/// A failure counts once towards a number that is removed and added again while it is recorded.
#[test]
fn limit_beside_a_rate_removed_and_added_against_a_failure() {
    let rate = Config::builder().failure_rate(1.0).min_calls(100);
    let rate = rate.window(seconds(10));
    for is_first in [false, true] {
        model_of_one_preemption(move || {
            let breaker = breaker(rate.max_failures(3));
            if !is_first {
                fail(breaker);
            }
            race([
                Box::new(|| fail(breaker)) as Run,
                Box::new(move || {
                    change(breaker, rate);
                    change(breaker, rate.max_failures(3));
                }),
            ]);
            if is_first {
                fail(breaker);
            }
            assert_eq!(breaker.state(), State::Closed, "two failures");
            fail(breaker);
            assert_eq!(breaker.state(), State::Open, "three failures");
        });
    }
}

/// Nine of ten of at least two calls, or half of at least twenty: three of four reach neither.
#[test]
fn another_rate_and_min_calls_against_a_failure() {
    let rate = |rate, calls| Config::builder().failure_rate(rate).min_calls(calls);
    for window in [
        (|config: ConfigBuilder| config.window(seconds(10))) as fn(ConfigBuilder) -> ConfigBuilder,
        |config| config.last_calls(20),
    ] {
        model_of_few_preemptions(move || {
            let breaker = breaker(window(rate(0.9, 2)));
            succeed(breaker);
            (0..2).for_each(|_| fail(breaker));
            race([
                Box::new(|| fail(breaker)) as Run,
                Box::new(move || change(breaker, window(rate(0.5, 20)))),
            ]);
            assert_eq!(breaker.state(), State::Closed, "a mix of two rules");
            assert_eq!(counted(breaker), 3);
            // A rate is judged anew with the next result, a success, too.
            change(breaker, window(rate(0.5, 2)));
            succeed(breaker);
            assert_eq!(breaker.state(), State::Open);
        });
    }
}

/// The evidence is created by a failure while the limit falls: it is judged by the new one after.
#[test]
fn lower_limit_against_the_first_failure() {
    let rate = |calls| {
        let config = Config::builder().failure_rate(0.5).min_calls(calls);
        [config.window(seconds(10)), config.last_calls(10)]
    };
    let pairs = failures(5).into_iter().zip(failures(2));
    for (before, after) in pairs.chain(rate(5).into_iter().zip(rate(2))) {
        model_of_three(move || {
            let breaker = breaker(before);
            race([
                Box::new(|| fail(breaker)) as Run,
                Box::new(move || change(breaker, after)),
            ]);
            assert_eq!(breaker.state(), State::Closed);
            fail(breaker);
            assert_eq!(breaker.state(), State::Open, "the old limit is left");
        });
    }
}

/// The first failure allocates while the limit falls: with the new limit, or so that the change
/// finds what was allocated.
#[test]
fn lower_limit_against_the_allocation_for_the_first_failure() {
    for (before, after) in failures(5).into_iter().zip(failures(2)) {
        model_of_few_preemptions(move || {
            let breaker = exact_breaker(before);
            race([
                Box::new(|| fail(breaker)) as Run,
                Box::new(move || change(breaker, after)),
            ]);
            assert_eq!(breaker.state(), State::Closed);
            fail(breaker);
            assert_eq!(breaker.state(), State::Open, "the old limit is left");
        });
    }
}

/// Opens at the first failure, for so many seconds.
fn reset(wait: u64) -> ConfigBuilder {
    Config::builder().max_failures(1).reset(seconds(wait))
}

/// The circuit opens for the wait from before or after, and has the new one in the end.
#[test]
fn another_reset_against_a_trip() {
    for (before, after) in [(30, 100), (100, 30)] {
        model_of_few_preemptions(move || {
            let breaker = breaker(reset(before));
            let [_, wait] = race([
                Box::new(move || {
                    change(breaker, reset(after));
                    None
                }) as Run<Option<Duration>>,
                Box::new(|| {
                    fail(breaker);
                    rejected(breaker)
                }),
            ]);
            let waits = [before, after].map(|wait| Some(seconds(wait)));
            assert!(waits.contains(&wait), "{wait:?}");
            let seen = breaker.snapshot();
            assert_eq!(seen.retry_after, Some(seconds(after)));
            let reported = seen.last_change.unwrap().retry_after;
            assert!(waits.contains(&reported), "{reported:?}");
        });
    }
}

/// A wait is derived from `reset` and `max_reset` of one configuration.
#[test]
fn another_reset_and_max_reset_against_a_rejection() {
    let rules = |reset, longest| {
        let config = Config::builder().max_failures(1).reset(seconds(reset));
        config.max_reset(seconds(longest))
    };
    // After two reopenings: 20 or 60 s. By a mix, 40 s.
    model_of_three(move || {
        let breaker = breaker(rules(10, 20));
        fail(breaker);
        for end in [10, 30] {
            set_clock(end * SECOND);
            fail(breaker);
        }
        let [_, wait] = race([
            Box::new(move || {
                change(breaker, rules(15, 1_000));
                None
            }) as Run<Option<Duration>>,
            Box::new(|| rejected(breaker)),
        ]);
        let waits = [20, 60].map(|wait| Some(seconds(wait)));
        assert!(waits.contains(&wait), "{wait:?}");
        assert_eq!(rejected(breaker), Some(seconds(60)));
    });
}

/// Waits of a circuit that has opened thirty seconds ago, in whole seconds.
type Waits = [Option<u64>; 3];

/// Asserts that there is one slot, and that the waits are the lease, or the rest of the long wait.
fn assert_by_one_rule(
    breaker: &CircuitBreaker,
    [_, first, second]: Waits,
    is_open_in_the_end: bool,
) {
    for wait in [first, second] {
        assert!([None, Some(30), Some(70)].contains(&wait), "{wait:?}");
    }
    assert!(first.is_some() || second.is_some(), "there is one slot");
    let state = breaker.state();
    if first.is_none() || second.is_none() {
        // The lease is 30 s, by both rules.
        assert_eq!((state, rejected_for(breaker)), (State::HalfOpen, Some(30)));
    } else {
        assert_eq!(state == State::Open, is_open_in_the_end);
    }
}

fn rejected_for(breaker: &CircuitBreaker) -> Option<u64> {
    rejected(breaker).map(|wait| wait.as_secs_f64().round() as u64)
}

/// The circuit becomes half-open while its wait grows or shrinks: a call is admitted, or rejected
/// for as long as the one rule or the other says, and what a probe has begun stays.
#[test]
fn another_reset_against_two_calls() {
    for (before, after) in [(30, 100), (100, 30)] {
        model_of_one_preemption(move || {
            let breaker = breaker(reset(before));
            fail(breaker);
            set_clock(30 * SECOND);
            let [_, [first, second]] = race([
                Box::new(move || {
                    change(breaker, reset(after));
                    [None; 2]
                }) as Run<[Option<u64>; 2]>,
                Box::new(|| [rejected_for(breaker), rejected_for(breaker)]),
            ]);
            assert!(
                first.is_some() || second != Some(70),
                "half-open, and then open"
            );
            assert_by_one_rule(breaker, [None, first, second], after == 100);
        });
    }
}

/// The same of two callers at once, with a coarse clock that lags behind or does not.
#[test]
fn another_reset_against_two_callers() {
    for (before, after, lag) in [(30, 100, LAG - 1), (100, 30, 0)] {
        model_of_one_preemption(move || {
            let breaker = breaker(reset(before));
            fail(breaker);
            set_clock(30 * SECOND);
            keep_behind(lag);
            let waits = race([
                Box::new(move || {
                    change(breaker, reset(after));
                    None
                }) as Run<Option<u64>>,
                Box::new(|| rejected_for(breaker)),
                Box::new(|| rejected_for(breaker)),
            ]);
            assert_by_one_rule(breaker, waits, after == 100);
        });
    }
}

/// A circuit that has admitted a probe is half-open for every caller until the probe ends, whatever
/// `reset` is.
#[test]
fn longer_reset_against_a_caller_beside_a_probe() {
    model_of_one_preemption(move || {
        let breaker = breaker(reset(30));
        fail(breaker);
        set_clock(30 * SECOND);
        std::mem::forget(breaker.try_acquire().unwrap());
        let [_, wait] = race([
            Box::new(move || {
                change(breaker, reset(100));
                None
            }) as Run<Option<Duration>>,
            Box::new(|| {
                assert_eq!(breaker.state(), State::HalfOpen);
                rejected(breaker)
            }),
        ]);
        assert_eq!(wait, Some(seconds(30)));
        assert_eq!(breaker.state(), State::HalfOpen);
    });
}

/// The state is read while a probe is admitted and `reset` grows: the circuit was half-open before,
/// and is so after.
#[test]
fn longer_reset_after_a_probe_against_the_state() {
    model_of_few_preemptions(move || {
        let breaker = breaker(reset(30));
        fail(breaker);
        set_clock(30 * SECOND);
        race([
            Box::new(move || {
                std::mem::forget(breaker.try_acquire().unwrap());
                change(breaker, reset(100));
            }) as Run,
            Box::new(|| {
                assert_eq!(breaker.state(), State::HalfOpen);
                let seen = breaker.snapshot();
                assert_eq!(seen.state, State::HalfOpen);
                assert_ne!(seen.retry_after, Some(seconds(70)));
            }),
        ]);
    });
}

/// A probe is admitted before `reset` grows: the new wait rejects no caller. The coarse clock lags
/// until before the end of the old wait, so that it alone decides.
#[test]
fn longer_reset_after_a_probe_against_a_caller() {
    model_of_one_preemption(move || {
        let breaker = exact_breaker(reset(30));
        fail(breaker);
        set_clock(30 * SECOND);
        let [_, wait] = race([
            Box::new(move || {
                assert_eq!(rejected(breaker), None);
                keep_behind(5 * SECOND);
                change(breaker, reset(100));
                None
            }) as Run<Option<u64>>,
            Box::new(|| rejection_of_next(breaker)),
        ]);
        assert!([None, Some(5), Some(30)].contains(&wait), "{wait:?}");
    });
}

/// The state is read while a probe is admitted, two seconds after the wait: the circuit has been
/// half-open since the end of the wait.
#[test]
fn probe_against_the_time_of_the_state() {
    model_of_few_preemptions(|| {
        let breaker = exact_breaker(reset(30));
        fail(breaker);
        set_clock(32 * SECOND);
        race([
            Box::new(|| std::mem::forget(breaker.try_acquire().unwrap())) as Run,
            Box::new(|| assert_eq!(breaker.snapshot().since, seconds(2))),
        ]);
    });
}

/// A probe ends after `reset` has grown: a caller waits for its lease, or for the new wait.
#[test]
fn end_of_a_probe_against_a_caller_after_a_longer_reset() {
    for success in [true, false] {
        model_of_three(move || {
            let breaker = breaker(reset(30));
            fail(breaker);
            set_clock(30 * SECOND);
            let probe = breaker.try_acquire().unwrap();
            change(breaker, reset(100));
            let [_, wait] = race([
                Box::new(move || {
                    if success {
                        probe.success();
                    } else {
                        probe.failure();
                    }
                    None
                }) as Run<Option<Duration>>,
                Box::new(|| rejected(breaker)),
            ]);
            let after = if success { None } else { Some(seconds(100)) };
            assert!([Some(seconds(30)), after].contains(&wait), "{wait:?}");
        });
    }
}

/// A circuit that has reopened is half-open by the shorter rule at once. The long lease from before
/// rejects no call of it.
#[test]
fn shorter_reset_against_the_next_probe() {
    model_of_three(move || {
        let breaker = breaker(reset(100));
        fail(breaker);
        set_clock(100 * SECOND);
        let probe = breaker.try_acquire().unwrap();
        assert_eq!(rejected(breaker), Some(seconds(100)));
        set_clock(101 * SECOND);
        probe.failure();
        set_clock(150 * SECOND);
        let [_, wait] = race([
            Box::new(move || {
                change(breaker, reset(10));
                None
            }) as Run<Option<Duration>>,
            Box::new(|| rejected(breaker)),
        ]);
        assert!([None, Some(seconds(51))].contains(&wait), "{wait:?}");
    });
}

/// The circuit reopens, and is half-open again, while `reset` shrinks. The success of a probe keeps
/// all slots taken, until a long lease ends, which rejects no call of the later phase.
#[test]
fn shorter_reset_against_the_result_of_two_probes() {
    model_of_one_preemption(move || {
        let breaker = breaker(reset(100).probes(2));
        fail(breaker);
        set_clock(100 * SECOND);
        let [first, second] = [(); 2].map(|()| breaker.try_acquire().unwrap());
        set_clock(101 * SECOND);
        race([
            Box::new(move || change(breaker, reset(10).probes(2))) as Run,
            Box::new(move || {
                first.success();
                second.failure();
                set_clock(150 * SECOND);
                let wait = rejection_of_next(breaker);
                assert!([None, Some(51)].contains(&wait), "{wait:?}");
            }),
        ]);
        assert_eq!(breaker.state(), State::HalfOpen);
    });
}

/// A probe has its timeout and its lease by the same rules.
#[test]
fn another_timeout_against_a_probe() {
    let rules = |timeout| reset(10).timeout(seconds(timeout));
    model_of_one_preemption(move || {
        let breaker = breaker(rules(20));
        fail(breaker);
        set_clock(15 * SECOND);
        let [probe, _] = race([
            Box::new(|| {
                let circuit: &Circuit = breaker.as_ref();
                let ticket = circuit.admit().ok()?;
                let timeout = circuit.timeout_of(ticket).as_micros();
                let lease = ticket.lease().until().as_micros();
                Some((timeout, lease - 15 * SECOND))
            }) as Run<Option<(u64, u64)>>,
            Box::new(move || {
                change(breaker, rules(40));
                None
            }),
        ]);
        let (timeout, lease) = probe.unwrap();
        assert_eq!(timeout, lease);
        assert!([20 * SECOND, 40 * SECOND].contains(&lease), "{lease}");
    });
}

/// By the old rules, one success closes the circuit; by the new ones, it is the first of two, and
/// the second begins a ramp.
#[test]
fn more_probes_and_a_ramp_against_the_success_of_a_probe() {
    let rules = Config::builder().max_failures(1).reset(seconds(30));
    model_of_few_preemptions(move || {
        let breaker = breaker(rules);
        fail(breaker);
        set_clock(30 * SECOND);
        let probe = breaker.try_acquire().unwrap();
        race([
            Box::new(move || probe.success()) as Run,
            Box::new(move || change(breaker, rules.probes(2).ramp(seconds(100)))),
        ]);
        let seen = breaker.snapshot();
        assert_eq!(seen.ramp, None, "a mix of two rules");
        if seen.state == State::HalfOpen {
            succeed(breaker);
            assert_eq!(breaker.snapshot().ramp, Some(0.1));
        }
    });
}

/// The only probe succeeds, or several are admitted, while fewer are required: the circuit closes.
#[test]
fn fewer_probes_against_the_success_of_one() {
    let rules = |probes| {
        let config = Config::builder().max_failures(1).reset(seconds(30));
        config.probes(probes)
    };
    model_of_three(move || {
        let breaker = breaker(rules(3));
        fail(breaker);
        set_clock(30 * SECOND);
        let probe = breaker.try_acquire().unwrap();
        race([
            Box::new(move || probe.success()) as Run,
            Box::new(move || change(breaker, rules(1))),
        ]);
        if breaker.state() == State::HalfOpen {
            succeed(breaker);
        }
        assert_eq!(breaker.state(), State::Closed);
    });
}

/// A ramp is removed while a call asks to be admitted on it: it is, or it waits for a tenth of the
/// ramp.
#[test]
fn end_of_a_ramp_against_a_call() {
    let rules = Config::builder().max_failures(1).reset(seconds(30));
    model_of_three(move || {
        let breaker = breaker(rules.ramp(seconds(100)));
        fail(breaker);
        set_clock(30 * SECOND);
        succeed(breaker);
        succeed(breaker);
        assert_eq!(breaker.state(), State::HalfOpen);
        let [_, wait] = race([
            Box::new(move || {
                change(breaker, rules);
                None
            }) as Run<Option<Duration>>,
            Box::new(|| rejected(breaker)),
        ]);
        assert!([None, Some(seconds(10))].contains(&wait), "{wait:?}");
        assert_eq!(rejected(breaker), None);
        assert_eq!(breaker.state(), State::Closed);
    });
}

/// Rules on half of at least three calls in ten seconds, and on slow calls if there is a limit.
fn half(slow_call: Option<u64>) -> ConfigBuilder {
    let config = Config::builder().failure_rate(0.5).min_calls(3);
    let config = config.window(seconds(10));
    slow_call.map_or(config, |limit| config.slow_call(seconds(limit)))
}

/// Returns the calls that are counted, and how many of them were slow.
fn calls_and_slow(breaker: &CircuitBreaker) -> (u64, u64) {
    let window = breaker.snapshot().window.unwrap();
    (window.calls.unwrap(), window.slow.unwrap_or_default())
}

/// Few successes, which are counted in a compact way: all stay if the window does, and none else.
#[test]
fn another_slow_call_against_a_success() {
    for (before, after) in [
        (Some(1), Some(2)),
        (Some(2), Some(1)),
        (None, Some(1)),
        (Some(1), None),
    ] {
        model_of_few_preemptions(move || {
            let breaker = breaker(half(before));
            race([
                Box::new(|| succeed(breaker)) as Run,
                Box::new(move || change(breaker, half(after))),
            ]);
            assert_eq!(calls_and_slow(breaker), (1, 0));
            (0..2).for_each(|_| succeed(breaker));
            assert_eq!(calls_and_slow(breaker), (3, 0));
        });
    }
}

#[test]
fn another_window_against_a_success() {
    let rate = Config::builder().failure_rate(0.5).min_calls(3);
    for (before, after) in [
        (rate.window(seconds(10)), rate.window(seconds(5))),
        (rate.window(seconds(10)), rate.last_calls(10)),
        (rate.last_calls(10), rate.window(seconds(10))),
    ] {
        model_of_few_preemptions(move || {
            let breaker = breaker(before);
            set_clock(100 * SECOND);
            succeed(breaker);
            race([
                Box::new(|| succeed(breaker)) as Run,
                Box::new(move || change(breaker, after)),
            ]);
            let (calls, _) = calls_and_slow(breaker);
            assert!(calls <= 1, "{calls} calls of another window");
            fail(breaker);
            fail(breaker);
            assert_eq!(
                breaker.state() == State::Open,
                calls == 1,
                "{calls} success"
            );
        });
    }
}

/// A call that is in flight while `slow_call` changes is judged once it ends, and is overdue no
/// longer.
#[test]
fn another_slow_call_against_the_end_of_a_call() {
    for (before, after) in [(Some(1), Some(2)), (Some(2), Some(1)), (Some(1), None)] {
        model_of_few_preemptions(move || {
            let breaker = breaker(half(before));
            let call = breaker.try_acquire().unwrap();
            set_clock(SECOND / 2);
            race([
                Box::new(move || call.success()) as Run,
                Box::new(move || change(breaker, half(after))),
            ]);
            change(breaker, half(Some(1)));
            set_clock(9 * SECOND);
            assert_eq!(calls_and_slow(breaker), (1, 0), "fast, and not in flight");
            (0..3).for_each(|_| succeed(breaker));
            assert_eq!(calls_and_slow(breaker), (4, 0));
            assert_eq!(breaker.state(), State::Closed);
        });
    }
}

/// A call that was found overdue is not, once `slow_call` is longer, until it is again: also if it
/// is found overdue by the old limit while that changes.
#[test]
fn longer_slow_call_against_a_call_that_is_overdue() {
    model_of_few_preemptions(|| {
        let breaker = breaker(half(Some(1)));
        std::mem::forget(breaker.try_acquire().unwrap());
        set_clock(3 * SECOND / 2);
        assert_eq!(calls_and_slow(breaker), (0, 1));
        let [_, seen] = race([
            Box::new(|| {
                change(breaker, half(Some(3)));
                None
            }) as Run<Option<(u64, u64)>>,
            Box::new(|| Some(calls_and_slow(breaker))),
        ]);
        assert!([Some((0, 0)), Some((0, 1))].contains(&seen), "{seen:?}");
        assert_eq!(calls_and_slow(breaker), (0, 0));
        set_clock(4 * SECOND);
        assert_eq!(calls_and_slow(breaker), (0, 1), "overdue again");
    });
}

/// A call that starts while `slow_call` changes is timed by the one limit or by the other.
#[test]
fn another_slow_call_against_the_start_of_a_call() {
    for (before, after) in [(Some(1), Some(2)), (Some(2), Some(1)), (None, Some(1))] {
        model_of_few_preemptions(move || {
            let breaker = breaker(half(before));
            let [_, call] = race([
                Box::new(move || {
                    change(breaker, half(after));
                    None
                }) as Run<Option<crate::Permit<'static>>>,
                Box::new(|| breaker.try_acquire().ok()),
            ]);
            set_clock(5 * SECOND);
            let (calls, overdue) = calls_and_slow(breaker);
            assert_eq!(calls, 0);
            assert!(
                before.is_none() || overdue == 1,
                "it is slow by both limits"
            );
            call.unwrap().success();
            assert_eq!(calls_and_slow(breaker), (1, overdue));
        });
    }
}

/// A call starts and ends while calls are counted no more, and is not overdue when they are again.
#[test]
fn end_of_counting_against_the_start_of_a_call() {
    let failures = Config::builder().max_failures(9).window(seconds(10));
    model_of_few_preemptions(move || {
        let breaker = breaker(half(Some(1)));
        fail(breaker);
        race([
            Box::new(move || change(breaker, failures)) as Run,
            Box::new(|| succeed(breaker)),
        ]);
        change(breaker, half(Some(1)));
        set_clock(5 * SECOND);
        succeed(breaker);
        assert_eq!(calls_and_slow(breaker), (1, 0));
    });
}

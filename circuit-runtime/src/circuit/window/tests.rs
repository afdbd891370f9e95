//! Random scripts of calls whose threads are preempted while they are recorded: the clock moves
//! between two readings of one call. The answer of a rule must follow from one of them.

#![allow(
    clippy::unwrap_used,
    reason = "a script that cannot continue has failed"
)]

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use super::failures::{Failures, WITHOUT_RATE};
use super::ledger::Ledger;
use super::{ReachedLimit, Window};
use crate::circuit::limits::{Counted, Limits};
use crate::circuit::owner::Owner;
use crate::circuit::policy::Policy;
use crate::circuit::state::{Generation, Word};
use crate::circuit::ticket::Start;
use crate::clock::{Instant, Span};
use crate::config::{Config, ConfigBuilder};

/// How many steps a script has.
const STEPS: u64 = 30;

/// A sequence that looks random, and is the same for the same seed.
struct Random(Cell<u64>);

impl Random {
    /// Returns a number below `bound`.
    fn below(&self, bound: u64) -> u64 {
        let mixed = self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.0.set(mixed);
        let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ mixed >> 31) % bound
    }

    fn one_in(&self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// A clock that may move whenever it has been read.
struct Clock<'r> {
    random: &'r Random,
    now: Cell<u64>,
    longest: u64,
    /// It moves after one in so many readings.
    seldom: u64,
}

impl Clock<'_> {
    fn read(&self, readings: &RefCell<Vec<u64>>) -> Instant {
        let now = self.now.get();
        readings.borrow_mut().push(now);
        if self.random.one_in(self.seldom) {
            self.advance();
        }
        Instant::from_micros(now)
    }

    fn advance(&self) {
        let more = self.random.below(self.longest + 1);
        self.now.set(self.now.get() + more);
    }
}

/// Calls that were recorded one after the other at the same time, with the same result.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Calls {
    at: u64,
    failed: bool,
    slow: bool,
    count: u64,
}

/// Every list of calls from which all answers so far follow.
struct Explanations<'c> {
    config: &'c Config,
    lists: BTreeSet<Vec<Calls>>,
}

impl<'c> Explanations<'c> {
    fn new(config: &'c Config) -> Self {
        let lists = BTreeSet::from([Vec::new()]);
        Self { config, lists }
    }

    /// Records a call that started at one of `starts` and ended at one of `ends`; returns whether
    /// it follows that the circuit opened or not.
    fn end(&mut self, starts: &[u64], ends: &[u64], failed: bool, opened: bool) -> bool {
        let mut explained = BTreeSet::new();
        for list in &self.lists {
            for &at in ends {
                // Calls are recorded in the order of their times.
                if list.last().is_some_and(|last| last.at > at) {
                    continue;
                }
                for start in starts {
                    let limit = self.config.slow_call();
                    let slow = limit.is_some_and(|limit| micros(at - start) > limit);
                    let mut list = list.clone();
                    push(&mut list, at, failed, slow);
                    if self.reached(&list, at).contains(&opened) {
                        self.forget(&mut list, at);
                        explained.insert(list);
                    }
                }
            }
        }
        if opened {
            self.lists = BTreeSet::from([Vec::new()]);
        } else {
            self.lists.clone_from(&explained);
        }
        !explained.is_empty()
    }

    /// Opens the circuit by the passing of time alone, before a call that started at one of
    /// `starts`; returns whether that follows.
    fn open(&mut self, starts: &[u64]) -> bool {
        let is_reached = |list: &Vec<Calls>| {
            let mut reached = starts.iter().flat_map(|&now| self.reached(list, now));
            reached.any(|reached| reached)
        };
        let is_explained = self.lists.iter().any(is_reached);
        self.lists = BTreeSet::from([Vec::new()]);
        is_explained
    }

    /// Forgets the calls that no longer count in any window.
    fn forget(&self, list: &mut Vec<Calls>, now: u64) {
        match self.config.last_calls() {
            None => {
                let window = self.config.window().unwrap_or_default();
                list.retain(|calls| micros(now - calls.at) < window);
            }
            Some(window) => {
                for calls in list.iter_mut() {
                    calls.at = 0;
                }
                let more = list.len().saturating_sub(window as usize);
                list.drain(..more);
            }
        }
    }

    /// Returns whether a limit is reached, once for each window that the documented precision
    /// allows.
    fn reached(&self, list: &[Calls], now: u64) -> Vec<bool> {
        let rules = self.config;
        let Some(window) = rules.window() else {
            let mut left = rules.last_calls().unwrap().into();
            let counted = list.iter().rev().map_while(|calls| {
                let count = calls.count.min(left);
                left -= count;
                (count > 0).then_some(Calls { count, ..*calls })
            });
            return vec![self.is_reached(counted)];
        };
        let window = u64::try_from(window.as_micros()).unwrap();
        let shortest = if rules.failure_rate().is_some() || rules.slow_call().is_some() {
            window * 9 / 10
        } else if rules.max_failures() > Some(1_000) {
            window * 99 / 100
        } else {
            window
        };
        let windows = shortest..=window;
        windows
            .map(|window| {
                let counted = list.iter().filter(|calls| now - calls.at < window);
                self.is_reached(counted.copied())
            })
            .collect()
    }

    fn is_reached(&self, counted: impl Iterator<Item = Calls>) -> bool {
        let (mut all, mut failed, mut slow) = (0, 0, 0);
        for calls in counted {
            all += calls.count;
            failed += calls.count * u64::from(calls.failed);
            slow += calls.count * u64::from(calls.slow);
        }
        let is_rate = |rate: Option<f64>, part: u64| {
            let percent = rate.map(|rate| (1..=100_u32).find(|&n| f64::from(n) / 100.0 >= rate));
            let percent = percent.flatten().map(u64::from);
            all >= self.config.min_calls().into()
                && percent.is_some_and(|percent| part * 100 >= percent * all)
        };
        self.config
            .max_failures()
            .is_some_and(|max| failed >= max.into())
            || is_rate(self.config.failure_rate(), failed)
            || is_rate(self.config.slow_rate(), slow)
    }
}

fn push(list: &mut Vec<Calls>, at: u64, failed: bool, slow: bool) {
    match list.last_mut() {
        Some(same) if (same.at, same.failed, same.slow) == (at, failed, slow) => same.count += 1,
        _ => list.push(Calls {
            at,
            failed,
            slow,
            count: 1,
        }),
    }
}

/// A rule, and everything that explains its answers.
struct Script<'c> {
    config: &'c Config,
    random: &'c Random,
    clock: Clock<'c>,
    policy: Policy,
    rule: Rule,
    word: Cell<Word>,
    explanations: RefCell<Explanations<'c>>,
}

enum Rule {
    Failures(Failures),
    Ledger(Box<Ledger>),
}

impl<'c> Script<'c> {
    fn new(random: &'c Random, config: &'c Config, burst: u64) -> Self {
        let micros = |span: Option<Duration>| span.map_or(0, |span| span.as_micros());
        let longest = micros(config.window()).max(micros(config.slow_call()));
        Self {
            config,
            random,
            clock: Clock {
                random,
                now: Cell::new(1_000_000),
                longest: 2 * u64::try_from(longest).unwrap(),
                seldom: 2 * burst,
            },
            policy: Policy::new(*config, Owner::Breaker),
            rule: match Limits::new(config).counted() {
                counted if counted.is_calls() => {
                    Rule::Ledger(Box::new(Ledger::new(Counted::Calls, false)))
                }
                _ => Rule::Failures(Failures::default()),
            },
            word: Cell::new(Word::FIRST),
            explanations: RefCell::new(Explanations::new(config)),
        }
    }

    /// Records up to `burst` calls, and lets time pass before.
    fn step(&self, burst: u64) {
        if self.random.one_in(2) {
            self.clock.advance();
        }
        for _ in 0..=self.random.below(burst) {
            self.call(true);
        }
    }

    /// Makes a call. While its thread is preempted, another one may make one if `overtaken`.
    fn call(&self, overtaken: bool) {
        match &self.rule {
            Rule::Failures(failures) => self.fail(failures, overtaken),
            Rule::Ledger(ledger) => {
                if let Some((start, starts)) = self.start(ledger) {
                    self.end(ledger, start, starts);
                }
            }
        }
    }

    fn fail(&self, failures: &Failures, overtaken: bool) {
        let generation = self.word.get().generation();
        let readings = RefCell::default();
        let overtaken = Cell::new(overtaken && self.random.one_in(4));
        let clock = || {
            let now = self.clock.read(&readings);
            // The lock is not taken before the first reading.
            if overtaken.take() {
                self.call(false);
            }
            now
        };
        let reached = failures.failure(&self.policy, generation, WITHOUT_RATE, clock);
        if generation == self.word.get().generation() {
            let opened = reached.is_some();
            let ends = readings.take();
            let mut explanations = self.explanations.borrow_mut();
            let is_explained = explanations.end(&[0], &ends, true, opened);
            assert!(is_explained, "{opened} at {ends:?} under {:?}", self.config);
            self.recover_from(opened);
        }
    }

    /// Starts a call, unless time alone has opened the circuit.
    fn start(&self, ledger: &Ledger) -> Option<(Start, Vec<u64>)> {
        let generation = self.word.get().generation();
        let readings = RefCell::default();
        let clock = |_: Span| self.clock.read(&readings);
        let is_timed = self.policy.slow_call() < Span::INDEFINITE;
        let start = if is_timed {
            match ledger.admit(&self.policy, generation, clock) {
                Some(start) => Ok(start),
                None => ledger.admit_slow(&self.policy, generation, clock),
            }
        } else {
            Ok(Start::NONE)
        };
        let starts = readings.take();
        if start.is_err() {
            let is_explained = self.explanations.borrow_mut().open(&starts);
            assert!(is_explained, "opened at {starts:?} under {:?}", self.config);
            self.recover_from(true);
        }
        Some((start.ok()?, starts))
    }

    fn end(&self, ledger: &Ledger, start: Start, mut starts: Vec<u64>) {
        let generation = self.word.get().generation();
        // Untimed calls do not read the clock.
        if starts.is_empty() {
            starts.push(self.clock.now.get());
        }
        if self.random.one_in(2) {
            self.clock.advance();
        }
        let readings = RefCell::default();
        let clock = |_: Span| self.clock.read(&readings);
        let failed = self.random.one_in(2);
        let reached = if failed {
            let recorded = ledger.failure(&self.policy, generation, start, clock);
            recorded.reached
        } else {
            ledger.success(&self.policy, generation, start, clock)
        };
        let opened = reached.is_some();
        let ends = readings.take();
        let mut explanations = self.explanations.borrow_mut();
        let is_explained = explanations.end(&starts, &ends, failed, opened);
        assert!(
            is_explained,
            "{opened} from {starts:?} to {ends:?} under {:?}",
            self.config
        );
        self.recover_from(opened);
    }

    /// Begins a new generation if the circuit has opened.
    fn recover_from(&self, opened: bool) {
        if opened {
            let now = Instant::from_micros(self.clock.now.get());
            self.word.set(self.word.get().after_reset(now));
        }
    }
}

/// Plays random scripts, with bursts of up to so many calls, under random rules.
fn play(scripts: u64, burst: u64, rules: impl Fn(&Random) -> ConfigBuilder) {
    for seed in 0..scripts {
        let random = Random(Cell::new(seed << 32));
        let config = rules(&random).build().unwrap();
        let script = Script::new(&random, &config, burst);
        (0..STEPS).for_each(|_| script.step(burst));
    }
}

fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

fn number(number: u64) -> u32 {
    u32::try_from(number).unwrap()
}

fn rate(random: &Random) -> f64 {
    f64::from(number(1 + random.below(100))) / 100.0
}

#[test]
fn a_failure_in_a_time_window_is_counted_at_one_moment() {
    play(1_000, 2, |random| {
        let limit = number(1 + random.below(4));
        let window = micros(1 + random.below(20));
        Config::builder().max_failures(limit).window(window)
    });
}

#[test]
fn one_of_more_than_a_thousand_failures_in_a_time_window_is_counted_at_one_moment() {
    play(100, 400, |random| {
        let window = micros(100 * (1 + random.below(3)));
        Config::builder().max_failures(1_001).window(window)
    });
}

#[test]
fn a_call_in_a_time_window_is_counted_at_one_moment() {
    play(1_000, 2, |random| {
        Config::builder()
            .failure_rate(rate(random))
            .min_calls(number(1 + random.below(4)))
            .window(micros(1 + random.below(100)))
    });
}

#[test]
fn a_slow_call_in_a_time_window_is_counted_at_one_moment() {
    play(1_000, 2, |random| {
        Config::builder()
            .failure_rate(rate(random))
            .slow_call(micros(1 + random.below(30)))
            .slow_rate(rate(random))
            .min_calls(number(1 + random.below(4)))
            .window(micros(1 + random.below(100)))
    });
}

#[test]
fn a_slow_one_of_the_last_calls_is_counted_at_one_moment() {
    play(1_000, 2, |random| {
        let calls = number(1 + random.below(8));
        Config::builder()
            .slow_call(micros(1 + random.below(30)))
            .slow_rate(rate(random))
            .max_failures(1 + number(random.below(calls.into())))
            .min_calls(number(1 + random.below(4)).min(calls))
            .last_calls(calls)
    });
}

/// The part that counted failures has adopted rules by which another part does.
#[test]
fn a_failure_that_the_rules_send_elsewhere_is_recorded_again() {
    let consecutive = Config::builder().max_failures(2).build().unwrap();
    let last_calls = Config::builder().max_failures(1).last_calls(10);
    let last_calls = last_calls.build().unwrap();
    let (policy, limits) = (
        Policy::new(consecutive, Owner::Breaker),
        Limits::new(&last_calls),
    );
    let window = Window::new(&policy);
    let fail = || window.failure(&policy, Generation::FIRST, Start::NONE);
    assert_eq!(fail(), None);
    policy.publish(last_calls);
    window
        .failures
        .adopt(&limits, limits.counted(), window.counting(), None);
    assert_eq!(fail(), Some(ReachedLimit::RulesChanged));
    window.adopt(&limits, Instant::from_micros(0));
    let again = window.failure_again(&policy, Generation::FIRST);
    assert_eq!(again, Some(ReachedLimit::MaxFailures));
}

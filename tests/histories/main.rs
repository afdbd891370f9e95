//! Random histories of calls, on which a breaker and a simpler model of it must agree.
//!
//! `PROPTEST_CASES` is the number of histories for each test; `.ci/run` runs ten thousand.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot continue has failed"
)]

mod changes;
mod clock;
mod exact;
mod history;
mod oracle;
mod reference;
mod relay;

use std::time::Duration;

use circuit_runtime::{Config, ConfigBuilder};
use proptest::prelude::*;

use exact::{Recovery, recoveries};
use history::{histories, histories_of_slow_calls};

const WINDOW: Duration = Duration::from_secs(10);
const SHORT: u32 = 1;
const MEDIUM: u32 = 5;
const LONG: u32 = 50;
const LONGEST: u32 = 250;

/// Returns the number of cases, fewer for longer histories.
fn cases(length: u32) -> ProptestConfig {
    let persistence = proptest::test_runner::FileFailurePersistence::WithSource("regressions");
    let mut config = ProptestConfig {
        failure_persistence: Some(Box::new(persistence)),
        ..ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 250;
    }
    config.cases = config.cases.div_ceil(length);
    config
}

/// A configuration with random limits on the failure rate.
fn rates() -> impl Strategy<Value = ConfigBuilder> {
    let rate = prop_oneof![
        (1..=100_u32).prop_map(|percent| f64::from(percent) / 100.0),
        Just(f64::MIN_POSITIVE),
        Just(1.0),
    ];
    (rate, 1..=30_u32)
        .prop_map(|(rate, min_calls)| Config::builder().failure_rate(rate).min_calls(min_calls))
}

fn slow_rates() -> impl Strategy<Value = ConfigBuilder> {
    (1..=100_u32, 1..=12_u32).prop_map(|(percent, min_calls)| {
        Config::builder()
            .slow_call(Duration::from_secs(1))
            .slow_rate(f64::from(percent) / 100.0)
            .min_calls(min_calls)
    })
}

proptest! {
    #![proptest_config(cases(SHORT))]

    #[test]
    fn consecutive_failures(limit in 1..=6_u32, history in histories()) {
        history.replay(Config::builder().max_failures(limit))?;
    }

    #[test]
    fn failures_in_a_time_window(limit in 1..=30_u32, history in histories()) {
        history.replay(Config::builder().max_failures(limit).window(WINDOW))?;
    }

    #[test]
    fn failures_among_the_last_calls(
        limit in 1..=6_u32,
        more in 0..=150_u32,
        history in histories(),
    ) {
        history.replay(Config::builder().max_failures(limit).last_calls(limit + more))?;
    }

    #[test]
    fn rates_of_the_last_calls(config in rates(), calls in 30..=200_u32, history in histories()) {
        history.times(3).replay(config.last_calls(calls))?;
    }

    #[test]
    fn rates_in_a_time_window(config in rates(), history in histories()) {
        history.replay(config.window(WINDOW))?;
    }

    #[test]
    fn rates_beside_max_failures_in_a_time_window(
        config in rates(),
        limit in 1..=12_u32,
        history in histories(),
    ) {
        history.replay(config.max_failures(limit).window(WINDOW))?;
    }

    #[test]
    fn slow_calls_in_a_time_window(config in slow_rates(), history in histories_of_slow_calls()) {
        history.replay(config.window(WINDOW))?;
    }

    #[test]
    fn slow_calls_among_the_last_calls(
        config in slow_rates(),
        calls in 12..=100_u32,
        history in histories_of_slow_calls(),
    ) {
        history.replay(config.last_calls(calls))?;
    }

    #[test]
    fn slow_and_failed_calls_in_microseconds(
        failure_rate in 0.01..=1.0,
        slow_rate in 0.01..=1.0,
        min_calls in 1..=12_u32,
        window in 1..=100_u64,
        slow_call in 1..=50_u64,
        history in histories_of_slow_calls(),
    ) {
        let config = Config::builder()
            .failure_rate(failure_rate)
            .slow_call(Duration::from_micros(slow_call))
            .slow_rate(slow_rate)
            .min_calls(min_calls)
            .window(Duration::from_micros(window));
        history.faster(100_000).replay(config)?;
    }

    #[test]
    fn slow_and_failed_calls(
        config in slow_rates(),
        failure_rate in 0.01..=1.0,
        history in histories_of_slow_calls(),
    ) {
        history.replay(config.failure_rate(failure_rate).window(WINDOW))?;
    }
}

proptest! {
    #![proptest_config(cases(MEDIUM))]

    #[test]
    fn failures_in_a_time_window_on_a_moving_clock(
        limit in 1..=4_u32,
        window in 1..=100_u64,
        history in histories(),
    ) {
        let window = Duration::from_micros(window);
        let config = Config::builder().max_failures(limit).window(window);
        history.faster(100_000).replay_on_a_moving_clock(config)?;
    }

    #[test]
    fn rates_in_a_time_window_on_a_moving_clock(
        config in rates(),
        window in 1..=100_u64,
        history in histories(),
    ) {
        let window = Duration::from_micros(window);
        history.faster(100_000).replay_on_a_moving_clock(config.window(window))?;
    }
}

proptest! {
    #![proptest_config(cases(LONG))]

    #[test]
    fn a_thousand_failures_in_a_time_window(history in histories()) {
        history.times(400).replay(Config::builder().max_failures(1_000).window(WINDOW))?;
    }

    #[test]
    fn more_than_a_thousand_failures_in_a_time_window(history in histories()) {
        history.times(400).replay(Config::builder().max_failures(1_001).window(WINDOW))?;
    }
}

proptest! {
    #![proptest_config(cases(LONGEST))]

    #[test]
    fn rates_of_the_last_65_536_calls(config in rates(), history in histories()) {
        history.times(2_000).replay(config.last_calls(65_536))?;
    }
}

/// Rules on at most `max` last calls.
fn last_calls(max: u32) -> impl Strategy<Value = ConfigBuilder> {
    (1..=max)
        .prop_flat_map(|calls| {
            let rate = (1..=100_u32, 1..=calls);
            (
                Just(calls),
                prop::option::of(1..=calls),
                prop::option::of(rate),
            )
        })
        .prop_map(|(calls, limit, rate)| {
            let mut config = Config::builder().last_calls(calls);
            if let Some((percent, min_calls)) = rate {
                let rate = f64::from(percent) / 100.0;
                config = config.failure_rate(rate).min_calls(min_calls);
            }
            match limit {
                Some(limit) => config.max_failures(limit),
                None if rate.is_none() => config.max_failures(1),
                None => config,
            }
        })
}

// The exact rules: after each step, a breaker must equal the reference breaker.
proptest! {
    #![proptest_config(cases(SHORT))]

    #[test]
    fn exactly_consecutive_failures(
        limit in 1..=5_u32,
        recovery in recoveries(),
        history in exact::histories(100, 4),
    ) {
        exactly(&recovery, &history, |_| Config::builder().max_failures(limit))?;
    }

    #[test]
    fn exactly_failures_in_a_time_window(
        limit in 1..=12_u32,
        window in 1..=25_u32,
        recovery in recoveries(),
        history in exact::histories(100, 4),
    ) {
        exactly(&recovery, &history, |unit| {
            Config::builder().max_failures(limit).window(unit * window)
        })?;
    }

    #[test]
    fn exactly_the_last_calls(
        config in last_calls(40),
        recovery in recoveries(),
        history in exact::histories(100, 8),
    ) {
        exactly(&recovery, &history, |_| config)?;
    }

    /// Calls are overdue as soon as they are slow if those that start within a seventh of
    /// `slow_call` all start at once.
    #[test]
    fn exactly_slow_calls_among_the_last_calls(
        calls in 1..=20_u32,
        min_calls in 1..=5_u32,
        percent in 1..=100_u32,
        limit in prop::option::weighted(0.2, 1..=20_u32),
        recovery in recoveries(),
        history in exact::histories(100, 4),
    ) {
        exactly(&recovery, &history, |unit| {
            let config = Config::builder()
                .last_calls(calls)
                .slow_call(unit * 7)
                .slow_rate(f64::from(percent) / 100.0)
                .min_calls(min_calls.min(calls));
            limit.map_or(config, |limit| config.max_failures(limit.min(calls)))
        })?;
    }
}

/// Up to three sets of rules in a unit of time, with waits, probes and timeouts in the same unit.
fn recovering<S: Strategy<Value = ConfigBuilder>>(
    rules: impl Fn(Duration) -> S,
) -> impl Strategy<Value = (Duration, Vec<ConfigBuilder>)> {
    prop::collection::vec(recoveries(), 1..=3).prop_flat_map(move |recoveries| {
        let unit = recoveries.iter().map(Recovery::unit).max();
        let unit = unit.unwrap_or_default();
        let sets: Vec<_> = recoveries
            .into_iter()
            .map(|recovery| rules(unit).prop_map(move |rules| recovery.apply(rules, unit)))
            .collect();
        (Just(unit), sets)
    })
}

fn failure_limits(unit: Duration) -> impl Strategy<Value = ConfigBuilder> {
    (1..=5_u32, prop::option::of(1..=25_u32)).prop_map(move |(limit, window)| {
        let config = Config::builder().max_failures(limit);
        window.map_or(config, |window| config.window(unit * window))
    })
}

fn few_last_calls(unit: Duration) -> impl Strategy<Value = ConfigBuilder> {
    let slow = (1..=10_u32, 1..=100_u32).prop_map(move |(calls, percent)| {
        Config::builder()
            .last_calls(calls)
            .slow_call(unit * 7)
            .slow_rate(f64::from(percent) / 100.0)
            .min_calls(calls.div_ceil(2))
    });
    prop_oneof![last_calls(10), slow]
}

/// Rules of every kind, so that a change is often one of another window.
fn rules_of_any_kind(unit: Duration) -> impl Strategy<Value = ConfigBuilder> {
    prop_oneof![failure_limits(unit), few_last_calls(unit)]
}

/// Rules on the last ten calls, so that the calls that are counted stay.
fn rules_on_ten_calls(unit: Duration) -> impl Strategy<Value = ConfigBuilder> {
    let rate = || prop::option::of(1..=100_u32);
    let limit = prop::option::of(1..=10_u32);
    (limit, rate(), rate(), 1..=10_u32).prop_map(move |(limit, failed, slow, min_calls)| {
        let share = |percent: u32| f64::from(percent) / 100.0;
        let mut config = Config::builder().last_calls(10);
        if let Some(percent) = failed {
            config = config.failure_rate(share(percent));
        }
        if let Some(percent) = slow {
            config = config.slow_call(unit * 7).slow_rate(share(percent));
        }
        if failed.or(slow).is_some() {
            config = config.min_calls(min_calls);
        }
        limit.map_or(config, |limit| config.max_failures(limit))
    })
}

/// Rules on the failures in ten units of time, so that those that are counted stay.
fn rules_in_ten_units(unit: Duration) -> impl Strategy<Value = ConfigBuilder> {
    (1..=8_u32).prop_map(move |limit| Config::builder().max_failures(limit).window(unit * 10))
}

fn rules_on_consecutive_failures(_: Duration) -> impl Strategy<Value = ConfigBuilder> {
    (1..=8_u32).prop_map(|limit| Config::builder().max_failures(limit))
}

// The rules change, again and again.
proptest! {
    #![proptest_config(cases(SHORT))]

    #[test]
    fn exactly_rules_that_change_to_any_kind(
        (unit, rules) in recovering(rules_of_any_kind),
        history in exact::histories(100, 4),
    ) {
        history.replay(unit, &rules)?;
    }

    #[test]
    fn exactly_limits_on_the_last_calls_that_change(
        (unit, rules) in recovering(rules_on_ten_calls),
        history in exact::histories(100, 4),
    ) {
        history.replay(unit, &rules)?;
    }

    #[test]
    fn exactly_limits_in_a_time_window_that_change(
        (unit, rules) in recovering(rules_in_ten_units),
        history in exact::histories(100, 4),
    ) {
        history.replay(unit, &rules)?;
    }

    #[test]
    fn exactly_limits_on_consecutive_failures_that_change(
        (unit, rules) in recovering(rules_on_consecutive_failures),
        history in exact::histories(100, 4),
    ) {
        history.replay(unit, &rules)?;
    }
}

proptest! {
    #![proptest_config(cases(SHORT))]

    #[test]
    fn exactly_failures_on_alternating_threads(
        (unit, rules) in recovering(failure_limits),
        relay in relay::relays(100, 4),
    ) {
        relay.replay(unit, &rules)?;
    }

    #[test]
    fn exactly_the_last_calls_on_alternating_threads(
        (unit, rules) in recovering(few_last_calls),
        relay in relay::relays(100, 8),
    ) {
        relay.replay(unit, &rules)?;
    }
}

proptest! {
    #![proptest_config(cases(LONG))]

    #[test]
    fn exactly_a_thousand_failures_in_a_time_window(
        limit in 900..=1_000_u32,
        window in 1..=1_000_u32,
        recovery in recoveries(),
        history in exact::histories(40, 400),
    ) {
        exactly(&recovery, &history, |unit| {
            Config::builder().max_failures(limit).window(unit * window)
        })?;
    }
}

/// Replays a history of the exact rules.
fn exactly(
    recovery: &Recovery,
    history: &exact::History,
    rules: impl FnOnce(Duration) -> ConfigBuilder,
) -> Result<(), proptest::test_runner::TestCaseError> {
    let unit = recovery.unit();
    history.replay(unit, &[recovery.apply(rules(unit), unit)])
}

//! Valid and invalid configurations.

use crate::support::seconds;
use circuit_runtime::{Config, ConfigBuilder, ConfigError};
use std::time::Duration;

/// Returns invalid configurations, each with its error.
fn invalid() -> Vec<(ConfigError, ConfigBuilder)> {
    use ConfigError as E;

    let config = Config::builder();
    let window = config.window(seconds(10));
    let last_calls = config.last_calls(10);
    let slow_call = window.slow_call(seconds(1));
    vec![
        (E::ZeroMaxFailures, config.max_failures(0)),
        (E::ZeroWindow, config.window(Duration::ZERO)),
        (E::ZeroLastCalls, config.last_calls(0)),
        (E::TooManyLastCalls, config.last_calls(65_537)),
        (E::TooManyLastCalls, config.last_calls(u32::MAX)),
        (E::TwoWindows, window.last_calls(10)),
        (E::MaxFailuresAboveLastCalls, last_calls.max_failures(11)),
        (E::MaxFailuresAboveLastCalls, config.last_calls(4)),
        (E::FailureRateOutOfRange, window.failure_rate(0.0)),
        (E::FailureRateOutOfRange, window.failure_rate(-0.1)),
        (E::FailureRateOutOfRange, window.failure_rate(1.01)),
        (E::FailureRateOutOfRange, window.failure_rate(f64::NAN)),
        (E::FailureRateWithoutWindow, config.failure_rate(0.5)),
        (E::ZeroSlowCall, window.slow_call(Duration::ZERO)),
        (E::SlowCallWithoutWindow, config.slow_call(seconds(1))),
        (E::SlowRateOutOfRange, slow_call.slow_rate(0.0)),
        (E::SlowRateOutOfRange, slow_call.slow_rate(-0.1)),
        (E::SlowRateOutOfRange, slow_call.slow_rate(1.01)),
        (E::SlowRateOutOfRange, slow_call.slow_rate(f64::NAN)),
        (E::SlowRateWithoutSlowCall, window.slow_rate(0.5)),
        (E::ZeroMinCalls, slow_call.min_calls(0)),
        (E::MinCallsWithoutRate, window.min_calls(10)),
        (
            E::MinCallsAboveLastCalls,
            last_calls.failure_rate(0.5).min_calls(11),
        ),
        (E::ZeroReset, config.reset(Duration::ZERO)),
        (E::ZeroMaxReset, config.max_reset(Duration::ZERO)),
        (
            E::MaxResetBelowReset,
            config.reset(seconds(2)).max_reset(seconds(1)),
        ),
        (E::MaxResetBelowReset, config.max_reset(seconds(29))),
        (E::JitterOutOfRange, config.jitter(-0.01)),
        (E::JitterOutOfRange, config.jitter(1.01)),
        (E::JitterOutOfRange, config.jitter(f64::NAN)),
        (E::ZeroProbes, config.probes(0)),
        (E::ZeroTimeout, config.timeout(Duration::ZERO)),
        (E::ZeroRamp, config.ramp(Duration::ZERO)),
    ]
}

#[test]
fn an_invalid_configuration_is_rejected_with_its_error() {
    for (error, builder) in invalid() {
        assert_eq!(builder.build(), Err(error));
        assert_eq!(error.to_string(), error.message());
    }
}

#[test]
fn every_config_error_has_an_invalid_configuration() {
    let mut returned: Vec<_> = invalid().into_iter().map(|(error, _)| error).collect();
    returned.dedup();
    assert_eq!(returned, ConfigError::ALL);
}

#[test]
fn a_config_returns_the_values_that_were_set() {
    let config = Config::builder()
        .max_failures(7)
        .window(seconds(1))
        .failure_rate(0.5)
        .slow_call(seconds(5))
        .slow_rate(0.25)
        .min_calls(3)
        .reset(seconds(2))
        .max_reset(seconds(4))
        .jitter(0.75)
        .probes(9)
        .timeout(seconds(3))
        .build()
        .unwrap();
    assert_eq!(config.max_failures(), Some(7));
    assert_eq!(config.window(), Some(seconds(1)));
    assert_eq!(config.last_calls(), None);
    assert_eq!(config.failure_rate(), Some(0.5));
    assert_eq!(config.slow_call(), Some(seconds(5)));
    assert_eq!(config.slow_rate(), Some(0.25));
    assert_eq!(config.min_calls(), 3);
    assert_eq!(config.reset(), seconds(2));
    assert_eq!(config.max_reset(), Some(seconds(4)));
    assert!((config.jitter() - 0.75).abs() < f64::EPSILON);
    assert_eq!(config.probes(), 9);
    assert_eq!(config.timeout(), Some(seconds(3)));

    let config = Config::builder().last_calls(8).build().unwrap();
    assert_eq!(config.window(), None);
    assert_eq!(config.last_calls(), Some(8));
}

#[test]
fn the_defaults_are_five_consecutive_failures_and_thirty_seconds() {
    let config = Config::default();
    assert_eq!(Ok(config), Config::builder().build());
    assert_eq!(config.max_failures(), Some(5));
    assert_eq!(config.window(), None);
    assert_eq!(config.last_calls(), None);
    assert_eq!(config.failure_rate(), None);
    assert_eq!(config.slow_call(), None);
    assert_eq!(config.slow_rate(), None);
    assert_eq!(config.reset(), seconds(30));
    assert_eq!(config.max_reset(), None);
    assert!(config.jitter().abs() < f64::EPSILON);
    assert_eq!(config.probes(), 1);
    assert_eq!(config.timeout(), None);
}

#[test]
fn a_rate_replaces_the_default_max_failures() {
    let window = Config::builder().window(seconds(10));
    let rates = [
        window.failure_rate(0.5),
        window.slow_call(seconds(1)),
        window.slow_call(seconds(1)).failure_rate(0.5),
    ];
    for rate in rates {
        assert_eq!(rate.build().unwrap().max_failures(), None);
        let both = rate.max_failures(7).build().unwrap();
        assert_eq!(both.max_failures(), Some(7));
    }
    assert_eq!(window.build().unwrap().max_failures(), Some(5));
}

#[test]
fn slow_rate_defaults_to_all_calls() {
    let slow_call = Config::builder()
        .window(seconds(10))
        .slow_call(seconds(1))
        .build()
        .unwrap();
    assert_eq!(slow_call.slow_rate(), Some(1.0));
}

#[test]
fn min_calls_defaults_to_twenty_or_to_last_calls_if_that_is_less() {
    let rate = Config::builder().failure_rate(0.5);
    let min_calls = |config: ConfigBuilder| config.build().unwrap().min_calls();
    assert_eq!(min_calls(rate.window(seconds(10))), 20);
    assert_eq!(min_calls(rate.last_calls(100)), 20);
    assert_eq!(min_calls(rate.last_calls(20)), 20);
    assert_eq!(min_calls(rate.last_calls(19)), 19);
    assert_eq!(min_calls(rate.last_calls(1)), 1);
    assert_eq!(min_calls(rate.last_calls(10).min_calls(3)), 3);
}

#[test]
fn extreme_values_are_valid() {
    // Whole microseconds, rounded up as far as there is room.
    let longest = Duration::new(u64::MAX, 999_999_000);
    for (extreme, rounded) in [
        (Duration::MAX, longest),
        (Duration::from_nanos(1), Duration::from_micros(1)),
        (
            Duration::from_nanos(1_000_001),
            Duration::from_micros(1_001),
        ),
    ] {
        let config = Config::builder()
            .max_failures(u32::MAX)
            .window(extreme)
            .failure_rate(f64::MIN_POSITIVE)
            .slow_call(extreme)
            .slow_rate(1.0)
            .min_calls(u32::MAX)
            .reset(extreme)
            .max_reset(extreme)
            .jitter(1.0)
            .probes(u32::MAX)
            .timeout(extreme)
            .ramp(extreme)
            .build()
            .unwrap();
        assert_eq!(config.reset(), rounded);
        let others = [
            config.window(),
            config.slow_call(),
            config.max_reset(),
            config.timeout(),
            config.ramp(),
        ];
        assert_eq!(others, [Some(rounded); 5]);
    }
    for last_calls in [1, 65_536] {
        let config = Config::builder()
            .max_failures(last_calls)
            .last_calls(last_calls)
            .failure_rate(1.0)
            .min_calls(last_calls)
            .build()
            .unwrap();
        assert_eq!(config.last_calls(), Some(last_calls));
    }
}

/// The attribute checks literals, the builder all values: both with the same messages.
#[test]
fn the_attribute_and_the_builder_report_errors_in_the_same_words() {
    let messages_of_the_attribute = concat!(
        include_str!("../ui/durations/zero.stderr"),
        include_str!("../ui/values/combinations.stderr"),
        include_str!("../ui/values/count.stderr"),
        include_str!("../ui/values/rate.stderr"),
        include_str!("../ui/values/share.stderr"),
        include_str!("../ui/values/window.stderr"),
    );
    for error in ConfigError::ALL {
        // Both windows are the option `window`, which cannot be written twice.
        if error == ConfigError::TwoWindows {
            continue;
        }
        let message = format!("error: {error}\n");
        assert!(messages_of_the_attribute.contains(&message), "{message}");
    }
}

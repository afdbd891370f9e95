use crate::support::seconds;
use circuit_runtime::{Config, ConfigError};
use std::time::Duration;

#[test]
fn what_makes_no_sense_is_refused_with_what_to_write() {
    let refused = [
        (
            Config::builder().max_failures(0).build(),
            ConfigError::ZeroMaxFailures,
            "`max_failures` must be at least 1",
        ),
        (
            Config::builder().window(Duration::ZERO).build(),
            ConfigError::ZeroWindow,
            "`window` must be longer than zero",
        ),
        (
            Config::builder().reset(Duration::ZERO).build(),
            ConfigError::ZeroReset,
            "`reset` must be longer than zero",
        ),
        (
            Config::builder()
                .reset(seconds(2))
                .max_reset(seconds(1))
                .build(),
            ConfigError::MaxResetBelowReset,
            "`max_reset` must not be shorter than `reset`",
        ),
        (
            Config::builder().jitter(1.01).build(),
            ConfigError::JitterOutOfRange,
            "`jitter` must be from 0.0 to 1.0",
        ),
        (
            Config::builder().jitter(-0.01).build(),
            ConfigError::JitterOutOfRange,
            "`jitter` must be from 0.0 to 1.0",
        ),
        (
            Config::builder().jitter(f64::NAN).build(),
            ConfigError::JitterOutOfRange,
            "`jitter` must be from 0.0 to 1.0",
        ),
        (
            Config::builder().timeout(Duration::ZERO).build(),
            ConfigError::ZeroTimeout,
            "`timeout` must be longer than zero",
        ),
    ];
    for (built, error, message) in refused {
        assert_eq!(built, Err(error));
        assert!(error.to_string().starts_with(message), "{error}");
        assert_eq!(error.to_string(), error.message());
    }
}

#[test]
fn what_is_built_is_what_was_set() {
    let config = Config::builder()
        .max_failures(7)
        .window(seconds(1))
        .reset(seconds(2))
        .max_reset(seconds(4))
        .jitter(0.5)
        .timeout(seconds(3))
        .build()
        .unwrap();
    assert_eq!(config.max_failures(), 7);
    assert_eq!(config.window(), Some(seconds(1)));
    assert_eq!(config.reset(), seconds(2));
    assert_eq!(config.max_reset(), Some(seconds(4)));
    assert!((config.jitter() - 0.5).abs() < f64::EPSILON);
    assert_eq!(config.timeout(), Some(seconds(3)));
}

#[test]
fn the_defaults_are_five_failures_in_a_row_and_thirty_seconds() {
    let config = Config::default();
    assert_eq!(Ok(config), Config::builder().build());
    assert_eq!(config.max_failures(), 5);
    assert_eq!(config.window(), None);
    assert_eq!(config.reset(), seconds(30));
    assert_eq!(config.max_reset(), None);
    assert!(config.jitter().abs() < f64::EPSILON);
    assert_eq!(config.timeout(), None);
}

#[test]
fn the_extremes_are_valid() {
    for extreme in [Duration::MAX, Duration::from_nanos(1)] {
        let config = Config::builder()
            .max_failures(u32::MAX)
            .window(extreme)
            .reset(extreme)
            .max_reset(extreme)
            .jitter(1.0)
            .timeout(extreme)
            .build()
            .unwrap();
        assert_eq!(config.reset(), extreme);
    }
}

/// The attribute refuses literals by itself, the builder all values: in the same words.
#[test]
fn the_attribute_and_the_builder_say_the_same() {
    let said_by_the_attribute = concat!(
        include_str!("../ui/values/count.stderr"),
        include_str!("../ui/durations/zero.stderr"),
        include_str!("../ui/values/max_reset.stderr"),
        include_str!("../ui/values/share.stderr"),
    );
    for error in [
        ConfigError::ZeroMaxFailures,
        ConfigError::ZeroWindow,
        ConfigError::ZeroReset,
        ConfigError::MaxResetBelowReset,
        ConfigError::JitterOutOfRange,
        ConfigError::ZeroTimeout,
    ] {
        let message = format!("error: {error}\n");
        assert!(said_by_the_attribute.contains(&message), "{message}");
    }
}

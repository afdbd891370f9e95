//! Configurations in files: TOML, JSON and YAML.

use crate::support::{millis, seconds};
use circuit_runtime::{Config, ConfigBuilder};
use proptest::prelude::*;
use std::time::Duration;

/// Files, each with the column of its mistake and the message.
const MISTAKES: [(&str, usize, &str); 31] = [
    (
        "timeout = '10x'",
        11,
        "`timeout`: unknown unit `x` in \"10x\"; expected `us`, `ms`, `s`, `m`, `h` or `d`",
    ),
    (
        "timeout = '10 sec'",
        11,
        "`timeout`: unknown unit `sec` in \"10 sec\"; write \"10s\"",
    ),
    (
        "timeout = 30",
        11,
        "`timeout` takes a span of time; write `timeout = \"30s\"`",
    ),
    (
        "timeout = 1.5",
        11,
        "`timeout` takes a span of time; write `timeout = \"1500ms\"`",
    ),
    (
        "timeout = true",
        11,
        "`timeout` takes a span of time; write `timeout = \"2s\"`",
    ),
    (
        "timeout = 1979-05-27",
        11,
        "`timeout` takes a span of time; write `timeout = \"2s\"`",
    ),
    (
        "timeout = [1]",
        11,
        "`timeout` takes a span of time; write `timeout = \"2s\"`",
    ),
    (
        "timeout = { s = 1 }",
        11,
        "`timeout` takes a span of time; write `timeout = \"2s\"`",
    ),
    (
        "timeout = '0s'",
        11,
        "`timeout` must be longer than zero; with zero no call could ever finish",
    ),
    (
        "window = '100'",
        10,
        "`window`: no unit after `100` in \"100\"; write \"100s\" for a span of time, or \
             `window = 100` for a number of calls",
    ),
    (
        "window = -1",
        10,
        "`window` takes a span of time or a number of calls; write `window = \"10s\"` or \
             `window = 100`",
    ),
    (
        "window = 65537",
        10,
        "`window` must be at most 65536 calls; write a span of time, such as \"10s\"",
    ),
    (
        "probes = -1",
        10,
        "`probes` takes an integer of at least 1; write `probes = 3`",
    ),
    (
        "probes = 2.0",
        10,
        "`probes` takes an integer of at least 1; write `probes = 2`",
    ),
    (
        "probes = 'two'",
        10,
        "`probes` takes an integer of at least 1; write `probes = 3`",
    ),
    (
        "probes = 0",
        10,
        "`probes` must be at least 1; with 0 the circuit would never close again",
    ),
    (
        "probes = 4294967296",
        10,
        "`probes` is a `u32`; write at most 4294967295",
    ),
    (
        "jitter = 10",
        10,
        "`jitter` must be from 0.0 to 1.0; for 10 percent write `jitter = \"10%\"`",
    ),
    (
        "jitter = -0.1",
        10,
        "`jitter` must be from 0.0 to 1.0; it is the share of each wait that is added at most",
    ),
    (
        "jitter = nan",
        10,
        "`jitter` must be from 0.0 to 1.0; it is the share of each wait that is added at most",
    ),
    (
        "jitter = 'little'",
        10,
        "`jitter` takes a share from 0.0 to 1.0 or a percentage such as \"10%\"; write \
             `jitter = 0.1`",
    ),
    (
        "max_failure = 3",
        1,
        "unknown option `max_failure`; did you mean `max_failures`?",
    ),
    (
        "cooldown = '1s'",
        1,
        "unknown option `cooldown`; here it is called `reset`",
    ),
    (
        "max-failures = 3",
        1,
        "unknown option `max-failures`; here it is called `max_failures`",
    ),
    (
        "last_calls = 3",
        1,
        "unknown option `last_calls`; here it is called `window`",
    ),
    (
        "fallback = 3",
        1,
        "`fallback` is an option of the attribute alone; remove it here",
    ),
    (
        "fail_if = 3",
        1,
        "unknown option `fail_if`; it is called `failure_if`, and is an option of the attribute \
             alone",
    ),
    (
        "hold = 'open'",
        1,
        "unknown option `hold`; a circuit is held by its name, in `Overrides`",
    ),
    (
        "colour = 3",
        1,
        "unknown option `colour`; expected one of `max_failures`, `window`, `failure_rate`, \
             `slow_call`, `slow_rate`, `min_calls`, `reset`, `max_reset`, `jitter`, `probes`, \
             `timeout`, `ramp`",
    ),
    (
        "failure_rate = 0.5",
        1,
        "`failure_rate` needs a `window`; add `window = \"10s\"` for the calls of ten seconds, \
             or `window = 100` for the last hundred",
    ),
    (
        "max_failures = 7\nwindow = 6",
        1,
        "`max_failures` must not be above the calls in `window`, and 7 is above 6; the circuit \
             would never open",
    ),
];

#[test]
fn every_option_is_read_in_the_words_of_the_attribute() {
    let config = Config::builder()
        .max_failures(5)
        .window(seconds(10))
        .failure_rate(0.5)
        .slow_call(millis(1_500))
        .slow_rate(0.25)
        .min_calls(7)
        .reset(seconds(90))
        .max_reset(seconds(600))
        .jitter(0.1)
        .probes(3)
        .timeout(seconds(2))
        .ramp(Duration::from_micros(20));
    let config = config.build();

    let toml = r#"
        max_failures = 5
        window = "10s"
        failure_rate = "50%"
        slow_call = "1s500ms"
        slow_rate = 0.25
        min_calls = 7
        reset = "1m30s"
        max_reset = "10m"
        jitter = 0.1
        probes = 3
        timeout = "2s"
        ramp = "20us"
    "#;
    assert_eq!(toml::from_str(toml).ok(), config.ok());

    let json = r#"{
        "max_failures": 5, "window": "10s", "failure_rate": 0.5, "slow_call": "1500ms",
        "slow_rate": "25%", "min_calls": 7, "reset": "90s", "max_reset": "10m", "jitter": "10%",
        "probes": 3, "timeout": "2s", "ramp": "20us"
    }"#;
    assert_eq!(serde_json::from_str(json).ok(), config.ok());

    let yaml = "
        max_failures: 5
        window: 10s
        failure_rate: 50%
        slow_call: 1s500ms
        slow_rate: 0.25
        min_calls: 7
        reset: 1m30s
        max_reset: 10m
        jitter: 10%
        probes: 3
        timeout: '2s'
        ramp: 20us
    ";
    assert_eq!(serde_saphyr::from_str(yaml).ok(), config.ok());
}

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(toml::from_str(""), Ok(Config::default()));
    assert_eq!(serde_json::from_str("{}").ok(), Some(Config::default()));
    assert_eq!(serde_saphyr::from_str("{}").ok(), Some(Config::default()));
}

#[test]
fn a_window_is_a_span_or_a_number_of_calls() {
    let read =
        |toml| toml::from_str::<Config>(toml).map(|config| (config.window(), config.last_calls()));
    assert_eq!(read("window = '10s'"), Ok((Some(seconds(10)), None)));
    assert_eq!(read("window = 100"), Ok((None, Some(100))));
}

/// As environment variables are, of which nothing says what is a number.
#[test]
fn text_is_a_number_where_an_option_takes_no_other_text() {
    let text = r#"{"max_failures": "3", "failure_rate": "0.5", "jitter": "1", "window": "10s"}"#;
    let config = Config::builder()
        .max_failures(3)
        .failure_rate(0.5)
        .jitter(1.0)
        .window(seconds(10));
    assert_eq!(serde_json::from_str(text).ok(), config.build().ok());
}

/// With its feature `arbitrary_precision`, which any package can enable, `serde_json` gives each
/// number as such a map.
#[test]
fn a_number_may_be_a_map_of_serde_json() {
    let number = |digits: &str| format!(r#"{{"$serde_json::private::Number": "{digits}"}}"#);
    let json = format!(
        r#"{{"max_failures": {}, "window": {}, "failure_rate": {}}}"#,
        number("3"),
        number("100"),
        number("0.5")
    );
    let config = Config::builder()
        .max_failures(3)
        .last_calls(100)
        .failure_rate(0.5);
    assert_eq!(serde_json::from_str(&json).ok(), config.build().ok());

    for (json, message) in [
        (
            format!(r#"{{"reset": {}}}"#, number("30")),
            "`reset` takes a span of time; write `reset = \"30s\"`",
        ),
        (
            format!(r#"{{"probes": {}}}"#, number("-3")),
            "`probes` takes an integer of at least 1; write `probes = 3`",
        ),
    ] {
        let error = serde_json::from_str::<Config>(&json).unwrap_err();
        assert!(error.to_string().starts_with(message), "{error}");
    }
}

#[test]
fn serialized_configs_are_short_and_complete() {
    let json = |config: ConfigBuilder| serde_json::to_string(&config.build().unwrap()).unwrap();
    assert_eq!(
        json(Config::builder()),
        r#"{"max_failures":5,"reset":"30s","jitter":0.0,"probes":1}"#
    );
    let rates = Config::builder()
        .window(seconds(90))
        .slow_call(Duration::from_nanos(1_500_001))
        .max_reset(seconds(3_600));
    assert_eq!(
        json(rates.timeout(Duration::MAX)),
        "{\"window\":\"90s\",\"slow_call\":\"1501us\",\"slow_rate\":1.0,\"min_calls\":20,\
         \"reset\":\"30s\",\"max_reset\":\"1h\",\"jitter\":0.0,\"probes\":1,\
         \"timeout\":\"5124095576030431h15999999us\"}"
    );
}

#[test]
fn a_mistake_is_reported_in_the_words_of_the_attribute_and_with_its_place() {
    for (toml, column, message) in MISTAKES {
        let error = toml::from_str::<Config>(toml).unwrap_err();
        assert_eq!(error.message(), message, "{toml}");
        let begin = error.span().unwrap().start;
        assert_eq!(begin + 1, column, "{toml}");
    }
}

#[test]
fn json_and_yaml_report_the_same_mistakes() {
    let unit = "`timeout`: unknown unit `x` in \"10x\"; expected `us`, `ms`, `s`, `m`, `h` or `d`";
    for (json, message) in [
        ("{\n  \"timeout\": \"10x\"}", format!("{unit} at line 2 column 18")),
        (
            r#"{"timeout": null}"#,
            "`timeout` takes a span of time; write `timeout = \"2s\"` at line 1 column 16".to_owned(),
        ),
        (
            r#"{"probes": 3, "probes": 4}"#,
            "`probes` is written twice; remove one at line 1 column 22".to_owned(),
        ),
        (
            "5",
            "invalid type: integer `5`, expected a table of options, such as `max_failures = 5` at \
             line 1 column 1"
                .to_owned(),
        ),
    ] {
        let error = serde_json::from_str::<Config>(json).unwrap_err();
        assert_eq!(error.to_string(), message, "{json}");
    }
    for (yaml, message) in [
        (
            "probes: 3\ntimeout: 10x",
            format!("error: line 2 column 10: {unit}\n"),
        ),
        (
            "timeout:",
            "error: line 1 column 8: `timeout` takes a span of time; write `timeout = \"2s\"`\n"
                .to_owned(),
        ),
    ] {
        let error = serde_saphyr::from_str::<Config>(yaml).unwrap_err();
        let error = error.to_string();
        assert!(error.starts_with(&message), "{error}");
    }
}

#[derive(Clone, Copy, Debug)]
enum Window {
    None,
    Time(Duration),
    Calls(u32),
}

/// Any configuration that the builder accepts.
pub(crate) fn configs() -> impl Strategy<Value = ConfigBuilder> {
    let rate = || proptest::option::of(prop_oneof![Just(0.5), Just(1.0), f64::MIN_POSITIVE..=1.0]);
    let window = prop_oneof![
        Just(Window::None),
        durations().prop_map(Window::Time),
        (100_u32..=65_536).prop_map(Window::Calls),
    ];
    let duration = || proptest::option::of(durations());
    let count = || proptest::option::of(1_u32..=100);
    let rates = (window, rate(), duration(), rate(), count());
    let others = (count(), duration(), durations(), 0.0..=1.0, any::<bool>());
    let recovery = (count(), duration(), duration());
    (rates, others, recovery).prop_map(|(rates, others, recovery)| {
        let (window, failure_rate, slow_call, slow_rate, min_calls) = rates;
        let (max_failures, reset, more, jitter, has_max_reset) = others;
        let (probes, timeout, ramp) = recovery;
        let mut config = Config::builder().jitter(jitter);
        let set = |config: &mut ConfigBuilder,
                   with: fn(ConfigBuilder, Duration) -> ConfigBuilder,
                   value| {
            if let Some(value) = value {
                *config = with(*config, value);
            }
        };
        let has_window = match window {
            Window::None => false,
            Window::Time(span) => {
                config = config.window(span);
                true
            }
            Window::Calls(calls) => {
                config = config.last_calls(calls);
                true
            }
        };
        if let Some(max_failures) = max_failures {
            config = config.max_failures(max_failures);
        }
        if has_window {
            set(&mut config, ConfigBuilder::slow_call, slow_call);
            if let Some(rate) = failure_rate {
                config = config.failure_rate(rate);
            }
            if let (Some(_), Some(rate)) = (slow_call, slow_rate) {
                config = config.slow_rate(rate);
            }
            if let (true, Some(calls)) =
                (failure_rate.or(slow_call.map(|_| 1.0)).is_some(), min_calls)
            {
                config = config.min_calls(calls);
            }
        }
        set(&mut config, ConfigBuilder::reset, reset);
        if has_max_reset {
            config = config.max_reset(reset.unwrap_or(seconds(30)).saturating_add(more));
        }
        if let Some(probes) = probes {
            config = config.probes(probes);
        }
        set(&mut config, ConfigBuilder::timeout, timeout);
        set(&mut config, ConfigBuilder::ramp, ramp);
        config
    })
}

/// Durations longer than zero: of any length, round ones, and parts of a microsecond.
fn durations() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (1_u64..1_000).prop_map(Duration::from_secs),
        (1_u64..100_000).prop_map(Duration::from_millis),
        (1_u64..u64::MAX).prop_map(Duration::from_nanos),
        (any::<u64>(), 1_u32..1_000_000_000).prop_map(|(secs, nanos)| Duration::new(secs, nanos)),
        Just(Duration::MAX),
    ]
}

proptest! {
    #[test]
    fn serialized_configs_read_back_equal(config in configs()) {
        let config = config.build().unwrap();

        let toml = toml::to_string(&config).unwrap();
        prop_assert_eq!(toml::from_str::<Config>(&toml).unwrap(), config, "{}", toml);

        let json = serde_json::to_string(&config).unwrap();
        prop_assert_eq!(serde_json::from_str::<Config>(&json).unwrap(), config, "{}", json);

        let yaml = serde_saphyr::to_string(&config).unwrap();
        prop_assert_eq!(serde_saphyr::from_str::<Config>(&yaml).unwrap(), config, "{}", yaml);
    }
}

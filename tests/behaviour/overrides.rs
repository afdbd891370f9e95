//! Overrides in files: TOML, JSON, YAML, and environment variables over them.

use crate::config_in_files::configs;
use crate::support::seconds;
use circuit_runtime::{Config, Overrides, OverridesError};
use figment::providers::{Env, Format, Toml};
use figment::{Figment, Jail};
use proptest::prelude::*;

const FILE: &str = r#"
    [circuits."*"]
    timeout = "1s"

    [circuits."shop::quote"]
    max_failures = 3
    reset = "10s"

    [circuits."shop::legacy::*"]
    hold = "closed"
"#;

fn in_code() -> Result<Overrides, OverridesError> {
    let quote = Config::builder().max_failures(3).reset(seconds(10));
    Overrides::new()
        .options("*", Config::builder().timeout(seconds(1)))?
        .options("shop::quote", quote)?
        .hold_closed("shop::legacy::*")
}

#[test]
fn a_file_says_the_same_as_code_in_every_format() {
    assert_eq!(toml::from_str::<Overrides>(FILE).ok(), in_code().ok());

    let json = r#"{"circuits": {
        "*": {"timeout": "1s"},
        "shop::quote": {"max_failures": 3, "reset": "10s"},
        "shop::legacy::*": {"hold": "closed"}
    }}"#;
    assert_eq!(serde_json::from_str(json).ok(), in_code().ok());

    let yaml = r#"
        circuits:
          "*": { timeout: 1s }
          shop::quote:
            max_failures: 3
            reset: 10s
          "shop::legacy::*": { hold: closed }
    "#;
    assert_eq!(serde_saphyr::from_str(yaml).ok(), in_code().ok());
}

#[test]
fn a_file_without_circuits_changes_nothing() {
    assert_eq!(toml::from_str("").ok(), Some(Overrides::new()));
    assert_eq!(toml::from_str("[circuits]").ok(), Some(Overrides::new()));
    assert_eq!(serde_json::from_str("{}").ok(), Some(Overrides::new()));
    for yaml in ["", "circuits:", "{}"] {
        assert_eq!(serde_saphyr::from_str(yaml).ok(), Some(Overrides::new()));
    }
}

/// As `#[serde(flatten)]` reads them, which hands over the keys that were asked for.
#[test]
fn unknown_keys_are_left_to_a_program_that_flattens_the_overrides() {
    use serde::Deserialize;
    use serde::de::value::MapDeserializer;

    let circuits = serde_json::from_str::<serde_json::Value>(r#"{"a": {"probes": 3}}"#).unwrap();
    let entries = [("circuits", circuits)].into_iter();
    let read = Overrides::deserialize(MapDeserializer::<_, serde_json::Error>::new(entries));
    let expected = Overrides::new().options("a", Config::builder().probes(3));
    assert_eq!(read.ok(), expected.ok());
}

#[test]
#[expect(clippy::result_large_err, reason = "the error of figment")]
fn environment_variables_go_over_a_file() {
    Jail::expect_with(|jail| {
        jail.create_file("circuits.toml", FILE)?;
        for (variable, value) in [
            ("SHOP_CIRCUITS__SHOP::QUOTE__RESET", "1m30s"),
            ("SHOP_CIRCUITS__SHOP::QUOTE__PROBES", "5"),
            ("SHOP_CIRCUITS__SHOP::QUOTE__JITTER", "10%"),
            ("SHOP_CIRCUITS__SHOP::QUOTE__WINDOW", "100"),
            ("SHOP_CIRCUITS__ORDER__FAILURE_RATE", "0.5"),
            ("SHOP_CIRCUITS__ORDER__WINDOW", "10s"),
            ("SHOP_CIRCUITS__ORDER__MIN_CALLS", "\"7\""),
            ("SHOP_CIRCUITS__ORDER__HOLD", "open"),
        ] {
            jail.set_env(variable, value);
        }
        let file = || Toml::file("circuits.toml");
        let settings = || Figment::from(file()).merge(Env::prefixed("SHOP_").split("__"));

        let quote = Config::builder().reset(seconds(90)).probes(5).jitter(0.1);
        let order = Config::builder().failure_rate(0.5).window(seconds(10));
        let expected = in_code()
            .and_then(|all| all.options("shop::quote", quote.last_calls(100)))
            .and_then(|all| all.options("order", order.min_calls(7)))
            .and_then(|all| all.hold_open("order"));
        assert_eq!(settings().extract().ok(), expected.ok());

        for (variable, value, message) in [
            (
                "SHOP_CIRCUITS__ORDER__RESET",
                "30",
                "circuit `order`: `reset` takes a span of time; write `reset = \"30s\"` for key \
                 \"CIRCUITS.ORDER.RESET\" in `SHOP_` environment variable(s)",
            ),
            (
                "SHOP_CIRCUITS__ORDER__RESET",
                "30x",
                "`reset` of circuit `order`: unknown unit `x` in \"30x\"; expected `us`, `ms`, `s`, \
                 `m`, `h` or `d` for key \"CIRCUITS.ORDER.RESET\" in `SHOP_` environment variable(s)",
            ),
        ] {
            jail.set_env(variable, value);
            let error = settings().extract::<Overrides>().unwrap_err();
            assert_eq!(error.to_string(), message);
        }

        jail.create_file("circuits.toml", "[circuits.a]\nrest = '1s'")?;
        let error = Figment::from(file()).extract::<Overrides>().unwrap_err();
        let message = "circuit `a`: unknown option `rest`; did you mean `reset`? for key \
                       \"default.circuits.a.rest\" in circuits.toml TOML file";
        assert_eq!(error.to_string(), message);
        Ok(())
    });
}

#[test]
fn a_mistake_names_the_circuit_and_the_option() {
    for (toml, line, message) in [
        (
            "[circuits.'shop::quote']\ntimeout = '10x'",
            2,
            "`timeout` of circuit `shop::quote`: unknown unit `x` in \"10x\"; expected `us`, `ms`, \
             `s`, `m`, `h` or `d`",
        ),
        (
            "[circuits.'shop::*']\ntimeout = '10x'",
            2,
            "`timeout` of circuits `shop::*`: unknown unit `x` in \"10x\"; expected `us`, `ms`, \
             `s`, `m`, `h` or `d`",
        ),
        (
            "[circuits.a]\n\nmax_failures = 0",
            3,
            "circuit `a`: `max_failures` must be at least 1; with 0 the circuit would open before \
             the first call",
        ),
        (
            "[circuits.a]\nrest = '1s'",
            2,
            "circuit `a`: unknown option `rest`; did you mean `reset`?",
        ),
        (
            "[circuits.a]\nenabled = false",
            2,
            "circuit `a`: unknown option `enabled`; to switch a circuit off, write `hold = \"closed\"`",
        ),
        (
            "[circuits.a]\nkey = 'x'",
            2,
            "circuit `a`: `key` is an option of the attribute alone; remove it here",
        ),
        (
            "[circuits.a]\nhold = 'half-open'",
            2,
            "circuit `a`: `hold` takes a state to stay in; write `hold = \"closed\"` to admit every \
             call, or `hold = \"open\"` to reject every call",
        ),
        (
            "[circuits.a]\nhold = true",
            2,
            "circuit `a`: `hold` takes a state to stay in; write `hold = \"closed\"` to admit every \
             call, or `hold = \"open\"` to reject every call",
        ),
        (
            "[circuits.a.b]\nprobes = 1",
            1,
            "circuit `a`: unknown option `b`; expected one of `max_failures`, `window`, \
             `failure_rate`, `slow_call`, `slow_rate`, `min_calls`, `reset`, `max_reset`, `jitter`, \
             `probes`, `timeout`, `ramp`, `hold`; if it is part of the circuit's name, quote the \
             name as a whole: `[circuits.\"shop::quote\"]`",
        ),
        (
            "[circuits]\na = 5",
            2,
            "invalid type: integer `5`, expected a table of options for circuit `a`, such as \
             `max_failures = 5`",
        ),
        (
            "circuits = 5",
            1,
            "invalid type: integer `5`, expected a table of circuits by their names",
        ),
        (
            "[circuits.'']\nprobes = 1",
            1,
            "the name of a circuit must not be empty; write a name, or `*` for all circuits",
        ),
        (
            "[circuit.a]",
            1,
            "unknown key `circuit`; here it is called `circuits`",
        ),
        (
            "[Circuit-Breakers.a]",
            1,
            "unknown key `Circuit-Breakers`; here it is called `circuits`",
        ),
        (
            "[a]\ntimeout = '1s'",
            1,
            "unknown key `a`; the options of a circuit stand under its name, and all names under \
             `circuits`",
        ),
    ] {
        assert_refused(toml, line, message);
    }
}

/// Asserts that a file is refused with this message, at a line.
fn assert_refused(toml: &str, line: usize, message: &str) {
    let error = toml::from_str::<Overrides>(toml).unwrap_err();
    assert_eq!(error.message(), message, "{toml}");
    let before = &toml[..error.span().unwrap().start];
    assert_eq!(before.matches('\n').count() + 1, line, "{toml}");
}

#[test]
fn an_option_without_a_circuit_or_with_a_unit_gets_advice() {
    for (toml, line, message) in [
        (
            "[circuits]\nmax_failures = 5",
            2,
            "invalid type: integer `5`, expected a table of options for circuit `max_failures`, such \
             as `max_failures = 5`; put an option under the name of its circuit, or under all, \
             `[circuits.\"*\"]`",
        ),
        (
            "[circuits]\nhold = 'open'",
            2,
            "invalid type: string \"open\", expected a table of options for circuit `hold`, such as \
             `max_failures = 5`; put an option under the name of its circuit, or under all, \
             `[circuits.\"*\"]`",
        ),
        (
            "[circuits.a]\ntimeout_ms = 100",
            2,
            "circuit `a`: unknown option `timeout_ms`; here it is called `timeout`, and has its unit \
             in the value: `timeout = \"100ms\"`",
        ),
        (
            "[circuits.a]\nreset = 30000",
            2,
            "circuit `a`: `reset` takes a span of time; write `reset = \"30000s\"` or `reset = \
             \"30000ms\"`",
        ),
    ] {
        assert_refused(toml, line, message);
    }
}

#[test]
fn an_option_written_twice_is_an_error() {
    for (json, message) in [
        (
            r#"{"circuits": {"a": {}, "a": {}}}"#,
            "circuit `a` is written twice; put the options together at line 1 column 26",
        ),
        (
            r#"{"circuits": {"a": {"hold": "open", "hold": "open"}}}"#,
            "circuit `a`: `hold` is written twice; remove one at line 1 column 42",
        ),
        (
            r#"{"circuits": {"a": {"reset": "1s", "reset": "1s"}}}"#,
            "circuit `a`: `reset` is written twice; remove one at line 1 column 42",
        ),
        (
            r#"{"circuits": {}, "circuits": {}}"#,
            "`circuits` is written twice; put all circuits under one at line 1 column 27",
        ),
    ] {
        let error = serde_json::from_str::<Overrides>(json).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

/// Names, patterns, and text that a format must quote.
fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("*".to_owned()),
        "[a-z]{1,5}(::[a-z*]{1,5}){0,2}",
        "[a-z \"'\\\\:#.{}\u{e9}\u{2028}*-]{1,8}",
    ]
}

fn overrides() -> impl Strategy<Value = Overrides> {
    let circuit = (names(), configs(), proptest::option::of(any::<bool>()));
    proptest::collection::vec(circuit, 0..4).prop_map(|circuits| {
        let mut circuits = circuits.into_iter();
        let all = circuits.try_fold(Overrides::new(), |all, (name, options, hold)| {
            // Options that are set for a name twice add up, and two windows are no error then.
            let all = all.options(name.clone(), options)?;
            match hold {
                None => Ok(all),
                Some(true) => all.hold_open(name),
                Some(false) => all.hold_closed(name),
            }
        });
        all.map_err(|error: OverridesError| error.to_string())
            .unwrap()
    })
}

/// Words of a file, some of them valid.
fn tokens() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("circuits"),
        Just("circuits.a"),
        Just("circuits.\"*\""),
        Just("a"),
        Just("*"),
        Just("max_failures"),
        Just("window"),
        Just("reset"),
        Just("hold"),
        Just("jitter"),
        Just("maxFailures"),
        Just("cooldown"),
        Just("failure_rate"),
        Just("timeout"),
        Just("\"10s\""),
        Just("\"50%\""),
        Just("\"1m30\""),
        Just("'open'"),
        Just("5"),
        Just("0"),
        Just("-1"),
        Just("0.5"),
        Just("nan"),
        Just("1e400"),
        Just("true"),
        Just("null"),
        Just("1979-05-27"),
        Just("["),
        Just("]"),
        Just("{"),
        Just("}"),
        Just("="),
        Just(":"),
        Just(","),
        Just("\n"),
        Just("- "),
        Just("  "),
        Just("\""),
        Just("18446744073709551616"),
        Just("\"circuits\""),
        Just("\"a\""),
        Just("\"reset\""),
        Just("&x"),
        Just("*x"),
        Just("!!"),
    ];
    proptest::collection::vec(word, 0..24).prop_map(|words| words.concat())
}

/// Returns `true` for a message that names what must change, or is the format's own.
fn names_its_subject(message: &str) -> bool {
    let is_ours = message.contains("; write") || message.contains("unknown option");
    !is_ours || message.contains("circuit") || message.contains("unknown key")
}

proptest! {
    #[test]
    fn serialized_overrides_read_back_equal(overrides in overrides()) {
        let toml = toml::to_string(&overrides).unwrap();
        prop_assert_eq!(&toml::from_str::<Overrides>(&toml).unwrap(), &overrides, "{}", toml);

        let json = serde_json::to_string(&overrides).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Overrides>(&json).unwrap(), &overrides, "{}", json);

        let yaml = serde_saphyr::to_string(&overrides).unwrap();
        prop_assert_eq!(&serde_saphyr::from_str::<Overrides>(&yaml).unwrap(), &overrides, "{}", yaml);
    }

    /// A valid file in which some characters are replaced, and any words.
    #[test]
    fn any_file_is_read_or_refused(
        overrides in overrides(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<char>()), 0..4),
        tokens in tokens(),
    ) {
        let changed = |text: String| {
            let mut letters: Vec<char> = text.chars().collect();
            for (index, letter) in &changes {
                if !letters.is_empty() {
                    let index = index.index(letters.len());
                    letters[index] = *letter;
                }
            }
            letters.into_iter().collect::<String>()
        };
        for text in [changed(toml::to_string(&overrides).unwrap()), tokens.clone()] {
            if let Err(error) = toml::from_str::<Overrides>(&text) {
                prop_assert!(names_its_subject(error.message()), "{} in {}", error, text);
            }
        }
        for text in [changed(serde_json::to_string(&overrides).unwrap()), tokens.clone()] {
            if let Err(error) = serde_json::from_str::<Overrides>(&text) {
                prop_assert!(names_its_subject(&error.to_string()), "{} in {}", error, text);
            }
        }
        for text in [changed(serde_saphyr::to_string(&overrides).unwrap()), tokens] {
            if let Err(error) = serde_saphyr::from_str::<Overrides>(&text) {
                prop_assert!(names_its_subject(&error.to_string()), "{} in {}", error, text);
            }
        }
    }

    /// Any value of an option is read, or refused with the circuit, the option and what to write.
    #[test]
    fn any_value_is_read_or_refused_by_name(
        option in prop_oneof![
            Just("max_failures"), Just("window"), Just("failure_rate"), Just("slow_call"),
            Just("min_calls"), Just("reset"), Just("jitter"), Just("timeout"), Just("hold"),
        ],
        value in prop_oneof![
            any::<i128>().prop_map(|number| number.to_string()),
            any::<u8>().prop_map(|number| number.to_string()),
            any::<f64>().prop_filter_map("finite", |number| serde_json::to_string(&number).ok()),
            ".{0,6}".prop_map(|text| serde_json::to_string(&text).unwrap()),
            "[0-9]{0,3}(us|ms|s|m|h|d|%|x| ){0,2}".prop_map(|text| format!("\"{text}\"")),
            Just("null".to_owned()), Just("true".to_owned()), Just("[]".to_owned()),
            Just("[1, {}]".to_owned()), Just("{}".to_owned()), Just("{\"a\": [1]}".to_owned()),
        ],
    ) {
        let json = format!("{{\"circuits\": {{\"shop\": {{\"{option}\": {value}}}}}}}");
        if let Err(error) = serde_json::from_str::<Overrides>(&json) {
            let error = error.to_string();
            // A number of the format's own range.
            if !error.contains("number out of range") {
                prop_assert!(error.contains("circuit `shop`"), "{} in {}", error, json);
                prop_assert!(error.contains(&format!("`{option}`")), "{} in {}", error, json);
            }
        }
    }
}

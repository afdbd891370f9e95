//! Changes and snapshots as data.

use crate::support::{advance, fail, millis, seconds, succeed};
use circuit_runtime::remote::{Epoch, Remote};
use circuit_runtime::{CircuitBreaker, Config, StateChange, registry};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_serialized_with_seconds_and_the_words_of_the_attribute() {
    let rules = Config::builder()
        .last_calls(10)
        .max_failures(2)
        .failure_rate(0.5);
    let breaker = CircuitBreaker::new(
        "serialized snapshot",
        rules.timeout(millis(1_500)).build().unwrap(),
    );
    succeed(&breaker);
    fail(&breaker);
    fail(&breaker);
    breaker.try_acquire().unwrap_err();
    advance(millis(2_500)).await;

    let snapshot = breaker.snapshot();
    let change = snapshot.last_change.as_ref().unwrap();
    let (at, since) = (seconds_since_1970(change), change.since.as_secs_f64());
    assert_eq!(
        serde_json::to_value(&snapshot).unwrap(),
        json!({
            "name": "serialized snapshot",
            "state": "open",
            "since": 2.5,
            "hold": null,
            "retry_after": 27.5,
            "ramp": null,
            "reopenings": 0,
            "consecutive_failures": null,
            "window": { "calls": 0, "failed": 0, "slow": null },
            "succeeded": 1,
            "failed": 2,
            "timed_out": 0,
            "panicked": 0,
            "slow": 0,
            "ignored": 0,
            "cancelled": 0,
            "rejected": 1,
            "opened": 1,
            "withheld": 0,
            "last_change": {
                "breaker": "serialized snapshot",
                "from": "closed",
                "to": "open",
                "cause": "max_failures",
                "at": at,
                "since": since,
                "retry_after": 30.0,
                "window": { "calls": 3, "failed": 2, "slow": null },
                "rejected": null,
            },
            "config": {
                "max_failures": 2,
                "window": 10,
                "failure_rate": 0.5,
                "min_calls": 10,
                "reset": "30s",
                "jitter": 0.0,
                "probes": 1,
                "timeout": "1500ms",
            },
        })
    );
}

#[tokio::test(start_paused = true)]
async fn an_order_is_serialized_with_the_seconds_to_its_end() {
    let breaker = CircuitBreaker::new("serialized hold", Config::default());
    breaker.force_open_for(seconds(600));
    advance(millis(500)).await;
    let hold = |breaker: &CircuitBreaker| serde_json::to_value(breaker.snapshot().hold).unwrap();
    let expected = json!({ "to": "open", "source": "order", "ends_in": 599.5 });
    assert_eq!(hold(&breaker), expected);

    breaker.force_closed();
    let expected = json!({ "to": "closed", "source": "order", "ends_in": null });
    assert_eq!(hold(&breaker), expected);

    breaker.reset();
    Remote::attach(&breaker).hold_closed(Epoch(1), None);
    let expected = json!({ "to": "closed", "source": "fleet", "ends_in": null });
    assert_eq!(hold(&breaker), expected);
}

/// States and causes have the words of the log.
#[tokio::test(start_paused = true)]
async fn a_change_is_serialized_in_the_words_of_the_log() {
    let breaker = CircuitBreaker::new("serialized change", Config::default());
    let changes = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&changes);
    let _subscription = breaker.on_change(move |change| {
        heard
            .lock()
            .unwrap()
            .push(serde_json::to_value(change).unwrap());
    });
    breaker.trip();
    advance(seconds(30)).await;
    succeed(&breaker);
    breaker.force_closed();
    breaker.reset();
    Remote::attach(&breaker).open_for(Epoch(1), seconds(1), 0);

    let changes = changes.lock().unwrap();
    let of = |key: &str| {
        changes
            .iter()
            .map(|change| change[key].clone())
            .collect::<Vec<Value>>()
    };
    assert_eq!(
        of("to"),
        ["open", "half-open", "closed", "closed", "closed", "open"]
    );
    assert_eq!(
        of("cause"),
        [
            "tripped",
            "wait_over",
            "probes_succeeded",
            "forced_closed",
            "reset",
            "fleet"
        ]
    );
    assert_eq!(of("since")[1], json!(30.0));
    assert_eq!(of("rejected")[1], json!(0));

    let history = registry::history();
    let last = history
        .iter()
        .rev()
        .find(|change| change.breaker == "serialized change");
    assert_eq!(serde_json::to_value(last).unwrap(), changes[5]);
}

/// A moment before 1970 is negative.
#[test]
fn the_moment_of_a_change_is_in_seconds_since_1970() {
    let breaker = CircuitBreaker::new("serialized moment", Config::default());
    breaker.trip();
    let mut change = breaker.snapshot().last_change.unwrap();
    for (at, expected) in [
        (SystemTime::UNIX_EPOCH, 0.0),
        (SystemTime::UNIX_EPOCH + millis(1_500), 1.5),
        (SystemTime::UNIX_EPOCH - millis(1_500), -1.5),
    ] {
        change.at = at;
        assert_eq!(
            serde_json::to_value(&change).unwrap()["at"],
            json!(expected)
        );
    }
}

#[test]
fn missing_values_are_left_out_of_a_format_without_null() {
    let breaker = CircuitBreaker::new("serialized as TOML", Config::default());
    let toml = toml::to_string(&breaker.snapshot()).unwrap();
    assert!(toml.contains("state = \"closed\"\n"), "{toml}");
    assert!(!toml.contains("retry_after"), "{toml}");
    assert!(toml.contains("[config]\nmax_failures = 5\n"), "{toml}");
}

fn seconds_since_1970(change: &StateChange) -> f64 {
    let since = change.at.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    since.as_secs_f64()
}

//! Names of any characters.

use circuit_runtime::{CircuitBreaker, CircuitBreakers, Config, State};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::support::{Site, entry, open_dashboard};

const NAMES: [&str; 16] = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "a/b/../c",
    "100%",
    "%2F",
    "%",
    "q?x=1&y=2#z",
    "brackets[not a key]",
    "[",
    "line\nbreak\r\nX-Injected: 1",
    "zero\0byte",
    "quote\"back\\slash",
    "ü€😀\u{202e}",
    " ",
    "..",
    "force-open",
];

#[tokio::test]
async fn a_name_of_any_characters_is_listed_found_and_gets_orders() {
    let site = Site::new(open_dashboard()).await;
    for name in NAMES {
        let breaker = CircuitBreaker::new(name, Config::default());
        let encoded = utf8_percent_encode(name, NON_ALPHANUMERIC).to_string();
        let detail = site.json(&format!("/api/breakers/{encoded}")).await;
        assert_eq!(detail["entry"]["name"], name, "{name:?}");
        let list = site.json(&format!("/api/breakers?q={encoded}")).await;
        assert!(entry(&list, name).is_some(), "{name:?}");
        breaker.trip();
        let changes = site.json("/api/changes").await;
        let changes = changes["changes"].as_array().unwrap();
        assert!(
            changes.iter().any(|change| change["breaker"] == name),
            "{name:?}"
        );
        assert_eq!(site.get("/metrics").await.status, 200);
    }
}

#[tokio::test]
async fn orders_reach_the_breaker_of_such_a_name_and_no_other() {
    for names in NAMES.chunks(8) {
        // Ten orders a minute: each with a dashboard of its own.
        let site = Site::new(open_dashboard()).await;
        for name in names {
            let name = format!("order {name}");
            let breaker = CircuitBreaker::new(name.clone(), Config::default());
            let other = CircuitBreaker::new(format!("{name} "), Config::default());
            let encoded = utf8_percent_encode(&name, NON_ALPHANUMERIC).to_string();
            let response = site.order(&encoded, "trip", r#"{"reason": "r"}"#).await;
            assert_eq!(response.status, 200, "{name:?}: {}", response.body);
            assert_eq!(response.json()["breaker"], *name);
            assert_eq!(response.header("x-injected"), None);
            assert_eq!(
                (breaker.state(), other.state()),
                (State::Open, State::Closed)
            );
        }
    }
}

#[tokio::test]
async fn a_key_of_any_characters_is_found_in_full_and_shortened() {
    let breakers = CircuitBreakers::new("keys of any", Config::default());
    let site = Site::new(open_dashboard()).await;
    let long = "k/".repeat(2000);
    for key in ["a]b[", "[", "]", "", "<b>", &long] {
        let breaker = breakers.get(key);
        for name in [format!("keys of any[{key}]"), breaker.name().to_string()] {
            let encoded = utf8_percent_encode(&name, NON_ALPHANUMERIC).to_string();
            let detail = site.json(&format!("/api/breakers/{encoded}")).await;
            assert_eq!(
                detail["breakers"][0]["name"],
                breaker.name().as_str(),
                "{key}"
            );
        }
    }
}

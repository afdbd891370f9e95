//! The list, entries in detail, and the history.

use std::time::Duration;

use circuit_dashboard::Dashboard;
use circuit_runtime::{CircuitBreaker, CircuitBreakers, Config, Overrides, Permit, registry};
use serde_json::{Value, json};

use crate::support::{Site, entry, open_dashboard};

fn fail(breaker: &CircuitBreaker) {
    assert!(breaker.try_acquire().map(Permit::failure).is_ok());
}

fn names(list: &Value) -> Vec<&str> {
    let entries = list["breakers"].as_array().unwrap().iter();
    entries
        .map(|entry| entry["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn an_entry_is_the_snapshot_of_its_breaker() {
    let config = Config::builder()
        .max_failures(3)
        .reset(Duration::from_secs(60));
    let breaker = CircuitBreaker::new("listed::one", config.build().unwrap());
    assert!(breaker.try_acquire().map(Permit::success).is_ok());
    for _ in 0..3 {
        fail(&breaker);
    }
    assert!(breaker.try_acquire().is_err());
    let site = Site::new(Dashboard::new().service_name("shop")).await;
    let list = site.json("/api/breakers?q=LISTED::one").await;
    assert_eq!(
        (&list["schema"], &list["service"]),
        (&json!(1), &json!("shop"))
    );
    assert_eq!((&list["total"], &list["shown"]), (&json!(1), &json!(1)));
    assert!(list["now"].as_f64().unwrap() > 1.7e9 && list["uptime"].as_f64().unwrap() >= 0.0);
    let found = entry(&list, "listed::one").unwrap();

    let mut expected = serde_json::to_value(breaker.snapshot()).unwrap();
    let fields = expected.as_object_mut().unwrap();
    let kind = json!({
        "kind": "single", "key": null, "source": null, "changed_by_file": {}, "order": null,
    });
    fields.extend(kind.as_object().unwrap().clone());
    // Time has passed since.
    for time in ["since", "retry_after"] {
        let (then, now) = (
            found[time].as_f64().unwrap(),
            fields[time].as_f64().unwrap(),
        );
        assert!((then - now).abs() < 30.0, "{time}: {then} {now}");
        fields.insert(time.to_owned(), found[time].clone());
    }
    // A number that is read from text may differ in its last digit.
    let expected: Value = serde_json::from_str(&expected.to_string()).unwrap();
    assert_eq!(*found, expected);
    assert_eq!(found["state"], "open");
    assert_eq!(found["config"]["max_failures"], 3);
    assert_eq!(found["last_change"]["cause"], "max_failures");
}

#[tokio::test]
async fn the_worst_come_first_and_can_be_filtered_by_state() {
    let new = |name: &'static str| CircuitBreaker::new(name, Config::default());
    let [quiet, busy, half_open, open] = ["worst-a", "worst-b", "worst-c", "worst-d"].map(new);
    fail(&busy);
    half_open.open_for(Duration::ZERO);
    open.trip();
    quiet.force_closed();
    let site = Site::new(Dashboard::new()).await;
    let list = site.json("/api/breakers?q=worst-").await;
    assert_eq!(names(&list), ["worst-d", "worst-c", "worst-b", "worst-a"]);
    for (state, expected) in [
        ("open", &["worst-d"][..]),
        ("half-open", &["worst-c"]),
        ("closed", &["worst-b", "worst-a"]),
        ("closed,open", &["worst-d", "worst-b", "worst-a"]),
        ("held", &["worst-a"]),
        ("idle", &[]),
    ] {
        let list = site
            .json(&format!("/api/breakers?q=worst-&state={state}"))
            .await;
        assert_eq!(names(&list), expected, "{state}");
        assert!(
            list["counts"]["open"].as_u64() >= Some(1),
            "of all, shown or not"
        );
    }
}

#[tokio::test]
async fn the_keys_of_a_function_are_one_entry_with_the_worst_fifty() {
    let config = Config::builder().max_failures(2).build().unwrap();
    let breakers = CircuitBreakers::new("hosts", config);
    for number in 0..340 {
        let breaker = breakers.get(&format!("host-{number:03}"));
        assert!(breaker.try_acquire().map(Permit::success).is_ok());
        if number % 30 == 7 {
            fail(&breaker);
            fail(&breaker);
        }
        if number % 100 == 8 {
            fail(&breaker);
        }
    }
    breakers.get("host-001").force_closed();
    let site = Site::new(Dashboard::new()).await;
    let list = site.json("/api/breakers?q=hosts").await;
    assert_eq!(names(&list), ["hosts"]);
    let hosts = entry(&list, "hosts").unwrap();
    assert_eq!(
        (&hosts["kind"], &hosts["state"]),
        (&json!("keyed"), &json!("open"))
    );
    assert_eq!(hosts["members_total"], 340);
    let counts = json!({"closed": 328, "half-open": 0, "open": 12, "held": 1});
    assert_eq!(hosts["members_counts"], counts);
    assert_eq!(
        (&hosts["succeeded"], &hosts["failed"]),
        (&json!(340), &json!(28))
    );
    assert_eq!(hosts["config"]["max_failures"], 2);
    assert_eq!(hosts["last_change"]["cause"], "forced_closed");
    let members = hosts["members"].as_array().unwrap();
    assert_eq!(members.len(), 50);
    let open = members.iter().filter(|it| it["state"] == "open").count();
    assert_eq!(open, 12);
    assert_eq!(
        (&members[0]["name"], &members[0]["key"]),
        (&json!("hosts[host-007]"), &json!("host-007"))
    );
    assert_eq!(members[12]["key"], "host-008");
    assert_eq!(members[0].get("config"), None);
    let retry_after = hosts["retry_after"].as_f64().unwrap();
    assert_eq!(members[0]["retry_after"].as_f64(), Some(retry_after));

    let detail = site.json("/api/breakers/hosts").await;
    assert_eq!(detail["entry"]["members_total"], 340);
    assert_eq!(detail["breakers"], json!([]));
    let changes = detail["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 13, "of all keys");
    assert_eq!(changes[0]["breaker"], "hosts[host-001]", "latest first");

    let detail = site.json("/api/breakers/hosts%5Bhost-007%5D").await;
    assert_eq!(detail["entry"]["kind"], "single");
    assert_eq!(detail["entry"]["key"], "host-007");
    assert_eq!(detail["breakers"].as_array().unwrap().len(), 1);
    assert_eq!(detail["changes"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn breakers_of_one_name_are_one_entry() {
    let clients = [(); 3].map(|()| CircuitBreaker::new("client", Config::default()));
    clients[1].trip();
    let site = Site::new(Dashboard::new()).await;
    let list = site.json("/api/breakers?q=client").await;
    let client = entry(&list, "client").unwrap();
    assert_eq!(
        (&client["kind"], &client["members_total"]),
        (&json!("several"), &json!(3))
    );
    assert_eq!(client["members_counts"]["open"], 1);
    let detail = site.json("/api/breakers/client").await;
    let states: Vec<_> = detail["breakers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["state"])
        .collect();
    assert_eq!(states, ["open", "closed", "closed"]);
}

#[tokio::test]
async fn options_that_the_file_has_changed_are_marked() {
    let breaker = CircuitBreaker::new("from file", Config::default());
    let options = Config::builder().reset(Duration::from_secs(7)).probes(1);
    registry::apply(Overrides::new().options("from file", options).unwrap()).unwrap();
    let site = Site::new(Dashboard::new()).await;
    let list = site.json("/api/breakers?q=from+file").await;
    let found = entry(&list, "from file").unwrap();
    assert_eq!(
        found["changed_by_file"],
        json!({"reset": {"from": "30s", "to": "7s"}})
    );
    assert_eq!(found["config"]["reset"], "7s");
    assert_eq!(breaker.own_config(), Config::default());
    registry::apply(Overrides::new()).unwrap();
    let list = site.json("/api/breakers?q=from%20file").await;
    assert_eq!(
        entry(&list, "from file").unwrap()["changed_by_file"],
        json!({})
    );
}

#[tokio::test]
async fn the_history_is_numbered_and_read_from_any_change_on() {
    let breaker = CircuitBreaker::new("history", Config::default());
    let site = Site::new(open_dashboard()).await;
    let own = |list: &Value| -> Vec<Value> {
        let changes = list["changes"].as_array().unwrap().iter();
        changes
            .filter(|it| it["breaker"] == "history")
            .cloned()
            .collect()
    };
    breaker.trip();
    breaker.reset();
    let first = own(&site.json("/api/changes").await);
    assert_eq!(first.len(), 2);
    assert_eq!(
        (&first[0]["cause"], &first[1]["cause"]),
        (&json!("tripped"), &json!("reset"))
    );
    let after = first[0]["id"].as_str().unwrap();
    let list = site.json(&format!("/api/changes?after={after}")).await;
    assert_eq!(own(&list), first[1..]);
    assert_eq!(list["missed"], 0);
    let latest = first[1]["id"].as_str().unwrap();
    let list = site.json(&format!("/api/changes?after={latest}")).await;
    assert_eq!(own(&list), [] as [Value; 0]);
    let list = site.json("/api/changes?after=abc-1").await;
    assert_eq!(own(&list), first, "an id of another run");
    let detail = site.json("/api/breakers/history").await;
    assert_eq!(
        detail["changes"],
        json!([first[1], first[0]]),
        "latest first"
    );
}

#[tokio::test]
async fn metrics_are_the_text_of_prometheus() {
    let breaker = CircuitBreaker::new("measured", Config::default());
    breaker.trip();
    let site = Site::new(Dashboard::new()).await;
    let response = site.get("/metrics").await;
    let content_type = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(response.header("content-type"), Some(content_type));
    let series = r#"circuit_breaker_state{breaker="measured",state="open"} 1"#;
    assert!(response.body.contains(series));
}

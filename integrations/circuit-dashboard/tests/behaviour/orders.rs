//! Orders: what they do, how long, and how many.

use std::time::Duration;

use circuit_dashboard::Dashboard;
use circuit_runtime::{CircuitBreaker, CircuitBreakers, Config, HoldSource, State};
use serde_json::json;

use crate::support::{FROM_PAGE, Site, entry, open_dashboard};

#[tokio::test]
async fn each_order_does_what_it_says() {
    let config = Config::builder().reset(Duration::from_secs(50));
    let breaker = CircuitBreaker::new("ordered", config.build().unwrap());
    let site = Site::new(open_dashboard()).await;
    let order = async |order, body| {
        let response = site.order("ordered", order, body).await;
        assert_eq!(response.status, 200, "{}", response.body);
        response.json()
    };
    let quarter = Duration::from_secs(900);

    let done = order("force-open", r#"{"reason": " maintenance "}"#).await;
    assert_eq!(
        (&done["action"], &done["breaker"]),
        (&json!("force-open"), &json!("ordered"))
    );
    assert_eq!(
        (&done["actor"], &done["reason"]),
        (&json!("alice"), &json!("maintenance"))
    );
    assert_eq!(done["seconds"].as_f64(), Some(900.0));
    assert_eq!(done["breakers"][0]["hold"]["to"], "open");
    let hold = breaker.snapshot().hold.unwrap();
    assert_eq!((hold.to, hold.source), (State::Open, HoldSource::Order));
    assert!(
        hold.ends_in
            .is_some_and(|left| left <= quarter && left > quarter / 2)
    );

    order("force-closed", r#"{"reason": "r", "seconds": 120}"#).await;
    let hold = breaker.snapshot().hold.unwrap();
    assert_eq!(hold.to, State::Closed);
    assert!(hold.ends_in <= Some(Duration::from_secs(120)));

    let done = order("reset", r#"{"reason": "r"}"#).await;
    assert_eq!(
        (done["seconds"].as_f64(), &done["breakers"][0]["hold"]),
        (None, &json!(null))
    );
    assert_eq!(
        (breaker.state(), breaker.snapshot().hold),
        (State::Closed, None)
    );

    order("trip", r#"{"reason": "r"}"#).await;
    assert_eq!(
        (breaker.state(), breaker.snapshot().hold),
        (State::Open, None)
    );
    assert!(breaker.snapshot().retry_after > Some(Duration::from_secs(20)));
    order("trip", r#"{"reason": "r", "seconds": 5}"#).await;
    assert!(breaker.snapshot().retry_after <= Some(Duration::from_secs(5)));
}

#[tokio::test]
async fn an_order_goes_to_all_breakers_of_a_name_or_to_one_key() {
    let clients = [(); 2].map(|()| CircuitBreaker::new("both clients", Config::default()));
    let keys = CircuitBreakers::new("ordered keys", Config::default());
    let [a, b] = ["a", "b"].map(|key| keys.get(key));
    let site = Site::new(open_dashboard()).await;
    let done = site
        .order("both%20clients", "force-open", r#"{"reason": "r"}"#)
        .await
        .json();
    assert_eq!(done["breakers"].as_array().unwrap().len(), 2);
    assert!(
        clients
            .iter()
            .all(|client| client.snapshot().hold.is_some())
    );
    site.order("ordered%20keys%5Ba%5D", "force-open", r#"{"reason": "r"}"#)
        .await;
    assert_eq!((a.state(), b.state()), (State::Open, State::Closed));
}

#[tokio::test]
async fn a_hold_shows_who_gave_the_order_and_the_reason() {
    let breaker = CircuitBreaker::new("explained", Config::default());
    let site = Site::new(open_dashboard()).await;
    site.order(
        "explained",
        "force-open",
        r#"{"reason": "the exchange is down"}"#,
    )
    .await;
    let list = site.json("/api/breakers?q=explained").await;
    let order = &entry(&list, "explained").unwrap()["order"];
    assert_eq!(
        (&order["actor"], &order["action"]),
        (&json!("alice"), &json!("force-open"))
    );
    assert_eq!(order["reason"], "the exchange is down");
    assert!(
        order["ends_in"]
            .as_f64()
            .is_some_and(|left| left > 800.0 && left <= 900.0)
    );
    let detail = site.json("/api/breakers/explained").await;
    assert_eq!(detail["entry"]["order"]["actor"], "alice");
    assert_eq!(detail["breakers"][0]["order"]["actor"], "alice");
    assert_eq!(detail["orders"][0]["reason"], "the exchange is down");
    assert_eq!(detail["orders"][0]["seconds"].as_f64(), Some(900.0));

    // An order of the program replaces it.
    breaker.force_open();
    let list = site.json("/api/breakers?q=explained").await;
    let found = entry(&list, "explained").unwrap();
    assert_eq!(
        (&found["order"], &found["hold"]["to"]),
        (&json!(null), &json!("open"))
    );
}

#[tokio::test]
async fn an_order_ends_by_itself_and_the_stream_tells() {
    let breaker = CircuitBreaker::new("ends", Config::default());
    let site = Site::new(open_dashboard()).await;
    let mut stream = site.stream(&[]).await;
    assert_eq!(stream.next().await.name, "snapshot");
    site.order("ends", "force-open", r#"{"reason": "r", "seconds": 1}"#)
        .await;
    let held = stream.next_where(|event| event.is_change_of("ends")).await;
    assert_eq!(
        (&held.data["cause"], &held.data["to"]),
        (&json!("forced_open"), &json!("open"))
    );
    let is_entry = |event: &crate::support::Event, is_held: bool| {
        let entry = event.entry("ends");
        event.name == "update" && entry.is_some_and(|it| it["hold"].is_null() != is_held)
    };
    let held = stream.next_where(|event| is_entry(event, true)).await;
    let order = &held.entry("ends").unwrap()["order"];
    assert_eq!(
        (&order["actor"], &order["reason"]),
        (&json!("alice"), &json!("r"))
    );
    let ended = stream.next_where(|event| is_entry(event, false)).await;
    assert_eq!(ended.entry("ends").unwrap()["state"], "closed");
    assert_eq!(ended.entry("ends").unwrap()["order"], json!(null));
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test]
async fn ten_orders_are_carried_out_in_a_minute() {
    let breaker = CircuitBreaker::new("limited", Config::default());
    let site = Site::new(open_dashboard()).await;
    // Orders that are refused take none.
    for _ in 0..20 {
        assert_eq!(site.order("limited", "trip", "{}").await.status, 422);
        assert_eq!(site.order("limited", "trip", "{").await.status, 400);
        assert_eq!(
            site.send("POST", "/api/breakers/limited/trip", &[], "{}")
                .await
                .status,
            403
        );
    }
    for number in 0..10 {
        let order = if number % 2 == 0 { "trip" } else { "reset" };
        assert_eq!(
            site.order("limited", order, r#"{"reason": "r"}"#)
                .await
                .status,
            200
        );
    }
    let opened = breaker.snapshot().opened;
    let refused = site.order("limited", "trip", r#"{"reason": "r"}"#).await;
    assert_eq!(refused.status, 429);
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(
        (breaker.snapshot().opened, breaker.state()),
        (opened, State::Closed)
    );
    assert_eq!(
        site.get("/api/breakers?q=limited").await.status,
        200,
        "data has no limit"
    );
}

#[tokio::test]
async fn clones_share_the_limit() {
    let _breaker = CircuitBreaker::new("cloned", Config::default());
    let dashboard = open_dashboard();
    let sites = [
        Site::new(dashboard.clone()).await,
        Site::new(dashboard).await,
    ];
    for site in &sites {
        for _ in 0..5 {
            assert_eq!(
                site.order("cloned", "reset", r#"{"reason": "r"}"#)
                    .await
                    .status,
                200
            );
        }
    }
    for site in &sites {
        assert_eq!(
            site.order("cloned", "reset", r#"{"reason": "r"}"#)
                .await
                .status,
            429
        );
    }
}

#[tokio::test]
async fn a_token_alone_gives_orders_by_that_name() {
    let _breaker = CircuitBreaker::new("token's", Config::default());
    let site = Site::new(Dashboard::new().bearer_token("secret")).await;
    let headers = [FROM_PAGE, &[("Authorization", "Bearer secret")]].concat();
    let path = "/api/breakers/token's/reset";
    let done = site
        .send("POST", path, &headers, r#"{"reason": "r"}"#)
        .await;
    assert_eq!(
        (done.status, &done.json()["actor"]),
        (200, &json!("bearer token"))
    );
}

#[tokio::test]
async fn a_closure_that_panics_denies_the_order() {
    let breaker = CircuitBreaker::new("undecided", Config::default());
    let site = Site::new(Dashboard::new().controls(|_, _| panic!("no decision"))).await;
    let refused = site.order("undecided", "trip", r#"{"reason": "r"}"#).await;
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.error(),
        "the program failed to decide on the order; see its log"
    );
    assert_eq!(breaker.state(), State::Closed);
}

//! The stream of events.

use std::time::Duration;

use circuit_dashboard::{Actor, Dashboard};
use circuit_runtime::{CircuitBreaker, CircuitBreakers, Config, Permit};
use serde_json::json;

use crate::support::{Event, Site, Stream, open_dashboard};

fn is_update_of(name: &str) -> impl Fn(&Event) -> bool {
    move |event| event.name == "update" && event.entry(name).is_some()
}

/// Begins a stream, and receives its first snapshot.
async fn joined(site: &Site) -> (Stream, Event) {
    let mut stream = site.stream(&[]).await;
    assert_eq!(stream.status(), 200);
    let snapshot = stream.next().await;
    assert_eq!(snapshot.name, "snapshot");
    (stream, snapshot)
}

#[tokio::test]
async fn a_snapshot_is_first_then_changes_at_once_and_then_the_numbers() {
    let breaker = CircuitBreaker::new("streamed", Config::default());
    breaker.trip();
    breaker.reset();
    let site = Site::new(Dashboard::new().service_name("shop")).await;
    let (mut stream, snapshot) = joined(&site).await;
    assert_eq!(
        (&snapshot.data["service"], &snapshot.data["schema"]),
        (&json!("shop"), &json!(1))
    );
    assert_eq!(snapshot.entry("streamed").unwrap()["state"], "closed");
    assert_eq!(
        snapshot.id.as_deref(),
        snapshot.data["last_change"].as_str()
    );

    breaker.trip();
    let change = stream
        .next_where(|event| event.is_change_of("streamed"))
        .await;
    assert_eq!(
        (&change.data["cause"], &change.data["to"]),
        (&json!("tripped"), &json!("open"))
    );
    assert_eq!(change.id.as_deref(), change.data["id"].as_str());
    let update = stream.next_where(is_update_of("streamed")).await;
    assert_eq!(update.entry("streamed").unwrap()["state"], "open");
    assert_eq!(update.id, None);
}

#[tokio::test]
async fn an_update_has_what_has_changed_and_comes_even_if_nothing_has() {
    let busy = CircuitBreaker::new("stream busy", Config::default());
    let open = CircuitBreaker::new("stream open", Config::default());
    open.open_for(Duration::from_secs(600));
    open.force_open_for(Duration::from_secs(600));
    let gone = CircuitBreaker::new("stream gone", Config::default());
    let site = Site::new(Dashboard::new()).await;
    let (mut stream, snapshot) = joined(&site).await;
    for name in ["stream busy", "stream open", "stream gone"] {
        assert!(snapshot.entry(name).is_some());
    }
    let mut last = snapshot.data["now"].as_f64().unwrap();
    for calls in 1..=3 {
        assert!(busy.try_acquire().map(Permit::success).is_ok());
        let update = stream.next_where(is_update_of("stream busy")).await;
        assert_eq!(update.entry("stream busy").unwrap()["succeeded"], calls);
        assert!(
            update.entry("stream open").is_none(),
            "only time has passed"
        );
        let now = update.data["now"].as_f64().unwrap();
        assert!(now > last);
        last = now;
    }
    drop(gone);
    let update = stream
        .next_where(|event| {
            event.data["removed"]
                .as_array()
                .is_some_and(|it| !it.is_empty())
        })
        .await;
    assert!(
        update.data["removed"]
            .as_array()
            .unwrap()
            .contains(&json!("stream gone"))
    );
    // The sign of life, in which none of these is.
    let is_quiet = |event: &Event| {
        let own = ["stream busy", "stream open", "stream gone"];
        event.name == "update" && own.iter().all(|name| event.entry(name).is_none())
    };
    let update = stream.next_where(is_quiet).await;
    assert!(update.data["counts"]["open"].as_u64() >= Some(1));
    open.force_open_for(Duration::from_secs(900));
    let update = stream.next_where(is_update_of("stream open")).await;
    assert!(update.entry("stream open").unwrap()["hold"]["ends_in"].as_f64() > Some(600.0));
}

#[tokio::test]
async fn all_clients_get_the_same_updates() {
    let breaker = CircuitBreaker::new("shared sampler", Config::default());
    let site = Site::new(Dashboard::new()).await;
    let (mut first, _) = joined(&site).await;
    let (mut second, _) = joined(&site).await;
    assert!(breaker.try_acquire().map(Permit::failure).is_ok());
    let (first, second) = tokio::join!(
        first.next_where(is_update_of("shared sampler")),
        second.next_where(is_update_of("shared sampler")),
    );
    assert_eq!(first.data, second.data, "one sampler");
}

#[tokio::test]
async fn a_client_resumes_where_it_was() {
    let breaker = CircuitBreaker::new("resumed", Config::default());
    let site = Site::new(Dashboard::new()).await;
    let (mut stream, _) = joined(&site).await;
    breaker.trip();
    let seen = stream
        .next_where(|event| event.is_change_of("resumed"))
        .await
        .id
        .unwrap();
    drop(stream);
    breaker.reset();
    breaker.trip();
    let mut stream = site.stream(&[("Last-Event-ID", &seen)]).await;
    let mut causes = Vec::new();
    let snapshot = loop {
        let event = stream.next().await;
        if event.name == "snapshot" {
            break event;
        }
        assert_eq!(event.name, "change", "changes come before the snapshot");
        if event.is_change_of("resumed") {
            causes.push(event.data["cause"].clone());
        }
    };
    assert_eq!(causes, ["reset", "tripped"], "each once, none from before");
    assert_eq!(snapshot.entry("resumed").unwrap()["state"], "open");
}

#[tokio::test]
async fn an_id_that_leads_nowhere_begins_with_a_snapshot() {
    let breaker = CircuitBreaker::new("nowhere", Config::default());
    breaker.trip();
    let site = Site::new(Dashboard::new()).await;
    let (_, snapshot) = joined(&site).await;
    let id = snapshot.id.unwrap();
    let (run, _) = id.rsplit_once('-').unwrap();
    let (late, huge) = (format!("{run}-999999"), format!("{run}-{}", u64::MAX));
    let zeros = "0".repeat(4000);
    for last in [
        "",
        "abc-1",
        "1",
        "-1",
        "<img src=x>",
        "\u{fc}",
        "a-b-c",
        "99999999999999999999999",
        &format!("{run}-"),
        &format!("{run}-x"),
        &format!("{run}-18446744073709551616"),
        &late,
        &huge,
        &zeros,
    ] {
        let mut stream = site.stream(&[("Last-Event-ID", last)]).await;
        assert_eq!(
            (stream.status(), stream.next().await.name.as_str()),
            (200, "snapshot"),
            "{last}"
        );
    }
    let two = [("Last-Event-ID", "x"), ("Last-Event-ID", id.as_str())];
    assert_eq!(site.stream(&two).await.next().await.name, "snapshot");
}

#[tokio::test]
async fn sixteen_streams_are_served_and_another_one_once_one_has_ended() {
    let site = Site::new(Dashboard::new()).await;
    let mut streams = Vec::new();
    for _ in 0..16 {
        streams.push(joined(&site).await.0);
    }
    let refused = site.get("/api/stream").await;
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (503, Some("5"))
    );
    drop(streams.pop());
    // The server learns of it when it sends the next event.
    while site.stream(&[]).await.status() == 503 {
        streams[0].next().await;
    }
}

#[tokio::test]
async fn keys_come_and_go_within_their_entry() {
    let breakers = CircuitBreakers::new("streamed keys", Config::default());
    breakers.get("a").trip();
    let site = Site::new(open_dashboard()).await;
    let (mut stream, _) = joined(&site).await;
    breakers.get("b").trip();
    let change = stream
        .next_where(|it| it.is_change_of("streamed keys[b]"))
        .await;
    assert_eq!(change.data["to"], "open");
    let update = stream.next_where(is_update_of("streamed keys")).await;
    assert_eq!(
        update.entry("streamed keys").unwrap()["members_counts"]["open"],
        2
    );
}

#[tokio::test]
async fn a_clone_with_other_settings_streams_its_own() {
    let dashboard = Dashboard::new().service_name("read-only");
    let site = Site::new(dashboard.clone()).await;
    let ordered = dashboard.service_name("ordered");
    let ordered = Site::new(ordered.controls(|_, _| Ok(Actor::new("alice")))).await;
    // Both at a time, so that one sampler could serve both.
    let mut first = site.stream(&[]).await;
    let is_snapshot = |event: &Event| event.name == "snapshot";
    let snapshot = first.next_where(is_snapshot).await;
    assert_eq!(snapshot.data["controls"], false);
    let snapshot = ordered.stream(&[]).await.next_where(is_snapshot).await;
    assert_eq!(
        (&snapshot.data["service"], &snapshot.data["controls"]),
        (&json!("ordered"), &json!(true))
    );
}

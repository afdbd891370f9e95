//! Ten thousand breakers: a list that stays small, and takes no more than its share of time.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot continue fails"
)]

use std::time::{Duration, Instant};

use bytes::Bytes;
use circuit_dashboard::{Body, Dashboard};
use circuit_runtime::{CircuitBreaker, CircuitBreakers, Config};
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use serde_json::Value;
use tower::ServiceExt;

async fn get(dashboard: &Dashboard, path: &str) -> Response<Body> {
    let request = Request::get(path).header("host", "localhost");
    let request = request.body(Empty::<Bytes>::new()).unwrap();
    dashboard.clone().oneshot(request).await.unwrap()
}

async fn list(dashboard: &Dashboard) -> (usize, Value) {
    let response = get(dashboard, "/api/breakers").await;
    assert_eq!(response.status(), 200);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (body.len(), serde_json::from_slice(&body).unwrap())
}

/// Returns the shortest of a few times.
async fn time(dashboard: &Dashboard) -> Duration {
    let mut shortest = Duration::MAX;
    for _ in 0..5 {
        let began = Instant::now();
        assert_eq!(get(dashboard, "/api/breakers").await.status(), 200);
        shortest = shortest.min(began.elapsed());
    }
    shortest
}

/// One test, as all share the registry of the process.
#[tokio::test]
async fn ten_thousand_breakers_are_listed_within_bounds() {
    let dashboard = Dashboard::new();
    let new = |number| CircuitBreaker::new(format!("shop::service_{number}"), Config::default());
    let thousand: Vec<_> = (0..1_000).map(new).collect();
    let (size, all) = list(&dashboard).await;
    assert_eq!(
        (&all["total"], &all["shown"]),
        (&1_000.into(), &1_000.into())
    );
    let short = time(&dashboard).await;

    let others: Vec<_> = (1_000..10_000).map(new).collect();
    others[5_000].trip();
    let keys = CircuitBreakers::new("shop::keyed", Config::default());
    for key in 0..10_000 {
        let _ = keys.get(&key.to_string());
    }
    let (long_size, all) = list(&dashboard).await;
    assert_eq!(
        (&all["total"], &all["shown"]),
        (&10_001.into(), &1_000.into())
    );
    assert_eq!(
        (&all["counts"]["closed"], &all["counts"]["open"]),
        (&10_000.into(), &1.into())
    );
    let entries = all["breakers"].as_array().unwrap();
    assert_eq!(
        entries[0]["name"], "shop::service_6000",
        "the worst is first"
    );
    let keyed = entries
        .iter()
        .find(|entry| entry["name"] == "shop::keyed")
        .unwrap();
    assert_eq!(keyed["members_total"], 10_000);
    assert!(
        long_size < size * 2,
        "{long_size} bytes, {size} for a thousand"
    );
    // Twenty times the breakers, ten times for a margin.
    let long = time(&dashboard).await;
    assert!(long < short * 200, "{long:?}, {short:?} for a thousand");
    println!("1 000 breakers: {short:?}, {size} bytes; 20 000: {long:?}, {long_size} bytes");

    // The stream keeps up: a snapshot, a change at once, and updates.
    let mut stream = get(&dashboard, "/api/stream").await.into_body();
    let mut next = async || {
        let frame = stream.frame().await.unwrap().unwrap();
        String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()
    };
    assert_eq!(next().await, "retry: 1000\n\n");
    assert!(next().await.starts_with("event: snapshot\n"));
    thousand[7].trip();
    let change = next().await;
    assert!(change.starts_with("event: change\n") && change.contains("\"shop::service_7\""));
    let update = next().await;
    assert!(update.starts_with("event: update\n") && update.contains("\"shop::service_7\""));
    assert!(
        update.len() < size / 10,
        "only what has changed: {} bytes",
        update.len()
    );
}

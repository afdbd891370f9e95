//! The order of events, while a circuit changes all the time: apart from the other tests, whose
//! changes it would displace from the history.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot continue fails"
)]

use std::time::Duration;

use bytes::Bytes;
use circuit_dashboard::Dashboard;
use circuit_runtime::{CircuitBreaker, Config};
use http::Request;
use http_body_util::{BodyExt, Empty};
use serde_json::Value;
use tower::ServiceExt;

#[tokio::test]
async fn a_change_comes_before_the_update_that_has_its_numbers() {
    let breaker = CircuitBreaker::new("restless", Config::default());
    let request = Request::get("/api/stream").header("host", "localhost");
    let request = request.body(Empty::<Bytes>::new()).unwrap();
    let mut stream = Dashboard::new().oneshot(request).await.unwrap().into_body();
    let changes = tokio::spawn(async move {
        let mut moments = tokio::time::interval(Duration::from_millis(1));
        loop {
            breaker.trip();
            moments.tick().await;
            breaker.reset();
            moments.tick().await;
        }
    });
    let (mut received, mut updates) = (0.0, 0);
    while updates < 12 {
        let frame = stream.frame().await.unwrap().unwrap();
        let text = String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap();
        let Some((_, data)) = text.split_once("data: ") else {
            continue;
        };
        let data: Value = serde_json::from_str(data.trim_end()).unwrap();
        if text.starts_with("event: change\n") {
            received = data["at"].as_f64().unwrap();
        } else if text.starts_with("event: missed\n") {
            received = f64::INFINITY;
        } else if text.starts_with("event: update\n") {
            let at = data["breakers"][0]["last_change"]["at"].as_f64().unwrap();
            assert!(at <= received, "a change of {at} after that of {received}");
            updates += 1;
        }
    }
    changes.abort();
}

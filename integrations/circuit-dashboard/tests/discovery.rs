//! Functions that were never called, and where each is in the source.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot continue fails"
)]

use bytes::Bytes;
use circuit_dashboard::Dashboard;
use circuit_runtime::{CircuitError, circuit_breaker};
use http::Request;
use http_body_util::{BodyExt, Empty};
use serde_json::{Value, json};
use tower::ServiceExt;

const FIRST_LINE: u32 = line!() + 2;

#[circuit_breaker(name = "called")]
async fn called() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(name = "never called")]
async fn never_called() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(name = "never called keyed", key = host)]
async fn never_called_keyed(host: &str) -> Result<(), CircuitError> {
    let _ = host;
    Ok(())
}

async fn get(path: &str) -> (u16, Vec<u8>) {
    let request = Request::get(path).header("host", "localhost");
    let request = request.body(Empty::<Bytes>::new()).unwrap();
    let response = Dashboard::new().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap();
    (status, body.to_bytes().to_vec())
}

async fn json(path: &str) -> Value {
    let (status, body) = get(path).await;
    assert_eq!(status, 200, "{path}");
    serde_json::from_slice(&body).unwrap()
}

fn entry(list: &Value, name: &str) -> Value {
    let mut entries = list["breakers"].as_array().unwrap().iter();
    entries.find(|entry| entry["name"] == name).unwrap().clone()
}

#[tokio::test]
async fn functions_that_were_never_called_are_idle() {
    called().await.unwrap();
    let _ = (never_called, never_called_keyed);
    for is_created in [false, true] {
        let list = json("/api/breakers").await;
        assert_eq!(list["discovery"], true);
        assert_eq!(list["counts"]["idle"], 2);
        let called = entry(&list, "called");
        assert_eq!(
            (&called["kind"], &called["succeeded"]),
            (&json!("single"), &json!(1))
        );
        let source = json!({"file": file!(), "line": FIRST_LINE});
        assert_eq!(called["source"], source);
        let idle = entry(&list, "never called");
        let line = FIRST_LINE + 5;
        let expected = json!({
            "kind": "idle", "name": "never called", "state": "idle",
            "source": {"file": file!(), "line": line},
        });
        assert_eq!(idle, expected);
        assert_eq!(entry(&list, "never called keyed")["kind"], "idle");
        let idle = json("/api/breakers?state=idle").await;
        assert_eq!(idle["total"], 2);
        let detail = json("/api/breakers/never%20called").await;
        assert_eq!(detail["entry"], expected);
        let breakers = detail["breakers"].as_array().unwrap();
        assert_eq!(!breakers.is_empty(), is_created);
        // Metrics create the breakers of all functions, which are idle nevertheless.
        assert_eq!(get("/metrics").await.0, 200);
    }
}

//! Requests that are wrong, each with the status that says so.

use std::fmt::Write;

use circuit_runtime::{CircuitBreaker, CircuitBreakers, Config};
use serde_json::json;

use crate::support::{FROM_PAGE, Site, open_dashboard};

const REASON: &str = r#"{"reason": "a drill"}"#;

#[tokio::test]
async fn an_unknown_name_or_path_is_404() {
    let site = Site::new(open_dashboard()).await;
    for path in [
        "/nowhere",
        "/api",
        "/api/",
        "/api/breakers/no%20such",
        "/api/breakers/%FF%FE",
    ] {
        assert_eq!(site.get(path).await.status, 404, "{path}");
    }
    let order = site.order("no%20such", "trip", REASON).await;
    assert_eq!(order.status, 404);
    assert_eq!(order.error(), "no breaker in use is called `no such`");
    assert_eq!(site.order("no%20such", "explode", REASON).await.status, 404);
}

#[tokio::test]
async fn a_wrong_method_is_405_with_those_that_are_right() {
    let site = Site::new(open_dashboard()).await;
    for (path, allow) in [
        ("/", "GET, HEAD"),
        ("/page.js", "GET, HEAD"),
        ("/api/breakers", "GET, HEAD"),
        ("/api/breakers/any", "GET, HEAD"),
        ("/api/changes", "GET, HEAD"),
        ("/api/stream", "GET"),
        ("/metrics", "GET, HEAD"),
    ] {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"] {
            let refused = site.send(method, path, FROM_PAGE, "").await;
            assert_eq!(
                (refused.status, refused.header("allow")),
                (405, Some(allow)),
                "{path}"
            );
        }
    }
    assert_eq!(site.send("HEAD", "/api/stream", &[], "").await.status, 405);
}

#[tokio::test]
async fn a_body_of_more_than_four_kilobytes_is_413() {
    let breaker = CircuitBreaker::new("flooded", Config::default());
    let site = Site::new(open_dashboard()).await;
    let body = |length: usize| format!("{REASON}{}", " ".repeat(length - REASON.len()));
    assert_eq!(site.order("flooded", "trip", &body(4096)).await.status, 200);
    breaker.reset();
    assert_eq!(site.order("flooded", "trip", &body(4097)).await.status, 413);
    assert_eq!(
        site.order("flooded", "trip", &body(1_000_000)).await.status,
        413
    );

    // Without a length: in chunks.
    let mut request = "POST /api/breakers/flooded/trip HTTP/1.1\r\nHost: localhost\r\n".to_owned();
    for (name, value) in FROM_PAGE {
        let _ = write!(request, "{name}: {value}\r\n");
    }
    request.push_str("Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
    for _ in 0..5 {
        let _ = write!(request, "400\r\n{}\r\n", " ".repeat(1024));
    }
    request.push_str("0\r\n\r\n");
    assert_eq!(site.raw(request.as_bytes()).await.status, 413);
    assert_eq!(breaker.snapshot().opened, 1);
}

#[tokio::test]
async fn a_body_that_is_not_json_is_415_or_400() {
    let _breaker = CircuitBreaker::new("form", Config::default());
    let site = Site::new(open_dashboard()).await;
    let [_, custom, own] = FROM_PAGE else {
        panic!()
    };
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "text/json",
        "",
    ] {
        let headers = [*custom, *own, ("Content-Type", content_type)];
        let refused = site
            .send("POST", "/api/breakers/form/trip", &headers, REASON)
            .await;
        assert_eq!(refused.status, 415, "{content_type}");
    }
    let none = site
        .send("POST", "/api/breakers/form/trip", &[*custom, *own], REASON)
        .await;
    assert_eq!(none.status, 415);
    for content_type in ["application/json; charset=utf-8", "Application/JSON"] {
        let headers = [*custom, *own, ("Content-Type", content_type)];
        let done = site
            .send("POST", "/api/breakers/form/trip", &headers, REASON)
            .await;
        assert_eq!(done.status, 200, "{content_type}");
    }
    for body in ["reason=r", "{", "{\"reason\": \"r\"} x", &"[".repeat(4000)] {
        assert_eq!(site.order("form", "trip", body).await.status, 400, "{body}");
    }
    let no_body = site.order("form", "trip", "").await;
    assert_eq!(no_body.status, 400);
}

#[tokio::test]
async fn an_order_without_reason_or_end_is_422_with_what_is_missing() {
    let breaker = CircuitBreaker::new("endless", Config::default());
    let site = Site::new(open_dashboard()).await;
    for (order, body, missing) in [
        ("force-open", "{}", json!(["reason"])),
        ("force-open", r#"{"seconds": 60}"#, json!(["reason"])),
        ("force-open", r#"{"reason": "  "}"#, json!(["reason"])),
        (
            "force-open",
            r#"{"reason": "r", "seconds": null}"#,
            json!(["seconds"]),
        ),
        (
            "force-closed",
            r#"{"seconds": null}"#,
            json!(["reason", "seconds"]),
        ),
        ("reset", "[]", json!(["reason"])),
        ("trip", "null", json!(["reason"])),
        ("force-open", r#"{"reason": "r", "seconds": 0}"#, json!([])),
        (
            "force-open",
            r#"{"reason": "r", "seconds": 1e9}"#,
            json!([]),
        ),
        (
            "force-open",
            r#"{"reason": "r", "seconds": "soon"}"#,
            json!([]),
        ),
        (
            "force-open",
            r#"{"reason": "r", "until": "later"}"#,
            json!([]),
        ),
        ("reset", r#"{"reason": "r", "seconds": 5}"#, json!([])),
    ] {
        let refused = site.order("endless", order, body).await;
        assert_eq!(refused.status, 422, "{order} {body}");
        assert_eq!(refused.json()["missing"], missing, "{order} {body}");
    }
    assert_eq!(breaker.snapshot().last_change, None);
}

#[tokio::test]
async fn an_order_for_all_keys_at_once_names_the_key_that_is_missing() {
    let breakers = CircuitBreakers::new("all keys", Config::default());
    let key = breakers.get("a");
    let site = Site::new(open_dashboard()).await;
    let refused = site.order("all%20keys", "force-open", REASON).await;
    assert_eq!(
        (refused.status, &refused.json()["missing"]),
        (422, &json!(["key"]))
    );
    assert_eq!(key.snapshot().hold, None);
}

#[tokio::test]
async fn a_query_that_is_malformed_is_400() {
    let site = Site::new(open_dashboard()).await;
    let state = site.get("/api/breakers?state=opened").await;
    assert_eq!(state.status, 400);
    assert!(
        state.error().starts_with("`opened` is no state"),
        "{}",
        state.error()
    );
    for after in ["7", "x", "-1", "ab-", "%00"] {
        let refused = site.get(&format!("/api/changes?after={after}")).await;
        assert_eq!(refused.status, 400, "{after}");
    }
    for path in [
        "/api/changes?after=",
        "/api/changes?x=y",
        "/api/breakers?state=&q=none&z",
    ] {
        assert_eq!(site.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_request_break_nothing() {
    let site = Site::new(open_dashboard()).await;
    for bytes in [
        &b"\x00\x01\x02\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    ] {
        assert_eq!(site.raw(bytes).await.status, 400, "{bytes:?}");
    }
    assert_eq!(site.get("/").await.status, 200);
}

/// A body that never arrives.
struct Never;

impl http_body::Body for Never {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Self::Error>>> {
        std::task::Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_is_408() {
    let mut request = http::Request::post("/api/breakers/any/trip").header("host", "localhost");
    for (name, value) in FROM_PAGE {
        request = request.header(*name, *value);
    }
    let request = request.body(Never).unwrap();
    let response = tower::ServiceExt::oneshot(open_dashboard(), request)
        .await
        .unwrap();
    assert_eq!(response.status(), 408);
}

//! Responses in place of errors.

use std::future::pending;

use circuit_runtime::{CircuitError, State};
use circuit_tower::{CircuitBreakerLayer, Grpc, HttpStatus, respond_503, respond_unavailable};
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{Failed, Script, seconds, timed, two_failures};

type Body = Full<bytes::Bytes>;

#[tokio::test(start_paused = true)]
async fn the_error_of_the_layer_is_that_of_the_service() {
    let breaker = two_failures();
    let layer =
        CircuitBreakerLayer::new(breaker.clone()).respond(|error: CircuitError| format!("{error}"));
    let inner = Script::new([Err(Failed), Ok("fine".to_owned())]);
    let service = layer.layer(inner);
    let failed: Result<String, Failed> = service.clone().oneshot(()).await;
    assert_eq!(failed, Err(Failed));
    assert_eq!(service.clone().oneshot(()).await.as_deref(), Ok("fine"));
    breaker.trip();
    let answer = service.oneshot(()).await.unwrap();
    assert_eq!(answer, "circuit `breaker` is open; retry in 30s");
}

#[tokio::test(start_paused = true)]
async fn a_rejection_is_a_503_with_whole_seconds() {
    let breaker = two_failures();
    let layer = CircuitBreakerLayer::new(breaker.clone())
        .classify(HttpStatus::new())
        .respond(respond_503);
    let inner = service_fn(async |_: Request<()>| {
        let response = Response::builder().status(500).body(Body::from("down"));
        Ok::<_, Failed>(response.unwrap())
    });
    let service = layer.layer(inner);
    let call = || service.clone().oneshot(Request::new(()));
    for _ in 0..2 {
        assert_eq!(call().await.unwrap().status(), 500);
    }
    assert_eq!(breaker.state(), State::Open);
    tokio::time::advance(std::time::Duration::from_millis(100)).await;
    let response = call().await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "30");
    breaker.force_open();
    assert!(!call().await.unwrap().headers().contains_key("retry-after"));
}

#[tokio::test(start_paused = true)]
async fn the_answer_of_a_breaker_inside_is_not_counted() {
    let inside = timed();
    let hung = service_fn(|()| pending::<Result<Response<Body>, Failed>>());
    let inner = CircuitBreakerLayer::new(inside.clone());
    let http = inner.clone().respond(respond_503).layer(hung);
    let grpc = inner.respond(respond_unavailable).layer(hung);

    let outside = two_failures();
    let layer = CircuitBreakerLayer::new(outside.clone());
    let http = layer.clone().classify(HttpStatus::new()).layer(http);
    let grpc = layer.classify(Grpc::new()).layer(grpc);
    inside.trip();
    assert_eq!(http.clone().oneshot(()).await.unwrap().status(), 503);
    assert!(grpc.clone().oneshot(()).await.is_ok());
    assert_eq!(outside.snapshot().ignored, 2);
    assert_eq!(outside.state(), State::Closed);

    // A timeout has reached the service.
    inside.reset();
    assert_eq!(http.oneshot(()).await.unwrap().status(), 503);
    assert!(grpc.oneshot(()).await.is_ok());
    assert_eq!(outside.snapshot().failed, 2);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_is_answered_too() {
    let inner = service_fn(|()| pending::<Result<Response<Body>, Failed>>());
    let layer = CircuitBreakerLayer::new(timed());
    let service = layer.clone().respond(respond_503).layer(inner);
    let response = service.oneshot(()).await.unwrap();
    assert_eq!(response.status(), 503);
    assert!(!response.headers().contains_key("retry-after"));
    let service = layer.respond(respond_unavailable).layer(inner);
    let response = service.oneshot(()).await.unwrap();
    assert_eq!(response.headers()["grpc-status"], "14");
    assert_eq!(
        response.headers()["grpc-message"],
        "call through circuit `breaker` timed out after 2s"
    );
}

#[tokio::test(start_paused = true)]
async fn a_service_that_asks_not_to_be_called_opens_the_circuit() {
    let breaker = two_failures();
    let layer = CircuitBreakerLayer::new(breaker.clone())
        .classify(HttpStatus::new().also(429))
        .respond(respond_503);
    let service = layer.layer(service_fn(async |()| {
        let response = Response::builder().status(429).header("retry-after", "20");
        Ok::<_, Failed>(response.body(Body::default()).unwrap())
    }));
    assert_eq!(service.clone().oneshot(()).await.unwrap().status(), 429);
    let response = service.oneshot(()).await.unwrap();
    assert_eq!(response.headers()["retry-after"], "20");
    assert_eq!(breaker.snapshot().retry_after, Some(seconds(20)));
}

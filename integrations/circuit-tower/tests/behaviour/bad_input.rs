//! Responses that no server should send, and closures that panic.

use std::future::ready;

use circuit_runtime::{CircuitBreaker, State, Verdict};
use circuit_tower::{CircuitBreakerLayer, Grpc, HttpStatus};
use http::Response;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{Failed, Script, half_open, has_slot, seconds, two_failures};

async fn answer(breaker: &CircuitBreaker, header: &'static str, value: &'static str) {
    let inner = service_fn(move |()| {
        let response = Response::builder().status(503).header(header, value);
        ready(Ok::<_, Failed>(response.body(()).unwrap()))
    });
    let layer = CircuitBreakerLayer::new(breaker.clone());
    let answered = if header == "retry-after" {
        layer
            .classify(HttpStatus::new())
            .layer(inner)
            .oneshot(())
            .await
    } else {
        layer.classify(Grpc::new()).layer(inner).oneshot(()).await
    };
    assert!(answered.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_that_says_nothing_is_an_ordinary_failure() {
    for value in [
        "soon",
        "",
        "-1",
        "1e3",
        "Mon, 00 Jan 2000 00:00:00 GMT",
        "0",
    ] {
        let breaker = two_failures();
        answer(&breaker, "retry-after", value).await;
        assert_eq!(breaker.state(), State::Closed, "{value}");
        assert_eq!(breaker.snapshot().failed, 1, "{value}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_in_the_past_is_an_ordinary_failure() {
    let breaker = two_failures();
    answer(&breaker, "retry-after", "Sun, 06 Nov 1994 08:49:37 GMT").await;
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(breaker.snapshot().failed, 1);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_of_ten_years_is_one_of_an_hour() {
    for value in [
        "315360000",
        "99999999999999999999999999",
        "Fri, 31 Dec 9999 23:59:59 GMT",
    ] {
        let breaker = two_failures();
        answer(&breaker, "retry-after", value).await;
        assert_eq!(breaker.state(), State::Open, "{value}");
        let wait = breaker.snapshot().retry_after.unwrap();
        assert_eq!(wait, seconds(3_600), "{value}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_grpc_status_that_is_no_number_is_unknown() {
    for value in ["", "unavailable", "-14", "14.0", "99999999999"] {
        let breaker = two_failures();
        answer(&breaker, "grpc-status", value).await;
        assert_eq!(breaker.snapshot().succeeded, 1, "{value}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_classification_that_panics_leaks_nothing() {
    let breaker = two_failures();
    half_open(&breaker).await;
    let panics = |_: &Result<u8, Failed>| -> Verdict { panic!("no verdict") };
    let layer = CircuitBreakerLayer::new(breaker.clone()).classify(panics);
    let call = layer.layer(Script::new([Ok(7)])).oneshot(());
    assert!(tokio::spawn(call).await.is_err());
    assert_eq!(breaker.snapshot().cancelled, 1);
    assert!(has_slot(&breaker));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_panics_leaks_nothing() {
    let breaker = two_failures();
    breaker.trip();
    let layer =
        CircuitBreakerLayer::new(breaker.clone()).respond(|_| -> u8 { panic!("no answer") });
    let call = layer.layer(Script::new([Ok(7)])).oneshot(());
    assert!(tokio::spawn(call).await.is_err());
    assert_eq!(breaker.snapshot().rejected, 1);
    tokio::time::advance(seconds(30)).await;
    assert!(has_slot(&breaker));
}

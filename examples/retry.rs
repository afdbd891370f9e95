//! Retries outside of a circuit breaker of tower, with backon: each attempt is a call. They wait as
//! long as the circuit says, and end at once where an operator holds it open.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use backon::{ExponentialBuilder, Retryable};
use circuit_runtime::{CircuitBreaker, CircuitError, Config, Verdict};
use circuit_tower::{BoxError, CircuitBreakerLayer, HttpStatus};
use reqwest::{Method, Request, Response, Url};
use tokio::net::TcpListener;
use tower::{Layer, Service, ServiceExt};

/// How often the exchange was asked. It is down for the first four requests.
static REQUESTS: AtomicU32 = AtomicU32::new(0);

async fn price() -> Result<&'static str, StatusCode> {
    let request = REQUESTS.fetch_add(1, Ordering::Relaxed);
    if request < 4 {
        Err(StatusCode::SERVICE_UNAVAILABLE)
    } else {
        Ok("42.5")
    }
}

/// Makes one attempt. A status is no error for reqwest; for a retry, it is.
async fn attempt<S>(client: S, url: Url) -> Result<String, BoxError>
where
    S: Service<Request, Response = Response, Error = BoxError>,
{
    let response = client.oneshot(Request::new(Method::GET, url)).await?;
    Ok(response.error_for_status()?.text().await?)
}

/// Grows from 20 ms, with jitter, so that clients do not come back all at once.
fn attempts() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(20))
        .with_max_times(9)
        .with_jitter()
}

/// Returns the delay before the next attempt: the jitter on top of the wait of an open circuit, and
/// none at all while an operator holds it open.
fn delay(error: &BoxError, backoff: Option<Duration>) -> Option<Duration> {
    match error.downcast_ref::<CircuitError>() {
        Some(error) if error.is_open() => Some(error.retry_after()? + backoff?),
        _ => backoff,
    }
}

async fn serve() -> Result<SocketAddr, std::io::Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let router = Router::new().route("/price", get(price));
    tokio::spawn(async { axum::serve(listener, router).await });
    Ok(address)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let url = Url::parse(&format!("http://{}/price", serve().await?))?;
    let rules = Config::builder()
        .max_failures(3)
        .reset(Duration::from_millis(300));
    let breaker = CircuitBreaker::new("exchange", rules.build()?);
    let layer = CircuitBreakerLayer::new(breaker.clone()).classify(
        |result: &Result<Response, reqwest::Error>| match result {
            Ok(response) => HttpStatus::new().verdict(response.status(), response.headers()),
            Err(_) => Verdict::Failure,
        },
    );
    // The exchange is on this machine, where a proxy cannot reach it.
    let client = layer.layer(reqwest::Client::builder().no_proxy().build()?);
    let quote = || attempt(client.clone(), url.clone());

    println!("The exchange is down for four requests:");
    let price = quote
        .retry(attempts())
        .notify(|error, _| println!("  {error}"))
        .adjust(delay)
        .await?;
    let requests = REQUESTS.load(Ordering::Relaxed);
    println!("  answered: {price}, after {requests} requests");

    println!("An operator holds the circuit open:");
    breaker.force_open();
    let held = quote.retry(attempts()).adjust(delay).await;
    if let Err(error) = held {
        println!("  {error}, after one attempt");
    }
    let snapshot = breaker.snapshot();
    println!("  {} rejected in all", snapshot.rejected);
    Ok(())
}

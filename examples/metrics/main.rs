//! A program whose two upstreams fail and recover, and its metrics, which Prometheus scrapes.
//!
//! `README.md` beside this file shows them in Prometheus and Grafana.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use circuit_runtime::{CircuitError, circuit_breaker, export};
use tokio::net::TcpListener;
use tokio::time::sleep;

/// The port that `prometheus.yml` names.
const PORT: u16 = 9464;

/// How long the upstreams work, and how long they then fail.
const MINUTE: Duration = Duration::from_secs(60);

/// In an outage, `payments` refuses all calls, and `catalogue` does not answer those to one region.
static IS_OUTAGE: AtomicBool = AtomicBool::new(false);

#[derive(Debug, thiserror::Error)]
enum UpstreamError {
    #[error("the upstream refused the call")]
    Refused,
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

#[circuit_breaker(
    name = "payments",
    window = "10s",
    failure_rate = "30%",
    slow_call = "50ms",
    slow_rate = "80%",
    reset = "2s"
)]
async fn pay() -> Result<(), UpstreamError> {
    sleep(Duration::from_millis(5)).await;
    if IS_OUTAGE.load(Ordering::Relaxed) {
        return Err(UpstreamError::Refused);
    }
    Ok(())
}

/// Each region has a breaker of its own; their metrics are added up.
#[circuit_breaker(
    name = "catalogue",
    key = region,
    max_failures = 5,
    timeout = "100ms",
    reset = "2s"
)]
async fn look_up(region: &str) -> Result<(), UpstreamError> {
    let is_silent = region == "eu" && IS_OUTAGE.load(Ordering::Relaxed);
    let millis = if is_silent { 60_000 } else { 10 };
    sleep(Duration::from_millis(millis)).await;
    Ok(())
}

/// Responds with the metrics of all breakers, in Prometheus' text format.
async fn metrics() -> Result<impl IntoResponse, StatusCode> {
    let mut text = String::new();
    export::prometheus(&mut text).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(([(header::CONTENT_TYPE, export::CONTENT_TYPE)], text))
}

/// Calls an upstream again and again. The results are in its metrics.
async fn repeat(call: impl AsyncFn() -> Result<(), UpstreamError>) {
    loop {
        let _ = call().await;
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ends_in_outage = std::env::args()
        .nth(1)
        .is_some_and(|argument| argument == "once");
    let address = (Ipv4Addr::LOCALHOST, if ends_in_outage { 0 } else { PORT });
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot listen on port {PORT}: {error}"))?;
    let url = format!("http://{}/metrics", listener.local_addr()?);
    let routes = Router::new().route("/metrics", get(metrics));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    tokio::spawn(repeat(pay));
    tokio::spawn(repeat(|| look_up("eu")));
    tokio::spawn(repeat(|| look_up("us")));

    if ends_in_outage {
        sleep(Duration::from_secs(1)).await;
        IS_OUTAGE.store(true, Ordering::Relaxed);
        sleep(Duration::from_secs(1)).await;
        // The program is on this machine, where a proxy cannot reach it.
        let http = reqwest::Client::builder().no_proxy().build()?;
        print!("{}", http.get(url).send().await?.text().await?);
        return Ok(());
    }
    println!("The metrics are at {url}; end with Ctrl-C.");
    loop {
        sleep(MINUTE).await;
        println!("The upstreams fail.");
        IS_OUTAGE.store(true, Ordering::Relaxed);
        sleep(MINUTE).await;
        println!("The upstreams recover.");
        IS_OUTAGE.store(false, Ordering::Relaxed);
    }
}

//! A health check that shows the circuits of a service, and stays healthy while one is open.

use std::error::Error;
use std::net::Ipv4Addr;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use circuit_runtime::{CircuitError, Snapshot, circuit_breaker, registry};
use tokio::net::TcpListener;

#[derive(Debug, thiserror::Error)]
enum QuoteError {
    #[error("the exchange is down")]
    Down,
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

#[circuit_breaker(name = "exchange", max_failures = 2)]
async fn price() -> Result<f64, QuoteError> {
    // A real program would call the exchange here.
    Err(QuoteError::Down)
}

#[circuit_breaker(name = "news", max_failures = 2)]
async fn headline() -> Result<String, CircuitError> {
    Ok("Shares rise".to_owned())
}

/// The responses of the service: some need the exchange, others do not.
fn service() -> Router {
    Router::new()
        .route("/price", get(respond_with_price))
        .route("/news", get(respond_with_news))
        .route("/health", get(health))
}

async fn respond_with_price() -> (StatusCode, String) {
    match price().await {
        Ok(price) => (StatusCode::OK, price.to_string()),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    }
}

async fn respond_with_news() -> (StatusCode, String) {
    match headline().await {
        Ok(headline) => (StatusCode::OK, headline),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    }
}

/// Reports the circuits. The status is 200 whatever their states:
///
/// - An open circuit says that another service is down. It is down for all instances alike, and a
///   check that fails for it takes all of them out of traffic, or restarts them, at the same time.
/// - The rest of this service works, and calls of the other are rejected at once or have a
///   fallback.
/// - Only a call can close the circuit. An instance without traffic makes none.
async fn health() -> String {
    let circuits = registry::all().into_iter();
    circuits.map(|circuit| line(&circuit.snapshot())).collect()
}

/// Describes a circuit: its state and since when, the order that holds it, and its last change.
///
/// A change by time alone is reported with the next call. Until then, a circuit whose order
/// has ended is closed, and its last change is still that order.
fn line(circuit: &Snapshot) -> String {
    // A key can contain any characters, a line break among them.
    let name = circuit.name.escape_debug();
    let since = circuit.since.as_secs_f64();
    let order = if circuit.hold.is_some() {
        ", held by an operator"
    } else {
        ""
    };
    let last_change = circuit.last_change.as_ref().map_or_else(
        || "none".to_owned(),
        |change| format!("{} to {} ({})", change.from, change.to, change.cause),
    );
    format!(
        "{name}: {} for {since:.1} s{order}; last change: {last_change}\n",
        circuit.state
    )
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, service()).await });
    visit(&address).await
}

/// Calls the service like its clients, and a load balancer that checks its health.
async fn visit(service: &str) -> Result<(), Box<dyn Error>> {
    // The service is on this machine, where a proxy cannot reach it.
    let http = reqwest::Client::builder().no_proxy().build()?;
    for path in ["/news", "/price", "/price", "/price", "/health"] {
        print(&http, service, path).await?;
    }

    println!("An operator keeps the circuit of the exchange open:");
    if let Some(exchange) = registry::find("exchange") {
        exchange.force_open();
    }
    print(&http, service, "/health").await
}

async fn print(http: &reqwest::Client, service: &str, path: &str) -> Result<(), Box<dyn Error>> {
    let response = http.get(format!("{service}{path}")).send().await?;
    println!("GET {path}: {}", response.status());
    for line in response.text().await?.lines() {
        println!("  {line}");
    }
    Ok(())
}

//! One function, many hosts, over real HTTP: a host that is down is no longer called, and the
//! others are not affected. The rules are those of an attribute or, in a client of its own, values.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use circuit_runtime::{CircuitBreakers, CircuitError, Config, circuit_breaker, registry};
use tokio::net::TcpListener;

#[derive(Debug, thiserror::Error)]
enum PageError {
    #[error("{0}")]
    Http(#[from] reqwest::Error),
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

impl PageError {
    /// Returns whether the host is down. A missing page is an answer.
    fn is_outage(&self) -> bool {
        match self {
            Self::Http(error) => error.status().is_none_or(|status| status.is_server_error()),
            Self::Circuit(_) => true,
        }
    }
}

/// Each host has a breaker of its own, named `page[host]`.
#[circuit_breaker(
    name = "page",
    key = host,
    max_failures = 3,
    timeout = "1s",
    failure_if = PageError::is_outage,
)]
async fn page(client: &reqwest::Client, host: SocketAddr, path: &str) -> Result<String, PageError> {
    let response = client.get(format!("http://{host}{path}")).send().await?;
    Ok(response.error_for_status()?.text().await?)
}

/// A client whose rules are known only when the program runs, and whose breakers are its own.
struct Client {
    http: reqwest::Client,
    upstreams: CircuitBreakers,
}

impl Client {
    #[circuit_breaker(breaker = self.upstreams, key = host, failure_if = PageError::is_outage)]
    async fn is_ready(&self, host: SocketAddr) -> Result<bool, PageError> {
        let response = self.http.head(format!("http://{host}/")).send().await?;
        Ok(response.error_for_status()?.status().is_success())
    }
}

/// Starts a host on this machine that responds to `/` with `status`.
async fn host(status: StatusCode) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let routes = Router::new().route("/", get(move || async move { (status, "a page") }));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(address)
}

/// Returns an address on which no host is listening.
async fn gone() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await?
        .local_addr()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The hosts are on this machine, where a proxy cannot reach them.
    let client = reqwest::Client::builder().no_proxy().build()?;
    let failing = host(StatusCode::INTERNAL_SERVER_ERROR).await?;
    let hosts = [
        ("healthy", host(StatusCode::OK).await?, "/"),
        ("without the page", host(StatusCode::OK).await?, "/missing"),
        ("failing", failing, "/"),
        ("gone", gone().await?, "/"),
    ];
    for round in 1..=5 {
        println!("round {round}");
        for (name, address, path) in hosts {
            match page(&client, address, path).await {
                Ok(text) => println!("  {name}: {text}"),
                Err(PageError::Circuit(error)) => println!("  {name}: rejected; {error}"),
                Err(error) => println!("  {name}: {error}"),
            }
        }
    }

    println!("a client with a rule of its own");
    let max_failures = std::env::args().nth(1).map_or(Ok(1), |text| text.parse())?;
    let config = Config::builder().max_failures(max_failures).build()?;
    let client = Client {
        http: client,
        upstreams: CircuitBreakers::new("is_ready", config).max_keys(100),
    };
    for (name, address, _) in (0..=max_failures).flat_map(|_| hosts) {
        match client.is_ready(address).await {
            Ok(ready) => println!("  {name}: ready: {ready}"),
            Err(PageError::Circuit(error)) => println!("  {name}: rejected; {error}"),
            Err(error) => println!("  {name}: {error}"),
        }
    }

    println!();
    for breaker in registry::all() {
        let totals = breaker.snapshot();
        println!(
            "{} is {}: {} succeeded, {} failed, {} rejected",
            totals.name, totals.state, totals.succeeded, totals.failed, totals.rejected
        );
    }
    Ok(())
}

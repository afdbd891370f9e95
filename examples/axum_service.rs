//! A service of axum between its clients and two upstreams: one circuit around its own routes, and
//! one for each host that it calls. Its rules are in a file; an operator sees and orders the
//! circuits through routes of their own.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use circuit_runtime::{
    CircuitBreaker, CircuitBreakers, CircuitError, Config, Overrides, Verdict, export, registry,
};
use circuit_tower::{BoxError, CircuitBreakerLayer, HttpStatus, Keyed, respond_503};
use reqwest::{Method, Request, Response, Url};
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt};

/// Set while the exchange is down.
static IS_DOWN: AtomicBool = AtomicBool::new(false);

/// A client with a circuit for each host.
type Client = circuit_tower::CircuitBreaker<
    reqwest::Client,
    Keyed<fn(&Request) -> String>,
    fn(&Result<Response, reqwest::Error>) -> Verdict,
>;

/// Returns the host and port of a request: not its authority, which may have a password.
fn host(request: &Request) -> String {
    let url = request.url();
    let port = url.port_or_known_default().unwrap_or_default();
    format!("{}:{port}", url.host_str().unwrap_or_default())
}

fn verdict(result: &Result<Response, reqwest::Error>) -> Verdict {
    match result {
        Ok(response) => HttpStatus::new().verdict(response.status(), response.headers()),
        Err(_) => Verdict::Failure,
    }
}

fn client() -> Result<Client, reqwest::Error> {
    // All hosts are on this machine, where a proxy cannot reach them.
    let http = reqwest::Client::builder().no_proxy().build()?;
    let hosts = CircuitBreakers::new("hosts", Config::default());
    let layer = CircuitBreakerLayer::keyed(hosts, host as fn(&Request) -> String);
    let classified = layer.classify(verdict as fn(&Result<Response, reqwest::Error>) -> Verdict);
    Ok(classified.layer(http))
}

/// The service: its first route as a whole is behind a circuit, its second behind those of hosts.
fn service(exchange: SocketAddr, client: Client) -> Router {
    let layer = CircuitBreakerLayer::new(CircuitBreaker::new("quotes", Config::default()))
        .classify(HttpStatus::new())
        .respond(respond_503);
    let quotes = Router::new()
        .route("/quote", get(quote))
        .route_layer(layer)
        .with_state(exchange);
    let pages = Router::new()
        .route("/page/{host}", get(page))
        .with_state(client);
    quotes.merge(pages)
}

/// Asks the exchange, without a circuit of its own: that of the route counts the 502.
async fn quote(State(exchange): State<SocketAddr>) -> Result<String, StatusCode> {
    let client = reqwest::Client::builder().no_proxy().build();
    let client = client.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let response = client.get(format!("http://{exchange}/price")).send().await;
    let response = response.and_then(Response::error_for_status);
    let response = response.map_err(|_| StatusCode::BAD_GATEWAY)?;
    response.text().await.map_err(|_| StatusCode::BAD_GATEWAY)
}

/// Fetches a page of this host, through its circuit.
async fn page(
    State(client): State<Client>,
    Path(host): Path<String>,
) -> Result<String, (StatusCode, String)> {
    let url = Url::parse(&format!("http://{host}/"))
        .map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    let response = client.oneshot(Request::new(Method::GET, url)).await;
    let response = response.map_err(|error: BoxError| match error.downcast::<CircuitError>() {
        Ok(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()),
    })?;
    let text = response.text().await;
    text.map_err(|error| (StatusCode::BAD_GATEWAY, error.to_string()))
}

/// The routes of an operator, which clients of the service must not reach.
fn admin() -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .route("/circuits/{name}/{order}", post(order))
}

/// Reports the circuits; the service is healthy while one is open.
async fn health() -> String {
    let circuits = registry::all().into_iter();
    let lines = circuits.map(|circuit| format!("{}: {}", circuit.name(), circuit.state()));
    lines.collect::<Vec<_>>().join("\n")
}

async fn metrics() -> Result<String, StatusCode> {
    let mut text = String::new();
    export::prometheus(&mut text).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(text)
}

async fn order(Path((name, order)): Path<(String, String)>) -> StatusCode {
    let Some(circuit) = registry::find(&name) else {
        return StatusCode::NOT_FOUND;
    };
    match order.as_str() {
        "open" => circuit.force_open(),
        "closed" => circuit.force_closed(),
        "reset" => circuit.reset(),
        _ => return StatusCode::BAD_REQUEST,
    }
    StatusCode::NO_CONTENT
}

async fn price() -> Result<&'static str, StatusCode> {
    if IS_DOWN.load(Ordering::Relaxed) {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    Ok("12.5")
}

/// Serves on a port of its own, until the program ends.
async fn serve(router: Router) -> Result<SocketAddr, std::io::Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async { axum::serve(listener, router).await });
    Ok(address)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/axum_service.toml");
    let rules: Overrides = toml::from_str(&std::fs::read_to_string(file)?)?;
    registry::apply(rules)?;

    let exchange = serve(Router::new().route("/price", get(price))).await?;
    let news = serve(Router::new().route("/", get(async || "Shares rise"))).await?;
    // Nothing listens there any more.
    let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await?
        .local_addr()?;
    let service = serve(service(exchange, client()?)).await?;
    let admin = serve(admin()).await?;

    let http = reqwest::Client::builder().no_proxy().build()?;
    println!("The exchange works, then fails three times:");
    print(&http, Method::GET, service, "/quote").await?;
    IS_DOWN.store(true, Ordering::Relaxed);
    for _ in 0..4 {
        print(&http, Method::GET, service, "/quote").await?;
    }
    println!("It recovers, and a probe closes the circuit:");
    IS_DOWN.store(false, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(300)).await;
    print(&http, Method::GET, service, "/quote").await?;

    println!("One host is gone, another is not:");
    for _ in 0..4 {
        print(&http, Method::GET, service, &format!("/page/{gone}")).await?;
    }
    print(&http, Method::GET, service, &format!("/page/{news}")).await?;

    println!("An operator keeps the circuit of the quotes open:");
    print(&http, Method::POST, admin, "/circuits/quotes/open").await?;
    print(&http, Method::GET, service, "/quote").await?;
    print(&http, Method::GET, admin, "/health").await?;
    let metrics = http.get(format!("http://{admin}/metrics")).send().await?;
    let lines = metrics.text().await?.lines().count();
    println!("GET /metrics: {lines} lines");
    Ok(())
}

async fn print(
    http: &reqwest::Client,
    method: Method,
    server: SocketAddr,
    path: &str,
) -> Result<(), reqwest::Error> {
    let request = http.request(method.clone(), format!("http://{server}{path}"));
    let response = request.send().await?;
    print!("  {method} {path}: {}", response.status());
    if let Some(wait) = response.headers().get("retry-after") {
        print!(", retry after {wait:?} s");
    }
    println!();
    for line in response.text().await?.lines() {
        println!("    {line}");
    }
    Ok(())
}

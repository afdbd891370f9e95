//! Telling outages from other results: an exchange fails in several ways, and only its outages open
//! the circuit; then an HTTP service whose every response is an `Ok`.

use std::time::Duration;

use circuit_runtime::{CircuitError, Verdict, circuit_breaker, registry};

#[derive(Debug, thiserror::Error)]
enum QuoteError {
    /// The exchange works; there is no such symbol.
    #[error("no such symbol")]
    UnknownSymbol,
    /// The exchange was never called.
    #[error("no access token")]
    NoToken,
    /// The exchange responded with an error.
    #[error("status {0}")]
    Status(u16),
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

impl QuoteError {
    fn is_outage(&self) -> bool {
        match self {
            Self::Status(status) => *status >= 500,
            Self::UnknownSymbol => false,
            // A new kind of error counts as a failure until it is listed here.
            _ => true,
        }
    }
}

#[circuit_breaker(
    name = "exchange",
    max_failures = 2,
    failure_if = QuoteError::is_outage,
    ignore_if = |error| matches!(error, QuoteError::NoToken),
)]
async fn quote(symbol: &str) -> Result<f64, QuoteError> {
    // A real program would call the exchange here.
    match symbol {
        "ACME" => Ok(42.5),
        "NOPE" => Err(QuoteError::UnknownSymbol),
        "MINE" => Err(QuoteError::NoToken),
        "FAST" => Err(QuoteError::Status(429)),
        _ => Err(QuoteError::Status(503)),
    }
}

/// The response of an HTTP service, and its header `Retry-After`. Most clients return `Ok` for any
/// status.
struct Response {
    status: u16,
    retry_after: Option<Duration>,
}

fn verdict(result: &Result<Response, CircuitError>) -> Verdict {
    match result {
        // The circuit opens at once, for as long as the service asked.
        Ok(Response {
            status: 429 | 503,
            retry_after: Some(wait),
        }) => Verdict::Unavailable(*wait),
        Ok(response) if response.status >= 500 => Verdict::Failure,
        // A 404, too: the service works.
        Ok(_) => Verdict::Success,
        Err(_) => Verdict::Failure,
    }
}

#[circuit_breaker(name = "search", max_failures = 2, classify = verdict)]
async fn search(status: u16) -> Result<Response, CircuitError> {
    // A real program would call the service here.
    Ok(Response {
        status,
        retry_after: (status == 429).then_some(Duration::from_secs(20)),
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    for symbol in [
        "ACME", "NOPE", "NOPE", "NOPE", "MINE", "MINE", "FAST", "DOWN", "MINE", "DOWN", "ACME",
    ] {
        match quote(symbol).await {
            Ok(price) => println!("{symbol}: {price}"),
            Err(error) => println!("{symbol}: {error}"),
        }
    }
    print_totals("exchange");
    println!();

    // One failure, which the 404 resets: a success. The 429 opens the circuit by itself.
    for status in [200, 500, 404, 500, 404, 429, 200] {
        match search(status).await {
            Ok(response) => println!("status {}", response.status),
            Err(error) => println!("{error}"),
        }
    }
    print_totals("search");
}

fn print_totals(name: &str) {
    if let Some(breaker) = registry::find(name) {
        let totals = breaker.snapshot();
        println!("succeeded: {}", totals.succeeded);
        println!("failed:    {}", totals.failed);
        println!("ignored:   {}", totals.ignored);
        println!("rejected:  {}", totals.rejected);
    }
}

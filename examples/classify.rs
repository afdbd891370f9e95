//! Telling outages from other errors: an exchange fails in several ways, and only its outages open
//! the circuit.

use circuit_runtime::{CircuitError, circuit_breaker, registry};

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

    if let Some(exchange) = registry::find("exchange") {
        let totals = exchange.snapshot();
        println!();
        println!("succeeded: {}", totals.succeeded);
        println!("failed:    {}", totals.failed);
        println!("ignored:   {}", totals.ignored);
        println!("rejected:  {}", totals.rejected);
    }
}

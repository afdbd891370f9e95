//! Which errors are an outage, and which are the caller's own fault: an exchange answers in every way
//! there is, and only its outages open the circuit.

use circuit_runtime::{CircuitError, circuit_breaker, registry};

#[derive(Debug, thiserror::Error)]
enum QuoteError {
    /// The exchange did its work: it looked, and there is none.
    #[error("no such symbol")]
    UnknownSymbol,
    /// It was never asked.
    #[error("no access token")]
    NoToken,
    /// It answered, but not as it should.
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
            // What is new is a failure until somebody thinks about it.
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
        println!("answered:     {}", totals.succeeded);
        println!("failed:       {}", totals.failed);
        println!("ignored:      {}", totals.ignored);
        println!("not asked:    {}", totals.rejected);
    }
}

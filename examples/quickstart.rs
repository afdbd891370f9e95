//! The smallest complete program: calls a service that is down, until the circuit opens.

use circuit_runtime::{CircuitError, circuit_breaker};

#[derive(Debug, thiserror::Error)]
enum QuoteError {
    #[error("no quote for {0}: the exchange is down")]
    Down(String),
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

#[circuit_breaker(max_failures = 5, window = "10s", reset = "30s", timeout = "2s")]
async fn quote(symbol: &str) -> Result<f64, QuoteError> {
    // A real program would call the exchange here.
    Err(QuoteError::Down(symbol.to_owned()))
}

#[tokio::main]
async fn main() -> Result<(), QuoteError> {
    loop {
        match quote("ACME").await {
            Ok(price) => println!("answered: {price}"),
            Err(QuoteError::Circuit(error)) if error.is_open() => {
                println!("rejected: {error}");
                return Ok(());
            }
            Err(error) => println!("failed:   {error}"),
        }
    }
}

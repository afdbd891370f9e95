//! A fallback: the last known price, however old, while the exchange is down.

use std::collections::HashMap;

use circuit_runtime::{CircuitError, circuit_breaker};
use tokio::sync::Mutex;

#[derive(Debug, thiserror::Error)]
enum QuoteError {
    #[error("the exchange is down")]
    Down,
    #[error("no price of {0} is known, and {1}")]
    Unknown(String, CircuitError),
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

/// The exchange, which goes down after three requests.
struct Exchange {
    requests: u32,
}

impl Exchange {
    fn price(&mut self) -> Result<f64, QuoteError> {
        self.requests += 1;
        match self.requests {
            1..=3 => Ok(40.0 + f64::from(self.requests)),
            _ => Err(QuoteError::Down),
        }
    }
}

/// The last price of each symbol.
#[derive(Default)]
struct Prices(Mutex<HashMap<String, f64>>);

impl Prices {
    async fn remember(&self, symbol: String, price: f64) {
        self.0.lock().await.insert(symbol, price);
    }

    async fn last(&self, symbol: &str) -> Option<f64> {
        self.0.lock().await.get(symbol).copied()
    }
}

/// Both the body and the fallback may take `symbol` by value: only one of them runs.
#[circuit_breaker(max_failures = 2, fallback = |error| {
    println!("  ({error})");
    match prices.last(&symbol).await {
        Some(price) => Ok(price),
        None => Err(QuoteError::Unknown(symbol, error)),
    }
})]
async fn quote(
    exchange: &mut Exchange,
    prices: &Prices,
    symbol: String,
) -> Result<f64, QuoteError> {
    let price = exchange.price()?;
    prices.remember(symbol, price).await;
    Ok(price)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut exchange = Exchange { requests: 0 };
    let prices = Prices::default();
    for symbol in [
        "ACME", "ACME", "ACME", "ACME", "ACME", "ACME", "ACME", "NEWCO",
    ] {
        match quote(&mut exchange, &prices, symbol.to_owned()).await {
            Ok(price) => println!("{symbol}: {price}"),
            Err(error) => println!("{symbol}: {error}"),
        }
    }
    println!();
    println!("the exchange received {} requests", exchange.requests);
}

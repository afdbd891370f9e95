//! What to answer while a service is down: the last price that it gave, however old.

use std::collections::HashMap;

use circuit_runtime::{CircuitError, circuit_breaker};
use tokio::sync::Mutex;

#[derive(Debug, thiserror::Error)]
enum QuoteError {
    #[error("the exchange is down")]
    Down,
    #[error("no price of {0} so far, and {1}")]
    NeverAsked(String, CircuitError),
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

/// The exchange, which goes down after three questions.
struct Exchange {
    questions: u32,
}

impl Exchange {
    fn ask(&mut self) -> Result<f64, QuoteError> {
        self.questions += 1;
        match self.questions {
            1..=3 => Ok(40.0 + f64::from(self.questions)),
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

/// Both the body and the fallback may take `symbol`: only one of them runs.
#[circuit_breaker(max_failures = 2, fallback = |error| {
    println!("  ({error})");
    match prices.last(&symbol).await {
        Some(price) => Ok(price),
        None => Err(QuoteError::NeverAsked(symbol, error)),
    }
})]
async fn quote(
    exchange: &mut Exchange,
    prices: &Prices,
    symbol: String,
) -> Result<f64, QuoteError> {
    let price = exchange.ask()?;
    prices.remember(symbol, price).await;
    Ok(price)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut exchange = Exchange { questions: 0 };
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
    println!("the exchange was asked {} times", exchange.questions);
}

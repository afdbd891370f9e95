#![deny(unused)]

use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker(fallback = |error| Ok(7))]
async fn with_fallback(never_used: u8) -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(key = host, fallback = Ok(host.len()))]
async fn with_key(host: &str) -> Result<usize, CircuitError> {
    Ok(1)
}

struct Client;

impl Client {
    #[circuit_breaker(key = host)]
    async fn method_with_key(&self, host: &str) -> Result<usize, CircuitError> {
        Ok(host.len())
    }
}

fn main() {
    let _client = Client;
}

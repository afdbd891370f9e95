//! Names that code in the attribute uses, and that are not there.

use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker(fallback = Ok(cached(symbol)))]
async fn function(symbol: &str) -> Result<usize, CircuitError> {
    Ok(symbol.len())
}

#[circuit_breaker(fallback = Ok(symbl.len()))]
async fn argument(symbol: &str) -> Result<usize, CircuitError> {
    Ok(symbol.len())
}

#[circuit_breaker(fallback = |error: CircutError| Err(error))]
async fn type_of_the_error() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(fallback = Err(error))]
async fn error_without_closure() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(fallback = Ok(length))]
async fn local_of_the_body(symbol: &str) -> Result<usize, CircuitError> {
    let length = symbol.len();
    Ok(length)
}

#[circuit_breaker(fallback = Ok(self.len()))]
async fn no_method(symbol: &str) -> Result<usize, CircuitError> {
    Ok(symbol.len())
}

#[circuit_breaker(key = hots)]
async fn key(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = self.host)]
async fn key_of_no_method(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = host, max_keys = MANY)]
async fn max_keys(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(breaker = BREAKER)]
async fn breaker() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = self.breaker)]
async fn breaker_of_no_method() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {}

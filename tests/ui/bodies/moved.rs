//! Arguments that the body, the fallback and the key take.

use circuit_runtime::{CircuitBreaker, CircuitError, circuit_breaker};

#[circuit_breaker(key = host)]
async fn body_after_key(host: String) -> Result<String, CircuitError> {
    drop(host);
    Ok(host)
}

#[circuit_breaker(fallback = {
    drop(host);
    Ok(host)
})]
async fn twice_in_the_fallback(host: String) -> Result<String, CircuitError> {
    Ok(host)
}

#[circuit_breaker(key = { drop(host); 7 })]
async fn key_that_takes(host: String) -> Result<String, CircuitError> {
    Ok(host)
}

#[circuit_breaker(fallback = { number += 1; Ok(number) })]
async fn fallback_that_writes(number: u8) -> Result<u8, CircuitError> {
    Ok(number)
}

#[circuit_breaker(breaker = breaker)]
async fn breaker_of_the_body(breaker: CircuitBreaker) -> Result<CircuitBreaker, CircuitError> {
    drop(breaker);
    Ok(breaker)
}

fn main() {}

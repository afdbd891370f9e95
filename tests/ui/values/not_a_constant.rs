use std::time::Duration;

use circuit_runtime::{CircuitError, circuit_breaker};

fn limit() -> u32 {
    5
}

#[circuit_breaker(max_failures = limit())]
async fn max_failures() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(reset = Duration::default())]
async fn reset() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(window = limit())]
async fn window() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {}

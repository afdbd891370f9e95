use std::time::Duration;

use circuit_runtime::{CircuitError, circuit_breaker};

const LIMIT: usize = 5;
const RESET: u64 = 30;

#[circuit_breaker(max_failures = LIMIT)]
async fn max_failures() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(reset = RESET)]
async fn reset() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(window = Some(Duration::from_secs(1)))]
async fn window() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(timeout = || Duration::from_secs(1))]
async fn timeout() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {}

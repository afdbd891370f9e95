use std::time::Duration;

use circuit_runtime::{CircuitError, circuit_breaker};

const ZERO: u32 = 0;

const fn none() -> Duration {
    Duration::ZERO
}

#[circuit_breaker(max_failures = ZERO)]
async fn max_failures() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_failures = ZERO * 10)]
async fn max_failures_computed() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(window = Duration::ZERO)]
async fn window() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(reset = Duration::from_secs(0))]
async fn reset() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(timeout = none())]
async fn timeout() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_failures = ZERO - 1)]
async fn overflow() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {}

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

#[circuit_breaker(window = "10s", slow_call = none())]
async fn slow_call() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(window = "10s", failure_rate = 0.5, min_calls = ZERO)]
async fn min_calls() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(probes = ZERO % 3)]
async fn probes() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_reset = none())]
async fn max_reset() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {}

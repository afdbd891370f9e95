use std::time::Duration;

use circuit_runtime::{CircuitError, circuit_breaker};

const LIMIT: usize = 5;
const RESET: u64 = 30;
const ONE: u32 = 1;
const HALF: f32 = 0.5;

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

#[circuit_breaker(window = RESET)]
async fn window_of_another_integer() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(window = "10s", failure_rate = ONE)]
async fn failure_rate() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(window = "10s", failure_rate = HALF, slow_call = "2s")]
async fn failure_rate_of_half_the_bits() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(window = 100, slow_call = RESET)]
async fn slow_call() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(window = 100, slow_call = "2s", slow_rate = "50%".len())]
async fn slow_rate() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(window = 100, failure_rate = 0.5, min_calls = LIMIT)]
async fn min_calls() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(probes = LIMIT - 1)]
async fn probes() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {}

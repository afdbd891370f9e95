//! Options that a breaker of one's own already has.

use std::sync::LazyLock;
use std::time::Duration;

use circuit_runtime::{CircuitBreaker, CircuitError, Config, circuit_breaker};

const RESET: Duration = Duration::from_secs(1);

static BREAKER: LazyLock<CircuitBreaker> = LazyLock::new(|| match Config::builder().build() {
    Ok(config) => CircuitBreaker::new("own", config),
    Err(error) => panic!("{error}"),
});

#[circuit_breaker(breaker = BREAKER, max_failures = 5)]
async fn max_failures() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = BREAKER, window = "10s")]
async fn window() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(window = 100, breaker = BREAKER)]
async fn window_of_calls() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = BREAKER, failure_rate = 0.5)]
async fn failure_rate() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = BREAKER, slow_call = "2s")]
async fn slow_call() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = BREAKER, slow_rate = 0.5)]
async fn slow_rate() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = BREAKER, min_calls = 10)]
async fn min_calls() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = BREAKER, reset = RESET)]
async fn reset() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = BREAKER, max_reset = "1s")]
async fn max_reset() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = BREAKER, jitter = "10%")]
async fn jitter() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = BREAKER, probes = 3)]
async fn probes() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = BREAKER, timeout = "2s")]
async fn timeout() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = BREAKER, max_keys = 7)]
async fn max_keys() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = BREAKER, name = "payments")]
async fn name() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = BREAKER, max_failures = 5, window = "10s", reset = "30s")]
async fn three_at_once() -> Result<u8, CircuitError> {
    Ok(1)
}

// An option that is wrong by itself is one mistake.
#[circuit_breaker(breaker = BREAKER, window = "10x")]
async fn wrong_window() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = 7, window = "10s")]
async fn wrong_breaker() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(braker = BREAKER, window = "10s", max_keys = 7)]
async fn breaker_misspelled() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {}

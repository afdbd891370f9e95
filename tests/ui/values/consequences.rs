//! One mistake is one error: what depends on the option that is wrong does not complain, too.

use circuit_runtime::{CircuitError, circuit_breaker};

const SMALL: u64 = 3;

#[circuit_breaker(window = "10x", failure_rate = 0.5, slow_call = "2s")]
async fn wrong_window() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = 0, max_failures = 3)]
async fn empty_window() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = SMALL, failure_rate = 0.5)]
async fn window_of_wrong_type() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(interval = "10s", failure_rate = 0.5)]
async fn window_named_elsewhere() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(windows = "10s", slow_call = "2s")]
async fn window_misspelled() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(failure_rate = 0.5, window 100)]
async fn window_without_equals_sign() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(failure_rate = 0.5 window 100)]
async fn window_without_anything() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = 10, slow_call = "0s", slow_rate = 0.5, min_calls = 5)]
async fn wrong_slow_call() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = 10, slow_cal = "2s", slow_rate = 0.5)]
async fn slow_call_misspelled() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = 10, failure_rate = 0.0, min_calls = 5)]
async fn wrong_failure_rate() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = 3, failure_rate = 2.0)]
async fn default_max_failures_beside_a_wrong_rate() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = 3, max_failures = 0)]
async fn wrong_max_failures() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = 3, max_failure = 2)]
async fn max_failures_misspelled() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = 3, slow_rate = 0.5)]
async fn default_max_failures_beside_half_a_rate() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(slow_rate = 0.5, min_calls = 10)]
async fn min_calls_beside_half_a_rate() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(failure_rate = 0.0)]
async fn wrong_failure_rate_without_window() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(reset = "0s", max_reset = "10s")]
async fn wrong_reset() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(cooldown = "5s", max_reset = "10s")]
async fn reset_named_elsewhere() -> Result<(), CircuitError> {
    Ok(())
}

fn main() {}

//! Options that are right, but not together.

use std::time::Duration;

use circuit_runtime::{CircuitError, circuit_breaker};

const FEW: u32 = 3;
const MANY: u32 = 200;
const HALF: f64 = 0.5;
const SHORT: Duration = Duration::from_secs(10);

#[circuit_breaker(failure_rate = 0.5)]
async fn failure_rate_without_window() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(failure_rate = HALF * 1.5, reset = SHORT)]
async fn constant_failure_rate_without_window() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(slow_call = "2s")]
async fn slow_call_without_window() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(failure_rate = "50%", slow_call = "2s")]
async fn one_window_for_both() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(slow_rate = 0.5, window = "10s")]
async fn slow_rate_without_slow_call() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(slow_rate = HALF, window = FEW)]
async fn constant_slow_rate_without_slow_call() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(min_calls = 20)]
async fn min_calls_without_rate() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(min_calls = 20, max_failures = 3, window = 10)]
async fn min_calls_without_rate_and_above_the_window() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = 10, failure_rate = 0.5, min_calls = 11)]
async fn min_calls_above_the_window() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = FEW * 2, failure_rate = 0.5, min_calls = 7)]
async fn min_calls_above_a_constant() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = 100, failure_rate = 0.5, min_calls = MANY)]
async fn constant_min_calls_above_the_window() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = 100, max_failures = 101)]
async fn max_failures_above_the_window() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = FEW, max_failures = 4)]
async fn max_failures_above_a_constant() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = 100, max_failures = MANY - 1)]
async fn constant_max_failures_above_the_window() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = 4)]
async fn default_max_failures_above_the_window() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = FEW + 1)]
async fn default_max_failures_above_a_constant() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(max_reset = "10s", reset = "30s")]
async fn max_reset_below_reset() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(max_reset = "29s")]
async fn max_reset_below_the_default() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(max_reset = SHORT, reset = "20s")]
async fn constant_max_reset_below_reset() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(reset = SHORT, max_reset = "5s")]
async fn max_reset_below_a_constant() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(max_reset = SHORT)]
async fn constant_max_reset_below_the_default() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = 2, max_failures = 3, failure_rate = 0.5, min_calls = 4, slow_call = "1s", max_reset = "1s")]
async fn three_at_once() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = "1h", slow_call = "10s", timeout = "2s")]
async fn never_slow() -> Result<(), CircuitError> {
    Ok(())
}

fn main() {}

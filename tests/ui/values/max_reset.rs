//! A bound on the wait that is below where the wait begins.

use std::time::Duration;

use circuit_runtime::{CircuitError, circuit_breaker};

const SHORT: Duration = Duration::from_secs(10);
const LONG: Duration = Duration::from_secs(3_600);

#[circuit_breaker(max_reset = "10s", reset = "30s")]
async fn literals() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(max_reset = "10s")]
async fn literal_and_default() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(max_reset = SHORT, reset = "30s")]
async fn constant_and_literal() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(reset = LONG, max_reset = "5m")]
async fn literal_and_constant() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(max_reset = "0s")]
async fn zero() -> Result<(), CircuitError> {
    Ok(())
}

fn main() {}

//! Values that are no share of a wait.

use circuit_runtime::{CircuitError, circuit_breaker};

const TOO_MUCH: f64 = 1.5;

#[circuit_breaker(jitter = 1.1)]
async fn above() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(jitter = 2)]
async fn above_as_an_integer() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(jitter = "101%")]
async fn above_in_percent() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(jitter = -0.1)]
async fn below() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(jitter = "10")]
async fn no_percent_sign() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(jitter = "some")]
async fn words() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(jitter = true)]
async fn of_another_type() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(jitter = TOO_MUCH)]
async fn constant() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(jitter = f64::NAN)]
async fn no_number() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(jitter = 10)]
async fn percentage_without_its_sign() -> Result<(), CircuitError> {
    Ok(())
}

fn main() {}

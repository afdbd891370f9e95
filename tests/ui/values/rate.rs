//! Values that are no rate.

use circuit_runtime::{CircuitError, circuit_breaker};

const ZERO: f64 = 0.0;
const TOO_MUCH: f64 = 1.5;

#[circuit_breaker(window = "10s", failure_rate = 0.0)]
async fn zero() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = "10s", failure_rate = 0)]
async fn zero_as_an_integer() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = "10s", failure_rate = "0%")]
async fn zero_in_percent() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = "10s", failure_rate = 1.1)]
async fn above() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = "10s", failure_rate = 50)]
async fn above_as_an_integer() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = "10s", failure_rate = "101%")]
async fn above_in_percent() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = "10s", failure_rate = "-5%")]
async fn below_in_percent() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = "10s", failure_rate = "NaN%")]
async fn no_number_in_percent() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = "10s", failure_rate = -0.5)]
async fn below() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = "10s", failure_rate = "0.5")]
async fn no_percent_sign() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = "10s", failure_rate = 50%)]
async fn no_quotes() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = "10s", failure_rate = 1u32)]
async fn suffix() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = "10s", failure_rate = true)]
async fn of_another_type() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = "10s", slow_call = "2s", slow_rate = 0.0)]
async fn slow_and_zero() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = "10s", slow_call = "2s", slow_rate = "101%")]
async fn slow_and_above_in_percent() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = "10s", slow_call = "2s", slow_rate = "some")]
async fn slow_and_words() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = "10s", failure_rate = ZERO)]
async fn constant_zero() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = "10s", failure_rate = TOO_MUCH / 1.25)]
async fn constant_above() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = "10s", failure_rate = -TOO_MUCH)]
async fn constant_below() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = "10s", failure_rate = f64::NAN)]
async fn no_number() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = 100, slow_call = "2s", slow_rate = f64::INFINITY)]
async fn infinite() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = "10s", failure_rate = 12.5)]
async fn above_as_a_percentage() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = "10s", failure_rate = "200%")]
async fn twice_the_whole() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = 100, slow_call = "2s", slow_rate = 80)]
async fn slow_rate_as_a_percentage() -> Result<(), CircuitError> {
    Ok(())
}

fn main() {}

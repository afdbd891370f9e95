//! Windows that are a number of calls, or neither that nor a span.

use std::time::Duration;

use circuit_runtime::{CircuitError, circuit_breaker};

const NONE: u32 = 0;
const TOO_MANY: u32 = 65_537;

#[circuit_breaker(window = 0)]
async fn zero() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = 65537)]
async fn above() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = 99999999999999999999)]
async fn greater_than_any_integer() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = -10)]
async fn negative() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = 10.0)]
async fn float() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = 100u64)]
async fn suffix() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = 10s)]
async fn unit_without_quotes() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = "100")]
async fn quotes_without_unit() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = '9')]
async fn char() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window)]
async fn no_value() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = NONE)]
async fn constant_zero() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = TOO_MANY + 1)]
async fn constant_above() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(window = Duration::from_secs(0))]
async fn constant_span_of_zero() -> Result<(), CircuitError> {
    Ok(())
}

fn main() {}

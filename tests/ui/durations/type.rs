use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker(slow_call = 100, window = "10s")]
async fn integer() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(timeout = 30s)]
async fn suffixed_integer() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(reset = 0)]
async fn zero() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(reset = 1.5)]
async fn float() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_reset = -10)]
async fn negative() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(timeout = false)]
async fn bool() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(reset = 's')]
async fn char() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(timeout = b"10s")]
async fn bytes() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(timeout = "10s"x)]
async fn suffixed_string() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(reset: 5, max_failures: 3)]
async fn after_colons() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {}

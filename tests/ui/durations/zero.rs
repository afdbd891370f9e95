use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker(window = "0s")]
async fn window() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(reset = "0s")]
async fn reset() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(timeout = "0s")]
async fn timeout() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {}

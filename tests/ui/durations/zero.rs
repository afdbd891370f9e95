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

#[circuit_breaker(max_reset = "0s")]
async fn max_reset() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(slow_call = "0s", window = "10s")]
async fn slow_call() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(ramp = "0s")]
async fn ramp() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {}

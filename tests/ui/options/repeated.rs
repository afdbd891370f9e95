use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker(reset = "30s", max_failures = 5, reset = "1m")]
async fn twice() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(name = "a", name = "b", name = "c")]
async fn three_times() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {}

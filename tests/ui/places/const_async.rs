use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker]
const async fn quote() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {}

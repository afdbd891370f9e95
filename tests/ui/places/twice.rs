use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker(max_failures = 5)]
/// Documented.
#[circuit_runtime::circuit_breaker(timeout = "1s")]
async fn quote() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {}

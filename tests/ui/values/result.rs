use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker(ignore_if = |r| matches!(r, Ok(_)))]
async fn ignore_if() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(retry_after = |r| match r { Ok(_) => None, Err(error) => error.retry_after() })]
async fn retry_after() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {}

//! Attributes that take `async` away come below this one.

use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker(timeout = "1s")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker]
#[tokio::test]
async fn tested() -> Result<(), CircuitError> {
    Ok(())
}

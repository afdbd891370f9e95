//! Attributes that remove `async` stand below this one.

use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker(timeout = "1s", fallback = |error| Err(error))]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker]
#[tokio::test]
async fn tested() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(key = "tested".to_owned(), fallback = Ok(()))]
#[tokio::test(start_paused = true)]
#[ignore = "it only has to compile"]
async fn tested_by_key() -> Result<(), CircuitError> {
    Ok(())
}

//! A recursive function boxes itself, as without the attribute.

use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker(timeout = "1s")]
async fn factorial(number: u64) -> Result<u64, CircuitError> {
    if number == 0 {
        return Ok(1);
    }
    let before: u64 = Box::pin(factorial(number - 1)).await?;
    Ok(number * before)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!(factorial(5).await, Ok(120));
}

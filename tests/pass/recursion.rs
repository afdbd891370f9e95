//! A recursive function boxes itself, as without the attribute.

use circuit_runtime::{CircuitBreaker, CircuitError, Config, circuit_breaker};

#[circuit_breaker(timeout = "1s")]
async fn factorial(number: u64) -> Result<u64, CircuitError> {
    if number == 0 {
        return Ok(1);
    }
    let before: u64 = Box::pin(factorial(number - 1)).await?;
    Ok(number * before)
}

// Each level uses the breaker of its own key.
#[circuit_breaker(key = number, fallback = Ok(1))]
async fn by_key(number: u64) -> Result<u64, CircuitError> {
    if number == 0 {
        return Ok(1);
    }
    let before: u64 = Box::pin(by_key(number - 1)).await?;
    Ok(number * before)
}

// The fallback calls the function again.
#[circuit_breaker(breaker = breakers[0], fallback = match breakers {
    [_] => Ok(0),
    [_, rest @ ..] => Box::pin(next(rest)).await,
    [] => unreachable!(),
})]
async fn next(breakers: &[CircuitBreaker]) -> Result<usize, CircuitError> {
    Ok(breakers.len())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!(factorial(5).await, Ok(120));
    assert_eq!(by_key(5).await, Ok(120));

    let config = Config::builder().build().expect("a config");
    let breakers = ["a", "b", "c"].map(|name| CircuitBreaker::new(name, config));
    assert_eq!(next(&breakers).await, Ok(3));
    breakers[0].force_open();
    breakers[1].force_open();
    assert_eq!(next(&breakers).await, Ok(1));
    breakers[2].force_open();
    assert_eq!(next(&breakers).await, Ok(0));
}

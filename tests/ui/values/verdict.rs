use std::time::Duration;

use circuit_runtime::{CircuitError, Verdict, circuit_breaker};

fn seconds(_: &CircuitError) -> Option<u64> {
    None
}

fn of_the_error(_: &CircuitError) -> Verdict {
    Verdict::Failure
}

fn is_success(result: &Result<u8, CircuitError>) -> bool {
    result.is_ok()
}

#[circuit_breaker(retry_after = |error| error.is_open())]
async fn wait_of_wrong_result() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(retry_after = seconds)]
async fn wait_by_path() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(retry_after = Duration::MAX)]
async fn wait_that_is_constant() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(classify = |result| result.is_ok())]
async fn verdict_of_wrong_type() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(classify = is_success)]
async fn verdict_by_path() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(classify = of_the_error)]
async fn verdict_on_the_error() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(classify = Verdict::Success)]
async fn verdict_that_is_constant() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(classify = |_| Verdict::Success)]
async fn not_a_result() -> u8 {
    1
}

#[circuit_breaker(classify = |result| Verdict::from(result.status))]
async fn option() -> Option<u8> {
    None
}

fn main() {}

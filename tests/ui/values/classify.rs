use std::time::Duration;

use circuit_runtime::{CircuitBreaker, CircuitError, circuit_breaker};

fn wait(_: &CircuitError) -> Option<Duration> {
    None
}

#[circuit_breaker(classify = true)]
async fn literal() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(classify = Verdict::from(result))]
async fn expression() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(classify = |value, error| Verdict::Success)]
async fn closure_of_two_arguments() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(classify)]
async fn name_alone() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(retry_after = "10s")]
async fn duration() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(retry_after = || None)]
async fn closure_of_no_argument() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(retry_after = async |error| error.retry_after())]
async fn asynchronous_closure() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(classify = verdict, failure_if = |_| true)]
async fn beside_failure_if() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(ignore_if = |_| true, retry_after = wait, classify = verdict)]
async fn beside_both_others() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(classify = 7, retry_after = wait)]
async fn wrong_beside_another() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = _breaker, ramp = "20s")]
async fn ramp_beside_breaker(_breaker: CircuitBreaker) -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(slow_start = "20s", verdict = |_| true)]
async fn names_elsewhere() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {}

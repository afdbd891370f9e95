use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker(max_failures)]
async fn name_alone() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_failures 5, window = "10s")]
async fn no_equals_sign() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_failures(5))]
async fn in_parentheses() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_failures: 5)]
async fn colon() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_failures == 5)]
async fn comparison() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(reset =)]
async fn no_value() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(reset = , max_failures = 5)]
async fn no_value_before_a_comma() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(reset = ?)]
async fn no_expression() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_failures = LIMIT = 5)]
async fn two_values() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_failures = 5 window = "10s")]
async fn no_comma() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_failures = 5; window = "10s")]
async fn semicolon() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_failures = 5 failures)]
async fn trailing_word() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_failures = 5,, window = "10s")]
async fn two_commas() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(5)]
async fn value_alone() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker("payments", max_failures = 5)]
async fn string_alone() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max-failures = 5, slow-call-rate = 0.5, colour-of-it = 1, reset = "1s")]
async fn dashes() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {}

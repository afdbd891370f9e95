use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker]
async fn value() -> Result<u8, CircuitError> {
    Ok("text")
}

#[circuit_breaker(timeout = "1s")]
async fn not_wrapped(number: u8) -> Result<u8, CircuitError> {
    let next = number + 1;
    next
}

#[circuit_breaker]
async fn semicolon() -> Result<u8, CircuitError> {
    Ok(1);
}

#[circuit_breaker]
async fn empty() -> Result<u8, CircuitError> {}

#[circuit_breaker]
async fn no_else(found: bool) -> Result<u8, CircuitError> {
    if found {
        Ok(1)
    }
}

#[circuit_breaker]
async fn early_return(found: bool) -> Result<u8, CircuitError> {
    if found {
        return Some(1);
    }
    Ok(1)
}

fn main() {}

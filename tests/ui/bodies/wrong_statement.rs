use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker]
async fn mismatched() -> Result<u8, CircuitError> {
    let number: u8 = "text";
    Ok(number)
}

#[circuit_breaker]
async fn unknown() -> Result<u8, CircuitError> {
    Ok(numbers)
}

#[circuit_breaker]
async fn no_method(text: &str) -> Result<u8, CircuitError> {
    text.lenght();
    Ok(1)
}

/// Nothing of the expansion can be named.
#[circuit_breaker]
async fn hidden() -> Result<u8, CircuitError> {
    let _breaker = &__CIRCUIT_BREAKER;
    Ok(1)
}

fn main() {}

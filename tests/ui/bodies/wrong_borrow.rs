use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker]
async fn moved(text: String) -> Result<String, CircuitError> {
    drop(text);
    Ok(text)
}

#[circuit_breaker]
async fn not_mutable(number: u8) -> Result<u8, CircuitError> {
    number += 1;
    Ok(number)
}

#[circuit_breaker]
async fn escapes(text: &str) -> Result<&'static str, CircuitError> {
    Ok(text)
}

fn main() {}

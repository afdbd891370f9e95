use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker]
async fn result(text: &str) -> Result<u8, CircuitError> {
    let number = text.parse::<u8>()?;
    Ok(number)
}

#[circuit_breaker]
async fn lone_expression(text: &str) -> Result<u8, CircuitError> {
    Ok(text.parse()?)
}

#[circuit_breaker]
async fn option(numbers: &[u8]) -> Result<u8, CircuitError> {
    let first = numbers.first()?;
    Ok(*first)
}

fn main() {}

use circuit_runtime::{CircuitError, circuit_breaker};

const NAME: &str = "payments";

#[circuit_breaker(name = "")]
async fn empty() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(name = " ")]
async fn blank() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(name = payments)]
async fn no_quotes() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(name = NAME)]
async fn constant() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(name = concat!("pay", "ments"))]
async fn macro_call() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(name = 7)]
async fn integer() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(name = b"payments")]
async fn bytes() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {}

use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker]
async fn quote(symbol: &str) -> Result<u8, CircuitError> {
    let length = symbol. ;
    Ok(1)
}

fn main() {
    let _future = quote("ACME");
}

use circuit_runtime::{CircuitError, circuit_breaker};

trait Quotes {
    #[circuit_breaker]
    async fn quote(&self, symbol: &str) -> Result<u8, CircuitError>;
}

fn main() {}

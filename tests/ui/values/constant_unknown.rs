use circuit_runtime::{CircuitError, circuit_breaker};

struct Client;

impl Client {
    const LIMIT: u32 = 5;

    #[circuit_breaker(max_failures = Self::LIMIT)]
    async fn of_self() -> Result<u8, CircuitError> {
        Ok(1)
    }
}

#[circuit_breaker(max_failures = LIMITS)]
async fn misspelled() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_failures = N)]
async fn generic<const N: u32>() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {}

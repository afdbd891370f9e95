use circuit_runtime::{CircuitBreaker, CircuitError, circuit_breaker};

const LIMIT: u32 = 5;

mod renamed {}

#[circuit_breaker(crate = ::circuit_breaker_runtime)]
async fn extern_crate() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(crate = crate::missing::runtime, timeout = "2s", failure_if = CircuitError::is_open)]
async fn module() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(crate = crate::renamed, max_failures = LIMIT, window = LIMIT)]
async fn not_the_runtime() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(crate = ::std, key = host, max_keys = LIMIT, fallback = |error| Err(error))]
async fn another_crate(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(crate = missing, breaker = breaker)]
async fn relative(breaker: &CircuitBreaker) -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {}

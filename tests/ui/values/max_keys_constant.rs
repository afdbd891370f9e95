use circuit_runtime::{CircuitError, circuit_breaker};

const NONE: u32 = 0;

#[circuit_breaker(key = host, max_keys = NONE)]
async fn zero(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = host, max_keys = NONE * 2, reset = "1s")]
async fn product(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = host, max_keys = NONE - 1)]
async fn below_zero(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = host, max_failures = NONE, max_keys = 7)]
async fn another_option(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(crate = ::circuit_runtime, key = host, max_keys = NONE)]
async fn beside_a_path(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(max_failures = NONE, crate = ::circuit_runtime)]
async fn before_a_path() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {}

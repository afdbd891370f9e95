use std::sync::LazyLock;
use std::time::Duration;

use circuit_runtime::{CircuitError, circuit_breaker};

struct Config {
    ms: u64,
}

static LIMIT: LazyLock<u32> = LazyLock::new(|| 5);

fn config() -> Config {
    Config { ms: 500 }
}

#[circuit_breaker(max_failures = *LIMIT)]
async fn max_failures() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(probes = *LIMIT + 1, reset = "1s")]
async fn probes() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(key = host, max_keys = *LIMIT)]
async fn max_keys(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(timeout = Duration::from_millis(config().ms))]
async fn timeout() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {}

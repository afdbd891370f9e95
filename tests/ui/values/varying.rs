use std::sync::atomic::AtomicU32;
use std::time::Duration;

use circuit_runtime::{CircuitError, circuit_breaker};

static LIMIT: AtomicU32 = AtomicU32::new(5);

struct Client {
    max: u32,
    reset: Duration,
}

impl Client {
    #[circuit_breaker(max_failures = self.max, reset = self.reset)]
    async fn fields(&self) -> Result<u8, CircuitError> {
        Ok(1)
    }

    #[circuit_breaker(key = host, max_keys = self.max)]
    async fn keyed(&self, host: &str) -> Result<usize, CircuitError> {
        Ok(host.len())
    }
}

#[circuit_breaker(max_failures = limit, timeout = Duration::from_secs(seconds))]
async fn arguments(limit: u32, seconds: u64) -> Result<u64, CircuitError> {
    Ok(u64::from(limit) + seconds)
}

#[circuit_breaker(max_failures = LIMIT.load(std::sync::atomic::Ordering::Relaxed))]
async fn atomic() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {}

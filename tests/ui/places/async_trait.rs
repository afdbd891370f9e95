//! Methods that `#[async_trait]` has boxed.

use async_trait::async_trait;
use circuit_runtime::{CircuitBreaker, CircuitError, circuit_breaker};

struct Client {
    host: String,
    breaker: CircuitBreaker,
}

#[async_trait]
trait Quotes {
    #[circuit_breaker]
    async fn declared(&self) -> Result<u8, CircuitError>;

    #[circuit_breaker(max_failure = 5)]
    async fn unknown_option(&self) -> Result<u8, CircuitError> {
        Ok(1)
    }

    #[circuit_breaker(fallback = 7, key = "host", name = "")]
    async fn three_at_once(&self) -> Result<u8, CircuitError> {
        Ok(1)
    }

    #[circuit_breaker]
    async fn not_a_result(&self) -> u8 {
        1
    }

    #[circuit_breaker]
    async fn option(&self) -> Option<Vec<u8>> {
        None
    }

    #[circuit_breaker]
    async fn nothing(&self) {}

    #[circuit_breaker]
    async fn error_without_from(&self) -> Result<u8, String> {
        Ok(1)
    }

    #[circuit_breaker(failure_if = |error| error.is_empty())]
    async fn predicate_without_from(&self) -> Result<u8, String> {
        Ok(1)
    }

    #[circuit_breaker(fallback = Ok(7), timeout = "1s")]
    async fn fallback_without_from(&self) -> Result<u8, String> {
        Ok(1)
    }

    #[circuit_breaker]
    async fn wrong_body(&self) -> Result<u8, CircuitError> {
        Ok("1")
    }
}

#[async_trait]
impl Quotes for Client {
    async fn declared(&self) -> Result<u8, CircuitError> {
        Ok(1)
    }

    #[circuit_breaker(fallback = Ok("7"))]
    async fn unknown_option(&self) -> Result<u8, CircuitError> {
        Ok(1)
    }

    #[circuit_breaker(key = self.breaker)]
    async fn three_at_once(&self) -> Result<u8, CircuitError> {
        Ok(1)
    }

    #[circuit_breaker(breaker = self.host)]
    async fn wrong_body(&self) -> Result<u8, CircuitError> {
        Ok(1)
    }
}

// Above it, there are several.
#[circuit_breaker]
#[async_trait]
impl Clone for Client {
    fn clone(&self) -> Self {
        Self {
            host: self.host.clone(),
            breaker: self.breaker.clone(),
        }
    }
}

fn main() {}

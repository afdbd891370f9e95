use std::future::{Future, ready};

use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker]
fn quote() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker]
pub(crate) const fn constant() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker]
unsafe extern "C" fn foreign() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker]
fn future() -> impl Future<Output = Result<u8, CircuitError>> + Send {
    ready(Ok(1))
}

struct Client;

impl Client {
    #[circuit_breaker]
    fn method(&self) -> Result<u8, CircuitError> {
        Ok(1)
    }
}

#[circuit_breaker]
fn main() {}

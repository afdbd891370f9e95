#![deny(warnings, missing_docs)]

//! Inner attributes apply to the function: to what is missing, too.

use async_trait::async_trait;
use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker]
pub async fn undocumented() -> Result<u8, CircuitError> {
    #![inline]
    Ok(1)
}

/// Expects what does not happen.
#[circuit_breaker]
pub async fn unfulfilled(used: u8) -> Result<u8, CircuitError> {
    #![expect(unused_variables)]
    Ok(used)
}

/// Names the argument in vain.
#[circuit_breaker(fallback = Ok(used.len()))]
pub async fn unused(used: String, unused: String) -> Result<usize, CircuitError> {
    #![must_use]
    Ok(used.len())
}

/// Deprecated, and used.
#[circuit_breaker]
pub async fn old() -> Result<u8, CircuitError> {
    #![deprecated = "there is a new one"]
    Ok(1)
}

/// Numbers.
#[async_trait]
pub trait Numbers {
    /// A number.
    #[circuit_breaker]
    async fn number(&self) -> Result<u8, CircuitError> {
        #![expect(unused_variables)]
        old().await
    }
}

fn main() {}

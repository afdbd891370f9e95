//! The functions of a library, of which the program calls one, [`linked`], and no other.

#![forbid(unsafe_code)]
#![no_implicit_prelude]

use ::circuit_runtime::CircuitError;
use ::core::result::Result::{self, Ok};

/// The runtime, re-exported.
pub mod resilience {
    pub use ::circuit_runtime::*;
}

use self::resilience::circuit_breaker;

/// Calls nothing, so that the program uses something of this library.
pub fn linked() {}

#[circuit_breaker(crate = crate::resilience)]
#[allow(dead_code, reason = "a function that is never called is declared")]
async fn private() -> Result<(), CircuitError> {
    Ok(())
}

/// A generic function, of which the program has no instance.
///
/// # Errors
///
/// Returns an error if the circuit is open.
#[circuit_breaker(crate = crate::resilience, name = "library generic")]
pub async fn generic<T>(value: T) -> Result<T, CircuitError> {
    Ok(value)
}

/// A trait that nothing implements.
pub trait Quotes {
    /// Returns nothing.
    #[allow(async_fn_in_trait, reason = "no caller needs `Send`")]
    #[circuit_breaker(crate = crate::resilience, key = host)]
    async fn provided(&self, host: &str) -> Result<(), CircuitError> {
        let _ = host;
        Ok(())
    }
}

/// Functions that another library writes.
#[macro_export]
macro_rules! functions {
    ($name:ident) => {
        #[$crate::resilience::circuit_breaker(crate = $crate::resilience)]
        async fn $name() -> Result<(), $crate::resilience::CircuitError> {
            Ok(())
        }
    };
}

/// A module of which nothing is used.
mod unused {
    use super::resilience::{CircuitError, circuit_breaker};
    use ::core::result::Result::{self, Ok};

    pub(crate) struct Client;

    impl Client {
        #[circuit_breaker(crate = crate::resilience)]
        #[allow(dead_code, reason = "a method that is never called is declared")]
        async fn method(&self) -> Result<(), CircuitError> {
            Ok(())
        }
    }
}

//! Inner attributes and inner docs of a body stay those of the function.

#![deny(warnings, unused, missing_docs, clippy::all, clippy::pedantic)]

use std::future::Future;
use std::pin::Pin;

use async_trait::async_trait;
use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker]
pub async fn documented() -> Result<u8, CircuitError> {
    //! Its docs are inside.
    //!
    //! # Errors
    //!
    //! When the circuit is open.
    Ok(1)
}

/// An expectation of an argument is fulfilled by the argument.
///
/// # Errors
///
/// When the circuit is open.
#[circuit_breaker]
pub async fn expecting(argument: String, other: String) -> Result<u8, CircuitError> {
    #![expect(unused_variables)]
    #![expect(clippy::needless_return, reason = "one of its body by the body")]
    return Ok(1);
}

/// Expects an argument to be unused that cannot have a destructor, and one that is `mut`.
///
/// # Errors
///
/// When the circuit is open.
#[circuit_breaker(timeout = "1s")]
pub async fn expecting_more(number: u8, mut text: String) -> Result<u8, CircuitError> {
    #![expect(unused_variables, unused_mut)]
    Ok(1)
}

/// The expectation of an argument.
///
/// # Errors
///
/// When the circuit is open.
#[circuit_breaker(fallback = Ok(2))]
pub async fn expecting_of_an_argument(
    #[expect(unused_variables)] argument: String,
    #[allow(unused_variables)] other: String,
) -> Result<u8, CircuitError> {
    Ok(1)
}

/// Code generation and use.
///
/// # Errors
///
/// When the circuit is open.
#[circuit_breaker]
pub async fn inlined() -> Result<u8, CircuitError> {
    #![inline]
    #![must_use = "the number is the point"]
    #![deprecated = "there are other numbers"]
    Ok(1)
}

#[circuit_breaker]
async fn never_called() -> Result<u8, CircuitError> {
    #![expect(dead_code)]
    #![cfg_attr(all(), allow(clippy::unused_async))]
    Ok(1)
}

#[circuit_breaker]
async fn left_out() -> Result<u8, CircuitError> {
    #![cfg(any())]
    Ok(nothing)
}

/// In boxed form.
#[circuit_breaker]
pub fn boxed() -> Pin<Box<dyn Future<Output = Result<u8, CircuitError>>>> {
    #![expect(deprecated)]
    #![must_use = "the number is the point"]
    //! # Errors
    //!
    //! When the circuit is open.
    Box::pin(async move { inlined().await })
}

/// In boxed form, where the block has attributes of its own.
///
/// # Errors
///
/// When the circuit is open.
#[circuit_breaker]
pub fn boxed_block() -> Pin<Box<dyn Future<Output = Result<u8, CircuitError>>>> {
    Box::pin(async move {
        #![expect(unused_variables)]
        let unused = 1;
        Ok(1)
    })
}

/// A source of numbers.
#[async_trait]
pub trait Numbers {
    /// One of them.
    #[circuit_breaker]
    async fn number(&self, argument: String) -> Result<u8, CircuitError> {
        #![expect(deprecated)]
        //! # Errors
        //!
        //! When the circuit is open.
        drop(argument);
        inlined().await
    }
}

#[async_trait]
impl Numbers for () {
    #[circuit_breaker(fallback = Ok(argument.len().try_into().unwrap_or(0)))]
    async fn number(&self, argument: String) -> Result<u8, CircuitError> {
        #![expect(unused_variables)]
        #![inline]
        let unused = argument.len();
        Ok(1)
    }
}

/// Methods.
pub struct Client(pub u8);

impl Client {
    /// A method.
    #[circuit_breaker(fallback = Ok(self.0))]
    pub async fn number(self, unused: String) -> Result<u8, CircuitError> {
        #![expect(unused_variables)]
        //! # Errors
        //!
        //! When the circuit is open.
        Ok(self.0)
    }
}

#[tokio::main(flavor = "current_thread")]
#[expect(deprecated)]
async fn main() {
    let results = [
        documented().await,
        expecting(String::new(), String::new()).await,
        expecting_more(1, String::new()).await,
        expecting_of_an_argument(String::new(), String::new()).await,
        inlined().await,
        boxed().await,
        boxed_block().await,
        Numbers::number(&(), String::new()).await,
        Client(1).number(String::new()).await,
    ];
    assert!(results.iter().all(|result| *result == Ok(1)));
}

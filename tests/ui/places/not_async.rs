use std::future::{Future, ready};
use std::pin::Pin;

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

// Without `move`, the blocks borrow.
#[circuit_breaker]
fn borrowing(number: u8) -> impl Future<Output = Result<u8, CircuitError>> {
    print!("{number}");
    async { Ok(1) }
}

#[circuit_breaker]
fn borrowing_and_boxed() -> Pin<Box<dyn Future<Output = Result<u8, CircuitError>>>> {
    Box::pin(async { Ok(1) })
}

#[circuit_breaker]
fn boxed() -> Pin<Box<dyn Future<Output = Result<u8, CircuitError>>>> {
    Box::pin(ready(Ok(1)))
}

#[circuit_breaker]
fn no_result() -> impl Future<Output = u8> {
    async move { 1 }
}

#[circuit_breaker]
fn no_error() -> impl Future<Output = Result<u8, String>> {
    async move { Ok(1) }
}

#[circuit_breaker]
fn of_wrong_type() -> impl Future<Output = Result<u8, CircuitError>> {
    let text = "1";
    async move { Ok(text) }
}

#[circuit_breaker]
fn no_type() -> impl Future<Output = ()> {
    async move {}
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

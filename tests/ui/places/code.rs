//! Wrong places, with code in the attribute.

use std::future::Future;
use std::pin::Pin;

use circuit_runtime::{CircuitBreaker, CircuitError, circuit_breaker};

#[circuit_breaker(fallback = Ok(7))]
fn not_async() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(key = host, fallback = |error| Err(error))]
fn future(host: &str) -> impl Future<Output = Result<usize, CircuitError>> {
    std::future::ready(Ok(host.len()))
}

#[circuit_breaker(key = self.host)]
struct Client {
    host: String,
    breaker: CircuitBreaker,
}

#[circuit_breaker(breaker = self.breaker)]
impl Client {
    async fn quote(&self) -> Result<usize, CircuitError> {
        let _ = &self.breaker;
        Ok(self.host.len())
    }
}

trait Quotes {
    #[circuit_breaker(key = symbol, fallback = Ok(7))]
    async fn quote(&self, symbol: &str) -> Result<usize, CircuitError>;
}

#[circuit_breaker(fallback = Ok(7))]
#[circuit_breaker(key = host)]
async fn twice(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

// Only a block can be boxed so.
#[circuit_breaker(fallback = Ok(7))]
fn boxed_variable() -> Pin<Box<dyn Future<Output = Result<u8, CircuitError>>>> {
    let future = async move { Ok(1) };
    Box::pin(future)
}

#[circuit_breaker(key = host)]
fn boxed_without_move(host: String) -> Pin<Box<dyn Future<Output = Result<String, CircuitError>>>> {
    Box::pin(async { Ok(host) })
}

// Three mistakes, one of each kind.
#[circuit_breaker(fallback = 7)]
fn three_at_once() {}

#[circuit_breaker(key = 7, max_key = 7, breaker = "own")]
const fn four_at_once(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

fn main() {
    let _ = (not_async(), future("a"), twice("a"), boxed_after_a_statement(), three_at_once());
}

use std::fmt::Display;

use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker]
async fn integer() -> u32 {
    1
}

#[circuit_breaker]
async fn unit() -> () {}

#[circuit_breaker]
async fn option(found: bool) -> Option<Vec<u8>> {
    found.then(Vec::new)
}

#[circuit_breaker]
async fn reference(result: &Result<u8, CircuitError>) -> &Result<u8, CircuitError> {
    result
}

#[circuit_breaker]
async fn opaque() -> impl Display {
    "text"
}

#[circuit_breaker]
async fn generic<T>(value: T) -> T {
    value
}

fn main() {}

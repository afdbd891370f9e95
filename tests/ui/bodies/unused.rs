#![deny(unused)]

use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker]
async fn never_called(mut never_read: u8, never_used: u8) -> Result<u8, CircuitError> {
    let local = 1;
    never_read = 2;
    Ok(1)
}

struct Owned(String);

struct Book {
    order: Owned,
}

#[circuit_breaker(failure_if = |order| order.breaker().key().is_none(), fallback = |order| Err(order))]
async fn like_members(order: Owned, book: &'static Book) -> Result<usize, CircuitError> {
    let braces = format!("{{order}} of {}", book.order.0.len());
    Ok(braces.len())
}

fn main() {}

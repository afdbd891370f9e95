#![deny(unused)]

use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker]
async fn never_called(mut never_read: u8, never_used: u8) -> Result<u8, CircuitError> {
    let local = 1;
    never_read = 2;
    Ok(1)
}

fn main() {}

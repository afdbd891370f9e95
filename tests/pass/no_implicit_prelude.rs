//! The expansion uses nothing from the prelude.

#![no_implicit_prelude]

use ::circuit_runtime::{CircuitError, circuit_breaker};
use ::core::result::Result::{self, Ok};

const LIMIT: u32 = 5;

#[circuit_breaker(max_failures = LIMIT, window = "10s", reset = "30s", timeout = "2s", name = "bare", failure_if = |error| error.is_timeout(), ignore_if = CircuitError::is_open)]
async fn call(mut number: u8) -> Result<u8, CircuitError> {
    number += 1;
    Ok(number)
}

fn main() {
    let _future = call(1);
}

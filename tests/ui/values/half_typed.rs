//! Options that are not yet finished. The function is there all the same.

use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker(fallback = cached(symbol).)]
async fn fallback(symbol: &str) -> Result<usize, CircuitError> {
    Ok(symbol.len())
}

#[circuit_breaker(fallback = )]
async fn fallback_of_nothing() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(fallback = |error|)]
async fn fallback_without_value() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(fallback = |error)]
async fn fallback_with_half_a_parameter() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(fallback = Ok(symbol.))]
async fn fallback_with_half_a_field(symbol: &str) -> Result<usize, CircuitError> {
    Ok(symbol.len())
}

#[circuit_breaker(fallback = { let length = symbol. ; Ok(length) })]
async fn fallback_of_half_a_block(symbol: &str) -> Result<usize, CircuitError> {
    Ok(symbol.len())
}

#[circuit_breaker(fallback = |error| {
    let length = symbol.len();
    if error.is_open() {
        return Ok(length)
    }
    Err(error.)
})]
async fn fallback_of_half_a_closure(symbol: &str) -> Result<usize, CircuitError> {
    Ok(symbol.len())
}

#[circuit_breaker(fallback = {
    let cached = match symbol.len() {
        0 => ,
        length => length,
    };
    Ok(cached)
})]
async fn fallback_of_half_a_match(symbol: &str) -> Result<usize, CircuitError> {
    Ok(symbol.len())
}

#[circuit_breaker(failure_if = |error| { error.is_open() && })]
async fn half_a_predicate() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(key =)]
async fn key_of_nothing(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = host., max_keys = 7)]
async fn key(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = &, reset = "1s")]
async fn key_reference(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = host, max_keys =)]
async fn max_keys(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

struct Client;

impl Client {
    #[circuit_breaker(breaker = self.)]
    async fn breaker(&self) -> Result<u8, CircuitError> {
        Ok(1)
    }

    #[circuit_breaker(key = self.)]
    async fn key(&self) -> Result<u8, CircuitError> {
        Ok(1)
    }
}

#[circuit_breaker(crate = ::)]
async fn crate_path() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(fallb)]
async fn name_of_an_option() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {
    let _futures = (
        fallback("a"),
        fallback_of_nothing(),
        fallback_without_value(),
        fallback_with_half_a_parameter(),
        fallback_with_half_a_field("a"),
        fallback_of_half_a_block("a"),
        fallback_of_half_a_closure("a"),
        fallback_of_half_a_match("a"),
        half_a_predicate(),
        key_of_nothing("a"),
        key("a"),
        key_reference("a"),
        max_keys("a"),
        Client.breaker(),
        Client.key(),
        crate_path(),
        name_of_an_option(),
    );
}

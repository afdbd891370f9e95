use circuit_runtime::{CircuitError, circuit_breaker};

#[derive(Debug)]
struct QuoteError;

impl From<CircuitError> for QuoteError {
    fn from(_: CircuitError) -> Self {
        Self
    }
}

async fn stored(_: QuoteError) -> Result<usize, QuoteError> {
    Err(QuoteError)
}

#[circuit_breaker(or_else = Ok(7))]
async fn value() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(or_else = stored)]
async fn path() -> Result<usize, QuoteError> {
    Ok(1)
}

#[circuit_breaker(or_else = || Ok(7))]
async fn closure_of_no_argument() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(or_else = |symbol, error| Ok(7))]
async fn closure_of_two_arguments(symbol: &str) -> Result<usize, QuoteError> {
    Ok(symbol.len())
}

#[circuit_breaker(or_else = |error| async move { Err(error) })]
async fn closure_of_a_future() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(or_else)]
async fn name_alone() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(or_else = |_| Ok(1), or_else = |_| Ok(2))]
async fn twice() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(fallback = Ok(1), or_else = |_| Ok(2))]
async fn beside_a_fallback() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(or_else = |_| Ok(2), fallback = 1)]
async fn beside_a_wrong_fallback() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(or_else = |_| Ok("7"))]
async fn value_of_wrong_type() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(or_else = |_| 7)]
async fn no_result() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(or_else = |error| stored(error))]
async fn future_that_is_not_awaited() -> Result<usize, QuoteError> {
    Ok(1)
}

#[circuit_breaker(or_else = |error: CircuitError| Err(error.into()))]
async fn closure_of_another_error() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(or_else = |error| Ok(error.code()))]
async fn closure_with_a_mistake() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(or_else = |error| Err(error))]
async fn error_without_from() -> Result<u8, String> {
    Ok(1)
}

#[circuit_breaker(or_else = |_| 7)]
async fn not_a_result() -> u8 {
    1
}

#[circuit_breaker(or_else = |error| error.ok(), error = |_| ())]
async fn option() -> Option<u8> {
    None
}

#[circuit_breaker(or_else = |error| Err(error))]
async fn body_of_wrong_type() -> Result<u8, QuoteError> {
    Ok("1")
}

fn main() {}

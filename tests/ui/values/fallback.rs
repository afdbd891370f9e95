use circuit_runtime::{CircuitError, circuit_breaker};

#[derive(Debug)]
struct QuoteError;

impl From<CircuitError> for QuoteError {
    fn from(_: CircuitError) -> Self {
        Self
    }
}

fn cached(symbol: &str) -> Option<usize> {
    Some(symbol.len())
}

async fn stored(symbol: &str) -> Result<usize, QuoteError> {
    cached(symbol).ok_or(QuoteError)
}

#[circuit_breaker(fallback = 7)]
async fn number() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(fallback = "cached")]
async fn name_of_a_function() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(fallback = -1, max_failures = 0, name = "")]
async fn three_at_once() -> Result<i8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(fallback = || Ok(7))]
async fn closure_of_no_argument() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(fallback = |symbol, error| Ok(7))]
async fn closure_of_two_arguments(symbol: &str) -> Result<usize, CircuitError> {
    Ok(symbol.len())
}

#[circuit_breaker(fallback)]
async fn name_alone() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(fallback(Ok(7)))]
async fn in_parentheses() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(fallback = Ok(7), fallback = Ok(8))]
async fn twice() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(fallback = Ok("7"))]
async fn value_of_wrong_type() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(fallback = symbol.len())]
async fn no_result(symbol: &str) -> Result<usize, CircuitError> {
    Ok(symbol.len())
}

#[circuit_breaker(fallback = cached(symbol))]
async fn option(symbol: &str) -> Result<usize, CircuitError> {
    Ok(symbol.len())
}

#[circuit_breaker(fallback = stored)]
async fn function_that_is_not_called(symbol: &str) -> Result<usize, QuoteError> {
    Ok(symbol.len())
}

#[circuit_breaker(fallback = stored(symbol))]
async fn future_that_is_not_awaited(symbol: &str) -> Result<usize, QuoteError> {
    Ok(symbol.len())
}

#[circuit_breaker(fallback = Err(QuoteError))]
async fn error_of_wrong_type() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(fallback = |error| error)]
async fn closure_of_the_error_alone() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(fallback = |error| Ok(error.retry_after()))]
async fn closure_of_wrong_result() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(fallback = |error: &CircuitError| Err(error.clone()))]
async fn closure_that_borrows_the_error() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(fallback = |error: QuoteError| Err(error))]
async fn closure_of_another_error() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(fallback = |error| -> Result<u16, QuoteError> { Err(error.into()) })]
async fn closure_that_names_another_type() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(fallback = |error| {
    error.is_open();
})]
async fn closure_without_result() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(fallback = |error| Ok(u8::from(error.is_opne())))]
async fn closure_with_a_mistake() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(fallback = Ok(cached(symbol)?))]
async fn question_mark_of_an_option(symbol: &str) -> Result<usize, QuoteError> {
    Ok(symbol.len())
}

#[circuit_breaker(fallback = Ok(7))]
async fn body_of_wrong_type() -> Result<u8, CircuitError> {
    Ok("1")
}

#[circuit_breaker(fallback = Ok(7), timeout = "1s")]
async fn error_without_from() -> Result<u8, String> {
    Ok(1)
}

#[circuit_breaker(fallback = |error| Some(error.to_string().len()))]
async fn not_a_result() -> Option<usize> {
    Some(1)
}

#[circuit_breaker(fallback = ())]
async fn no_type() {}

#[circuit_breaker(fallback = async { Ok(7) })]
async fn future() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(fallback = |error| async move { Err(error) })]
async fn closure_of_a_future() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {
    let _futures = (number(), name_of_a_function(), three_at_once());
}

use circuit_runtime::{CircuitError, circuit_breaker};

#[derive(Debug)]
struct QuoteError(u16);

impl From<CircuitError> for QuoteError {
    fn from(_: CircuitError) -> Self {
        Self(503)
    }
}

impl QuoteError {
    fn is_outage(&self) -> bool {
        self.0 >= 500
    }
}

fn status(error: &QuoteError) -> u16 {
    error.0
}

fn by_value(error: QuoteError) -> bool {
    error.is_outage()
}

fn both(error: &QuoteError, other: &QuoteError) -> bool {
    error.is_outage() && other.is_outage()
}

fn of_another(error: &CircuitError) -> bool {
    error.is_open()
}

#[circuit_breaker(failure_if = true, ignore_if = "timeout")]
async fn literals() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(failure_if = QuoteError(1).is_outage(), ignore_if = &QuoteError::is_outage)]
async fn other_expressions() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(failure_if = async |error| error.is_outage())]
async fn asynchronous_closure() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(failure_if, ignore_if(QuoteError::is_outage))]
async fn no_value() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(failure_if = QuoteError::is_outage, failure_if = |error| error.is_outage())]
async fn twice() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(failure_if = |error| error.0)]
async fn closure_of_wrong_result() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(ignore_if = |error| {
    error.is_outage();
})]
async fn closure_without_result() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(failure_if = |error, other| error.is_outage())]
async fn closure_of_two_arguments() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(ignore_if = || true)]
async fn closure_of_no_argument() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(failure_if = |error: QuoteError| error.is_outage())]
async fn closure_that_takes_the_error() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(failure_if = |error| error.is_outrage())]
async fn closure_with_a_mistake() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(failure_if = status)]
async fn path_of_wrong_result() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(ignore_if = both)]
async fn path_of_two_arguments() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(failure_if = by_value)]
async fn path_that_takes_the_error() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(failure_if = of_another)]
async fn path_of_another_error() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(ignore_if = QuoteError::is_outrage)]
async fn path_that_is_unknown() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(failure_if = None)]
async fn path_of_no_function() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(failure_if = |error| error.is_outage(), ignore_if = |error| error.0 == symbol.len())]
async fn closure_with_two_types(symbol: &str) -> Result<usize, QuoteError> {
    Ok(symbol.len())
}

#[circuit_breaker(failure_if = |error| error.is_outage() && symbol.is_empty())]
async fn closure_of_a_moved_argument(symbol: String) -> Result<String, QuoteError> {
    Ok(symbol)
}

#[circuit_breaker(failure_if = |error| error.is_outage(), ignore_if = QuoteError::is_outage)]
async fn not_a_result() -> u8 {
    1
}

#[circuit_breaker(failure_if = |error| error.is_outage())]
async fn option(found: bool) -> Option<Vec<u8>> {
    found.then(Vec::new)
}

#[circuit_breaker(failure_if = |error| error.is_empty(), ignore_if = |error| error.contains("7"))]
async fn error_without_from() -> Result<u8, String> {
    Ok(1)
}

#[circuit_breaker(ignore_if = |error| error.is_outage())]
async fn no_type() {}

#[circuit_breaker(failure_if = |result| matches!(result, Ok(status) if *status == 0))]
async fn whole_result() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(failure_if = |result| result.is_err())]
async fn method_of_the_result() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(failure_if = |result| match result {
    Err(error) => error.is_outage(),
    Ok(_) => false,
})]
async fn match_on_the_result() -> Result<u8, QuoteError> {
    Ok(1)
}

#[circuit_breaker(ignore_if = UNKNOWN)]
async fn constant_of_the_error() -> Result<u8, QuoteError> {
    Ok(1)
}

const UNKNOWN: QuoteError = QuoteError(404);

fn main() {}

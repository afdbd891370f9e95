use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker(max_failures = 0)]
async fn zero() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_failures = -1)]
async fn negative() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_failures = 4294967296)]
async fn too_great() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_failures = 99999999999999999999999999999999999999999999)]
async fn greater_than_any_integer() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_failures = 5u64)]
async fn suffix() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_failures = 5.0)]
async fn float() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_failures = 5f64)]
async fn float_by_suffix() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_failures = "5")]
async fn string() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_failures = true)]
async fn bool() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_failures = '5')]
async fn char() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_failures = 5%)]
async fn percent() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(max_failures = (0))]
async fn zero_in_parentheses() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(min_calls = 0, window = 10, failure_rate = 0.5)]
async fn min_calls() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(probes = 0)]
async fn probes() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(probes = "3")]
async fn string_of_probes() -> Result<u8, CircuitError> {
    Ok(1)
}

macro_rules! with_failures {
    ($failures:expr) => {
        #[circuit_breaker(max_failures = $failures)]
        async fn zero_from_a_macro() -> Result<u8, CircuitError> {
            Ok(1)
        }
    };
}

with_failures!(0);

fn main() {}

use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker(window = "0s")]
async fn zero() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(reset = "0m0s")]
async fn zero_of_many() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(timeout = "")]
async fn empty() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(window = " ")]
async fn blank() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(reset = "10")]
async fn no_unit() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(timeout = "1m30")]
async fn no_unit_at_the_end() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(window = "s")]
async fn no_number() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(reset = "10x")]
async fn unknown_unit() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(timeout = "10sec")]
async fn unit_written_out() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(window = "1.5s")]
async fn fraction() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(reset = "-1s")]
async fn negative() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(timeout = "1m 30s")]
async fn spaces() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(window = "30s1m")]
async fn smallest_first() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(reset = "1s2s")]
async fn unit_twice() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(timeout = "18446744073709551616s")]
async fn too_long() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(window = "999999999999999999999s")]
async fn more_digits_than_fit() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(reset = "5min")]
async fn minutes() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(timeout = "2 hours")]
async fn hours() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(window = "1hour30minutes")]
async fn several_written_out() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(reset = "500millis")]
async fn milliseconds() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(reset = "10S")]
async fn capital() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(timeout = "100ns")]
async fn too_short_a_unit() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(window = "30sec1min")]
async fn written_out_in_a_wrong_order() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {}

use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker(crate = "circuit_runtime")]
async fn string() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(crate = ::circuit_runtime::<u8>)]
async fn generic() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(crate = <u8 as Into>::circuit_runtime)]
async fn of_a_type() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(crate = circuit_runtime())]
async fn call() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(crate = use circuit_runtime)]
async fn import() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(crate)]
async fn name_alone() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(crate(::circuit_runtime))]
async fn in_parentheses() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(crate = ::circuit_runtime, crate = ::circuit_runtime)]
async fn twice() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {
    let _futures = (string(), generic(), call(), import(), name_alone());
}

use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker(max_failure = 5)]
async fn misspelled() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(windwo = "10s", tiemout = "2s", Reset = "30s")]
async fn letters_swapped() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(
    failure_threshold = 5,
    cooldown = "30s",
    r#interval = "10s",
    deadline = "2s"
)]
async fn named_elsewhere() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(retries = 3)]
async fn something_else() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(type, crate = ::circuit_runtime, probes(3), fallback = |error| (), strict)]
async fn of_any_form() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {
    // The functions are there all the same.
    let _futures = (
        misspelled(),
        letters_swapped(),
        named_elsewhere(),
        something_else(),
        of_any_form(),
    );
}

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

#[circuit_breaker(
    failure_rate_threshold = 50,
    error_threshold_percentage = 50,
    sliding_window_size = 100,
    minimum_number_of_calls = 10,
    volume_threshold = 10,
    slow_call_duration_threshold = "2s",
    slow_call_rate_threshold = 50,
    wait_duration_in_open_state = "30s",
    sleep_window = "5s",
    permitted_number_of_calls_in_half_open_state = 3,
    success_threshold = 3,
    max_requests = 3
)]
async fn named_by_other_libraries() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(
    window = 100,
    last_calls = 100,
    failures_rate = 0.5,
    slow_calls = "2s",
    min_call = 10,
    probe = 3
)]
async fn misspelled_too() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(
    record_exceptions = is_outage,
    should_trip = |error| error.is_outage(),
    handle = is_outage,
    failures_if = is_outage,
    ignore_exceptions = is_ours,
    exclude = |error| error.is_ours(),
    ignored_if = is_ours
)]
async fn predicates() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(retries = 3)]
async fn something_else() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(type, crate = ::circuit_runtime, bulkhead(3), fallback = |error| (), strict)]
async fn of_any_form() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {
    // The functions are there all the same.
    let _futures = (
        misspelled(),
        letters_swapped(),
        named_elsewhere(),
        named_by_other_libraries(),
        misspelled_too(),
        predicates(),
        something_else(),
        of_any_form(),
    );
}

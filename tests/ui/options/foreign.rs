//! Names that people bring from other libraries, each by itself.

use circuit_runtime::{CircuitError, circuit_breaker};

macro_rules! functions {
    ($($name:ident)*) => {
        $(
            #[circuit_breaker($name = 5)]
            async fn $name() -> Result<u8, CircuitError> {
                Ok(1)
            }
        )*
    };
}

functions! {
    failure_threshold
    threshold
    error_threshold
    max_errors
    fail_max
    max_retries
    max_attempts
    reset_timeout
    recovery_timeout
    cooldown
    sleep_window
    wait_duration
    retry_timeout
    half_open_after
    break_duration
    interval
    time_window
    rolling_window
    sampling_duration
    window_size
    call_timeout
    half_open_max_calls
    success_threshold
    failure_ratio
    error_percentage
    minimum_throughput
    request_volume_threshold
    fallback_method
    fallback_function
    should_handle
    is_successful
    ready_to_trip
    expected_exception
    ignore_errors
    listeners
    on_state_change
    capacity
    group_by
}

// As other languages write them.
#[circuit_breaker(maxFailures = 5)]
#[allow(non_snake_case)]
async fn max_failures() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(failureThreshold = 5, resetTimeout = "30s", fallbackMethod = cached)]
async fn three_at_once() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(errorThresholdPercentage = 50, rollingWindow = "10s", volumeThreshold = 10)]
async fn rates() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(
    failureRateThreshold = 50,
    slidingWindowSize = 100,
    minimumNumberOfCalls = 10,
    waitDurationInOpenState = "60s",
    permittedNumberOfCallsInHalfOpenState = 3,
    slowCallDurationThreshold = "2s"
)]
async fn six_at_once() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(FailureRatio = 0.5, SamplingDuration = "10s", MinimumThroughput = 8, BreakDuration = "30s")]
async fn capitals() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(FAILURE_THRESHOLD = 5, RECOVERY_TIMEOUT = 30)]
async fn constants() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(config = CONFIG, enabled = false, metrics = true)]
async fn elsewhere() -> Result<u8, CircuitError> {
    Ok(1)
}

fn main() {
    // The functions are there all the same.
    let _futures = (failure_threshold(), max_failures(), three_at_once(), capitals());
}

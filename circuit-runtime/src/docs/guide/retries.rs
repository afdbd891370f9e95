//! Retries: inside of a call or outside, and when not to retry.
//!
//! A retry inside the annotated function is part of the call: all attempts together are one
//! failure, and the `timeout` is for all of them. Use it for errors that pass in milliseconds. A
//! retry outside makes a call of each attempt: each is counted, and the circuit may open between
//! two of them. From then on an attempt is a rejection, which costs the service nothing.
//!
//! Never retry a rejection, for which `is_open()` is true, before its `retry_after()`: until then
//! every attempt is rejected. Without a `retry_after()`, an operator holds the circuit open: do not
//! retry. With the crate `backon`:
#![cfg_attr(
    feature = "macros",
    doc = r#"
```
use backon::{ExponentialBuilder, Retryable};
use circuit_runtime::{CircuitError, circuit_breaker};
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
enum QuoteError {
    #[error("the exchange is down")]
    Down,
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

#[circuit_breaker(max_failures = 5, reset = "100ms")]
async fn quote() -> Result<f64, QuoteError> {
    // ..
#   static REQUESTS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
#   let request = REQUESTS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
#   assert!(request < 7, "a rejection makes no request");
#   if request < 5 { return Err(QuoteError::Down) }
    Ok(12.5)
}

/// Returns the delay before the next attempt, which is not before the circuit may admit it; `None`
/// to give up.
fn delay(error: &QuoteError, backoff: Option<Duration>) -> Option<Duration> {
    match error {
        QuoteError::Circuit(error) if error.is_open() => Some(backoff?.max(error.retry_after()?)),
        _ => backoff,
    }
}

# #[tokio::main(flavor = "current_thread")]
# async fn main() -> Result<(), QuoteError> {
let backoff = ExponentialBuilder::default()
    .with_min_delay(Duration::from_millis(1))
    .with_max_times(10);
let price = quote.retry(backoff).adjust(delay).await?;
assert_eq!(price, 12.5);
# Ok(())
# }
```
"#
)]
//!
//! A service that retries, called by another that retries, multiplies the attempts. Retry in one
//! layer only, and let the layers above see the rejection.

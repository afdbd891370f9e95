//! The errors that a caller receives.
//!
//! The signature of an annotated function stays as written. A call that was rejected or timed out
//! returns the function's own error type, which therefore implements `From<CircuitError>`: an enum
//! with a `#[from]` variant, `anyhow::Error` and `Box<dyn Error + Send + Sync>` all do.
#![cfg_attr(
    feature = "macros",
    doc = r#"
```
use circuit_runtime::{CircuitError, circuit_breaker};

#[derive(Debug, thiserror::Error)]
enum QuoteError {
    #[error("the exchange is down")]
    Down,
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

#[circuit_breaker(max_failures = 1)]
async fn quote() -> Result<f64, QuoteError> {
    // A real program would call the exchange here.
    Err(QuoteError::Down)
}

# #[tokio::main(flavor = "current_thread")]
# async fn main() {
assert!(matches!(quote().await, Err(QuoteError::Down)));
match quote().await {
    Err(QuoteError::Circuit(error)) if error.is_open() => {
        assert_eq!(error.retry_after_secs(), Some(30));
    }
    _ => unreachable!("the circuit is open"),
}
# }
```
"#
)]
//!
//! A function with a `fallback` and neither `timeout` nor `breaker` has no such error to return,
//! and needs no conversion.
//!
//! # An error type of another crate
//!
//! For a type such as `tonic::Status` or `(StatusCode, String)`, which cannot implement
//! `From<CircuitError>`, the option `error` makes one:
#![cfg_attr(
    feature = "macros",
    doc = r#"
```
use circuit_runtime::circuit_breaker;
use std::io;

#[circuit_breaker(max_failures = 3, error = io::Error::other)]
async fn read(path: &str) -> io::Result<String> {
    // A real program would read from a remote file system here.
    Ok(path.to_owned())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    println!("{}", read("/motd").await?);
    Ok(())
}
```
"#
)]
//!
//! The repository's `examples/foreign_error.rs` has one of each kind.
//!
//! # Telling them apart
//!
//! Match on [`CircuitError`](crate::CircuitError), or use its methods:
//!
//! - [`is_open`](crate::CircuitError::is_open) is true for every rejection, whether the circuit was
//!   open or half-open.
//! - [`retry_after`](crate::CircuitError::retry_after) returns how long to wait before the next
//!   attempt. It returns `None` while an operator holds the circuit open.
//!   [`retry_after_secs`](crate::CircuitError::retry_after_secs) is the same in whole seconds,
//!   rounded up, as the HTTP header `Retry-After` needs it.
//! - [`is_timeout`](crate::CircuitError::is_timeout) is true if the call took too long.
//! - A `timeout` outside of a tokio runtime is
//!   [`CircuitError::NoRuntime`](crate::CircuitError::NoRuntime).
//!
//! ```text
//! circuit `shop::quote` is open; retry in 12.3s
//! call through circuit `shop::quote` timed out after 2s
//! ```

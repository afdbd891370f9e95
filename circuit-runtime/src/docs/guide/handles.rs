//! Calls without the attribute.
//!
//! Run a future through a breaker with [`call`](crate::CircuitBreaker::call) and a blocking
//! operation with [`call_blocking`](crate::CircuitBreaker::call_blocking), or make the call by hand
//! with a permit:
//!
//! ```
//! use circuit_runtime::{CallError, CircuitBreaker, CircuitError, Config};
//!
//! async fn fetch(path: &str) -> Result<String, std::io::Error> {
//!     Ok(path.to_owned())
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), CircuitError> {
//!     let breaker = CircuitBreaker::new("pages", Config::default());
//!
//!     match breaker.call(fetch("/")).await {
//!         Ok(page) => println!("{page}"),
//!         Err(CallError::Inner(error)) => println!("failed: {error}"),
//!         Err(CallError::Circuit(error)) => println!("not called: {error}"),
//!     }
//!
//!     let permit = breaker.try_acquire()?;
//!     // Make the call, then settle the permit. Dropping it, as a `?` in between would, counts the
//!     // call as cancelled: neither success nor failure.
//!     permit.success();
//!     Ok(())
//! }
//! ```
//!
//! A [`CallError`](crate::CallError) is either the call's own error or a
//! [`CircuitError`](crate::CircuitError). If your error type implements `From<CircuitError>`,
//! `breaker.call(future).await.map_err(CallError::into_inner)?` converts it.
//!
//! The predicates are methods of the call, as in `breaker.call(future).failure_if(|error| ..)`, and
//! so are `retry_after` and `classify`.
//!
//! # Work that starts at once
//!
//! An expression such as `tokio::spawn(..)`, or the `call` of a tower service, starts its work when
//! it is evaluated. `breaker.call(tokio::spawn(..))` would start it even while the circuit is open.
//! [`call_with`](crate::CircuitBreaker::call_with) evaluates it only for a call that is admitted:
//! `breaker.call_with(|| tokio::spawn(..))`.
//!
//! # Handles of their own
//!
//! `call_owned`, `call_owned_with` and `try_acquire_owned` do the same as `call`, `call_with` and
//! `try_acquire`, and hold a handle of their own: for a task, for another function, or for a
//! [stream](crate::guide::streams) whose permit is settled at its end.
//!
//! # Among upstreams
//!
//! [`would_reject`](crate::CircuitBreaker::would_reject) tells whether a call would be rejected,
//! and counts nothing: for choosing among upstreams.

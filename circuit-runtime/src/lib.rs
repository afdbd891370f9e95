//! A circuit breaker for async functions.
//!
//! A service that stops answering must not be asked again and again: every try costs the caller
//! time and the service load. A circuit breaker counts the failures of calls to a service and, past
//! a limit, answers at once without asking.
//!
//! - **Closed**: calls run, and failures are counted. At `max_failures` the circuit opens. Other rules
//!   open it at a share of calls that failed or were slow.
//! - **Open**: no call runs; each is rejected with [`CircuitError::Open`]. Lasts `reset`.
//! - **Half-open**: one call, the probe, may run; every other one is rejected. If it succeeds the
//!   circuit is closed again, if it fails open again. If it is still running after `reset`, another
//!   may run. With `probes` above one, so many may run, and all must succeed.
//!
//! Which rule to take for which service is told in the [`guide`], and what a call costs in
//! [`performance`].
#![cfg_attr(
    feature = "macros",
    doc = r#"
```
use circuit_runtime::{CircuitError, circuit_breaker};

#[derive(Debug, thiserror::Error)]
enum QuoteError {
    #[error("no quote for `{0}`")]
    Unknown(String),
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

#[circuit_breaker(max_failures = 5, window = "10s", reset = "30s", timeout = "2s")]
async fn quote(symbol: &str) -> Result<f64, QuoteError> {
    // Ask the service that may be down.
    # match symbol { "ACME" => Ok(12.5), _ => Err(QuoteError::Unknown(symbol.to_owned())) }
}

# #[tokio::main(flavor = "current_thread")]
# async fn main() -> Result<(), QuoteError> {
println!("{}", quote("ACME").await?);
# Ok(())
# }
```
"#
)]
//!
//! The attribute gives the function a breaker of its own, made by the first call. It is shared by
//! all instances, type arguments and implementors of what is written once. The option `key` makes one
//! for each value of an argument; for one breaker for each instance, keep a [`CircuitBreaker`] in a field
//! and name it with `breaker`, or [`call`](CircuitBreaker::call) through it.
//!
//! # What is evidence
//!
//! - An `Ok` is a success, an `Err` a failure, unless `failure_if` says that the service answered, or
//!   `ignore_if` that the error is no evidence. A panic is a failure too, and goes on unwinding.
//! - A call that takes longer than `timeout` is dropped and is a failure.
//! - A call that its caller drops is no evidence: the caller left, the service did nothing wrong.
//! - A rejected call is no evidence.
//! - A result that comes after the circuit has changed its state is of an earlier generation and
//!   moves nothing.
//!
//! # Time in tests
//!
//! With the feature `test-util` every breaker follows tokio's clock, which a test can pause: thirty
//! seconds take no time at all.
//!
//! ```toml
//! [dev-dependencies]
//! circuit-runtime = { version = "0.1", features = ["test-util"] }
//! tokio = { version = "1", features = ["macros", "rt", "test-util"] }
//! ```
#![cfg_attr(
    feature = "test-util",
    doc = r#"
```
use circuit_runtime::{CircuitBreaker, Config, State};
use std::time::Duration;

# /*
#[tokio::test(start_paused = true)]
async fn the_circuit_becomes_half_open() {
# */
# #[tokio::main(flavor = "current_thread", start_paused = true)]
# async fn main() {
    let breaker = CircuitBreaker::new("payments", Config::default());
    for _ in 0..5 {
        breaker.try_acquire().unwrap().failure();
    }
    assert_eq!(breaker.state(), State::Open);

    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(breaker.state(), State::HalfOpen);
}
```
"#
)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![doc(test(attr(deny(warnings))))]

// By this name the plain breaker of the tests, which the models share, knows the crate.
#[cfg(all(test, circuit_shuttle))]
extern crate self as circuit_runtime;

mod breaker;
mod call;
mod circuit;
mod clock;
mod config;
mod docs;
mod error;
mod keyed;
mod name;
pub mod registry;
mod sync;
#[cfg(all(test, any(circuit_loom, circuit_shuttle)))]
mod tests;

#[doc(hidden)]
#[path = "private/mod.rs"]
pub mod __private;

pub use breaker::CircuitBreaker;
pub use call::{Call, Permit};
pub use circuit::{Snapshot, State};
#[cfg(feature = "macros")]
pub use circuit_macros::circuit_breaker;
pub use config::{Config, ConfigBuilder, ConfigError};
#[doc(inline)]
pub use docs::{guide, performance};
pub use error::{CallError, CircuitError};
pub use name::Name;

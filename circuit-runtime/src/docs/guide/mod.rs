//! The guide: which rules suit which service, and how to use, test and operate circuit breakers.
//!
//! | page | contents |
//! |---|---|
//! | [`rules`] | which options suit which service, with an example of each |
//! | [`results`] | which results are failures: `failure_if`, `ignore_if`, `classify`, `retry_after` |
//! | [`errors`] | the errors that a caller receives, and error types of your own or of another crate |
//! | [`keys`] | one breaker per host, tenant or instance, and how many there may be |
//! | [`fallbacks`] | what to return instead: `fallback` and `or_else` |
//! | [`handles`] | calls without the attribute: futures, closures, permits, blocking operations |
//! | [`files`] | rules from a file or the environment, read again while the program runs |
//! | [`retries`] | where a retry belongs, and when not to retry |
//! | [`streams`] | responses that arrive piece by piece, and when such a call has failed |
//! | [`testing`] | tests in which thirty seconds take no time |
//! | [`operating`] | alerts, health checks, orders, and half-open circuits that nobody calls |
//! | [`telemetry`] | the log, listeners and receivers, metrics |
//! | [`fleets`] | processes that share what they know about a service |
//! | [`pitfalls`] | settings that do not do what they seem to |
//! | [`costs`] | the exactness, the memory and the price of each rule |
//! | [`migrating`] | the words of failsafe, recloser, tower-resilience and resilience4j |
//!
//! The attribute [`circuit_breaker`](macro@crate::circuit_breaker) has the list of all options.
//!
//! # Examples
//!
//! Rules that suit most services: each page says when others do.
//!
//! ```
//! use circuit_runtime::{CircuitBreaker, Config};
//! use std::time::Duration;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::builder()
//!     .max_failures(5)
//!     .window(Duration::from_secs(10))
//!     .reset(Duration::from_secs(30))
//!     .timeout(Duration::from_secs(2))
//!     .build()?;
//! let breaker = CircuitBreaker::new("quotes", config);
//!
//! let quote = breaker.call(async { Ok::<_, std::io::Error>(12.5) }).await?;
//! assert_eq!(quote, 12.5);
//! # Ok(())
//! # }
//! ```

pub mod costs;
pub mod errors;
pub mod fallbacks;
pub mod files;
pub mod fleets;
pub mod handles;
pub mod keys;
pub mod migrating;
pub mod operating;
pub mod pitfalls;
pub mod results;
pub mod retries;
pub mod rules;
pub mod streams;
pub mod telemetry;
pub mod testing;

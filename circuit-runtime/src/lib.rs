//! A circuit breaker for async functions.
//!
//! A service that stops responding must not be called again and again: every attempt costs the
//! caller time and adds load to the service. A circuit breaker counts the failures of calls to a
//! service and, past a limit, rejects calls at once without making them.
//!
//! - **Closed**: calls run, and their failures are counted. At `max_failures` the circuit opens.
//!   Other rules open it when a share of the calls failed or was slow.
//! - **Open**: no call runs; each is rejected with [`CircuitError::Open`]. This lasts for `reset`.
//! - **Half-open**: one call, the probe, is admitted; all others are rejected. If it succeeds, the
//!   circuit closes; if it fails, the circuit opens for another `reset`. A probe that is still
//!   running after `reset`, or after `timeout` if that is longer, loses its slot, and another call
//!   may probe. With `probes = n`, up to `n` calls probe, and all must succeed.
//!
//! The [`guide`] explains which rules suit which service, [`performance`] what a call costs, and
//! [`internals`] how it works inside.
#![cfg_attr(
    feature = "macros",
    doc = r#"
# Examples

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
    // Call the service that may be down.
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
//! The attribute gives the function a breaker of its own, created on the first call. All instances,
//! type arguments and implementors of the annotated function share it. With the option `key`, each
//! value of an argument has a breaker of its own. For one breaker per instance, keep a
//! [`CircuitBreaker`] in a field and name it with the option `breaker`, or make calls through it
//! with [`call`](CircuitBreaker::call). For one per instance and key, or for rules that are
//! known only at run time, keep a [`CircuitBreakers`].
//!
//! # What counts as a failure
//!
//! - An `Ok` is a success, an `Err` a failure, unless `failure_if`, `ignore_if` or `classify` says
//!   otherwise. A panic is a failure, too, and keeps unwinding.
//! - A call that takes longer than `timeout` is dropped and counts as a failure.
//! - A call dropped by its caller is not counted: the caller lost interest, the service did nothing
//!   wrong.
//! - A rejected call is not counted.
//! - A result that arrives after the circuit has changed state belongs to an earlier generation and
//!   is not counted.
//!
//! # Features
//!
//! | feature | default | meaning |
//! |---|---|---|
//! | `macros` | yes | the attribute `#[circuit_breaker]` |
//! | `tracing` | yes | one log event for each change of a circuit |
//! | `serde` | no | configurations and `Overrides` from files; changes and snapshots as data |
//! | `metrics` | no | `export::metrics()`, for the recorders of the crate `metrics` |
//! | `discovery` | no | the list of all annotated functions, called or not: `registry::declared` |
//! | `test-util` | no | every clock follows tokio's, which a test can pause and advance |
//!
//! No feature changes what a call does.
//!
//! # Time in tests
//!
//! With the feature `test-util`, every breaker follows tokio's clock, which a test can pause:
//! thirty seconds take no time at all. A breaker that several runtimes use has one time: an advance
//! of any of them passes for it, on threads outside of them, too. However far other tests advance
//! time before it opens, it is open for its whole wait.
//!
//! Three things are less exact:
//!
//! - If a test uses its first breaker only after it has advanced time, the moment of that advance
//!   is unknown. For a circuit that was opened elsewhere, all of the advance counts as time since
//!   then, and the circuit may recover up to 0.75 s too early. The same applies to a thread that
//!   runs more than four runtimes by turns.
//! - If a test advances time before it uses a certain breaker, the advance counts for that breaker
//!   from its last change of state on: earlier failures that other tests caused may have expired.
//! - A timed call that is moved to another runtime, because its first one has shut down, keeps its
//!   deadline if that is ahead on the second one's clock by no more than the timeout. Otherwise,
//!   the call has its whole timeout again.
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
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![warn(missing_docs)]
// A sum that overflows would panic in a debug build, and abort where a call is settled.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]
#![doc(test(attr(deny(warnings))))]

#[cfg(not(target_has_atomic = "64"))]
compile_error!(
    "circuit-runtime needs 64-bit atomics, which this target does not have; use a target with \
     `target_has_atomic = \"64\"`"
);

// The reference breaker in `tests/histories` refers to this crate as `circuit_runtime`.
#[cfg(all(test, circuit_shuttle))]
extern crate self as circuit_runtime;

mod breaker;
mod breakers;
mod call;
mod circuit;
mod clock;
mod config;
#[cfg(feature = "discovery")]
mod declared;
mod docs;
mod error;
mod events;
pub mod export;
mod keyed;
mod lazy;
mod name;
#[cfg(feature = "serde")]
mod overrides;
mod registration;
pub mod registry;
pub mod remote;
mod state;
mod sync;
#[cfg(all(test, any(circuit_loom, circuit_shuttle)))]
mod tests;
mod window_counts;

#[doc(hidden)]
#[path = "private/mod.rs"]
pub mod __private;

pub use breaker::CircuitBreaker;
pub use breakers::CircuitBreakers;
pub use call::{Call, OwnedPermit, Permit, UnsettledCall, Verdict};
pub use circuit::hold::{Hold, HoldSource};
pub use circuit::snapshot::Snapshot;
#[cfg(feature = "macros")]
#[cfg_attr(docsrs, doc(cfg(feature = "macros")))]
pub use circuit_macros::circuit_breaker;
pub use config::{Config, ConfigBuilder, ConfigError};
#[cfg(feature = "discovery")]
#[cfg_attr(docsrs, doc(cfg(feature = "discovery")))]
pub use declared::Declared;
#[doc(inline)]
pub use docs::{guide, internals, performance};
pub use error::{CallError, CircuitError};
pub use events::{Cause, Changes, Lagged, StateChange, Subscription};
pub use name::Name;
#[cfg(feature = "serde")]
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
pub use overrides::{Applied, ChangedRules, Overrides, OverridesError, SkippedOption};
pub use state::State;
pub use window_counts::WindowCounts;

//! Many processes that call one service.
//!
//! # Without a store
//!
//! When many processes call one service, each has a breaker of its own, which sees only the calls
//! of its process: choose `min_calls` for the traffic of one process. All of them open at about the
//! same time and, without `jitter`, probe at about the same time, too. `max_reset` makes them probe
//! less and less often while the service is down; jitter is added on top of it. Keep `probes`
//! small, because every process sends that many.
//!
//! ```
//! use circuit_runtime::{CircuitBreaker, Config};
//! use std::collections::HashSet;
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::builder()
//!     .max_failures(1)
//!     .reset(Duration::from_secs(30))
//!     .max_reset(Duration::from_secs(600))
//!     .jitter(0.5)
//!     .build()?;
//!
//! let processes: Vec<_> = (0..100).map(|_| CircuitBreaker::new("stock", config)).collect();
//! let mut waits = HashSet::new();
//! for process in &processes {
//!     process.try_acquire()?.failure();
//!     let wait = process.snapshot().retry_after.unwrap_or_default();
//!     assert!(wait <= Duration::from_secs(45));
//!     waits.insert(wait.as_secs());
//! }
//! assert!(waits.len() > 3); // the probes are spread over several seconds
//! # Ok(())
//! # }
//! ```
//!
//! # With Redis or Valkey
//!
//! Processes can share what they know through a store: their circuits open together, and one
//! process probes for all. The crate `circuit-redis` does this:
//!
//! ```ignore
//! use circuit_redis::{Fleet, Quorum};
//!
//! let fleet = Fleet::builder("redis://127.0.0.1", "shop") // the store, and a namespace in it
//!     .share("shop::*") // the breakers, by name or pattern
//!     .quorum(Quorum::AtLeast(2)) // of the processes, to open for all
//!     .build()?;
//! tokio::spawn(fleet.run());
//! ```
//!
//! - **No call waits for the store.** What the store says is delivered to the breakers beforehand.
//!   Each breaker counts, opens and rejects by itself.
//! - **A quorum** decides. One process with a broken network opens its own circuit, and not those
//!   of the others.
//! - **One probe for all.** At the end of the wait, the store gives one process a lease, and the
//!   others wait for its result. There is one such probe at a time while the store can be reached
//!   and keeps what it has acknowledged.
//! - **Orders for all:** `fleet.hold_open("shop::quote")` holds the circuit in every process, for
//!   15 minutes.
//! - **Without the store,** each process decides by itself, as if there were no fleet. No circuit
//!   stays open because the store is away. `fleet.status()` says so; alert on it.
//!
//! Rules stay those of each program: give `jitter` and a `max_reset` all the same, for the time
//! without a store.
//!
//! # With another store
//!
//! [`remote`](crate::remote) is the interface that `circuit-redis` is built on. A
//! [`Remote`](crate::remote::Remote) delivers verdicts and orders to one breaker:
//!
//! ```
//! use circuit_runtime::remote::{Epoch, Remote};
//! use circuit_runtime::{CircuitBreaker, Config, State};
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), circuit_runtime::CircuitError> {
//! let breaker = CircuitBreaker::new("payments", Config::default());
//! let remote = Remote::attach(&breaker);
//!
//! // Other processes have seen the service fail.
//! remote.open_for(Epoch(7), Duration::from_secs(30), 0);
//! assert!(breaker.try_acquire().is_err());
//!
//! // This process has the lease: its next call probes.
//! remote.half_open_now(Epoch(7));
//! breaker.try_acquire()?.success();
//! assert_eq!(breaker.state(), State::Closed);
//! # Ok(())
//! # }
//! ```

//! Circuit breakers that share what they know with those of other processes, through Redis or
//! Valkey.
//!
//! Build a [`Fleet`], name the breakers to [`share`](FleetBuilder::share), and spawn the future of
//! [`Fleet::run`]. Calls go on as before: none waits for the store, and none returns an error of
//! it. [`Fleet::status`] reports the state of the fleet, and [`Fleet::events`] its changes.
//!
//! The README explains what is shared and what not, what is guaranteed, and what it costs.
//!
//! # Examples
//!
//! ```
//! use circuit_redis::{Fleet, Sharing};
//! use circuit_runtime::{CircuitBreaker, Config};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), circuit_redis::FleetError> {
//! // Nothing listens on this port: the fleet is degraded.
//! let fleet = Fleet::builder("redis://127.0.0.1:1", "shop").share("shop::*").build()?;
//! tokio::spawn(fleet.run());
//! let is_degraded = |sharing: &Sharing| matches!(sharing, Sharing::Degraded { .. });
//! fleet.wait_for(|status| is_degraded(&status.sharing)).await;
//!
//! // Calls go on: this process decides by itself.
//! let breaker = CircuitBreaker::new("shop::quote", Config::default());
//! let price = breaker.call(async { "12.5".parse::<f64>() }).await;
//! assert_eq!(price, Ok(12.5));
//! # Ok(())
//! # }
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![doc(test(attr(deny(warnings))))]

mod circuits;
mod connection;
mod error;
mod events;
mod fleet;
mod keys;
mod member;
mod metrics;
mod pattern;
mod quorum;
mod random;
mod scripts;
mod shared;
mod status;

pub use error::{FleetError, Reason};
pub use events::FleetEvent;
pub use fleet::{Fleet, FleetBuilder};
pub use metrics::Totals;
pub use quorum::Quorum;
pub use status::{CircuitStatus, OrderStatus, Sharing, Status};

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

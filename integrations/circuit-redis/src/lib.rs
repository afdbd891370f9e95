//! Circuit breakers that share what they know, through Redis or Valkey.
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

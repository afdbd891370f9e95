//! The circuit breakers of [`circuit_runtime`] on a page: to watch an outage, and to give orders.
//!
//! A [`Dashboard`] is a service of HTTP, with a page, a script and a style sheet embedded in the
//! program. It loads nothing from elsewhere and needs no other process.
//!
//! # Examples
//!
//! Inside of a server of axum, and of any other that takes a
//! [`Service`](tower_service::Service):
//!
//! ```
//! use axum::Router;
//! use circuit_dashboard::Dashboard;
//!
//! let router: Router = Router::new().nest_service("/circuits", Dashboard::new());
//! # let _ = router;
//! ```
//!
//! By itself, for a program without a server:
//!
//! ```no_run
//! use circuit_dashboard::Dashboard;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), circuit_dashboard::ServeError> {
//! Dashboard::new().serve("127.0.0.1:9470").await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Access
//!
//! - A dashboard is read-only unless [`controls`](Dashboard::controls) or
//!   [`bearer_token`](Dashboard::bearer_token) says otherwise. There are no cookies and no default
//!   passwords.
//! - It is served under the names of loopback and those added by [`host`](Dashboard::host), so that
//!   no other site can reach it through a browser by DNS rebinding.
//! - [`serve`](Dashboard::serve) listens on loopback only, unless reading needs a token, or the
//!   program [allows](Dashboard::allow_unauthenticated) anyone to read.
//! - An order needs a reason, and one that forces a state needs an end. Each one, done or denied,
//!   is an event of `tracing`.
//! - Inside another server, everyone who reaches the path can read, as anyone but a browser can
//!   write any `Host`: require a token, or put the path behind that server's authentication.
//!
//! # Features
//!
//! | feature | default | meaning |
//! |---|---|---|
//! | `discovery` | no | functions that were never called are listed as idle, and each has its file and line |
//!
#![doc = include_str!("api.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod access;
mod api;
mod assets;
mod body;
mod dashboard;
mod error;
mod fleet;
mod history;
mod moment;
mod orders;
mod overview;
mod reply;
mod router;
mod serve;
mod service;
mod settings;
mod stream;

pub use access::{Actor, Denied};
pub use body::Body;
pub use dashboard::Dashboard;
pub use error::ServeError;
pub use fleet::{FleetCircuit, FleetSharing, FleetStatus};
pub use orders::{Action, Order};
pub use serve::Server;
pub use service::ResponseFuture;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

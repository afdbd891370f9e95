//! The circuit breakers of [`circuit_runtime`], as a layer of tower: for axum, tonic, reqwest and
//! hyper, and for any other [`Service`](tower_service::Service).
//!
//! # Examples
//!
//! ```
//! use circuit_runtime::{CircuitBreaker, CircuitError, Config};
//! use circuit_tower::CircuitBreakerLayer;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let breaker = CircuitBreaker::new("quotes", Config::default());
//! let service = ServiceBuilder::new()
//!     .layer(CircuitBreakerLayer::new(breaker.clone()))
//!     .service(service_fn(async |symbol: &str| symbol.parse::<f64>()));
//!
//! // Five failures, and the circuit is open.
//! for _ in 0..5 {
//!     assert!(service.clone().oneshot("ACME").await.is_err());
//! }
//! let error = service.oneshot("12.5").await.unwrap_err();
//! assert!(error.downcast_ref::<CircuitError>().is_some_and(CircuitError::is_open));
//! # }
//! ```
//!
//! # What counts
//!
//! | part | ready ones | default |
//! |---|---|---|
//! | what is a failure | [`Errors`], [`HttpStatus`], [`Grpc`], closures: [`Classify`] | `Errors` |
//! | the answer where the service was not called | [`BoxError`]; [`respond_503`], [`respond_unavailable`], closures | `BoxError` |
//! | the breaker | one; one for each [`Host`], [`Path`] or other [`Key`] | one |
//! | the end of a call | the head of the response; [`until_body_ends`] | the head |
//!
//! The breaker's `timeout` holds, from the first poll of the call to the head of the response. Its
//! other rules, its events, metrics and overrides are those of any breaker. A call that is dropped
//! counts as cancelled: neither success nor failure. Waiting for a service to become ready is part
//! of no call.
//!
//! # Its place among other layers
//!
//! From the outside to the inside:
//!
//! 1. **Retry** outside: each attempt is a call, and none is made before the circuit admits one.
//! 2. **Limits** and **load shed** outside: a service inside that was made ready keeps its slot of
//!    a limit until it is called, which a rejection puts off. The `Overloaded` of a load shed
//!    inside is not counted, as no service was reached.
//! 3. **Buffer** outside: it would stay failed for good if the layer inside were ever to fail for
//!    being open, which this one does not.
//! 4. This layer.
//! 5. **Timeout** inside, or the breaker's own: one outside drops the call, which then counts as
//!    cancelled, so that a service that never responds would never open the circuit.
//!
//! Not under **balance**, which prefers the service with the least load: one whose circuit is open
//! rejects at once, looks idle, and gets all requests. Put one breaker around the balancer, or
//! choose by [`would_reject`](circuit_runtime::CircuitBreaker::would_reject).
//!
//! # With axum
//!
//! `Router::layer` and `Router::route_layer`, with [`respond`](CircuitBreakerLayer::respond), as
//! axum's services must not fail; or inside of an `axum::error_handling::HandleErrorLayer`. axum
//! applies a layer to each route. All of them share the breaker.
//!
//! # With tonic
//!
//! Around a `Channel`: `ServiceBuilder::new().layer(layer).service(channel)` is what a generated
//! client takes, with [`Grpc`] and [`respond_unavailable`], from which the client makes a `Status`.
//! Around a server: `Server::builder().layer(layer)`.
//!
//! # With reqwest
//!
//! `reqwest::Client` is a service of its own request and response types. Put the layer around it,
//! and turn its responses into those of `http`, for [`HttpStatus`] and [`until_body_ends`]; or
//! classify with [`HttpStatus::verdict`].
//!
//! ```
//! use circuit_runtime::{CircuitBreakers, Config};
//! use circuit_tower::{CircuitBreakerLayer, HttpStatus};
//! use tower::ServiceBuilder;
//!
//! let hosts = CircuitBreakers::new("hosts", Config::default());
//! // Not by `Url::authority`, which has the name and password of a user.
//! let host = |request: &reqwest::Request| request.url().host_str().unwrap_or_default().to_owned();
//! let client = ServiceBuilder::new()
//!     .layer(CircuitBreakerLayer::keyed(hosts, host).classify(HttpStatus::new()))
//!     .map_response(|response: reqwest::Response| http::Response::<reqwest::Body>::from(response))
//!     .service(reqwest::Client::new());
//! # let _ = tower::ServiceExt::<reqwest::Request>::boxed_clone(client);
//! ```
//!
//! The layers of reqwest's `connector_layer` are for connections, of which one serves many
//! requests. `reqwest-middleware` has no services; there, hold a permit of
//! [`try_acquire_owned`](circuit_runtime::CircuitBreaker::try_acquire_owned) while the next
//! middleware runs.
//!
//! [`until_body_ends`]: CircuitBreakerLayer::until_body_ends

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod answer;
mod body;
mod classify;
mod extent;
mod future;
mod key;
mod layer;
mod selection;
mod service;

pub use answer::{Propagate, Respond, respond_503, respond_unavailable};
pub use body::CircuitBody;
pub use classify::{Classify, Errors, Grpc, HttpStatus};
pub use extent::{Head, UntilBodyEnds};
pub use future::ResponseFuture;
pub use key::{Host, Key, Path};
pub use layer::CircuitBreakerLayer;
pub use selection::{Keyed, Single};
pub use service::CircuitBreaker;

/// The error of a service that may fail in several ways: that of tower, axum and tonic.
///
/// # Examples
///
/// ```
/// use circuit_runtime::CircuitError;
/// use circuit_tower::BoxError;
/// use std::time::Duration;
///
/// /// Returns when to try again, if the circuit has rejected the call.
/// fn retry_after(error: &BoxError) -> Option<Duration> {
///     error.downcast_ref::<CircuitError>()?.retry_after()
/// }
/// assert_eq!(retry_after(&"connection refused".into()), None);
/// ```
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

//! Responses that arrive piece by piece.
//!
//! The function that starts a stream returns at once, and the stream may break minutes later. If
//! that function is annotated, a success is counted too early. Take a permit instead, keep it
//! beside the stream, and settle it when the stream ends:
//!
//! | the stream | settle by |
//! |---|---|
//! | ends | [`success`](crate::OwnedPermit::success) |
//! | breaks, or ends too early | [`failure`](crate::OwnedPermit::failure) |
//! | is dropped by its reader | nothing: the permit is dropped with it, and counts as cancelled |
//!
//! ```
//! use circuit_runtime::{CircuitBreaker, CircuitError, Config, OwnedPermit, State};
//! use tokio::sync::mpsc::{self, Receiver};
//!
//! /// The lines of a response; an error is the last of them.
//! struct Lines {
//!     connection: Receiver<Result<String, std::io::Error>>,
//!     permit: Option<OwnedPermit>,
//! }
//!
//! impl Lines {
//!     fn new(
//!         breaker: &CircuitBreaker,
//!         connect: impl FnOnce() -> Receiver<Result<String, std::io::Error>>,
//!     ) -> Result<Self, CircuitError> {
//!         let permit = Some(breaker.try_acquire_owned()?); // before anything is sent
//!         Ok(Self { connection: connect(), permit })
//!     }
//!
//!     /// Returns the next line. The `poll_next` of a `Stream` would do the same.
//!     async fn next(&mut self) -> Option<Result<String, std::io::Error>> {
//!         let line = self.connection.recv().await;
//!         match &line {
//!             Some(Ok(_)) => {}
//!             Some(Err(_)) => self.permit.take().into_iter().for_each(OwnedPermit::failure),
//!             None => self.permit.take().into_iter().for_each(OwnedPermit::success),
//!         }
//!         line
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let breaker = CircuitBreaker::new("lines", Config::builder().max_failures(1).build()?);
//! let (sender, connection) = mpsc::channel(2);
//! let mut lines = Lines::new(&breaker, || connection)?;
//!
//! sender.send(Ok("the first line".to_owned())).await?;
//! sender.send(Err(std::io::ErrorKind::ConnectionReset.into())).await?;
//! assert!(lines.next().await.unwrap().is_ok());
//! assert_eq!(breaker.state(), State::Closed);
//! assert!(lines.next().await.unwrap().is_err());
//! assert_eq!(breaker.state(), State::Open);
//! # Ok(())
//! # }
//! ```
//!
//! - **A probe** that is a stream holds its slot for `reset`, or for `timeout` if that is longer.
//!   After that, another call may probe. If healthy streams last longer, settle the permit when the
//!   first piece has arrived.
//! - **A timeout** does not apply to permits, as there is no future that could be dropped. Limit
//!   the time between two pieces inside of the stream, and settle by `failure` when it has passed.
//! - **`slow_call`** applies. It measures the whole stream, from the permit to the end.
//!
//! The repository's `examples/streaming.rs` reads a language model token by token. For bodies of
//! HTTP and for gRPC, whose status comes last, the crate `circuit-tower` does all of this with
//! `until_body_ends()`.

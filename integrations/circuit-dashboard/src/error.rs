//! The errors of a dashboard that serves by itself.

use std::io;
use std::net::SocketAddr;

/// The error of a dashboard that cannot listen.
///
/// # Examples
///
/// ```
/// use circuit_dashboard::{Dashboard, ServeError};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let dashboard = Dashboard::new().bearer_token("");
/// let error = dashboard.bind("127.0.0.1:0").await.unwrap_err();
/// assert!(matches!(error, ServeError::EmptyToken));
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Anyone who reaches the address could read.
    #[error(
        "`{0}` is not a loopback address, and reading needs no token; add `bearer_token(..)`, or \
         `allow_unauthenticated()` if anyone who reaches the address may read"
    )]
    Unauthenticated(SocketAddr),
    /// The bearer token is too easy to guess.
    #[error("the bearer token is empty; generate one of at least 32 random characters")]
    EmptyToken,
    /// The system refused to listen on the address.
    #[error("cannot listen: {0}")]
    Listen(#[from] io::Error),
}

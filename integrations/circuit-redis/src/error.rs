//! The errors of a fleet, none of which any call sees.

use std::sync::Arc;

use redis::{ErrorKind, RedisError};

/// The error of a fleet that cannot be built, or of an order that was not given.
///
/// No protected call returns it: calls never wait for the store.
///
/// # Examples
///
/// ```
/// use circuit_redis::{Fleet, FleetError};
///
/// let error = Fleet::builder("localhost", "shop").build().unwrap_err();
/// assert!(matches!(error, FleetError::Address(_)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FleetError {
    /// The address of the store cannot be used.
    #[error("invalid address of the store: {0}; write `redis://host:port`")]
    Address(String),
    /// The namespace is empty, too long or has other characters.
    #[error(
        "invalid namespace `{0}`; use up to 100 letters, digits and `-`, `_`, `.`, `:` of ASCII"
    )]
    Namespace(String),
    /// The name of the member is empty, too long or has other characters.
    #[error("invalid name of a member `{0}`; use up to 100 visible characters of ASCII")]
    Member(String),
    /// The quorum is zero, or a share outside of `(0, 1]`.
    #[error("invalid quorum; use at least 1 member, or a share above 0 and up to 1")]
    Quorum,
    /// The store cannot be reached, does not answer in time, or refuses.
    #[error("the store cannot be used ({0}); try again when `status` says `Shared`")]
    Unavailable(Reason),
    /// The task of the fleet is not running.
    #[error("the fleet is not running; spawn the future of `Fleet::run`")]
    NotRunning,
}

/// The reason why a fleet is degraded: its processes use their local breakers alone.
///
/// # Examples
///
/// ```
/// use circuit_redis::Reason;
///
/// let reason = Reason::Silent;
/// assert_eq!(reason.to_string(), "no answer in time");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// No connection has been made yet.
    #[error("not connected yet")]
    NotConnected,
    /// The connection is lost, or cannot be made.
    #[error("not reachable: {0}")]
    Unreachable(Arc<str>),
    /// Two answers in succession did not arrive in time.
    #[error("no answer in time")]
    Silent,
    /// The store refuses to run a script: read-only, out of memory, or without permission.
    #[error("refused: {0}")]
    Refused(Arc<str>),
    /// The namespace is in use by another version of this crate.
    #[error("the namespace has schema {theirs}, this process has {ours}; update the older ones")]
    Schema {
        /// The schema in the store.
        theirs: Arc<str>,
        /// The schema of this process.
        ours: u32,
    },
    /// The store answers something else than the scripts do.
    #[error("not understood: {0}")]
    Malformed(Arc<str>),
}

impl Reason {
    /// Returns the reason that an error of the client stands for.
    pub(crate) fn from_redis(error: &RedisError, ours: u32) -> Self {
        if error.is_timeout() {
            return Self::Silent;
        }
        match error.kind() {
            ErrorKind::Extension if error.code() == Some("SCHEMA") => Self::Schema {
                theirs: error.detail().unwrap_or("unknown").into(),
                ours,
            },
            ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::AuthenticationFailed => {
                Self::Refused(error.to_string().into())
            }
            ErrorKind::Parse | ErrorKind::UnexpectedReturnType => {
                Self::Malformed(error.to_string().into())
            }
            _ => Self::Unreachable(error.to_string().into()),
        }
    }
}

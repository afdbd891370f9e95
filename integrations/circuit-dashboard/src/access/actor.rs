//! The decision on an order.

use std::fmt;

/// The person or program that gives an order, as the log and the page name it.
///
/// # Examples
///
/// ```
/// use circuit_dashboard::Actor;
///
/// assert_eq!(Actor::new("alice").to_string(), "alice");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor(String);

impl Actor {
    /// Creates an actor of this name.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_dashboard::Actor;
    ///
    /// let actor = Actor::new("alice");
    /// assert_eq!(actor.to_string(), "alice");
    /// ```
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    pub(crate) fn into_name(self) -> String {
        self.0
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The refusal of an order, with the reason that is shown to the one who gave it.
///
/// # Examples
///
/// ```
/// use circuit_dashboard::Denied;
///
/// let denied = Denied::new("only the team on call may open circuits");
/// assert_eq!(denied.to_string(), "only the team on call may open circuits");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Denied(String);

impl Denied {
    /// Creates a refusal for this reason.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_dashboard::Denied;
    ///
    /// let denied = Denied::new("sign in first");
    /// assert_eq!(denied.to_string(), "sign in first");
    /// ```
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

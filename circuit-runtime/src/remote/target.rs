//! The breaker that a connection to a fleet is attached to.

/// A breaker, without keeping it alive.
pub(super) struct Target;

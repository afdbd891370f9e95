//! The paths of the API.

pub(crate) mod breakers;
pub(crate) mod changes;
pub(crate) mod metrics;
pub(crate) mod orders;

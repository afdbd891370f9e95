//! The code that the attribute expands to.

mod breaker;
mod config;
pub(crate) mod guard;
mod opaque;

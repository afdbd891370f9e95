//! The code that the attribute expands to.

mod breaker;
mod classifier;
mod config;
mod conversion;
mod declaration;
mod fallback;
pub(crate) mod guard;
mod hint;
mod opaque;
mod or_else;

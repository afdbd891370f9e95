//! A fleet: how it is built, and the handle to it.

mod builder;
mod handle;

pub use builder::FleetBuilder;
pub use handle::Fleet;

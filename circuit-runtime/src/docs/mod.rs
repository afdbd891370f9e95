//! Documentation pages, compiled so that their examples are tested.

pub mod guide;
pub mod internals;
pub mod performance;

//! Tests of the crate as a whole, and support for those of its modules.

mod fuzz;
pub(crate) mod support;

//! A reference to a circuit that a call holds from its admission to its end.

use std::sync::Arc;

use super::Circuit;

/// A handle to a circuit, or a reference to one.
pub trait CircuitHandle: AsRef<Circuit> + Sized {
    /// Gives the handle back after a call that was not cancelled. By default, it is dropped.
    #[inline]
    fn give_back(self) {}
}

impl CircuitHandle for &Circuit {}
impl CircuitHandle for Arc<Circuit> {}

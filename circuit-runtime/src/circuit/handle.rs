//! A reference to a circuit that a call holds from its admission to its end.

use super::Circuit;

/// A handle to a circuit, or a reference to one.
pub trait CircuitHandle: AsRef<Circuit> + Sized {
    /// Takes the handle back after a call that was not cancelled.
    #[inline]
    fn give_back(self) {}
}

//! The handle that a call with a key holds.

use std::sync::Arc;

use super::cache;
use crate::circuit::Circuit;
use crate::circuit::handle::CircuitHandle;

/// A handle to the circuit of a key. If the key is busy, the handle is cached for the next call of
/// the thread that gives it back.
pub struct KeyedHandle(Arc<Circuit>);

impl KeyedHandle {
    #[inline]
    pub(super) fn new(circuit: Arc<Circuit>) -> Self {
        Self(circuit)
    }
}

impl AsRef<Circuit> for KeyedHandle {
    #[inline]
    fn as_ref(&self) -> &Circuit {
        &self.0
    }
}

impl CircuitHandle for KeyedHandle {
    #[inline]
    fn give_back(self) {
        if let Some(tag) = self.0.residency().tag() {
            cache::put(tag, self.0);
        }
    }
}

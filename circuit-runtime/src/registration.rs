//! The registration of breakers that are created: listed, under the overrides in force.

use std::sync::Arc;

#[cfg(not(feature = "serde"))]
use crate::circuit::registered;
use crate::circuit::registered::Listed;
#[cfg(feature = "serde")]
use crate::overrides::in_force::{self, Pending};

/// A registration whose first change or warning has yet to be delivered.
#[must_use = "delivered without any lock, once the breaker can be used"]
pub(crate) struct Registration {
    #[cfg(feature = "serde")]
    pending: Pending,
}

impl Registration {
    /// Registers `listed` until its last strong reference is dropped. The rules and the hold of a
    /// file apply before any other thread can find it.
    pub(crate) fn new<L: Listed + 'static>(listed: &Arc<L>) -> Self {
        #[cfg(feature = "serde")]
        return Self {
            pending: in_force::add(listed),
        };
        #[cfg(not(feature = "serde"))]
        {
            registered::add(listed);
            Self {}
        }
    }

    /// Runs the listeners and the log of the program, which may use the breaker.
    #[cfg_attr(
        not(feature = "serde"),
        expect(clippy::unused_self, reason = "without files, nothing is pending")
    )]
    pub(crate) fn deliver(self) {
        #[cfg(feature = "serde")]
        self.pending.deliver();
    }
}

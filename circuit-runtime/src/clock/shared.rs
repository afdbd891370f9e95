//! One time for all circuits: none stores a time line of its own.

use super::time::Instant;

/// The time of one circuit.
#[derive(Default)]
pub(crate) struct OwnTime(());

/// While this lives, its thread reads the clock for one circuit.
pub(crate) struct Entered(());

impl OwnTime {
    #[inline]
    #[expect(clippy::unused_self, reason = "in tests, every circuit has its own")]
    pub(crate) const fn enter(&self) -> Entered {
        Entered(())
    }

    /// Returns `now`, a reading for no circuit, on the time line of this one.
    #[expect(clippy::unused_self, reason = "in tests, every circuit has its own")]
    pub(crate) const fn at(&self, now: Instant) -> Instant {
        now
    }

    /// Does nothing: there are no other clocks.
    #[inline]
    #[expect(clippy::unused_self, reason = "in tests, every circuit has its own")]
    pub(crate) const fn before_change(&self) {}
}

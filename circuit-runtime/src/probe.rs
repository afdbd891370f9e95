use std::num::NonZeroU64;

use crate::clock::{Instant, Span};
use crate::sync::{AtomicU64, Ordering};

/// The slot of the one probe that a half-open circuit lets in.
///
/// It is leased, not owned: a probe that still runs when its lease ends has lost the slot, and
/// another may take it. A lease lasts as long as an open phase does at least, so whatever an earlier
/// half-open phase left behind has run out by the time that the next begins.
#[derive(Debug, Default)]
pub(crate) struct ProbeSlot {
    /// When the lease ends; zero while there is none.
    leased_until: AtomicU64,
}

/// A probe's hold on the slot, known by the moment it ends: it can only begin when the one before
/// has ended, so no two that are held at the same time are alike. Not zero, so that a ticket leaves
/// room to say that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    until: NonZeroU64,
}

impl Lease {
    /// What a call that is no probe has.
    pub(crate) const NONE: Self = Self {
        until: NonZeroU64::MIN,
    };

    fn new(now: Instant, length: Span) -> Self {
        let until = now.plus(length).as_micros();
        Self {
            until: NonZeroU64::new(until).unwrap_or(NonZeroU64::MIN),
        }
    }
}

impl ProbeSlot {
    /// When the lease that was given last ends.
    pub(crate) fn leased_until(&self) -> Instant {
        Instant::from_micros(self.leased_until.load(Ordering::Acquire))
    }

    /// Takes the slot for `length`, or tells until when it is taken. Of threads that race for a
    /// free slot exactly one gets it.
    pub(crate) fn take(&self, now: Instant, length: Span) -> Result<Lease, Instant> {
        let lease = Lease::new(now, length);
        // Acquire, release: whoever gets the slot sees all that the probe before it did.
        self.leased_until
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |until| {
                (until <= now.as_micros()).then_some(lease.until.get())
            })
            .map(|_| lease)
            .map_err(Instant::from_micros)
    }

    /// Frees the slot, unless the lease has ended and the slot is another probe's by now.
    pub(crate) fn give_back(&self, lease: Lease) {
        // That it may be gone is expected, and then there is nothing to do.
        let _ = self.leased_until.compare_exchange(
            lease.until.get(),
            0,
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
    }
}

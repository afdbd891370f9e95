//! The data that a call carries from its admission to its outcome.

use std::num::NonZeroU64;

use super::state::Word;
use crate::clock::Instant;

/// The number of groups that calls in flight are divided into; see `window::overdue`.
pub(super) const GROUPS: usize = 10;

/// The number of bits that hold a group, counted from 0 or from 1.
pub(super) const GROUP_BITS: u32 = 4;
const _: () = assert!(GROUPS < 1 << GROUP_BITS);

/// Proof of admission: the state word it was issued under and, for a probe, its lease, otherwise
/// its start time. The word decides which; both share one field to keep futures small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Ticket {
    word: Word,
    lease_or_start: NonZeroU64,
}

impl Ticket {
    #[inline]
    pub(crate) const fn for_call(word: Word, start: Start) -> Self {
        Self {
            word,
            lease_or_start: start.to_bits(),
        }
    }

    pub(crate) const fn for_probe(word: Word, lease: Lease) -> Self {
        Self {
            word,
            lease_or_start: lease.to_bits(),
        }
    }

    #[inline]
    pub(crate) const fn word(self) -> Word {
        self.word
    }

    /// Returns the lease of a probe.
    pub(crate) const fn lease(self) -> Lease {
        Lease::from_bits(self.lease_or_start)
    }

    /// Returns the start of a call that is not a probe.
    #[inline]
    pub(crate) const fn start(self) -> Start {
        Start::from_bits(self.lease_or_start)
    }
}

/// How a call ended. `repr(u8)` because it is passed to `extern "C"` functions, as is [`Ticket`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Outcome {
    /// The service answered.
    Succeeded,
    /// The service did not answer, or with a failure.
    Failed,
    /// The call was dropped because it took longer than its timeout.
    TimedOut,
    /// The call panicked.
    Panicked,
    /// The result says nothing about the service.
    Ignored,
    /// The call ended without a result.
    Cancelled,
}

/// A probe's lease of a slot, identified by its expiry: leases that expire together are
/// interchangeable. Nonzero, which leaves a ticket a value for "none".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    until: NonZeroU64,
}

impl Lease {
    pub(super) fn new(until: Instant) -> Self {
        Self::from_bits(NonZeroU64::new(until.as_micros()).unwrap_or(NonZeroU64::MIN))
    }

    const fn from_bits(until: NonZeroU64) -> Self {
        Self { until }
    }

    const fn to_bits(self) -> NonZeroU64 {
        self.until
    }

    pub(crate) const fn until(self) -> Instant {
        Instant::from_micros(self.until.get())
    }
}

/// When a call started, and the group it is in flight with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Start(NonZeroU64);

impl Start {
    /// The start of a call whose duration is not measured; it belongs to no group.
    pub(crate) const NONE: Self = Self(NonZeroU64::MAX);

    pub(super) fn new(moment: Instant, group: usize) -> Self {
        // Groups are stored from 1, hence the bits are never zero.
        let bits = moment.as_micros() << GROUP_BITS | (group as u64).wrapping_add(1);
        NonZeroU64::new(bits).map_or(Self::NONE, Self)
    }

    const fn from_bits(bits: NonZeroU64) -> Self {
        Self(bits)
    }

    const fn to_bits(self) -> NonZeroU64 {
        self.0
    }

    pub(super) fn moment(self) -> Instant {
        Instant::from_micros(self.0.get() >> GROUP_BITS)
    }

    pub(super) fn group(self) -> usize {
        ((self.0.get() - 1) & ((1 << GROUP_BITS) - 1)) as usize
    }
}

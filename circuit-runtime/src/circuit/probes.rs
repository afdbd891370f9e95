//! The probes of a half-open circuit, each with a lease of its slot.

use std::collections::VecDeque;

use super::evidence::Evidence;
use super::recovery::ProbeLimit;
use super::state::Generation;
use super::ticket::Lease;
use crate::clock::{Instant, Span};
use crate::sync::lock::Lock;
use crate::sync::{AtomicU64, Ordering};

/// Up to this many probes, every lease lasts its full length; above, it may be shorter by
/// `1 / EXACT`.
const EXACT: u32 = 64;

/// The slots of the probes that a half-open circuit admits, and the number of probes that
/// succeeded.
///
/// A slot is leased, not owned: a probe still running when its lease expires loses the slot to the
/// next caller. Leases of an earlier generation take no slots of the next.
pub(crate) struct Probes {
    /// While all slots are taken, when the first becomes free; otherwise in the past. Not reset
    /// when the circuit closes or reopens.
    taken_until: AtomicU64,
    locked: Lock<Locked>,
}

/// The state behind the lock.
struct Locked {
    slots: Evidence<Slots>,
    /// How long leases are at most that callers without the lock may see: none while the rules
    /// change, and after that none that is longer than the new ones grant.
    longest_seen: Span,
}

/// The result of requesting a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SlotRequest {
    Granted(Lease),
    /// All slots are taken, until this moment at least.
    Full(Instant),
    /// The generation of the request is over.
    Stale,
}

impl Default for Probes {
    fn default() -> Self {
        Self {
            taken_until: AtomicU64::new(0),
            locked: Lock::new(Locked {
                slots: Evidence::new(Slots::default()),
                longest_seen: Span::INDEFINITE,
            }),
        }
    }
}

impl Probes {
    /// Returns until when all slots of a circuit that is half-open since `half_open_at`, after
    /// `wait`, are taken, as far as the hint can tell.
    #[inline]
    pub(crate) fn taken_until(
        &self,
        limit: ProbeLimit,
        wait: Span,
        half_open_at: Instant,
    ) -> Option<Instant> {
        // Leases are granted that end before half-open plus their length, give or take their
        // granularity: after a shorter wait, those of an earlier generation could look current.
        if wait < limit.granularity() {
            return None;
        }
        // Relaxed: this is a hint; callers that pass it take the lock.
        let taken_until = self.taken_until.load(Ordering::Relaxed);
        let taken_until = Instant::from_micros(taken_until);
        // A thread preempted while it opened the circuit dates the opening too early. Leases taken
        // meanwhile outlast that wait, but none of the next generation expires as soon as they do,
        // so they reject no call of it. If the thread was preempted for the whole wait, one lease
        // has to expire first.
        let first_expiry = half_open_at.plus(limit.lease);
        (taken_until.plus(limit.granularity()) > first_expiry).then_some(taken_until)
    }

    /// Requests a slot. `still_current` is evaluated under the lock, so that a late caller never
    /// takes a slot of a generation that is over, and `clock` too, so that its lease is no shorter
    /// for its being late. Exactly as many racing threads succeed as there are slots.
    pub(crate) fn request(
        &self,
        limit: ProbeLimit,
        generation: Generation,
        clock: impl FnOnce() -> Instant,
        still_current: impl FnOnce() -> bool,
    ) -> SlotRequest {
        self.with_slots(limit, generation, |slots| {
            if !still_current() {
                return SlotRequest::Stale;
            }
            let now = clock();
            slots.expire(now);
            if !slots.is_any_free(limit.count) {
                return SlotRequest::Full(slots.free_at(limit.count).unwrap_or(now));
            }
            let until = now.rounded_down(limit.granularity()).plus(limit.lease);
            let lease = Lease::new(slots.expiry(until, limit.timeout));
            slots.reserve(limit.count);
            slots.add(lease, limit.timeout);
            slots.longest_lease = slots.longest_lease.max(limit.lease);
            SlotRequest::Granted(lease)
        })
        .unwrap_or(SlotRequest::Stale)
    }

    /// Returns when the expiry of leases frees a slot; `None` while one is free.
    pub(crate) fn full_until(
        &self,
        limit: ProbeLimit,
        generation: Generation,
        now: Instant,
    ) -> Option<Instant> {
        let full_until = self.with_slots(limit, generation, |slots| {
            slots.expire(now);
            slots.free_at(limit.count)
        });
        full_until.flatten()
    }

    /// Returns the timeout of a probe, by the rules that granted its lease; `None` if its lease has
    /// expired.
    pub(crate) fn timeout(&self, generation: Generation, lease: Lease) -> Option<Span> {
        self.locked.with(|locked| {
            let slots = locked.slots.get(generation)?;
            let index = slots.position(lease.until()).ok()?;
            Some(slots.leases.get(index)?.timeout)
        })
    }

    /// Releases the slot of a probe without a result, unless its lease has expired and the slot
    /// belongs to another probe.
    pub(crate) fn release(&self, limit: ProbeLimit, generation: Generation, lease: Lease) {
        self.with_slots(limit, generation, |slots| slots.remove(lease));
    }

    /// Records a successful probe; returns whether it was the last one required.
    pub(crate) fn succeed(&self, limit: ProbeLimit, generation: Generation, lease: Lease) -> bool {
        let succeeded = self.with_slots(limit, generation, |slots| {
            if slots.succeeded.saturating_add(1) >= limit.count {
                // Keep the slot: the circuit is about to close, so no further probe may start.
                return true;
            }
            slots.remove(lease);
            slots.succeeded = slots.succeeded.saturating_add(1);
            false
        });
        succeeded.unwrap_or(false)
    }

    /// Returns whether any probe of `generation` still has its slot at `now`.
    pub(crate) fn is_any_leased(&self, generation: Generation, now: Instant) -> bool {
        let is_any_leased = |slots: &Slots| slots.last_expiry().is_some_and(|expiry| expiry > now);
        let locked = &self.locked;
        locked.with(|locked| locked.slots.get(generation).is_some_and(is_any_leased))
    }

    /// Forgets until when all slots are taken, as the rules change: leases of an earlier generation
    /// may be longer than those that the next rules grant. From now on, callers without the lock
    /// see none that is longer than `longest`.
    pub(crate) fn forget_taken_until(&self, longest: Span) {
        self.locked.with(|locked| {
            locked.longest_seen = longest;
            // Relaxed: a reader of rules that are published later sees it, too.
            self.taken_until.store(0, Ordering::Relaxed);
        });
    }

    fn with_slots<R>(
        &self,
        limit: ProbeLimit,
        generation: Generation,
        section: impl FnOnce(&mut Slots) -> R,
    ) -> Option<R> {
        self.locked.with(|locked| {
            let slots = locked.slots.for_generation(generation, Slots::clear)?;
            let result = section(slots);
            let is_seen = slots.longest_lease <= locked.longest_seen;
            let free_at = slots.free_at(limit.count).filter(|_| is_seen);
            let taken_until = free_at.map_or(0, Instant::as_micros);
            self.taken_until.store(taken_until, Ordering::Relaxed);
            Some(result)
        })
    }
}

impl ProbeLimit {
    /// Returns the granularity of lease expiry: exact for few probes, coarser for many to bound
    /// memory.
    fn granularity(self) -> Span {
        if self.count <= EXACT {
            Span::MIN
        } else {
            self.lease.divided_by(EXACT.into())
        }
    }
}

/// The slots of one generation.
#[derive(Default)]
struct Slots {
    /// The slots that are taken, grouped by the expiry of their leases, soonest first.
    leases: VecDeque<Leases>,
    taken: u32,
    succeeded: u32,
    longest_lease: Span,
}

/// Leases that expire at the same time, of probes with the same timeout.
struct Leases {
    until: Instant,
    probes: u32,
    timeout: Span,
}

impl Slots {
    fn clear(&mut self) {
        self.leases.clear();
        self.taken = 0;
        self.succeeded = 0;
        self.longest_lease = Span::ZERO;
    }

    fn is_any_free(&self, count: u32) -> bool {
        self.taken < self.left(count)
    }

    /// Returns how many slots there are: one less for each probe that has succeeded. At least one,
    /// as another success is needed if the rules require fewer by now than have succeeded.
    fn left(&self, count: u32) -> u32 {
        count.saturating_sub(self.succeeded).max(1)
    }

    /// Returns when the expiry of leases frees a slot; `None` while one is free. This is the first
    /// expiry, unless a probe succeeded after it had lost its slot to another: then more slots are
    /// taken than there are.
    fn free_at(&self, count: u32) -> Option<Instant> {
        let mut surplus = self.taken.checked_sub(self.left(count))?;
        let frees = |leases: &&Leases| match surplus.checked_sub(leases.probes) {
            Some(left) => {
                surplus = left;
                false
            }
            None => true,
        };
        let leases = self.leases.iter().find(frees)?;
        Some(leases.until)
    }

    fn first_expiry(&self) -> Option<Instant> {
        self.leases.front().map(|leases| leases.until)
    }

    fn last_expiry(&self) -> Option<Instant> {
        self.leases.back().map(|leases| leases.until)
    }

    /// Returns when a lease expires that lasts until `until` at least: at a moment at which none
    /// does of a probe with another timeout. So rules that have just changed make it longer by a
    /// microsecond.
    fn expiry(&self, until: Instant, timeout: Span) -> Instant {
        let mut expiry = until;
        // In the order of time.
        for leases in &self.leases {
            if leases.until == expiry && leases.timeout != timeout {
                expiry = expiry.plus(Span::MIN);
            }
        }
        expiry
    }

    /// Frees the slots whose leases have expired by `now`.
    fn expire(&mut self, now: Instant) {
        while self.first_expiry().is_some_and(|expiry| expiry <= now) {
            let expired = self.leases.pop_front().map_or(0, |leases| leases.probes);
            self.taken = self.taken.saturating_sub(expired);
        }
    }

    /// Allocates for this many probes, unless that was done before.
    fn reserve(&mut self, count: u32) {
        let groups = count.min(EXACT).saturating_add(1) as usize;
        self.leases
            .reserve(groups.saturating_sub(self.leases.len()));
    }

    fn add(&mut self, lease: Lease, timeout: Span) {
        let until = lease.until();
        self.taken = self.taken.saturating_add(1);
        match self.position(until) {
            Ok(index) => {
                if let Some(leases) = self.leases.get_mut(index) {
                    leases.probes = leases.probes.saturating_add(1);
                }
            }
            Err(index) => {
                let probes = 1;
                self.leases.insert(
                    index,
                    Leases {
                        until,
                        probes,
                        timeout,
                    },
                );
            }
        }
    }

    fn remove(&mut self, lease: Lease) {
        let Ok(index) = self.position(lease.until()) else {
            return;
        };
        self.taken = self.taken.saturating_sub(1);
        if let Some(leases) = self.leases.get_mut(index) {
            leases.probes = leases.probes.saturating_sub(1);
            if leases.probes == 0 {
                self.leases.remove(index);
            }
        }
    }

    /// Returns the index of the leases that expire at `until`, or the index to insert them at.
    fn position(&self, until: Instant) -> Result<usize, usize> {
        self.leases
            .binary_search_by_key(&until, |leases| leases.until)
    }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::{Probes, SlotRequest};
    use crate::circuit::recovery::ProbeLimit;
    use crate::circuit::state::Generation;
    use crate::clock::{Instant, Span};
    use std::time::Duration;

    const RESET: Span = Span::from_duration(Duration::from_secs(30));

    fn seconds(seconds: u64) -> Instant {
        Instant::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn leases_of_an_earlier_generation_reject_no_call_of_the_next() {
        for count in [1, 64, 65, 2_000] {
            let limit = ProbeLimit {
                count,
                lease: RESET,
                timeout: Span::INDEFINITE,
            };
            let probes = Probes::default();
            for _ in 0..count {
                let slot = probes.request(limit, Generation::FIRST, || seconds(40), || true);
                assert!(matches!(slot, SlotRequest::Granted(_)));
            }
            for half_open_at in [10, 40] {
                let taken_until = probes.taken_until(limit, RESET, seconds(half_open_at));
                assert!(taken_until.is_some_and(|end| end > seconds(69) && end <= seconds(70)));
            }
            // The earliest circuit whose leases may end as soon as these.
            let end = seconds(70).plus(limit.granularity());
            let taken_until = probes.taken_until(
                limit,
                RESET,
                Instant::from_micros(end.as_micros() - RESET.as_micros()),
            );
            assert_eq!(taken_until, None, "{count}");
            // Opened by a thread preempted since second 39, or earlier.
            assert_eq!(probes.taken_until(limit, RESET, seconds(69)), None);
            assert_eq!(probes.taken_until(limit, RESET, seconds(41)), None);
        }
    }
}

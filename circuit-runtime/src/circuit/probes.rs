use std::collections::VecDeque;

use super::evidence::Evidence;
use super::policy::ProbeLimit;
use super::state::Generation;
use super::ticket::Lease;
use crate::clock::{Instant, Span};
use crate::sync::{AtomicU64, Lock, OnceBox, Ordering};

/// The places of the probes that a half-open circuit lets in, and how many of them have succeeded.
///
/// A place is leased, not owned: a probe that still runs when its lease ends has lost it, and another
/// may take it. A lease is never longer than an open phase, so a place that was leased before the circuit
/// opened again is free when probes are due again.
#[derive(Default)]
pub(crate) struct Probes {
    /// When a place is free again, while all are taken; past otherwise. Of any half-open phase.
    taken_until: AtomicU64,
    /// Made by the first probe.
    places: OnceBox<Lock<Evidence<Places>>>,
}

/// What comes of asking for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Leased(Lease),
    /// All are taken, until this moment at least.
    Taken(Instant),
    /// The half-open phase is over.
    Gone,
}

impl Probes {
    /// Until when all places are taken of the half-open phase that began at `half_open_at`, as far as
    /// that can be told at a glance.
    #[inline]
    pub(crate) fn taken_until(&self, limit: ProbeLimit, half_open_at: Instant) -> Option<Instant> {
        // Relaxed: who is let past takes the lock.
        let taken_until = Instant::from_micros(self.taken_until.load(Ordering::Relaxed));
        // A thread that was stopped while it opened the circuit did so from an earlier moment on.
        // Leases that others took meanwhile end after the wait does, and keep nobody out of the next
        // phase: none of its own ends so soon. If the thread was stopped for all of the wait, one lease
        // has to end first.
        let first_end = half_open_at.plus(limit.lease);
        (taken_until.plus(limit.step()) > first_end).then_some(taken_until)
    }

    /// Takes a place, if it is still the phase to do so, which is asked when nobody else can take one: who
    /// comes too late must not keep others out, be it for a moment. Of threads that race for the places
    /// exactly as many get one as there are.
    pub(crate) fn take(
        &self,
        limit: ProbeLimit,
        generation: Generation,
        now: Instant,
        still: impl FnOnce() -> bool,
    ) -> Place {
        self.with_places(limit, generation, |places| {
            if !still() {
                return Place::Gone;
            }
            places.end_leases(now);
            if !places.is_any_free(limit.count) {
                return Place::Taken(places.free_at(limit.count).unwrap_or(now));
            }
            let lease = Lease::new(now.rounded_down(limit.step()).plus(limit.lease));
            places.add(lease);
            Place::Leased(lease)
        })
        .unwrap_or(Place::Gone)
    }

    /// Frees the place of a probe that is no evidence, unless its lease has ended and the place is
    /// another probe's by now.
    pub(crate) fn give_back(&self, limit: ProbeLimit, generation: Generation, lease: Lease) {
        self.with_places(limit, generation, |places| places.remove(lease));
    }

    /// Counts a probe that has succeeded; whether it was the last one that had to.
    pub(crate) fn succeed(&self, limit: ProbeLimit, generation: Generation, lease: Lease) -> bool {
        let succeeded = self.with_places(limit, generation, |places| {
            if places.succeeded + 1 == limit.count {
                // It keeps its place: nobody may follow, as the circuit is about to close.
                return true;
            }
            places.remove(lease);
            places.succeeded += 1;
            false
        });
        succeeded.unwrap_or(false)
    }

    fn with_places<R>(
        &self,
        limit: ProbeLimit,
        generation: Generation,
        act: impl FnOnce(&mut Places) -> R,
    ) -> Option<R> {
        let places = self.places.get_or_init(|| {
            let places = Places::new(limit.count);
            Box::new(Lock::new(Evidence::new(places)))
        });
        places.with(|places| {
            let places = places.for_generation(generation, Places::clear)?;
            let result = act(places);
            let taken_until = places.free_at(limit.count).map_or(0, Instant::as_micros);
            self.taken_until.store(taken_until, Ordering::Relaxed);
            Some(result)
        })
    }
}

impl ProbeLimit {
    /// To what leases are rounded: for few probes not at all, for many so that there are not too many
    /// ends to remember.
    fn step(self) -> Span {
        if self.count <= EXACT {
            Span::MIN
        } else {
            self.lease.divided_by(EXACT.into())
        }
    }
}

/// Up to so many probes each lease lasts for the whole time; above, it may be shorter by this part.
const EXACT: u32 = 64;

/// The places of one half-open phase.
struct Places {
    /// Those that are taken, by when their leases end, the first one first.
    leases: VecDeque<Leases>,
    /// How many are taken.
    taken: u32,
    succeeded: u32,
}

/// Leases that end at the same time.
struct Leases {
    until: Instant,
    probes: u32,
}

impl Places {
    fn new(most: u32) -> Self {
        Self {
            leases: VecDeque::with_capacity(most.min(EXACT) as usize + 1),
            taken: 0,
            succeeded: 0,
        }
    }

    fn clear(&mut self) {
        self.leases.clear();
        self.taken = 0;
        self.succeeded = 0;
    }

    fn is_any_free(&self, most: u32) -> bool {
        self.taken < self.places(most)
    }

    /// How many there are: one less for each probe that has succeeded.
    fn places(&self, most: u32) -> u32 {
        most.saturating_sub(self.succeeded)
    }

    /// When leases that end free a place; `None` while one is free. That is the first end, unless a probe
    /// has succeeded whose place was another's by then: then more are taken than there are.
    fn free_at(&self, most: u32) -> Option<Instant> {
        let mut surplus = self.taken.checked_sub(self.places(most))?;
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

    fn first_end(&self) -> Option<Instant> {
        self.leases.front().map(|leases| leases.until)
    }

    /// Frees the places whose leases have ended by `now`.
    fn end_leases(&mut self, now: Instant) {
        while self.first_end().is_some_and(|end| end <= now) {
            let ended = self.leases.pop_front().map_or(0, |leases| leases.probes);
            self.taken -= ended;
        }
    }

    fn add(&mut self, lease: Lease) {
        let until = lease.until();
        self.taken += 1;
        match self.position(until) {
            Ok(place) => {
                if let Some(leases) = self.leases.get_mut(place) {
                    leases.probes += 1;
                }
            }
            Err(place) => self.leases.insert(place, Leases { until, probes: 1 }),
        }
    }

    fn remove(&mut self, lease: Lease) {
        let Ok(place) = self.position(lease.until()) else {
            return;
        };
        self.taken -= 1;
        if let Some(leases) = self.leases.get_mut(place) {
            leases.probes -= 1;
            if leases.probes == 0 {
                self.leases.remove(place);
            }
        }
    }

    /// Where the leases stand, or would, that end at `until`.
    fn position(&self, until: Instant) -> Result<usize, usize> {
        self.leases
            .binary_search_by_key(&until, |leases| leases.until)
    }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::{Place, Probes};
    use crate::circuit::policy::ProbeLimit;
    use crate::circuit::state::Generation;
    use crate::clock::{Instant, Span};
    use std::time::Duration;

    const RESET: Span = Span::of(Duration::from_secs(30));

    fn seconds(seconds: u64) -> Instant {
        Instant::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn leases_of_an_earlier_phase_keep_nobody_out_of_the_next() {
        for count in [1, 64, 65, 2_000] {
            let limit = ProbeLimit {
                count,
                lease: RESET,
            };
            let probes = Probes::default();
            for _ in 0..count {
                let place = probes.take(limit, Generation::FIRST, seconds(40), || true);
                assert!(matches!(place, Place::Leased(_)));
            }
            for half_open_at in [10, 40] {
                let taken_until = probes.taken_until(limit, seconds(half_open_at));
                assert!(taken_until.is_some_and(|end| end > seconds(69) && end <= seconds(70)));
            }
            // Opened by a thread that was stopped since second 39, or earlier.
            assert_eq!(probes.taken_until(limit, seconds(69)), None);
            assert_eq!(probes.taken_until(limit, seconds(41)), None);
        }
    }
}

//! The totals of a breaker since its start.

use super::ticket::Outcome;
use crate::sync::once_box::OnceBox;
use crate::sync::striped::Striped;
use crate::sync::{AtomicU16, AtomicU64, Ordering};

/// The number of totals.
const TOTALS: usize = Total::Rejected as usize + 1;

/// The increments of one total after which the counters are striped.
const STRIPE_AFTER: u16 = if cfg!(any(circuit_loom, circuit_shuttle)) {
    1
} else {
    1_000
};

/// The totals of a breaker.
///
/// Starts with one shared set of small counters, so that an idle breaker is small. After
/// [`STRIPE_AFTER`] increments, each thread gets a stripe that only it writes. Reading sums all of
/// them.
#[derive(Default)]
pub(crate) struct Counters {
    shared: [AtomicU16; TOTALS],
    striped: OnceBox<Stripes>,
}

#[derive(Default)]
struct Stripes {
    own: Striped<Stripe>,
    /// For threads without a slot: incremented atomically.
    slotless: Stripe,
}

/// One cache line of totals.
#[derive(Default)]
#[repr(align(64))]
struct Stripe([AtomicU64; TOTALS]);

/// A total, by the calls that it counts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Total {
    Succeeded,
    /// Returned an error, or was settled by `Permit::failure`.
    Failed,
    TimedOut,
    Panicked,
    Ignored,
    Cancelled,
    Rejected,
}

impl Total {
    /// Returns the total that counts calls of this outcome.
    #[inline]
    pub(crate) const fn for_outcome(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Succeeded => Self::Succeeded,
            Outcome::Failed => Self::Failed,
            Outcome::TimedOut => Self::TimedOut,
            Outcome::Panicked => Self::Panicked,
            Outcome::Ignored => Self::Ignored,
            Outcome::Cancelled => Self::Cancelled,
        }
    }
}

// Relaxed throughout: readers want a number, and nothing else is published through it.
impl Counters {
    /// Increments a total.
    #[inline]
    pub(crate) fn add(&self, total: Total) {
        if !self.add_to_own_stripe(total) {
            self.add_slow(total);
        }
    }

    /// Increments on this thread's stripe; returns `false` if it has none.
    #[inline]
    pub(crate) fn add_to_own_stripe(&self, total: Total) -> bool {
        let added = self
            .striped
            .get()
            .and_then(|stripes| stripes.own.with_own(|stripe| stripe.add_exclusive(total)));
        added.is_some()
    }

    /// Returns `true` once threads may have stripes.
    #[inline]
    pub(crate) fn are_striped(&self) -> bool {
        self.striped.get().is_some()
    }

    /// Slow path: counts in the shared counters, or sets up the stripes.
    #[inline(never)]
    fn add_slow(&self, total: Total) {
        let below_limit = |count: u16| (count < STRIPE_AFTER).then_some(count.wrapping_add(1));
        let try_add = |shared: &AtomicU16| {
            shared.fetch_update(Ordering::Relaxed, Ordering::Relaxed, below_limit)
        };
        if self
            .shared
            .get(total as usize)
            .is_some_and(|shared| try_add(shared).is_ok())
        {
            return;
        }
        let stripes = self.striped.get_or_init(Box::default);
        match stripes.own.make_own() {
            Some(stripe) => stripe.add_exclusive(total),
            None => stripes.slotless.add_atomically(total),
        }
    }

    /// Returns the sum over all threads.
    pub(crate) fn total(&self, total: Total) -> u64 {
        let shared = self.shared.get(total as usize);
        let shared = shared.map_or(0, |shared| shared.load(Ordering::Relaxed));
        let stripes = self.striped.get().into_iter();
        stripes
            .flat_map(|stripes| stripes.own.iter().chain([&stripes.slotless]))
            .map(|stripe| stripe.total(total))
            .fold(shared.into(), u64::wrapping_add)
    }
}

// Relaxed throughout, as above.
impl Stripe {
    /// Increments a total of which the calling thread is the only writer.
    #[inline]
    fn add_exclusive(&self, total: Total) {
        if let Some(count) = self.0.get(total as usize) {
            let added = count.load(Ordering::Relaxed).wrapping_add(1);
            count.store(added, Ordering::Relaxed);
        }
    }

    /// Increments a total that other threads may increment too.
    fn add_atomically(&self, total: Total) {
        if let Some(count) = self.0.get(total as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn total(&self, total: Total) -> u64 {
        let count = self.0.get(total as usize);
        count.map_or(0, |count| count.load(Ordering::Relaxed))
    }
}

use crate::permit::Outcome;
use crate::striped::Striped;
use crate::sync::{AtomicU64, OnceBox, Ordering};

/// The totals of a breaker, kept apart for each thread. Threads without a number share one stripe and
/// add to it atomically. A reader adds all stripes up.
#[derive(Default)]
pub(crate) struct Counters {
    stripes: Striped<Stripe>,
    shared: OnceBox<Stripe>,
}

/// One cache line of totals.
#[derive(Default)]
#[repr(align(64))]
pub(crate) struct Stripe {
    pub(crate) succeeded: AtomicU64,
    /// Of those that returned an error, or said so by their permit.
    pub(crate) failed: AtomicU64,
    pub(crate) timed_out: AtomicU64,
    pub(crate) panicked: AtomicU64,
    pub(crate) ignored: AtomicU64,
    pub(crate) cancelled: AtomicU64,
    pub(crate) rejected: AtomicU64,
    pub(crate) opened: AtomicU64,
}

impl Stripe {
    /// The total that counts calls of this outcome, each in one of them.
    #[inline]
    pub(crate) fn total_of(&self, outcome: Outcome) -> &AtomicU64 {
        match outcome {
            Outcome::Succeeded => &self.succeeded,
            Outcome::Failed => &self.failed,
            Outcome::TimedOut => &self.timed_out,
            Outcome::Panicked => &self.panicked,
            Outcome::Ignored => &self.ignored,
            Outcome::Cancelled => &self.cancelled,
        }
    }
}

impl Counters {
    /// Counts one more in the field that `field` picks.
    #[inline]
    pub(crate) fn add(&self, field: impl FnOnce(&Stripe) -> &AtomicU64) {
        match self.stripes.own() {
            Some(stripe) => add_alone(field(stripe)),
            None => self.add_first(field),
        }
    }

    /// Counts what may be the first of the calling thread, or what it has no stripe for.
    #[inline(never)]
    fn add_first(&self, field: impl FnOnce(&Stripe) -> &AtomicU64) {
        if let Some(stripe) = self.stripes.make_own() {
            return add_alone(field(stripe));
        }
        let stripe = self.shared.get_or_init(Box::default);
        field(stripe).fetch_add(1, Ordering::Relaxed);
    }

    /// What all threads have counted together.
    pub(crate) fn total(&self, field: impl Fn(&Stripe) -> &AtomicU64) -> u64 {
        self.stripes
            .iter()
            .chain(self.shared.get())
            .map(|stripe| field(stripe).load(Ordering::Relaxed))
            .fold(0, u64::wrapping_add)
    }
}

/// Counts one more where the calling thread is the only writer.
#[inline]
fn add_alone(count: &AtomicU64) {
    // Relaxed: readers want a number, not an order.
    count.store(
        count.load(Ordering::Relaxed).wrapping_add(1),
        Ordering::Relaxed,
    );
}

use super::ticket::Outcome;
use crate::sync::striped::Striped;
use crate::sync::{AtomicU16, AtomicU64, OnceBox, Ordering};

/// The totals of a breaker.
///
/// As long as there are few calls, all threads add to the same small numbers, so that an idle breaker
/// takes little memory. From [`FEW`] on each thread has a stripe of its own, where it is the only
/// writer. A reader adds all up.
#[derive(Default)]
pub(crate) struct Counters {
    few: [AtomicU16; TOTALS],
    many: OnceBox<Many>,
}

#[derive(Default)]
struct Many {
    own: Striped<Stripe>,
    /// Of threads without a number, which add to it atomically.
    shared: Stripe,
}

/// One cache line of totals.
#[derive(Default)]
#[repr(align(64))]
struct Stripe([AtomicU64; TOTALS]);

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Total {
    Succeeded,
    /// Of those that returned an error, or said so by their permit.
    Failed,
    TimedOut,
    Panicked,
    Ignored,
    Cancelled,
    Rejected,
    Opened,
}

const TOTALS: usize = Total::Opened as usize + 1;

/// How many calls that came to the same are few.
const FEW: u16 = if cfg!(any(circuit_loom, circuit_shuttle)) {
    1
} else {
    1_000
};

impl Total {
    /// The one that counts calls of this outcome.
    #[inline]
    pub(crate) const fn of(outcome: Outcome) -> Self {
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

// Relaxed throughout: readers want a number, not an order.
impl Counters {
    /// Counts one more.
    #[inline]
    pub(crate) fn add(&self, total: Total) {
        if !self.try_add_alone(total) {
            self.add_together(total);
        }
    }

    /// Counts one more if the calling thread has a stripe; whether it has.
    #[inline]
    pub(crate) fn try_add_alone(&self, total: Total) -> bool {
        let counted = self
            .many
            .get()
            .and_then(|many| many.own.with_own(|stripe| stripe.add_alone(total)));
        counted.is_some()
    }

    /// Counts what the calling thread has no stripe for, or none yet.
    #[inline(never)]
    fn add_together(&self, total: Total) {
        let one_more = |few| (few < FEW).then_some(few + 1);
        let count =
            |few: &AtomicU16| few.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        if self
            .few
            .get(total as usize)
            .is_some_and(|few| count(few).is_ok())
        {
            return;
        }
        let many = self.many.get_or_init(Box::default);
        match many.own.make_own() {
            Some(stripe) => stripe.add_alone(total),
            None => many.shared.add(total),
        }
    }

    /// What all threads have counted together.
    pub(crate) fn total(&self, total: Total) -> u64 {
        let few = self.few.get(total as usize);
        let few = few.map_or(0, |few| few.load(Ordering::Relaxed));
        let many = self.many.get().into_iter();
        many.flat_map(|many| many.own.iter().chain([&many.shared]))
            .map(|stripe| stripe.total(total))
            .fold(few.into(), u64::wrapping_add)
    }
}

impl Stripe {
    /// Counts one more where the calling thread is the only writer.
    #[inline]
    fn add_alone(&self, total: Total) {
        if let Some(count) = self.0.get(total as usize) {
            let counted = count.load(Ordering::Relaxed).wrapping_add(1);
            count.store(counted, Ordering::Relaxed);
        }
    }

    fn add(&self, total: Total) {
        if let Some(count) = self.0.get(total as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn total(&self, total: Total) -> u64 {
        let count = self.0.get(total as usize);
        count.map_or(0, |count| count.load(Ordering::Relaxed))
    }
}

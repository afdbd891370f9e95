use crate::permit::Outcome;
use crate::sync::{AtomicU64, OnceBox, Ordering};
use crate::thread;

/// The totals of a breaker, kept apart for each thread.
///
/// A thread that has a number owns one [`Stripe`] and is its only writer: it counts with a plain
/// load and a plain store, on a cache line that no other thread writes. Threads without a number
/// share one stripe and add to it atomically. A reader adds all stripes up.
///
/// Stripes are made on first use, in rows of 1, 2, 4 .. 32 of them: a breaker that one thread uses
/// holds one.
#[derive(Default)]
pub(crate) struct Counters {
    rows: [OnceBox<Box<[Stripe]>>; ROWS],
    shared: OnceBox<Stripe>,
}

const ROWS: usize = 6;

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
        let Some(number) = thread::number() else {
            return self.add_shared(field);
        };
        let (row, place) = seat(number);
        let stripe = match self.rows.get(row).and_then(OnceBox::get) {
            Some(stripes) => stripes.get(place),
            None => self.make(row, place),
        };
        if let Some(stripe) = stripe {
            // Relaxed: the thread is the only writer, and readers want a number, not an order.
            // What hands the stripe on to the number's next holder is `thread::Numbers`.
            let count = field(stripe);
            count.store(
                count.load(Ordering::Relaxed).wrapping_add(1),
                Ordering::Relaxed,
            );
        }
    }

    #[cold]
    fn add_shared(&self, field: impl FnOnce(&Stripe) -> &AtomicU64) {
        let stripe = self.shared.get_or_init(Box::default);
        field(stripe).fetch_add(1, Ordering::Relaxed);
    }

    #[cold]
    fn make(&self, row: usize, place: usize) -> Option<&Stripe> {
        let stripes = || Box::new((0..1_usize << row).map(|_| Stripe::default()).collect());
        self.rows.get(row)?.get_or_init(stripes).get(place)
    }

    /// What all threads have counted together.
    pub(crate) fn total(&self, field: impl Fn(&Stripe) -> &AtomicU64) -> u64 {
        let owned = self.rows.iter().filter_map(OnceBox::get).flatten();
        owned
            .chain(self.shared.get())
            .map(|stripe| field(stripe).load(Ordering::Relaxed))
            .fold(0, u64::wrapping_add)
    }
}

/// The row and the place in it of a thread's number: 0 | 1 2 | 3 4 5 6 | ..
#[inline]
fn seat(number: u32) -> (usize, usize) {
    let row = (number + 1).checked_ilog2().unwrap_or(0);
    let place = number + 1 - (1 << row);
    (row as usize, place as usize)
}

#[cfg(test)]
mod tests {
    use super::{ROWS, seat};
    use crate::thread::NUMBERS;
    use std::collections::HashSet;

    #[test]
    fn every_number_has_a_seat_of_its_own() {
        let seats: HashSet<_> = (0..NUMBERS).map(seat).collect();
        assert_eq!(seats.len(), NUMBERS as usize);
        assert!(
            seats
                .iter()
                .all(|&(row, place)| row < ROWS && place < 1 << row)
        );
    }
}

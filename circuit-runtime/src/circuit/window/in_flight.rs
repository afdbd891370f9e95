//! The calls counted on the fast path, by thread: those in flight, and fast successes.

use crate::circuit::state::Generation;
use crate::circuit::ticket::{GROUPS, Start};
use crate::clock::Instant;
use crate::sync::lock::Lock;
use crate::sync::once_box::OnceBox;
use crate::sync::striped::Striped;
use crate::sync::thread::{self, SLOTS};
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// The bit of the stripe that threads without a slot share.
const SHARED: u32 = u64::BITS - 1;
const _: () = assert!(SLOTS <= SHARED);

/// Calls counted on the fast path: those in flight and the fast successes. Each thread counts on
/// a stripe of its own, of two cache lines; threads without a slot share one more, under a lock.
///
/// A stripe belongs to one generation and ignores calls of any other. The first call of a new
/// generation on each thread begins the stripe anew, under the lock of the ledger; so no call is
/// counted before the evidence behind that lock belongs to its generation.
///
/// The shared stripe is begun by one thread while others keep counting, so each of them evaluates
/// `still_fast` again once it holds the lock.
#[derive(Default)]
pub(super) struct InFlight {
    stripes: Striped<Stripe>,
    shared: OnceBox<Lock<Stripe>>,
    /// The stripes that belong to the latest generation, one bit each: only these are added up.
    /// Read and written under the lock of the ledger.
    begun: AtomicU64,
}

#[derive(Default)]
#[repr(align(64))]
struct Stripe {
    generation: AtomicU64,
    fast_successes: AtomicU64,
    /// When the latest of the calls in flight started here.
    latest_start: AtomicU64,
    /// The calls in flight by group: those that started here less those that ended here, which is
    /// below zero on many a thread.
    in_flight: [AtomicU32; GROUPS],
}

/// The sum over the stripes of a generation.
pub(super) struct Sum {
    pub(super) fast_successes: u64,
    pub(super) latest_start: Instant,
    pub(super) in_flight: [u32; GROUPS],
}

impl InFlight {
    /// Counts a fast success that was not in flight; returns `true` if it was counted.
    #[inline]
    pub(super) fn add_fast_success(
        &self,
        generation: Generation,
        still_fast: impl FnOnce() -> bool,
    ) -> bool {
        self.count(generation, still_fast, Stripe::add_fast_success)
    }

    /// Counts a fast success, which is no longer in flight; returns `true` if it was counted.
    #[inline]
    pub(super) fn end_fast_success(
        &self,
        generation: Generation,
        start: Start,
        still_fast: impl FnOnce() -> bool,
    ) -> bool {
        self.count(generation, still_fast, |stripe| {
            // Order matters: a reader must never count this call both as a fast success and as in
            // flight.
            stripe.end(start);
            stripe.add_fast_success();
        })
    }

    /// Counts a call that is in flight from now on; returns `true` if it was counted.
    #[inline]
    pub(super) fn start(
        &self,
        generation: Generation,
        start: Start,
        still_fast: impl FnOnce() -> bool,
    ) -> bool {
        self.count(generation, still_fast, |stripe| stripe.start(start))
    }

    /// Counts calls that are in flight already, the latest since `start`.
    pub(super) fn add(&self, generation: Generation, start: Start, calls: u32) {
        self.count(generation, || true, |stripe| stripe.add(start, calls));
    }

    /// Counts a call that is no longer in flight; returns `true` if it was counted.
    pub(super) fn end(&self, generation: Generation, start: Start) -> bool {
        self.count(generation, || true, |stripe| stripe.end(start))
    }

    /// Makes a change if the thread's stripe belongs to this generation.
    #[expect(
        clippy::inline_always,
        reason = "a call of its own would cost a third of all that a success does"
    )]
    #[inline(always)]
    fn count(
        &self,
        generation: Generation,
        still_fast: impl FnOnce() -> bool,
        change: impl Fn(&Stripe),
    ) -> bool {
        let counted = self
            .stripes
            .with_own(|stripe| stripe.count(generation, &change));
        counted.unwrap_or_else(|| self.count_slow(generation, still_fast, change))
    }

    /// Slow path: makes the thread's stripe, or counts on the shared one.
    #[inline(never)]
    fn count_slow(
        &self,
        generation: Generation,
        still_fast: impl FnOnce() -> bool,
        change: impl FnOnce(&Stripe),
    ) -> bool {
        match self.stripes.make_own() {
            Some(stripe) if stripe.belongs_to(generation) => stripe.count(generation, change),
            // A thread that has just got its slot may have begun the shared stripe instead.
            _ => self.with_shared(|stripe| still_fast() && stripe.count(generation, change)),
        }
    }

    fn with_shared<R>(&self, act: impl FnOnce(&Stripe) -> R) -> R {
        self.shared
            .get_or_init(Box::default)
            .with(|stripe| act(stripe))
    }

    /// Begins the thread's stripe anew, if it belongs to an earlier generation. Called under the
    /// lock of the ledger, as is [`sum`](Self::sum): no stripe begins while they are added up.
    pub(super) fn begin(&self, generation: Generation) {
        let belongs = |stripe: &Stripe| stripe.belongs_to(generation);
        if self.stripes.with_own(belongs) != Some(true) {
            self.begin_slow(generation);
        }
    }

    #[inline(never)]
    fn begin_slow(&self, generation: Generation) {
        let bit = if let Some(stripe) = self.stripes.make_own() {
            stripe.begin(generation);
            thread::current_slot()
        } else {
            self.with_shared(|stripe| stripe.begin(generation));
            SHARED
        };
        // Relaxed, here and below: ordered by the lock.
        let begun = self.begun.load(Ordering::Relaxed);
        self.begun.store(begun | 1 << bit, Ordering::Relaxed);
    }

    /// Forgets which stripes belong to the latest generation, as a new one begins. Called under the
    /// lock of the ledger.
    pub(super) fn clear(&self) {
        self.begun.store(0, Ordering::Relaxed);
    }

    /// Adds up the calls of `generation`, the latest.
    pub(super) fn sum(&self, generation: Generation) -> Sum {
        let mut sum = Sum {
            fast_successes: 0,
            latest_start: Instant::from_micros(0),
            in_flight: [0; GROUPS],
        };
        let mut left = self.begun.load(Ordering::Relaxed);
        while left != 0 {
            let bit = left.trailing_zeros();
            left &= left.wrapping_sub(1);
            if bit == SHARED {
                self.with_shared(|stripe| stripe.add_to(&mut sum, generation));
            } else if let Some(stripe) = self.stripes.of_slot(bit as usize) {
                stripe.add_to(&mut sum, generation);
            }
        }
        sum
    }
}

// Relaxed, unless said otherwise: each stripe has one writer at a time, and a reader visits one
// stripe after the other. A call that starts or ends meanwhile may or may not be counted.
impl Stripe {
    #[inline]
    fn count(&self, generation: Generation, change: impl FnOnce(&Self)) -> bool {
        let belongs = self.belongs_to(generation);
        if belongs {
            change(self);
        }
        belongs
    }

    #[inline]
    fn belongs_to(&self, generation: Generation) -> bool {
        self.generation.load(Ordering::Relaxed) == generation.to_bits()
    }

    fn begin(&self, generation: Generation) {
        if self.generation.load(Ordering::Relaxed) < generation.to_bits() {
            self.fast_successes.store(0, Ordering::Relaxed);
            self.latest_start.store(0, Ordering::Relaxed);
            for calls in &self.in_flight {
                calls.store(0, Ordering::Relaxed);
            }
            self.generation
                .store(generation.to_bits(), Ordering::Relaxed);
        }
    }

    #[inline]
    fn add_fast_success(&self) {
        let fast_successes = self.fast_successes.load(Ordering::Relaxed);
        // Release: a reader that counts this success does not count the call as in flight.
        self.fast_successes
            .store(fast_successes.wrapping_add(1), Ordering::Release);
    }

    #[inline]
    fn start(&self, start: Start) {
        self.add(start, 1);
    }

    #[inline]
    fn add(&self, start: Start, calls: u32) {
        let moment = start.moment().as_micros();
        // A thread that shares the stripe may have read the clock earlier than the last to count.
        let latest_start = self.latest_start.load(Ordering::Relaxed);
        self.latest_start
            .store(latest_start.max(moment), Ordering::Relaxed);
        self.change_in_flight(start, calls);
    }

    #[inline]
    fn end(&self, start: Start) {
        self.change_in_flight(start, 1_u32.wrapping_neg());
    }

    #[inline]
    fn change_in_flight(&self, start: Start, change: u32) {
        if let Some(calls) = self.in_flight.get(start.group()) {
            let changed = calls.load(Ordering::Relaxed).wrapping_add(change);
            // Release: a reader that counts a call as in flight also sees its start.
            calls.store(changed, Ordering::Release);
        }
    }

    fn add_to(&self, sum: &mut Sum, generation: Generation) {
        if !self.belongs_to(generation) {
            return;
        }
        // Acquire, here and below: pairs with the two releases above.
        let fast_successes = self.fast_successes.load(Ordering::Acquire);
        sum.fast_successes = sum.fast_successes.saturating_add(fast_successes);
        for (sum, calls) in sum.in_flight.iter_mut().zip(&self.in_flight) {
            *sum = sum.wrapping_add(calls.load(Ordering::Acquire));
        }
        let latest_start = Instant::from_micros(self.latest_start.load(Ordering::Relaxed));
        sum.latest_start = sum.latest_start.max(latest_start);
    }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::Stripe;
    use crate::circuit::ticket::Start;
    use crate::clock::Instant;
    use crate::sync::Ordering;

    #[test]
    fn a_late_thread_does_not_make_the_latest_start_earlier() {
        let stripe = Stripe::default();
        for micros in [100, 200, 150] {
            stripe.start(Start::new(Instant::from_micros(micros), 0));
        }
        assert_eq!(stripe.latest_start.load(Ordering::Relaxed), 200);
    }
}

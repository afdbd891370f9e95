//! The gradual admission of calls after a recovery.

use crate::clock::{Instant, Span};
use crate::sync::{AtomicU64, Ordering};

/// The number that stands for all calls; shares are fractions of it.
const ALL: u64 = 1 << 32;

/// The smallest share, admitted at the start of a ramp: a tenth, rounded up so that ten calls never
/// add up to less than one.
const LEAST: u64 = ALL.div_ceil(10);

/// A ramp is divided into this many parts, and a call is admitted in each of them.
const PARTS: u64 = 10;

/// Decides which calls a ramp admits.
///
/// Every call adds the admitted share to a sum and is admitted when the sum passes a whole number.
/// This spreads admitted calls evenly, as Bresenham's algorithm spreads the steps of a line
/// (Bresenham, "Algorithm for computer control of a digital plotter", 1965), and takes no lock.
#[derive(Default)]
pub(super) struct Ramp {
    /// The sum, in units of one call divided by [`ALL`].
    sum: AtomicU64,
    /// When the latest call was admitted.
    admitted_at: AtomicU64,
}

// Relaxed throughout: the phase that a ramp belongs to is verified by reading the state, and each
// word has its meaning by itself.
impl Ramp {
    /// Begins anew at `since`: the first call is admitted.
    pub(super) fn begin(&self, since: Instant) {
        self.sum.store(ALL - LEAST, Ordering::Relaxed);
        self.admitted_at.store(since.as_micros(), Ordering::Relaxed);
    }

    /// Returns `true` if the ramp that began at `since` and takes `length` admits a call at `now`.
    pub(super) fn admit(&self, since: Instant, length: Span, now: Instant) -> bool {
        let share = share(now.since(since), length);
        let sum = self.sum.fetch_add(share, Ordering::Relaxed);
        if passes_whole_number(sum, share) {
            // The latest: a late thread, perhaps of an earlier ramp, makes no other call due.
            self.admitted_at
                .fetch_max(now.as_micros(), Ordering::Relaxed);
            return true;
        }
        let admitted_at = self.admitted_at.load(Ordering::Relaxed);
        is_due(admitted_at, length, now)
            // One of racing threads is admitted.
            && self
                .admitted_at
                .compare_exchange(
                    admitted_at,
                    now.as_micros(),
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                )
                .is_ok()
    }

    /// Returns `true` if [`admit`](Self::admit) would, and counts nothing.
    pub(super) fn would_admit(&self, since: Instant, length: Span, now: Instant) -> bool {
        let share = share(now.since(since), length);
        passes_whole_number(self.sum.load(Ordering::Relaxed), share)
            || is_due(self.admitted_at.load(Ordering::Relaxed), length, now)
    }

    /// Counts a call that [`would_admit`](Self::would_admit) rejected ahead: like one that
    /// [`admit`](Self::admit) rejects, it adds the share to the sum.
    ///
    /// Never past a whole number: the call that passes it is admitted, and this one was not.
    pub(super) fn reject(&self, since: Instant, length: Span, now: Instant) {
        let share = share(now.since(since), length);
        let _ = self
            .sum
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |sum| {
                (!passes_whole_number(sum, share)).then(|| sum.wrapping_add(share))
            });
    }
}

/// Returns how long a rejected call of a ramp of this length waits at most for the next admission.
pub(super) fn retry_after(length: Span) -> Span {
    length.divided_by(PARTS)
}

/// Returns the share of calls that a ramp of this length admits when it has run for `elapsed`: from
/// 0.1 to 1.0.
#[expect(clippy::cast_precision_loss, reason = "to be shown, not compared")]
pub(super) fn admitted_share(elapsed: Span, length: Span) -> f64 {
    let share = elapsed.as_micros() as f64 / length.as_micros().max(1) as f64;
    share.clamp(0.1, 1.0)
}

/// Returns the share as a number of [`ALL`].
fn share(elapsed: Span, length: Span) -> u64 {
    let elapsed = u128::from(elapsed.as_micros()).saturating_mul(ALL.into());
    let share = elapsed.checked_div(length.as_micros().into());
    share.map_or(ALL, |share| {
        u64::try_from(share).unwrap_or(ALL).clamp(LEAST, ALL)
    })
}

fn passes_whole_number(sum: u64, share: u64) -> bool {
    // Wrapping: the sum keeps its fraction when it overflows.
    sum.wrapping_add(share) >> 32 != sum >> 32
}

/// Returns `true` if no call was admitted for a whole part of the ramp.
fn is_due(admitted_at: u64, length: Span, now: Instant) -> bool {
    now.since(Instant::from_micros(admitted_at)) >= retry_after(length)
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::{ALL, Ramp, admitted_share, share};
    use crate::clock::{Instant, Span};

    const LENGTH: Span = Span::from_micros(1_000_000);
    const BEGIN: Instant = Instant::from_micros(5_000_000);

    fn ramp() -> Ramp {
        let ramp = Ramp::default();
        ramp.begin(BEGIN);
        ramp
    }

    fn at(percent: u64) -> Instant {
        BEGIN.plus(Span::from_micros(percent * 10_000))
    }

    #[test]
    fn the_share_grows_from_a_tenth_to_all() {
        for (percent, expected) in [(0, 0.1), (5, 0.1), (10, 0.1), (30, 0.3), (99, 0.99)] {
            let share = admitted_share(at(percent).since(BEGIN), LENGTH);
            assert!((share - expected).abs() < 1e-9, "{share} at {percent} %");
        }
        for percent in [100, 1_000] {
            let share = admitted_share(at(percent).since(BEGIN), LENGTH);
            assert!((1.0..=1.0).contains(&share), "{share} at {percent} %");
        }
        assert_eq!(share(Span::INDEFINITE, Span::from_micros(1)), ALL);
        assert_eq!(
            share(Span::MIN, Span::from_micros(0)),
            ALL,
            "no ramp at all"
        );
        assert_eq!(share(Span::INDEFINITE, Span::INDEFINITE), ALL);
    }

    #[test]
    fn any_hundred_consecutive_calls_hold_the_share() {
        for percent in [10_u32, 30, 55, 97, 100] {
            let ramp = ramp();
            let now = at(percent.into());
            let admitted: Vec<bool> = (0..5_000).map(|_| ramp.admit(BEGIN, LENGTH, now)).collect();
            assert_eq!(admitted.first(), Some(&true), "the first call");
            for hundred in admitted.windows(100) {
                let count = hundred.iter().filter(|admitted| **admitted).count();
                let expected = percent as usize;
                assert!(count.abs_diff(expected) <= 1, "{count} at {percent} %");
            }
        }
    }

    #[test]
    fn a_call_is_admitted_when_none_was_for_a_tenth_of_the_ramp() {
        let ramp = ramp();
        let mut admitted = 0;
        for now in (0..10).map(|part| at(part * 10)) {
            assert!(ramp.would_admit(BEGIN, LENGTH, now));
            admitted += u32::from(ramp.admit(BEGIN, LENGTH, now));
        }
        assert_eq!(admitted, 10);
    }

    #[test]
    fn no_other_call_is_admitted_so_early() {
        let ramp = ramp();
        assert!(ramp.admit(BEGIN, LENGTH, BEGIN));
        // By the share alone, only the first of ten calls is admitted.
        assert!(!ramp.would_admit(BEGIN, LENGTH, at(9)));
        assert!(!ramp.admit(BEGIN, LENGTH, at(9)));
        assert!(ramp.admit(BEGIN, LENGTH, at(10)));
        assert!(!ramp.admit(BEGIN, LENGTH, at(10)), "one is enough");
    }

    #[test]
    fn calls_that_are_rejected_ahead_count_towards_the_share() {
        for percent in [10_u32, 30, 55, 97] {
            let ramp = ramp();
            let now = at(percent.into());
            let call = |_: &u32| {
                if ramp.would_admit(BEGIN, LENGTH, now) {
                    return ramp.admit(BEGIN, LENGTH, now);
                }
                ramp.reject(BEGIN, LENGTH, now);
                false
            };
            let admitted = (0..1_000).filter(call).count();
            let expected = 10 * percent as usize;
            assert!(admitted.abs_diff(expected) <= 1, "{admitted} of {expected}");
        }
    }

    #[test]
    fn many_calls_that_are_rejected_at_once_take_no_admission_from_the_next() {
        let ramp = ramp();
        assert!(ramp.admit(BEGIN, LENGTH, BEGIN));
        // Each of them was asked about before another was counted.
        for _ in 0..1_005 {
            ramp.reject(BEGIN, LENGTH, BEGIN);
        }
        assert!(ramp.admit(BEGIN, LENGTH, BEGIN));
        assert!(!ramp.admit(BEGIN, LENGTH, BEGIN), "only one");
    }

    #[test]
    fn a_question_counts_nothing() {
        let ramp = ramp();
        for _ in 0..3 {
            assert!(ramp.would_admit(BEGIN, LENGTH, BEGIN));
        }
        assert!(ramp.admit(BEGIN, LENGTH, BEGIN));
        for _ in 0..30 {
            assert!(!ramp.would_admit(BEGIN, LENGTH, BEGIN));
        }
        let admitted = (0..9).filter(|_| ramp.admit(BEGIN, LENGTH, BEGIN)).count();
        assert_eq!(admitted, 0, "one of the first ten calls");
    }
}

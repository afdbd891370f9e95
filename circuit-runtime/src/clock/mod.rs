//! The one source of time; nothing else in the crate reads a clock.
//!
//! Time is monotonic, and counted in whole microseconds from an origin before the first reading.
//! There are two readings of the same time line: [`now`] is exact, [`coarse`] costs a fraction of
//! it and lags behind by less than [`LAG`].
//!
//! In tests, every circuit has a time line of its own, see [`OwnTime`].

mod calendar;
mod time;

#[cfg(any(circuit_loom, circuit_shuttle))]
pub(crate) mod model;
#[cfg(any(circuit_loom, circuit_shuttle, not(feature = "test-util")))]
mod shared;
#[cfg(not(any(circuit_loom, circuit_shuttle, feature = "test-util")))]
mod system;
#[cfg(all(feature = "test-util", not(any(circuit_loom, circuit_shuttle))))]
mod time_line;
#[cfg(all(feature = "test-util", not(any(circuit_loom, circuit_shuttle))))]
mod tokio;

pub(crate) use calendar::system_time;
pub(crate) use time::{Instant, Span};

#[cfg(all(feature = "test-util", not(any(circuit_loom, circuit_shuttle))))]
pub(crate) use self::tokio::OwnTime;
#[cfg(any(circuit_loom, circuit_shuttle, not(feature = "test-util")))]
pub(crate) use shared::OwnTime;

#[cfg(any(circuit_loom, circuit_shuttle))]
use self::model as source;
#[cfg(not(any(circuit_loom, circuit_shuttle, feature = "test-util")))]
use self::system as source;
#[cfg(all(feature = "test-util", not(any(circuit_loom, circuit_shuttle))))]
use self::tokio as source;

/// An upper bound of how far [`coarse`] lags behind [`now`] while the system's timer ticks.
///
/// A hypervisor that preempts the processor holds up the ticks, too: then the coarse clock lags by
/// longer. So the exact clock alone decides what must not happen too early. By the coarse one, a
/// rejection may be late, and shares of calls are those of a moment ago.
pub(crate) const LAG: Span = source::LAG;

/// Reads the exact clock.
#[inline]
pub(crate) fn now() -> Instant {
    source::now()
}

/// Reads the coarse clock: never later than [`now`], and earlier by less than [`LAG`].
#[inline]
pub(crate) fn coarse() -> Instant {
    source::coarse()
}

/// Has the exact clock show `moment`, which is at most microseconds ahead, and reads it: a clock
/// that runs by itself is waited for, one that a test has paused is moved.
#[cold]
pub(crate) fn catch_up(moment: Instant) -> Instant {
    source::catch_up(moment);
    now()
}

/// Reads the cheapest clock whose readings are off by less than `error`.
#[inline]
pub(crate) fn accurate_to(error: Span) -> Instant {
    if error < LAG { now() } else { coarse() }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::{LAG, Span, coarse, now};
    use std::thread;
    use std::time::Duration;

    #[test]
    fn the_coarse_clock_is_never_ahead_of_the_exact_one_and_not_far_behind() {
        // This thread may be preempted between two readings, but not between most of them.
        let in_time = (0..1_000).filter(|_| {
            let reading = coarse();
            let exact = now();
            assert!(reading <= exact);
            let margin = Span::from_duration(Duration::from_micros(100));
            exact < reading.plus(LAG).plus(margin)
        });
        assert!(in_time.count() > 0);
    }

    #[test]
    fn neither_clock_runs_backwards_on_any_thread() {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut latest = (coarse(), now());
                    for _ in 0..10_000 {
                        let next = (coarse(), now());
                        assert!(next.0 >= latest.0 && next.1 >= latest.1);
                        latest = next;
                    }
                });
            }
        });
    }
}

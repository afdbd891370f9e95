//! The one source of time. Nothing else in the crate reads a clock.
//!
//! Time is monotonic and counted in whole microseconds, from a moment long before the process
//! asked first. There are two readings of the same time line: [`now`] is exact, [`coarse`] costs a
//! fraction of it and lags behind by less than [`LAG`].
#![cfg_attr(
    not(any(circuit_loom, circuit_shuttle)),
    expect(clippy::disallowed_methods, reason = "this is where time is read")
)]

use std::time::Duration;

/// A moment, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(u64);

/// A length of time in microseconds, rounded up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span(u64);

/// How far [`coarse`] may be behind [`now`].
pub(crate) const LAG: Span = Span(source::LAG);

impl Instant {
    #[inline]
    pub(crate) const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    #[inline]
    pub(crate) const fn as_micros(self) -> u64 {
        self.0
    }

    #[inline]
    pub(crate) const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// The last multiple of `step` until now.
    pub(crate) const fn rounded_down(self, step: Span) -> Self {
        Self(self.0 - self.0 % if step.0 == 0 { 1 } else { step.0 })
    }

    /// The time from `earlier` until now; none when `earlier` is the later one.
    #[inline]
    pub(crate) const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    pub(crate) const MIN: Self = Self(1);

    /// Longer than any duration.
    pub(crate) const ENDLESS: Self = Self(u64::MAX);

    #[inline]
    pub(crate) const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    pub(crate) const fn of(duration: Duration) -> Self {
        let micros = duration.as_nanos().div_ceil(1_000);
        if micros >= u64::MAX as u128 {
            return Self(u64::MAX - 1);
        }
        #[expect(clippy::cast_possible_truncation, reason = "compared one line above")]
        Self(micros as u64)
    }

    pub(crate) const fn as_micros(self) -> u64 {
        self.0
    }

    /// Twice as long, so many times.
    pub(crate) const fn doubled(self, times: u32) -> Self {
        if times < self.0.leading_zeros() {
            Self(self.0 << times)
        } else {
            Self(u64::MAX - 1)
        }
    }

    /// One of so many equal parts, rounded up.
    pub(crate) const fn divided_by(self, parts: u64) -> Self {
        Self(self.0.div_ceil(parts))
    }

    /// Longer by this share of itself.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a random share need not be exact, and a cast of a float saturates"
    )]
    pub(crate) fn longer_by(self, share: f64) -> Self {
        let longer = self.0.saturating_add((self.0 as f64 * share) as u64);
        Self(longer.min(u64::MAX - 1))
    }

    #[inline]
    pub(crate) const fn as_duration(self) -> Duration {
        Duration::from_micros(self.0)
    }
}

/// The exact time.
#[inline]
pub(crate) fn now() -> Instant {
    Instant::from_micros(source::now())
}

/// A time that is not later than [`now`], and earlier by less than [`LAG`].
#[inline]
pub(crate) fn coarse() -> Instant {
    Instant::from_micros(source::coarse())
}

/// Returns the cheaper of the two readings that is off by less than `error`.
#[inline]
pub(crate) fn accurate_to(error: Span) -> Instant {
    if error < LAG { now() } else { coarse() }
}

/// What `Duration::as_micros` says, without its 128 bits.
#[cfg(not(any(circuit_loom, circuit_shuttle)))]
fn whole_micros(duration: Duration) -> u64 {
    duration
        .as_secs()
        .saturating_mul(1_000_000)
        .saturating_add(u64::from(duration.subsec_micros()))
}

/// The system's clocks. On Linux the coarse one is read in the time of two or three additions.
#[cfg(not(any(circuit_loom, circuit_shuttle, feature = "test-util")))]
mod source {
    use std::sync::LazyLock;
    use std::time::{Duration, Instant};

    /// Where the exact clock stood at a moment in microseconds.
    struct Origin {
        exact: Instant,
        micros: u64,
        /// How far apart the two clocks were read.
        apart: Duration,
    }

    impl Origin {
        /// Reads the exact clock first: it must not be the one that is behind.
        fn read() -> Self {
            let exact = Instant::now();
            let micros = coarse_at_start() + LAG / 2;
            let apart = exact.elapsed();
            Self {
                exact,
                micros,
                apart,
            }
        }
    }

    static ORIGIN: LazyLock<Origin> = LazyLock::new(|| {
        // If the system stops this thread between the two readings, the clocks would differ by that
        // time for ever.
        let mut closest = Origin::read();
        for _ in 0..100 {
            if closest.apart < Duration::from_micros(100) {
                break;
            }
            let next = Origin::read();
            if next.apart < closest.apart {
                closest = next;
            }
        }
        closest
    });

    /// Two ticks of the slowest timer interrupt in use: one for the tick that is under way, and one
    /// for the tick that was under way at the start.
    #[cfg(target_os = "linux")]
    pub(super) const LAG: u64 = 20_000;

    #[cfg(not(target_os = "linux"))]
    pub(super) const LAG: u64 = 0;

    #[inline]
    pub(super) fn now() -> u64 {
        let origin = &*ORIGIN;
        origin.micros + super::whole_micros(origin.exact.elapsed())
    }

    #[cfg(target_os = "linux")]
    #[inline]
    pub(super) fn coarse() -> u64 {
        // Seconds with 32 binary digits after the point.
        let fixed = coarsetime::Instant::now_without_cache_update().as_ticks();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a million is less than 2^32"
        )]
        let micros = ((u128::from(fixed) * 1_000_000) >> 32) as u64;
        micros
    }

    #[cfg(target_os = "linux")]
    fn coarse_at_start() -> u64 {
        coarse()
    }

    #[cfg(not(target_os = "linux"))]
    #[inline]
    pub(super) fn coarse() -> u64 {
        now()
    }

    #[cfg(not(target_os = "linux"))]
    fn coarse_at_start() -> u64 {
        0
    }
}

/// Tokio's clock, which a test can pause and advance.
///
/// Every runtime has a clock of its own, and a paused one may have run hours ahead. Each is shown
/// as beginning at the latest moment that any other has shown by then: for a breaker that tests use
/// one after the other, each in its own runtime, time never goes back. Tests that run at the same
/// time do not disturb each other.
#[cfg(all(feature = "test-util", not(any(circuit_loom, circuit_shuttle))))]
mod source {
    use super::whole_micros;
    use std::collections::HashMap;
    use std::sync::{LazyLock, Mutex, PoisonError};
    use tokio::runtime::{Handle, Id};
    use tokio::time::Instant;

    #[derive(Default)]
    struct TimeLines {
        latest: u64,
        /// Of each runtime, and of the threads outside of any.
        origins: HashMap<Option<Id>, Origin>,
    }

    /// What a clock showed when it was first read, and the moment that this counts as.
    struct Origin {
        shown: Instant,
        micros: u64,
    }

    static START: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);
    static TIME_LINES: LazyLock<Mutex<TimeLines>> = LazyLock::new(Mutex::default);

    pub(super) fn now() -> u64 {
        let mut lines = TIME_LINES.lock().unwrap_or_else(PoisonError::into_inner);
        let (runtime, shown) = match Handle::try_current() {
            Ok(handle) => (Some(handle.id()), Instant::now()),
            // Tokio's clock would panic in a thread that is ending.
            Err(error) if error.is_thread_local_destroyed() => {
                (None, Instant::from_std(std::time::Instant::now()))
            }
            Err(_) => (None, Instant::now()),
        };
        // Clocks that nobody paused agree: each begins at the real time.
        let micros = lines.latest.max(whole_micros(START.elapsed()));
        let origin = lines
            .origins
            .entry(runtime)
            .or_insert(Origin { shown, micros });
        let elapsed = whole_micros(shown.saturating_duration_since(origin.shown));
        let now = origin.micros.saturating_add(elapsed);
        lines.latest = lines.latest.max(now);
        now
    }

    pub(super) const LAG: u64 = 0;

    pub(super) fn coarse() -> u64 {
        now()
    }
}

/// A hand that only the model moves, and a coarse one that it keeps behind.
#[cfg(any(circuit_loom, circuit_shuttle))]
pub(crate) mod source {
    use std::cell::Cell;

    /// Less than what the models take for a short time.
    pub(crate) const LAG: u64 = 500;

    // All threads of a model run on one thread of the system.
    std::thread_local! {
        static HAND: Cell<u64> = const { Cell::new(0) };
        static BEHIND: Cell<u64> = const { Cell::new(0) };
    }

    pub(crate) fn set(micros: u64) {
        HAND.set(micros);
    }

    /// Keeps the coarse hand behind by so much, which is less than [`LAG`].
    pub(crate) fn keep_behind(micros: u64) {
        BEHIND.set(micros);
    }

    pub(super) fn now() -> u64 {
        HAND.get()
    }

    pub(super) fn coarse() -> u64 {
        now().saturating_sub(BEHIND.get())
    }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::{LAG, Span, coarse, now};
    use std::thread;
    use std::time::Duration;

    #[test]
    fn the_coarse_clock_is_never_ahead_and_not_far_behind() {
        // Of many readings most are taken while the system lets this thread run.
        let in_time = (0..1_000).filter(|_| {
            let shown = coarse();
            let exact = now();
            assert!(shown <= exact);
            exact < shown.plus(LAG).plus(Span::of(Duration::from_micros(100)))
        });
        assert!(in_time.count() > 0);
    }

    #[test]
    fn time_never_goes_back_on_any_thread() {
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

    #[test]
    fn spans_are_whole_microseconds_rounded_up() {
        let micros = |nanos| Span::of(Duration::from_nanos(nanos)).as_micros();
        assert_eq!([0, 1, 1_000, 1_001, 2_000].map(micros), [0, 1, 1, 2, 2]);
        assert!(Span::of(Duration::MAX) < Span::ENDLESS);
    }
}

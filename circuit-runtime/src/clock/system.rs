//! The system's clocks. On Linux the coarse one is read in the time of two or three additions;
//! elsewhere both are the exact one.

#![expect(clippy::disallowed_methods, reason = "this is where time is read")]

use std::hint;
use std::sync::LazyLock;
use std::time::Duration;
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
use std::time::Instant as SystemInstant;
// The standard library has no clock there.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use web_time::Instant as SystemInstant;

use super::time::{Instant, Span};

/// How often the clock is read while it is waited for: a bound, should it stand still.
const MAX_READINGS: u32 = 1_000;

/// Two ticks of the slowest timer interrupt in use: one for the current tick, and one for the tick
/// that was current when the origin was read.
#[cfg(target_os = "linux")]
pub(super) const LAG: Span = Span::from_micros(20_000);

#[cfg(not(target_os = "linux"))]
pub(super) const LAG: Span = Span::from_micros(0);

/// How many times the origin is read again, if the thread was preempted each time.
const ATTEMPTS: u32 = 100;

/// The longest time between the two readings of an origin that is good enough.
const CLOSE: Duration = Duration::from_micros(100);

static ORIGIN: LazyLock<Origin> = LazyLock::new(|| {
    // A preemption between the two readings would keep the clocks apart by its length for good.
    let mut closest = Origin::read();
    for _ in 0..ATTEMPTS {
        if closest.apart < CLOSE {
            break;
        }
        let next = Origin::read();
        if next.apart < closest.apart {
            closest = next;
        }
    }
    closest
});

/// A reading of the exact clock, paired with its position on the time line.
///
/// If the processor was preempted just before, the coarse reading is too early, and the exact clock
/// behind the coarse one for good, by that time less half of [`LAG`]. Then a rejection may say to
/// wait for too short a time; it is still the exact clock that ends the wait.
struct Origin {
    exact: SystemInstant,
    micros: u64,
    /// The time between the readings of the two clocks.
    apart: Duration,
}

impl Origin {
    /// Reads the exact clock first, so that the coarse one can never be ahead of it.
    fn read() -> Self {
        let exact = SystemInstant::now();
        let micros = coarse_at_start().saturating_add(LAG.as_micros() / 2);
        let apart = exact.elapsed();
        Self {
            exact,
            micros,
            apart,
        }
    }
}

#[inline]
pub(super) fn now() -> Instant {
    let origin = &*ORIGIN;
    let elapsed = origin.exact.elapsed();
    // Wrapping costs least, and 64 bits of microseconds last for half a million years.
    let micros = elapsed.as_secs().wrapping_mul(1_000_000);
    let micros = micros.wrapping_add(u64::from(elapsed.subsec_micros()));
    Instant::from_micros(origin.micros.wrapping_add(micros))
}

/// Waits until the clock shows `moment`.
pub(super) fn catch_up(moment: Instant) {
    for _ in 0..MAX_READINGS {
        if now() >= moment {
            return;
        }
        hint::spin_loop();
    }
}

#[cfg(target_os = "linux")]
#[inline]
pub(super) fn coarse() -> Instant {
    // Seconds as a fixed-point number, with 32 binary digits after the point.
    let fixed = coarsetime::Instant::now_without_cache_update().as_ticks();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a million is less than 2^32"
    )]
    let micros = ((u128::from(fixed) * 1_000_000) >> 32) as u64;
    Instant::from_micros(micros)
}

#[cfg(target_os = "linux")]
fn coarse_at_start() -> u64 {
    coarse().as_micros()
}

#[cfg(not(target_os = "linux"))]
#[inline]
pub(super) fn coarse() -> Instant {
    now()
}

#[cfg(not(target_os = "linux"))]
fn coarse_at_start() -> u64 {
    0
}

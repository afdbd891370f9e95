//! Tokio's clock, which a test can pause and advance.
//!
//! Every runtime has a clock of its own, and every circuit has a time line that runs through all
//! runtimes that use it. Concurrent tests do not disturb each other, and the time that a test takes
//! passes only for the circuits that it uses: centuries fit into one process.

#![expect(clippy::disallowed_methods, reason = "this is where time is read")]

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Instant as SystemInstant;

use tokio::runtime::Handle;
use tokio::time::Instant as TokioInstant;

use super::time::{Instant, Span};
use super::time_line::{Reading, TimeLine};

/// The coarse clock is the exact one.
pub(super) const LAG: Span = Span::from_micros(0);

/// Readings for no circuit start here, in microseconds, as a runtime may be older than the origin.
const OUTSIDE: i64 = 1 << 45;

/// The circuit outside of any, which no address is.
const NO_CIRCUIT: usize = 0;

static ORIGIN: LazyLock<SystemInstant> = LazyLock::new(SystemInstant::now);

/// The time lines of all circuits that have read the clock.
static TIME_LINES: LazyLock<Mutex<HashMap<usize, TimeLine>>> = LazyLock::new(Mutex::default);

thread_local! {
    // Without a destructor, so that a thread that is exiting still knows its circuit.
    static CIRCUIT: Cell<usize> = const { Cell::new(NO_CIRCUIT) };
}

/// The time of one circuit, known by its address: it takes no memory within the circuit, which
/// stays where it is from the first reading on.
#[derive(Default)]
pub(crate) struct OwnTime(());

/// While this lives, its thread reads the clock for one circuit.
pub(crate) struct Entered {
    before: usize,
}

impl OwnTime {
    pub(crate) fn enter(&self) -> Entered {
        Entered {
            before: CIRCUIT.replace(self.address()),
        }
    }

    /// Returns the time of this circuit, in place of a reading for no circuit, and leaves its time
    /// line where it is: a circuit that is only looked at is not used.
    pub(crate) fn at(&self, _now: Instant) -> Instant {
        let time_lines = time_lines();
        let time_line = time_lines.get(&self.address());
        Instant::from_micros(time_line.map_or(0, |time_line| time_line.at(read())))
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

impl Drop for OwnTime {
    fn drop(&mut self) {
        let address = self.address();
        let time_line = time_lines().remove(&address);
        drop(time_line);
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        CIRCUIT.set(self.before);
    }
}

pub(super) fn now() -> Instant {
    let circuit = CIRCUIT.get();
    if circuit == NO_CIRCUIT {
        let shown = OUTSIDE.saturating_add(read().shown);
        return Instant::from_micros(shown.try_into().unwrap_or(0));
    }
    let mut time_lines = time_lines();
    // Under the lock, so that the readings of a time line are in order.
    let reading = read();
    let time_line = time_lines
        .entry(circuit)
        .or_insert_with(|| TimeLine::begin(reading));
    Instant::from_micros(time_line.go_on(reading))
}

pub(super) fn coarse() -> Instant {
    now()
}

/// Moves the clock of the circuit that was entered to `moment` at least: a paused one would show it
/// only when the test advances.
pub(super) fn catch_up(moment: Instant) {
    if let Some(time_line) = time_lines().get_mut(&CIRCUIT.get()) {
        time_line.reach(moment.as_micros());
    }
}

fn time_lines() -> MutexGuard<'static, HashMap<usize, TimeLine>> {
    // No section panics half-way, so poisoning is harmless.
    TIME_LINES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read() -> Reading {
    let origin = *ORIGIN;
    let micros = |moment| micros_between(origin, moment);
    let earliest = SystemInstant::now();
    let (runtime, shown) = match Handle::try_current() {
        Ok(handle) => (Some(handle.id()), TokioInstant::now().into_std()),
        // Tokio's clock would panic in a thread that is exiting.
        Err(error) if error.is_thread_local_destroyed() => (None, SystemInstant::now()),
        Err(_) => (None, TokioInstant::now().into_std()),
    };
    // A clock that was never paused shows the real time, and these two must not differ at all.
    let real = shown.clamp(earliest, SystemInstant::now());
    Reading {
        runtime,
        shown: micros(shown),
        real: micros(real),
    }
}

/// Returns the whole microseconds from `origin` to `moment`, rounded down.
fn micros_between(origin: SystemInstant, moment: SystemInstant) -> i64 {
    let micros = if moment >= origin {
        moment.duration_since(origin).as_micros().try_into()
    } else {
        let before = origin.duration_since(moment).as_nanos().div_ceil(1_000);
        i64::try_from(before).map(i64::saturating_neg)
    };
    micros.unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{OwnTime, micros_between, now, time_lines};
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the origin of this test")]
    fn whole_microseconds_are_exact_on_both_sides_of_the_origin() {
        let origin = Instant::now() + Duration::from_secs(10);
        let start = origin.checked_sub(Duration::from_nanos(1_500)).unwrap();
        for micros in 0..5 {
            let moment = start + Duration::from_micros(micros);
            let expected = micros.cast_signed() - 2;
            assert_eq!(micros_between(origin, moment), expected);
        }
    }

    #[test]
    fn the_time_line_of_a_circuit_that_is_dropped_is_forgotten() {
        let time = Arc::new((1_u8, OwnTime::default()));
        let address = time.1.address();
        let entered = time.1.enter();
        let first = now();
        assert!(now() >= first);
        drop(entered);
        assert!(time_lines().contains_key(&address));
        drop(time);
        assert!(!time_lines().contains_key(&address));
    }
}

//! Tokio's clock, which a test can pause and advance.
//!
//! Every runtime has a clock of its own, and a paused one may have run hours ahead. Each runtime's
//! time line starts at the latest moment that any other has shown so far, so that time never runs
//! backwards for a breaker shared by consecutive tests. Concurrent tests do not disturb each other.

#![expect(clippy::disallowed_methods, reason = "this is where time is read")]

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Instant as SystemInstant;

use tokio::runtime::{Handle, Id};
use tokio::time::Instant as TokioInstant;

use super::time::{Instant, Span, whole_micros};

/// Whether the clock moves by itself; a paused one does not.
pub(super) const RUNS: bool = false;

/// The coarse clock is the exact one.
pub(super) const LAG: Span = Span::from_micros(0);

static START: LazyLock<SystemInstant> = LazyLock::new(SystemInstant::now);
static TIME_LINES: LazyLock<Mutex<TimeLines>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct TimeLines {
    /// The latest moment that any clock has shown, in microseconds.
    latest: u64,
    /// One for each runtime, and one for the threads outside of any.
    origins: HashMap<Option<Id>, Origin>,
}

/// The first reading of a clock, paired with its position on the time line.
struct Origin {
    shown: TokioInstant,
    micros: u64,
}

pub(super) fn now() -> Instant {
    let mut lines = TIME_LINES.lock().unwrap_or_else(PoisonError::into_inner);
    let (runtime, shown) = match Handle::try_current() {
        Ok(handle) => (Some(handle.id()), TokioInstant::now()),
        // Tokio's clock would panic in a thread that is exiting.
        Err(error) if error.is_thread_local_destroyed() => {
            (None, TokioInstant::from_std(SystemInstant::now()))
        }
        Err(_) => (None, TokioInstant::now()),
    };
    // Clocks that were never paused agree: each starts at the real time.
    let micros = lines.latest.max(whole_micros(START.elapsed()));
    let origin = lines
        .origins
        .entry(runtime)
        .or_insert(Origin { shown, micros });
    let elapsed = whole_micros(shown.saturating_duration_since(origin.shown));
    let now = origin.micros.saturating_add(elapsed);
    lines.latest = lines.latest.max(now);
    Instant::from_micros(now)
}

pub(super) fn coarse() -> Instant {
    now()
}

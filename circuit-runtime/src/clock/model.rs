//! A clock moved only by the model, with an adjustable lag of the coarse reading.

use std::cell::Cell;

use super::time::{Instant, Span};

/// Shorter than any time that the models call short.
pub(crate) const LAG: Span = Span::from_micros(500);

// All threads of a model run on one thread of the system.
std::thread_local! {
    static NOW: Cell<u64> = const { Cell::new(0) };
    static LAG_BEHIND: Cell<u64> = const { Cell::new(0) };
}

/// Moves the clock to this moment.
pub(crate) fn set(micros: u64) {
    NOW.set(micros);
}

/// Keeps the coarse clock behind by `micros`: less than [`LAG`], or more if the model is of a
/// processor that is preempted.
pub(crate) fn keep_behind(micros: u64) {
    LAG_BEHIND.set(micros);
}

pub(super) fn now() -> Instant {
    Instant::from_micros(NOW.get())
}

pub(super) fn coarse() -> Instant {
    Instant::from_micros(NOW.get().saturating_sub(LAG_BEHIND.get()))
}

/// Leaves the clock where the model has put it.
pub(super) fn catch_up(_: Instant) {}

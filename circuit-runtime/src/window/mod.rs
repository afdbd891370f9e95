//! The evidence of a closed circuit. A window counts it, and says when its limit is reached; what
//! follows from that is for the state.

mod failures;
mod streak;

use std::cmp::Ordering;

use crate::clock::{Instant, Span};
use crate::config::Config;
use crate::state::Generation;

use failures::Failures;
use streak::Streak;

/// The results that count towards a trip.
pub(crate) enum Window {
    /// Failures in a row.
    Streak(Streak),
    /// Failures in a span of time.
    Failures(Failures),
}

impl Window {
    pub(crate) fn new(config: &Config) -> Self {
        match config.window() {
            None => Self::Streak(Streak::new(config.max_failures())),
            Some(span) => Self::Failures(Failures::new(config.max_failures(), Span::of(span))),
        }
    }

    /// Counts a success of the given generation.
    #[inline]
    pub(crate) fn success(&self, generation: Generation) {
        match self {
            Self::Streak(streak) => streak.success(generation),
            Self::Failures(_) => {}
        }
    }

    /// Counts a failure of the given generation; whether the limit is reached with it.
    pub(crate) fn failure(&self, generation: Generation, now: Instant) -> bool {
        match self {
            Self::Streak(streak) => streak.failure(generation),
            Self::Failures(failures) => failures.failure(generation, now),
        }
    }
}

/// Evidence of one generation: a newer generation begins with none, an older one adds nothing.
#[derive(Debug)]
struct Evidence<T> {
    generation: Generation,
    counted: T,
}

impl<T> Evidence<T> {
    fn new(counted: T) -> Self {
        Self {
            generation: Generation::FIRST,
            counted,
        }
    }

    /// The evidence of `generation`, emptied by `clear` when it is a new one; `None` when it is
    /// over.
    fn of(&mut self, generation: Generation, clear: impl FnOnce(&mut T)) -> Option<&mut T> {
        match generation.cmp(&self.generation) {
            Ordering::Less => return None,
            Ordering::Equal => {}
            Ordering::Greater => {
                clear(&mut self.counted);
                self.generation = generation;
            }
        }
        Some(&mut self.counted)
    }
}

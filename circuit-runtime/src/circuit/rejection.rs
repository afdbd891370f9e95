//! The answer to a call that must not run.

use std::time::Duration;

use crate::clock::{Instant, Span};

/// A rejected call, and how long to wait before retrying.
///
/// A single integer, returned in a register.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rejection {
    wait: Span,
}

impl Rejection {
    /// Not ended by time.
    pub(super) const INDEFINITE: Self = Self {
        wait: Span::INDEFINITE,
    };

    /// Rejects until `moment`, but for no longer than `longest`: the clock may lag behind the one that
    /// set the moment.
    #[inline]
    pub(super) fn until(moment: Instant, now: Instant, longest: Span) -> Self {
        Self {
            wait: moment.since(now).min(longest),
        }
    }

    #[inline]
    pub(crate) fn retry_after(self) -> Option<Duration> {
        (self.wait != Span::INDEFINITE).then(|| self.wait.as_duration())
    }
}

//! The answer to a call that must not run.

use std::time::Duration;

use super::ramp;
use crate::clock::Span;

/// A rejected call, and how long to wait before retrying.
///
/// A single integer, returned in a register.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rejection {
    wait: Span,
}

impl Rejection {
    /// The rejection by an operator's order, which no passing of time ends.
    pub(super) const INDEFINITE: Self = Self {
        wait: Span::INDEFINITE,
    };

    /// Rejects for what is `left` of a wait, and for no longer than the whole of it: the clock may
    /// lag behind the one that began it.
    #[inline]
    pub(super) fn new(left: Span, whole: Span) -> Self {
        Self {
            wait: left.min(whole),
        }
    }

    /// Rejects a call on a ramp of this length.
    pub(super) fn on_ramp(length: Span) -> Self {
        Self {
            wait: ramp::retry_after(length),
        }
    }

    #[inline]
    pub(crate) fn retry_after(self) -> Option<Duration> {
        (self.wait != Span::INDEFINITE).then(|| self.wait.as_duration())
    }
}

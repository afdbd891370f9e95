//! A transition from one phase to the next.

use super::state::{Change, Details, Word};
use crate::clock::Instant;

/// The facts about a transition, for its report.
pub(super) struct Transition {
    pub(super) before: (Word, Details),
    pub(super) next: (Word, Details),
    pub(super) change: Change,
    /// When its end was computed, if an end was given: an open phase is dated a little later.
    pub(super) decided_at: Instant,
}

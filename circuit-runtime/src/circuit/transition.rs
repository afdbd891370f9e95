//! A transition from one phase to the next.

use super::state::{Change, Details, Word};
use crate::clock::Instant;

/// The facts about a transition, for its report.
pub(super) struct Transition {
    pub(super) before: (Word, Details),
    pub(super) next: (Word, Details),
    pub(super) change: Change,
    pub(super) at: Instant,
}

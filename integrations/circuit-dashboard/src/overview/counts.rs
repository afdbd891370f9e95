//! The numbers of entries, or of breakers, in each state.

use circuit_runtime::State;
use serde_json::{Value, json};

/// How many entries, or members of an entry, are in each state. The held ones are among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    closed: usize,
    half_open: usize,
    open: usize,
    idle: usize,
    held: usize,
}

impl Counts {
    /// Adds one in this state; `None` is that of a function which was never called.
    pub(super) fn add(&mut self, state: Option<State>, is_held: bool) {
        let count = match state {
            Some(State::Closed) => &mut self.closed,
            Some(State::HalfOpen) => &mut self.half_open,
            Some(State::Open) => &mut self.open,
            None => &mut self.idle,
        };
        *count = count.saturating_add(1);
        self.held = self.held.saturating_add(usize::from(is_held));
    }

    pub(super) fn has_held(&self) -> bool {
        self.held > 0
    }

    pub(super) fn to_json(self) -> Value {
        json!({
            "closed": self.closed,
            "half-open": self.half_open,
            "open": self.open,
            "idle": self.idle,
            "held": self.held,
        })
    }

    /// Without the idle ones: no member is idle.
    pub(super) fn to_json_of_members(self) -> Value {
        json!({
            "closed": self.closed,
            "half-open": self.half_open,
            "open": self.open,
            "held": self.held,
        })
    }
}

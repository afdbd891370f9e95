//! The state that a file holds a circuit in.

use serde::ser::{Serialize, Serializer};

use crate::state::State;

/// The state that a file holds a circuit in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HoldTo {
    Closed,
    Open,
}

impl HoldTo {
    /// Returns the state of this name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let states = [Self::Closed, Self::Open];
        states.into_iter().find(|state| state.as_str() == name)
    }

    pub(super) const fn state(self) -> State {
        match self {
            Self::Closed => State::Closed,
            Self::Open => State::Open,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
        }
    }
}

impl Serialize for HoldTo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

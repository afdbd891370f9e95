//! The entries that were asked for.

use circuit_runtime::State;

use super::entry::Entry;

/// Selects entries by their states and by a part of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// The states to show; all, if there are none.
    states: Vec<Shown>,
    /// A part of the name, in lower case.
    part: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    In(State),
    Idle,
    Held,
}

impl Filter {
    /// Reads the parameters `state` and `q` of a query.
    ///
    /// Returns the word that is no state, if there is one.
    pub(crate) fn parse(state: Option<&str>, part: Option<&str>) -> Result<Self, String> {
        let words = state.unwrap_or_default().split(',');
        let states = words.filter(|word| !word.is_empty()).map(|word| {
            Ok(match word {
                "closed" => Shown::In(State::Closed),
                "half-open" => Shown::In(State::HalfOpen),
                "open" => Shown::In(State::Open),
                "idle" => Shown::Idle,
                "held" => Shown::Held,
                other => return Err(other.to_owned()),
            })
        });
        Ok(Self {
            states: states.collect::<Result<_, _>>()?,
            part: part.unwrap_or_default().to_lowercase(),
        })
    }

    pub(super) fn matches(&self, entry: &Entry) -> bool {
        let is_shown = |shown: &Shown| match shown {
            Shown::In(state) => entry.state() == Some(*state),
            Shown::Idle => entry.state().is_none(),
            Shown::Held => entry.is_held(),
        };
        let is_of_state = self.states.is_empty() || self.states.iter().any(is_shown);
        is_of_state && (self.part.is_empty() || entry.name().to_lowercase().contains(&self.part))
    }
}

//! An order that lasts.

use std::time::Duration;

use super::state::Phase;
use crate::clock::Instant;
use crate::state::State;

/// An order that keeps a circuit open or closed.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreaker, Config, State};
/// use std::time::Duration;
///
/// let breaker = CircuitBreaker::new("payments", Config::default());
/// assert_eq!(breaker.snapshot().hold, None);
///
/// breaker.force_open_for(Duration::from_secs(600));
/// let hold = breaker.snapshot().hold.unwrap();
/// assert_eq!(hold.to, State::Open);
/// assert!(hold.ends_in <= Some(Duration::from_secs(600)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hold {
    /// The state that the circuit is held in.
    pub to: State,
    /// The origin of the order.
    pub source: HoldSource,
    /// The time until the order ends by itself; `None` if it does not.
    pub ends_in: Option<Duration>,
}

/// The origin of a [`Hold`].
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreaker, Config, HoldSource};
///
/// let breaker = CircuitBreaker::new("payments", Config::default());
/// breaker.force_closed();
/// assert_eq!(breaker.snapshot().hold.unwrap().source, HoldSource::Order);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HoldSource {
    /// An order given by hand, as by [`force_open`](crate::CircuitBreaker::force_open).
    #[default]
    Order,
    /// The `hold` of `Overrides` that were applied, with the feature `serde`.
    File,
    /// An order to all processes of a fleet, as by
    /// [`Remote::hold_open`](crate::remote::Remote::hold_open).
    Fleet,
}

impl HoldSource {
    /// Returns whether an order from here is neither replaced nor released by one from `other`.
    pub(super) fn goes_before(self, other: Self) -> bool {
        match self {
            Self::Order => other != Self::Order,
            Self::Fleet => other == Self::File,
            Self::File => false,
        }
    }
}

impl Hold {
    /// Returns the order that keeps this phase as it is until `end`; `None` from then on.
    pub(super) fn from_phase(
        phase: Phase,
        source: HoldSource,
        end: Option<Instant>,
        now: Instant,
    ) -> Option<Self> {
        let to = match phase {
            Phase::ForcedOpen => State::Open,
            Phase::ForcedClosed => State::Closed,
            Phase::Closed | Phase::Ramp | Phase::Open => return None,
        };
        let has_ended = end.is_some_and(|end| now >= end);
        (!has_ended).then(|| Self {
            to,
            source,
            ends_in: end.map(|end| end.since(now).as_duration()),
        })
    }
}

/// Serializes the time to the end in seconds.
#[cfg(feature = "serde")]
impl serde::Serialize for Hold {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;

        let ends_in = self.ends_in.map(|time| time.as_secs_f64());
        let mut fields = serializer.serialize_struct("Hold", 3)?;
        fields.serialize_field("to", &self.to)?;
        fields.serialize_field("source", &self.source)?;
        fields.serialize_field("ends_in", &ends_in)?;
        fields.end()
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for HoldSource {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Order => "order",
            Self::File => "file",
            Self::Fleet => "fleet",
        })
    }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::HoldSource::{File, Fleet, Order};

    #[test]
    fn an_order_by_hand_goes_before_one_of_the_fleet_and_that_before_a_file() {
        let ranks = [File, Fleet, Order];
        for (rank, source) in ranks.into_iter().enumerate() {
            for (other_rank, other) in ranks.into_iter().enumerate() {
                assert_eq!(source.goes_before(other), rank > other_rank);
            }
        }
    }
}

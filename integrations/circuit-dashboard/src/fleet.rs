//! The fleet that the breakers of the program are shared with.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

/// The most circuits that are shown.
const MAX_SHOWN: usize = 1000;

/// The status of the fleet that the breakers of this process are shared with, for
/// [`Dashboard::fleet`](crate::Dashboard::fleet).
///
/// # Examples
///
/// ```
/// use circuit_dashboard::{FleetCircuit, FleetSharing, FleetStatus};
/// use std::time::Duration;
///
/// let status = FleetStatus::new(FleetSharing::Shared)
///     .members(3)
///     .last_sync(Duration::from_millis(400))
///     .circuits([FleetCircuit::new("shop::quote").votes((2, 3))]);
/// # let _ = status;
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct FleetStatus {
    sharing: FleetSharing,
    members: u32,
    last_sync: Option<Duration>,
    circuits: Vec<FleetCircuit>,
}

/// The processes of a fleet share what they know, or each decides by itself.
///
/// # Examples
///
/// ```
/// use circuit_dashboard::FleetSharing;
/// use std::time::SystemTime;
///
/// fn sharing(lost_at: Option<SystemTime>) -> FleetSharing {
///     lost_at.map_or(FleetSharing::Shared, |since| FleetSharing::Degraded { since })
/// }
/// assert_eq!(sharing(None), FleetSharing::Shared);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FleetSharing {
    /// This process does not take part yet, or no longer.
    NotRunning,
    /// The store answers.
    Shared,
    /// The store does not answer. Each process has its own breakers, and decides by itself.
    Degraded {
        /// The moment at which this process lost it.
        since: SystemTime,
    },
}

/// A circuit that a fleet shares.
///
/// # Examples
///
/// ```
/// use circuit_dashboard::FleetCircuit;
///
/// let voted = FleetCircuit::new("shop::quote").votes((2, 3));
/// let probed = FleetCircuit::new("shop::pay").prober("pod-7");
/// # let _ = (voted, probed);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetCircuit {
    name: String,
    votes: Option<(u32, u32)>,
    prober: Option<String>,
}

impl FleetStatus {
    /// Creates the status of a fleet without members and without circuits.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_dashboard::{FleetSharing, FleetStatus};
    /// use std::time::SystemTime;
    ///
    /// let since = SystemTime::now();
    /// let status = FleetStatus::new(FleetSharing::Degraded { since });
    /// # let _ = status;
    /// ```
    #[must_use]
    pub fn new(sharing: FleetSharing) -> Self {
        Self {
            sharing,
            members: 0,
            last_sync: None,
            circuits: Vec::new(),
        }
    }

    /// Sets the number of live members, this process among them.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_dashboard::{FleetSharing, FleetStatus};
    ///
    /// let status = FleetStatus::new(FleetSharing::Shared).members(3);
    /// # let _ = status;
    /// ```
    #[must_use]
    pub fn members(mut self, members: u32) -> Self {
        self.members = members;
        self
    }

    /// Sets the time since the store has last answered; `None`, the default, if it never has.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_dashboard::{FleetSharing, FleetStatus};
    /// use std::time::Duration;
    ///
    /// let age = Duration::from_millis(400);
    /// let status = FleetStatus::new(FleetSharing::Shared).last_sync(age);
    /// # let _ = status;
    /// ```
    #[must_use]
    pub fn last_sync(mut self, age: impl Into<Option<Duration>>) -> Self {
        self.last_sync = age.into();
        self
    }

    /// Adds circuits, of which the first 1000 are shown. Those that are closed for all and without
    /// a vote may be left out.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_dashboard::{FleetCircuit, FleetSharing, FleetStatus};
    ///
    /// let probed = FleetCircuit::new("shop::pay").prober("pod-7");
    /// let status = FleetStatus::new(FleetSharing::Shared).circuits([probed]);
    /// # let _ = status;
    /// ```
    #[must_use]
    pub fn circuits(mut self, circuits: impl IntoIterator<Item = FleetCircuit>) -> Self {
        self.circuits.extend(circuits);
        self
    }

    pub(crate) fn to_json(&self) -> Value {
        let (sharing, degraded_for) = match self.sharing {
            FleetSharing::NotRunning => ("not-running", None),
            FleetSharing::Shared => ("shared", None),
            FleetSharing::Degraded { since } => {
                // A clock that was set back is no reason for a negative time.
                ("degraded", Some(since.elapsed().unwrap_or_default()))
            }
        };
        let circuits = self.circuits.iter().take(MAX_SHOWN);
        let circuits: Vec<_> = circuits.map(FleetCircuit::to_json).collect();
        json!({
            "sharing": sharing,
            "degraded_for": degraded_for.map(|time| time.as_secs_f64()),
            "members": self.members,
            "last_sync": self.last_sync.map(|age| age.as_secs_f64()),
            "circuits": circuits,
        })
    }
}

impl FleetCircuit {
    /// Creates a circuit with the name of its breaker; with its key, for the breaker of a key.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_dashboard::FleetCircuit;
    ///
    /// let circuit = FleetCircuit::new("shop::page[a.example]");
    /// # let _ = circuit;
    /// ```
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            votes: None,
            prober: None,
        }
    }

    /// Sets the number of votes to open it, and the number that opens it for all; `None`, the
    /// default, if they are not known.
    ///
    /// # Examples
    ///
    /// Two votes of the three that are needed:
    ///
    /// ```
    /// use circuit_dashboard::FleetCircuit;
    ///
    /// let circuit = FleetCircuit::new("shop::quote").votes((2, 3));
    /// # let _ = circuit;
    /// ```
    #[must_use]
    pub fn votes(mut self, votes: impl Into<Option<(u32, u32)>>) -> Self {
        self.votes = votes.into();
        self
    }

    /// Sets the member that may probe for all; `None`, the default, if none may.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_dashboard::FleetCircuit;
    ///
    /// let circuit = FleetCircuit::new("shop::quote").prober("pod-7");
    /// # let _ = circuit;
    /// ```
    #[must_use]
    pub fn prober<'m>(mut self, member: impl Into<Option<&'m str>>) -> Self {
        self.prober = member.into().map(str::to_owned);
        self
    }

    fn to_json(&self) -> Value {
        let (votes, needed) = self.votes.unzip();
        json!({
            "name": self.name,
            "votes": votes,
            "needed": needed,
            "prober": self.prober,
        })
    }
}

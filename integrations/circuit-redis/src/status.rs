//! The status of a fleet at one moment.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use circuit_runtime::State;
use tokio::time::Instant;

use crate::error::Reason;
use crate::scripts::answer::Verdict;

/// The status of a fleet at one moment, as this process knows it.
///
/// # Examples
///
/// ```
/// use circuit_redis::{Fleet, Sharing};
///
/// let fleet = Fleet::builder("redis://127.0.0.1", "shop").build()?;
/// let status = fleet.status();
/// assert_eq!(status.sharing, Sharing::NotRunning);
/// assert_eq!(status.members, 0);
/// # Ok::<(), circuit_redis::FleetError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Status {
    /// The namespace.
    pub namespace: Arc<str>,
    /// The name of this process among the members.
    pub member: Arc<str>,
    /// The processes share what they know, or each decides by itself.
    pub sharing: Sharing,
    /// The live members, as the store has counted them last.
    pub members: u32,
    /// The time since the store has last answered; `None` if it never has.
    pub last_sync: Option<Duration>,
    /// The circuits that are not closed for all, and those that this process alone has opened.
    pub circuits: Vec<CircuitStatus>,
    /// The operators' orders in force.
    pub orders: Vec<OrderStatus>,
}

/// The state of the sharing between the processes of a fleet.
///
/// # Examples
///
/// ```
/// use circuit_redis::{Reason, Sharing};
/// use std::time::SystemTime;
///
/// /// Returns how long the store has been away for, in words.
/// fn describe(sharing: &Sharing) -> String {
///     match sharing {
///         Sharing::Shared { .. } => "shared".to_owned(),
///         Sharing::Degraded { since, reason } => {
///             let time = since.elapsed().unwrap_or_default();
///             format!("{reason}, for {} s", time.as_secs())
///         }
///         _ => "not running".to_owned(),
///     }
/// }
/// let since = SystemTime::now();
/// let degraded = Sharing::Degraded { since, reason: Reason::Silent };
/// assert_eq!(describe(&degraded), "no answer in time, for 0 s");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sharing {
    /// The future of [`Fleet::run`](crate::Fleet::run) is not polled yet, or has ended.
    NotRunning,
    /// The store answers.
    Shared {
        /// The store pushes what happens; one without RESP3 is asked ten times a second.
        has_pushes: bool,
    },
    /// The store does not answer. Each process has its own breakers, and decides by itself.
    Degraded {
        /// Since when.
        since: SystemTime,
        /// The reason.
        reason: Reason,
    },
}

/// A circuit that is not closed for all.
///
/// # Examples
///
/// ```
/// use circuit_redis::{CircuitStatus, Fleet};
///
/// /// Describes a circuit in one line.
/// fn line(circuit: &CircuitStatus) -> String {
///     let name = &circuit.name;
///     match (&circuit.prober, circuit.votes) {
///         (Some(member), _) => format!("{name}: {member} probes"),
///         (None, Some((votes, needed))) => format!("{name}: {votes} of {needed} votes"),
///         (None, None) => format!("{name}: {} for {:?}", circuit.state, circuit.rest),
///     }
/// }
/// let fleet = Fleet::builder("redis://127.0.0.1", "shop").build()?;
/// let lines: Vec<_> = fleet.status().circuits.iter().map(line).collect();
/// assert!(lines.is_empty()); // all are closed
/// # Ok::<(), circuit_redis::FleetError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CircuitStatus {
    /// The name, as the store has it.
    pub name: Arc<str>,
    /// The state for all; `State::Closed` while votes are below the quorum.
    pub state: State,
    /// The number of the verdict, which grows; zero without one.
    pub epoch: u64,
    /// The rest of the wait of an open circuit, or of the lease of a half-open one.
    pub rest: Duration,
    /// How often it has opened since it was last closed.
    pub openings: u32,
    /// The `reset` of the member that has opened it.
    pub reset: Duration,
    /// The member that has opened it.
    pub by: Option<Arc<str>>,
    /// The cause, in the words of [`Cause`](circuit_runtime::Cause).
    pub cause: Option<Arc<str>>,
    /// The member that has the lease.
    pub prober: Option<Arc<str>>,
    /// The votes, and the number that opens it; `None` if this process has no opinion of its own.
    pub votes: Option<(u32, u32)>,
}

/// An operator's order to the whole fleet.
///
/// # Examples
///
/// ```
/// use circuit_redis::{Fleet, OrderStatus};
///
/// let fleet = Fleet::builder("redis://127.0.0.1", "shop").build()?;
/// let has_no_end = |order: &&OrderStatus| order.ends_in.is_none();
/// assert_eq!(fleet.status().orders.iter().find(has_no_end), None);
/// # Ok::<(), circuit_redis::FleetError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OrderStatus {
    /// The name of the circuit.
    pub name: Arc<str>,
    /// The state that it is held in.
    pub to: State,
    /// The time to its end; `None` if it has none.
    pub ends_in: Option<Duration>,
    /// The member through which it was given.
    pub by: Arc<str>,
}

impl CircuitStatus {
    pub(crate) fn from_verdict(verdict: &Verdict, rest: Duration) -> Self {
        Self {
            name: Arc::clone(&verdict.name),
            state: verdict.state,
            epoch: verdict.epoch,
            rest,
            openings: verdict.openings,
            reset: verdict.reset,
            by: Some(Arc::clone(&verdict.by)),
            cause: Some(Arc::clone(&verdict.cause)),
            prober: verdict.prober.clone(),
            votes: None,
        }
    }

    pub(crate) fn undecided(name: Arc<str>) -> Self {
        Self {
            name,
            state: State::Closed,
            epoch: 0,
            rest: Duration::ZERO,
            openings: 0,
            reset: Duration::ZERO,
            by: None,
            cause: None,
            prober: None,
            votes: None,
        }
    }
}

/// A status, with the moment of the last answer in place of its age.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) status: Status,
    pub(crate) synced_at: Option<Instant>,
}

impl Recorded {
    pub(crate) fn new(namespace: Arc<str>, member: Arc<str>) -> Self {
        Self {
            status: Status {
                namespace,
                member,
                sharing: Sharing::NotRunning,
                members: 0,
                last_sync: None,
                circuits: Vec::new(),
                orders: Vec::new(),
            },
            synced_at: None,
        }
    }

    /// Returns the status of now.
    pub(crate) fn at(&self, now: Instant) -> Status {
        let mut status = self.status.clone();
        status.last_sync = self.synced_at.map(|at| now.saturating_duration_since(at));
        status
    }
}

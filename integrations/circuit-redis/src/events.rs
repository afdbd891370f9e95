//! Events of a fleet, for its listeners.

use std::sync::Arc;
use std::time::Duration;

use circuit_runtime::State;

use crate::error::Reason;

/// Something that has happened in a fleet, as this process has learned of it.
///
/// The changes of a breaker that follow from it are events of the runtime: its
/// [`StateChange`](circuit_runtime::StateChange) has the cause `Fleet`.
///
/// # Examples
///
/// ```no_run
/// use circuit_redis::{Fleet, FleetEvent};
///
/// /// Logs what happens, until the program ends.
/// async fn log(fleet: Fleet) {
///     let mut events = fleet.events();
///     while let Ok(event) = events.recv().await {
///         match event {
///             FleetEvent::Degraded { reason } => eprintln!("each for itself: {reason}"),
///             event => println!("{event:?}"),
///         }
///     }
/// }
/// # let _ = log;
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FleetEvent {
    /// The store answers: what one member learns, all know.
    Shared {
        /// The live members.
        members: u32,
    },
    /// The store does not answer: each process decides by itself.
    Degraded {
        /// The reason.
        reason: Reason,
    },
    /// This process has told the store that it has opened a circuit by itself.
    Voted {
        /// The name of the circuit.
        name: Arc<str>,
        /// The votes there are.
        votes: u32,
        /// The votes that open the circuit for all.
        needed: u32,
    },
    /// The fleet has a new verdict.
    Verdict {
        /// The name of the circuit.
        name: Arc<str>,
        /// The number of the verdict, which grows.
        epoch: u64,
        /// The state for all.
        state: State,
        /// The member whose vote, or whose failed probe, has opened it.
        by: Arc<str>,
        /// The member that probes, or has probed last.
        prober: Option<Arc<str>>,
    },
    /// This process has the lease, and its next call probes.
    Leased {
        /// The name of the circuit.
        name: Arc<str>,
    },
    /// This process has given the lease back: no call came, or none ended.
    Abandoned {
        /// The name of the circuit.
        name: Arc<str>,
    },
    /// This process has probed, and the store has accepted the result.
    Probed {
        /// The name of the circuit.
        name: Arc<str>,
        /// The service is well.
        has_succeeded: bool,
    },
    /// The result of this process's probe came after its lease had ended, and was not counted.
    Refused {
        /// The name of the circuit.
        name: Arc<str>,
    },
    /// An operator's order is in force in all processes.
    Ordered {
        /// The name of the circuit.
        name: Arc<str>,
        /// The state that it is held in.
        to: State,
        /// The time to its end; `None` if it has none.
        ends_in: Option<Duration>,
    },
    /// An operator's order has ended.
    Released {
        /// The name of the circuit.
        name: Arc<str>,
    },
    /// The store had lost its data, and this process has told it what it knows.
    Reasserted {
        /// The verdicts that were told.
        verdicts: usize,
    },
    /// The member that opened a circuit has another `reset` than this process. Its wait is in
    /// force.
    RulesDiffer {
        /// The name of the circuit.
        name: Arc<str>,
        /// The `reset` of that member.
        theirs: Duration,
        /// The `reset` of this process.
        ours: Duration,
    },
}

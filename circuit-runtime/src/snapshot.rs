use std::time::Duration;

use crate::name::Name;
use crate::state::State;

/// A breaker's state and its totals since the start, for logs, metrics and health checks.
///
/// Each total is exact once the calls that it counts are over. `succeeded`, `failed`, `ignored` and
/// `cancelled` add up to the calls that ran.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The name of the circuit breaker.
    pub name: Name,
    /// Its state.
    pub state: State,
    /// When a call that is rejected now should be tried again, as
    /// [`CircuitError::retry_after`](crate::CircuitError::retry_after) would say. `None` when one
    /// would run, and while an operator holds the circuit open.
    pub retry_after: Option<Duration>,
    /// Calls that succeeded.
    pub succeeded: u64,
    /// Calls that failed, timed out or panicked.
    pub failed: u64,
    /// Calls that took longer than `timeout`; also in `failed`.
    pub timed_out: u64,
    /// Calls that panicked; also in `failed`.
    pub panicked: u64,
    /// Calls whose result is no evidence.
    pub ignored: u64,
    /// Calls that their callers dropped before they had a result.
    pub cancelled: u64,
    /// Calls that were rejected, and did not run.
    pub rejected: u64,
    /// How often the circuit opened, re-openings and an operator's among them.
    pub opened: u64,
}

//! The public view of a breaker at one moment.

use std::time::Duration;

use super::state::State;
use crate::name::Name;

/// A breaker's state and its totals since the start, for logs, metrics and health checks.
///
/// Totals are exact once all calls have completed. `succeeded`, `failed`, `ignored` and `cancelled`
/// sum to the number of admitted calls that have ended.
///
/// # Examples
///
/// ```
/// use circuit_runtime::registry;
///
/// for breaker in registry::all() {
///     let totals = breaker.snapshot();
///     println!("circuit_failed{{name=\"{}\"}} {}", totals.name, totals.failed);
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The name of the circuit breaker.
    pub name: Name,
    /// The state.
    pub state: State,
    /// The wait before the next attempt, as a rejected call would report it by
    /// [`CircuitError::retry_after`](crate::CircuitError::retry_after). `None` if a call would run,
    /// and while an operator holds the circuit open.
    pub retry_after: Option<Duration>,
    /// Calls that succeeded.
    pub succeeded: u64,
    /// Calls that failed, timed out or panicked.
    pub failed: u64,
    /// Calls that took longer than `timeout`; also in `failed`.
    pub timed_out: u64,
    /// Calls that panicked; also in `failed`.
    pub panicked: u64,
    /// Calls whose result says nothing about the service.
    pub ignored: u64,
    /// Calls that ended without a result: those dropped by their callers, those without a runtime
    /// to measure their timeout, and those whose predicate panicked.
    pub cancelled: u64,
    /// Calls that were rejected, and did not run.
    pub rejected: u64,
    /// How often the circuit opened, including reopenings and operators' orders.
    pub opened: u64,
}

//! Calls guarded by a circuit.

pub(crate) mod classify;
pub(crate) mod deadline;
mod deferred;
mod future;
pub(crate) mod guarded;
mod owned;
mod permit;
mod unsettled;
mod verdict;

pub(crate) use deferred::Deferred;
pub use future::Call;
pub use owned::OwnedPermit;
pub use permit::Permit;
pub use unsettled::UnsettledCall;
pub use verdict::Verdict;

use classify::Classified;
use guarded::OutcomeGuard;

use crate::circuit::{Circuit, Outcome};
use crate::error::CallError;

/// Runs `operation` to its end on this thread.
pub(crate) fn blocking<T, E>(
    circuit: &Circuit,
    operation: impl FnOnce() -> Result<T, E>,
) -> Result<T, CallError<E>> {
    let ticket = circuit
        .admit()
        .map_err(|rejection| circuit.rejected(rejection))?;
    let panic_guard = OutcomeGuard::new(circuit, ticket, Outcome::Panicked);
    let result = operation();
    panic_guard.disarm();
    Classified::from_result(&result)
        .verdict()
        .settle(circuit, ticket);
    result.map_err(CallError::Inner)
}

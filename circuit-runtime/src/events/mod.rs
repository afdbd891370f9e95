//! The changes of all circuits: in order, each once, to every listener and receiver.

mod change;
mod delivery;
mod journal;
mod listeners;
#[cfg(feature = "tracing")]
mod log;
mod receiver;

pub use change::{Cause, StateChange};
pub(crate) use delivery::{Delivery, Record};
pub(crate) use listeners::Listeners;
pub use listeners::Subscription;
pub use receiver::{Changes, Lagged};

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Returns the changes of all circuits that are kept, oldest first.
pub(crate) fn history() -> Vec<StateChange> {
    journal::JOURNAL.history()
}

/// Runs code of the user's: a listener, a subscriber of the log, the drop of either. If it panics,
/// the panic hook has reported it, and nobody else is affected.
fn contain(run: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(run)) {
        // The payload may panic when it is dropped; the payload of that panic is leaked.
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(payload)));
        std::mem::forget(dropped);
    }
}

//! The changes of all circuits: in order, each once, to every listener and receiver.

mod change;
mod delivery;
mod journal;
mod listeners;
#[cfg(feature = "tracing")]
mod log;
mod panics;
mod receiver;
mod subscription;
mod waker;

pub use change::{Cause, StateChange};
pub(crate) use delivery::{Delivery, Record};
pub(crate) use listeners::Listeners;
#[cfg(all(feature = "serde", feature = "tracing"))]
pub(crate) use log::warn_of_override;
pub(crate) use panics::contain;
pub use receiver::{Changes, Lagged};
pub use subscription::Subscription;

/// Returns the changes of all circuits that are kept, oldest first.
pub(crate) fn history() -> Vec<StateChange> {
    journal::JOURNAL.history()
}

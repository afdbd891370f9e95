//! The delivery of a circuit's changes, one after the other.

use std::collections::VecDeque;

use super::change::StateChange;
use super::journal::JOURNAL;
use super::listeners::{self, Listeners};
use super::panics::contain;

/// The changes of one circuit that wait until an earlier one is delivered. Part of what the lock
/// of its transitions protects.
#[derive(Default)]
pub(crate) struct Delivery {
    pending: VecDeque<StateChange>,
    is_in_progress: bool,
}

/// A change that is recorded, for the thread that caused it.
#[must_use = "a change that is recorded must be delivered, without the lock"]
pub(crate) struct Record {
    /// `None` if it has no consumer, or if another thread delivers it.
    change: Option<StateChange>,
}

impl Delivery {
    /// Records a change, under the lock of the transitions: so the journal has the order of the
    /// states. Allocates only while another change is being delivered.
    pub(crate) fn record(&mut self, change: StateChange, own: Option<&Listeners>) -> Record {
        let has_consumers = has_consumers(own);
        let to_deliver = has_consumers.then(|| change.clone());
        JOURNAL.record(change);
        let Some(change) = to_deliver else {
            return Record { change: None };
        };
        if self.is_in_progress {
            self.pending.push_back(change);
            return Record { change: None };
        }
        self.is_in_progress = true;
        Record {
            change: Some(change),
        }
    }

    fn next(&mut self) -> Option<StateChange> {
        let next = self.pending.pop_front();
        self.is_in_progress = next.is_some();
        if next.is_none() {
            // Frees the queue, which may have grown while a listener blocked.
            self.pending = VecDeque::new();
        }
        next
    }
}

impl Record {
    /// Delivers the change, and those that follow it meanwhile. Called without any lock;
    /// `with_delivery` takes that of the transitions.
    pub(crate) fn deliver(
        self,
        own: Option<&Listeners>,
        with_delivery: impl Fn(&mut dyn FnMut(&mut Delivery)),
    ) {
        // The wakers of receivers are user code, too.
        contain(|| JOURNAL.notify());
        let mut next = self.change;
        while let Some(change) = next.take() {
            #[cfg(feature = "tracing")]
            contain(|| super::log::log(&change));
            for listeners in [own, listeners::global()].into_iter().flatten() {
                listeners.call(&change);
            }
            drop(change);
            with_delivery(&mut |delivery| next = delivery.next());
        }
    }
}

/// Returns whether a change has a consumer besides the journal.
fn has_consumers(own: Option<&Listeners>) -> bool {
    #[cfg(feature = "tracing")]
    if super::log::is_enabled() {
        return true;
    }
    let mut all = [own, listeners::global()].into_iter().flatten();
    all.any(|listeners| !listeners.is_empty())
}

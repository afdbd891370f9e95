//! The closing of an evicted circuit before it is freed: its key begins anew, closed.

use std::sync::Arc;

use super::Circuit;
use super::reason::Reason;
use super::state::Trigger;
use crate::clock;
use crate::events::Record;

/// The closing of a circuit that no other thread could reach, recorded and yet to be delivered.
#[must_use = "a change that is recorded must be delivered, without any lock"]
pub(crate) struct Closing {
    record: Option<Record>,
}

impl Closing {
    /// Closes a circuit that no other thread can reach: its phase is over by time alone, or it is
    /// half-open and may be forgotten.
    pub(crate) fn record(circuit: &Arc<Circuit>) -> Self {
        let _entered = circuit.time.enter();
        let (word, details) = circuit.observe();
        let now = clock::now();
        let (trigger, now) = match Trigger::at_end_of(word.phase()) {
            Some(trigger) => (trigger, circuit.end(word, details).unwrap_or(now)),
            None => (Trigger::Reset, now),
        };
        let reason = Reason {
            order: None,
            ..Reason::from_trigger(trigger)
        };
        // Its key has no other circuit meanwhile, whose changes might be delivered before.
        circuit.keep(Some(Arc::clone(circuit)));
        let changed = circuit.record_change(word, trigger, reason, now);
        circuit.keep(None);
        Self {
            // The state has not moved on, as no other thread can reach the circuit.
            record: changed.ok().flatten(),
        }
    }

    /// Delivers the change. Called without any lock.
    pub(crate) fn deliver(self) {
        if let Some(record) = self.record {
            record.deliver();
        }
    }
}

impl Circuit {
    /// Keeps an owner alive until the next change is delivered; `None` ends that.
    fn keep(&self, owner: Option<Arc<Self>>) {
        if let Some(phases) = self.phases.get() {
            phases.with_lock(|transitions| transitions.delivery.keep(owner));
        }
    }
}

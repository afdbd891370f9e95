//! A reference that does not keep a circuit in use.

use std::sync::{Arc, Weak};

use super::{Circuit, Policy, registered};
use crate::name::Name;

/// A reference to a circuit, or to that of a key, whichever circuit that is.
///
/// The circuit of a key is not referred to directly: it could not be freed, as a thread that finds
/// the reference might still reach it.
pub(crate) struct CircuitReference(Target);

enum Target {
    Circuit(Weak<Circuit>),
    Key { name: Name, policy: Weak<Policy> },
}

impl CircuitReference {
    pub(crate) fn new(circuit: &Arc<Circuit>) -> Self {
        Self(if circuit.policy.is_shared() {
            Target::Key {
                name: circuit.name.clone(),
                policy: Arc::downgrade(&circuit.policy),
            }
        } else {
            Target::Circuit(Arc::downgrade(circuit))
        })
    }

    /// Returns the circuit, if it is in use.
    pub(crate) fn upgrade(&self) -> Option<Arc<Circuit>> {
        match &self.0 {
            Target::Circuit(circuit) => circuit.upgrade(),
            Target::Key { name, policy } => {
                let policy = policy.upgrade()?;
                let mut found = registered::find_all(name).into_iter();
                found.find(|circuit| circuit.has_policy(&policy))
            }
        }
    }
}

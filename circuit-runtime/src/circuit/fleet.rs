//! The verdicts and orders of a fleet, and how far a circuit has followed them.

use std::time::Duration;

/// The number that a store gives a verdict or an order: it grows with each change.
///
/// # Examples
///
/// ```
/// use circuit_runtime::remote::Epoch;
///
/// assert!(Epoch(7) > Epoch(6));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

/// The effect of a verdict or an order on a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Effect {
    /// The breaker follows it from now on.
    Applied,
    /// Nothing has changed: the breaker is as the verdict says, has followed it before, or has
    /// opened or closed by itself since.
    Unchanged,
    /// An order holds the breaker, and goes before it. Delivered again after that, it is applied.
    Held,
    /// Another one has come before that has a later epoch.
    Stale,
    /// The breaker is not in use any more.
    Gone,
}

/// The result of the probes of a process that has the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Probed {
    /// All of them succeeded: the circuit has closed, or admits calls gradually.
    Succeeded,
    /// One of them failed: the circuit has opened.
    Failed {
        /// How long the circuit stays open, by the rules of this process.
        wait: Duration,
        /// How often it has reopened since it was last closed.
        reopenings: u32,
    },
    /// Another verdict, or an order of an operator, has ended the half-open state.
    Superseded,
}

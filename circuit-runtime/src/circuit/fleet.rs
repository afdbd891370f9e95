//! The progress of a circuit in following the verdicts and orders of its fleet.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use super::state::{Trigger, Word};
use crate::state::State;

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
///
/// # Examples
///
/// ```
/// use circuit_runtime::remote::{Effect, Epoch, Remote};
/// use circuit_runtime::{CircuitBreaker, Config};
///
/// let breaker = CircuitBreaker::new("payments", Config::default());
/// let remote = Remote::attach(&breaker);
/// match remote.close(Epoch(1)) {
///     Effect::Held => println!("an operator holds it: deliver the verdict again later"),
///     Effect::Gone => println!("forget it"),
///     _ => {}
/// }
/// ```
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
    /// Another one of a later epoch was delivered before.
    Stale,
    /// The breaker is not in use any more.
    Gone,
}

/// The result of the probes of a process that has the lease.
///
/// # Examples
///
/// ```
/// use circuit_runtime::remote::{Probed, Remote};
///
/// /// Waits for the probes, and returns what to report to the store.
/// async fn report(remote: &Remote) -> &'static str {
///     match remote.probed().await {
///         Probed::Succeeded => "succeeded",
///         Probed::Failed { .. } => "failed",
///         _ => "abandoned",
///     }
/// }
/// # let _ = report;
/// ```
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

/// A verdict of the fleet about one circuit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FleetVerdict {
    pub(crate) epoch: Epoch,
    pub(crate) decision: Decision,
}

/// The decision of a verdict. Times include the grace.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Decision {
    Open { time: Duration, reopenings: u32 },
    HalfOpen,
    Wait { time: Duration },
    Close,
}

/// The parts of one epoch, in the order in which they follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Open,
    /// One process has the lease.
    Leased,
    Closed,
}

/// How far a circuit has followed its fleet. Part of what the lock of its transitions protects.
#[derive(Default)]
pub(super) struct Standing {
    /// The latest verdict, if there was one.
    latest: Option<(Epoch, Stage)>,
    /// False if an order held the circuit when the latest verdict was delivered.
    is_followed: bool,
    /// The phase that a verdict has begun, or has taken over.
    phase: Option<Word>,
    /// The phase in which this process has the lease.
    leased: Option<Word>,
    /// The result of its probes, until it is taken.
    probed: Option<Probed>,
    /// Created by the first task that waits for a result.
    told: Option<Arc<Notify>>,
    /// The latest order, if there was one.
    order: Option<FleetOrder>,
}

/// An order of the fleet, or that there is none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct FleetOrder {
    pub(super) epoch: Epoch,
    /// The state to hold the circuit in, and for how long.
    pub(super) hold: Option<(State, Option<Duration>)>,
    /// False as long as an order that was given by hand goes before it.
    pub(super) is_followed: bool,
}

impl FleetVerdict {
    fn stage(self) -> Stage {
        match self.decision {
            Decision::Open { .. } => Stage::Open,
            Decision::HalfOpen | Decision::Wait { .. } => Stage::Leased,
            Decision::Close => Stage::Closed,
        }
    }
}

impl Standing {
    /// Returns whether a verdict is the first of its epoch that the circuit can follow; the effect
    /// of one that is late, or that it has followed before.
    pub(super) fn admit(&self, verdict: FleetVerdict) -> Result<bool, Effect> {
        let Some((epoch, stage)) = self.latest else {
            return Ok(true);
        };
        if verdict.epoch > epoch {
            return Ok(true);
        }
        if (verdict.epoch, verdict.stage()) < (epoch, stage) {
            return Err(Effect::Stale);
        }
        // A lease may be granted, denied and renewed any number of times.
        let is_repeated = verdict.stage() == stage && stage != Stage::Leased;
        if self.is_followed && is_repeated {
            return Err(Effect::Unchanged);
        }
        Ok(!self.is_followed)
    }

    /// Notes a verdict that meets an order which goes before it, and returns its effect.
    pub(super) fn hold(&mut self, verdict: FleetVerdict) -> Effect {
        if self.admit(verdict) == Err(Effect::Stale) {
            return Effect::Stale;
        }
        self.latest = Some((verdict.epoch, verdict.stage()));
        self.is_followed = false;
        Effect::Held
    }

    /// Notes a verdict that the circuit follows, or that changes nothing about it.
    pub(super) fn follow(&mut self, verdict: FleetVerdict) {
        self.latest = Some((verdict.epoch, verdict.stage()));
        self.is_followed = true;
    }

    /// Makes a phase that of the verdict.
    pub(super) fn take_over(&mut self, verdict: FleetVerdict, word: Word) {
        self.follow(verdict);
        self.phase = Some(word);
        if matches!(verdict.decision, Decision::HalfOpen) && self.leased != Some(word) {
            self.leased = Some(word);
            self.probed = None;
        }
    }

    /// Returns whether a verdict has begun the phase of `word`, or has taken it over.
    pub(super) fn is_phase(&self, word: Word) -> bool {
        self.phase == Some(word)
    }

    /// Notes the end of a phase, and with it the result of the probes of this process. `opened`
    /// returns the wait that has begun, and the number of reopenings.
    pub(super) fn leave(
        &mut self,
        word: Word,
        trigger: Trigger,
        opened: impl FnOnce() -> (Duration, u32),
    ) {
        if self.leased != Some(word) {
            return;
        }
        self.leased = None;
        self.probed = Some(match trigger {
            Trigger::ProbesSucceeded | Trigger::RampBegins(_) => Probed::Succeeded,
            Trigger::ProbeFailed | Trigger::Unavailable(_) => {
                let (wait, reopenings) = opened();
                Probed::Failed { wait, reopenings }
            }
            _ => Probed::Superseded,
        });
    }

    /// Returns the result of the probes once; a future that completes with the next one if there is
    /// none.
    pub(super) fn take_probed(&mut self) -> Result<Probed, OwnedNotified> {
        let told = self.told.get_or_insert_default();
        self.probed
            .take()
            .ok_or_else(|| Arc::clone(told).notified_owned())
    }

    /// Returns the tasks to tell of a result, if there is one.
    pub(super) fn to_tell(&self) -> Option<Arc<Notify>> {
        self.probed.and(self.told.clone())
    }

    /// Notes an order; returns the effect of one that is late, or was followed before.
    pub(super) fn order(&mut self, order: FleetOrder) -> Option<Effect> {
        if let Some(before) = self.order {
            if order.epoch < before.epoch {
                return Some(Effect::Stale);
            }
            if order.epoch == before.epoch && before.is_followed {
                return Some(Effect::Unchanged);
            }
        }
        self.order = Some(order);
        None
    }

    /// Returns the latest order.
    pub(super) fn latest_order(&self) -> Option<FleetOrder> {
        self.order
    }

    /// Notes whether the circuit follows an order; returns `false` if another one has come
    /// meanwhile.
    pub(super) fn note_order(&mut self, order: FleetOrder, is_followed: bool) -> bool {
        let latest = self.order.as_mut();
        let same = latest.filter(|latest| (latest.epoch, latest.hold) == (order.epoch, order.hold));
        same.map(|latest| latest.is_followed = is_followed)
            .is_some()
    }
}

//! The seam to a fleet: several processes that call the same service, and share what they know
//! about it.
//!
//! Each process has breakers of its own, and each breaker decides by itself: it counts, opens and
//! rejects without asking anyone. The processes are a *fleet* if they reach a common store, and
//! each has a task that reports the openings and closings of its breakers to the store, and
//! delivers the store's verdicts to its breakers. This module is for the deliveries. They arrive
//! before the calls that they concern, so that no call waits for the store, in any state. The task
//! and the store are another crate's.
//!
//! # Verdicts and orders
//!
//! A [`Remote`] is attached to one breaker. Through it the store's *verdict* is delivered, as one
//! of
//!
//! | | the store says | effect |
//! |---|---|---|
//! | [`open_for`](Remote::open_for) | the circuit is open for this long | opens, or replaces what is left of the wait |
//! | [`half_open_now`](Remote::half_open_now) | this process has the lease, and may probe | ends the wait |
//! | [`wait`](Remote::wait) | another process has the lease | keeps open for what is left of the lease |
//! | [`close`](Remote::close) | the circuit is closed | ends what the verdict had opened; begins the `ramp`, if the rules have one |
//!
//! and so are the *orders* of operators to the whole fleet: [`hold_open`](Remote::hold_open),
//! [`hold_closed`](Remote::hold_closed) and [`release`](Remote::release).
//!
//! An order goes before a verdict, and a verdict before the breaker's own evidence. A verdict never
//! closes a circuit that has opened by itself, though: the cause may be a broken network of this
//! process alone.
//!
//! # Epochs
//!
//! Everything that is delivered carries the [`Epoch`] that the store gave it, a number that grows
//! with each change. A verdict of an earlier epoch than the latest has no effect: messages may
//! arrive late, twice, or in another order. Within one epoch, an opening comes before a lease, and
//! a lease before a closing. Orders are numbered apart from verdicts.
//!
//! A verdict is applied once. Delivered again, it does not undo later changes, such as a reset by
//! hand, or a successful probe of this process. One that was delivered while an order held the
//! breaker is applied when it is delivered again after that. The [`Effect`] tells.
//!
//! # Without the store
//!
//! A wait that a verdict sets is longer than the store's by a *grace*, a quarter of a second by
//! default, and by the `jitter` of the breaker's rules. So at the store's deadline, the process
//! that gets the lease is half-open first. A process that hears nothing becomes half-open by itself
//! when the grace is over, and probes: no circuit stays open because the store is away.
//!
//! # Examples
//!
//! ```
//! use circuit_runtime::remote::{Effect, Epoch, Remote};
//! use circuit_runtime::{Cause, CircuitBreaker, Config, State};
//! use std::time::Duration;
//!
//! let breaker = CircuitBreaker::new("payments", Config::default());
//! let remote = Remote::attach(&breaker);
//!
//! // Another process has seen the service fail.
//! let effect = remote.open_for(Epoch(7), Duration::from_secs(30), 0);
//! assert_eq!(effect, Effect::Applied);
//! assert_eq!(breaker.state(), State::Open);
//! assert_eq!(breaker.snapshot().last_change.unwrap().cause, Cause::Fleet);
//!
//! // A message that was late.
//! assert_eq!(remote.close(Epoch(6)), Effect::Stale);
//!
//! // At the deadline, this process gets the lease: one call probes.
//! remote.half_open_now(Epoch(7));
//! breaker.try_acquire()?.success();
//! assert_eq!(breaker.state(), State::Closed);
//! # Ok::<(), circuit_runtime::CircuitError>(())
//! ```

use std::fmt;
use std::future::pending;
use std::time::Duration;

pub use crate::circuit::fleet::{Effect, Epoch, Probed};

use crate::breaker::CircuitBreaker;
use crate::circuit::fleet::{Decision, FleetVerdict};
use crate::circuit::reference::CircuitReference;
use crate::name::Name;
use crate::state::State;

/// How much longer than the store says a circuit stays open, unless set otherwise.
const GRACE: Duration = Duration::from_millis(250);

/// The connection of one breaker to its fleet.
///
/// Does not keep the breaker alive. If the breaker is that of a key, and is evicted, the next one
/// of that key takes its place: it begins closed, and without an epoch.
///
/// Deliveries are kept with the breaker, and survive resets and new rules. When the connection is
/// dropped, the breaker stays as it is: an opening ends by time, a hold at its end or by hand. If
/// several are attached to one breaker, they act as one, and share its epoch: there should be one
/// store behind them.
///
/// # Examples
///
/// ```
/// use circuit_runtime::remote::{Effect, Epoch, Remote};
/// use circuit_runtime::{CircuitBreaker, Config};
/// use std::time::Duration;
///
/// let breaker = CircuitBreaker::new("payments", Config::default());
/// let remote = Remote::attach(&breaker).with_grace(Duration::from_millis(400));
/// assert_eq!(remote.name(), "payments");
///
/// drop(breaker);
/// assert_eq!(remote.close(Epoch(1)), Effect::Gone);
/// ```
pub struct Remote {
    name: Name,
    circuit: CircuitReference,
    grace: Duration,
}

impl Remote {
    /// Attaches to a breaker.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::remote::Remote;
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// let remote = Remote::attach(&breaker);
    /// assert_eq!(remote.name(), "payments");
    /// ```
    #[must_use]
    pub fn attach(breaker: &CircuitBreaker) -> Self {
        Self {
            name: breaker.name().clone(),
            circuit: CircuitReference::new(breaker.circuit()),
            grace: GRACE,
        }
    }

    /// Sets how much longer than the store says a circuit stays open before it becomes half-open by
    /// itself. This should be longer than it takes to ask the store for the lease and to hear the
    /// answer, and may differ from process to process, so that they do not probe at the same time
    /// while the store is away.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::remote::Remote;
    /// use circuit_runtime::{CircuitBreaker, Config};
    /// use std::time::Duration;
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// let grace = Duration::from_millis(250 + u64::from(std::process::id() % 250));
    /// let remote = Remote::attach(&breaker).with_grace(grace);
    /// # let _ = remote;
    /// ```
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Returns the name of the breaker.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::remote::Remote;
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// let remote = Remote::attach(&breaker);
    /// assert_eq!(remote.name().key(), None);
    /// ```
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Returns a handle to the breaker; `None` if it is not in use any more.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::remote::Remote;
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// let remote = Remote::attach(&breaker);
    /// assert_eq!(remote.breaker().unwrap().state(), breaker.state());
    /// drop(breaker);
    /// assert!(remote.breaker().is_none());
    /// ```
    #[must_use]
    pub fn breaker(&self) -> Option<CircuitBreaker> {
        self.circuit.upgrade().map(CircuitBreaker::from_circuit)
    }

    /// Returns how many calls were rejected since the circuit opened: zero if it is closed, or the
    /// breaker is not in use any more.
    ///
    /// A process without callers should not ask for the lease, as it cannot probe.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::remote::Remote;
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// let remote = Remote::attach(&breaker);
    /// breaker.trip();
    /// assert_eq!(remote.rejected(), 0);
    /// assert!(breaker.try_acquire().is_err());
    /// assert_eq!(remote.rejected(), 1);
    /// ```
    #[must_use]
    pub fn rejected(&self) -> u64 {
        let circuit = self.circuit.upgrade();
        circuit.map_or(0, |circuit| circuit.rejected_since_opening())
    }

    /// Returns the rest of the wait if the circuit has opened by itself, or was tripped by hand:
    /// the opinion of this process alone. Zero once the circuit is half-open.
    ///
    /// `None` if the circuit is closed, admits calls gradually, is held, or is open because of a
    /// verdict.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::remote::{Epoch, Remote};
    /// use circuit_runtime::{CircuitBreaker, Config};
    /// use std::time::Duration;
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// let remote = Remote::attach(&breaker);
    /// breaker.trip();
    /// assert!(remote.own_wait().is_some());
    ///
    /// remote.open_for(Epoch(1), Duration::from_secs(30), 0); // other processes agree
    /// assert_eq!(remote.own_wait(), None);
    /// ```
    #[must_use]
    pub fn own_wait(&self) -> Option<Duration> {
        self.circuit.upgrade()?.own_wait()
    }

    /// Waits for the result of the probes that [`half_open_now`](Self::half_open_now) has allowed.
    ///
    /// Each result is returned once. The future is pending while no call probes, and stays so if
    /// the breaker is dropped or never had the lease: wait for no longer than the lease lasts.
    ///
    /// # Cancel safety
    ///
    /// No result is lost with the returned future.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::remote::{Epoch, Probed, Remote};
    /// use circuit_runtime::{CircuitBreaker, Config};
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), circuit_runtime::CircuitError> {
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// let remote = Remote::attach(&breaker);
    /// remote.open_for(Epoch(1), Duration::from_secs(30), 0);
    /// remote.half_open_now(Epoch(1));
    ///
    /// breaker.try_acquire()?.success();
    /// assert_eq!(remote.probed().await, Probed::Succeeded);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn probed(&self) -> Probed {
        loop {
            let Some(circuit) = self.circuit.upgrade() else {
                return pending().await;
            };
            let notified = match circuit.take_probed() {
                Ok(probed) => return probed,
                Err(notified) => notified,
            };
            // While it waits, the breaker is not in use.
            drop(circuit);
            notified.await;
        }
    }
}

/// Deliveries.
#[expect(
    clippy::must_use_candidate,
    reason = "a delivery has its effect whether or not that is looked at"
)]
impl Remote {
    /// Delivers the verdict that the circuit is open for the time `remaining`, and has reopened
    /// `reopenings` times since it was last closed: zero for the first opening of an outage.
    ///
    /// A closed circuit opens; one that has admitted a probe, or admits calls gradually, reopens.
    /// The cause is [`Cause::Fleet`](crate::Cause::Fleet). Results of calls in flight, those of
    /// probes included, are not counted any more. If the circuit is open already, or was not called
    /// since its wait was over, the rest of its wait is replaced, without an event; it is open
    /// because of the verdict from now on.
    ///
    /// The wait is `remaining`, plus the grace and the `jitter` of the rules. New rules do not
    /// change it. The number of reopenings becomes that of the fleet: if the next probe fails, in
    /// whichever process, the wait goes on doubling up to `max_reset`.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::remote::{Effect, Epoch, Remote};
    /// use circuit_runtime::{CircuitBreaker, Config, State};
    /// use std::time::Duration;
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// let remote = Remote::attach(&breaker);
    /// remote.open_for(Epoch(1), Duration::from_secs(30), 0);
    /// assert_eq!(breaker.state(), State::Open);
    /// let wait = breaker.snapshot().retry_after;
    /// assert!(wait > Some(Duration::from_secs(30))); // the grace
    ///
    /// assert_eq!(remote.open_for(Epoch(1), Duration::from_secs(29), 0), Effect::Unchanged);
    /// ```
    pub fn open_for(&self, epoch: Epoch, remaining: Duration, reopenings: u32) -> Effect {
        let time = remaining.saturating_add(self.grace);
        self.deliver(epoch, Decision::Open { time, reopenings })
    }

    /// Delivers the verdict that this process has the lease: its breaker may probe.
    ///
    /// An open circuit is half-open from now on, whatever has opened it. One that is half-open
    /// stays so, and the result of a probe in flight counts. Others stay as they are.
    /// [`probed`](Self::probed) waits for the result.
    ///
    /// Within one epoch, this and [`wait`](Self::wait) may follow each other any number of times.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::remote::{Effect, Epoch, Remote};
    /// use circuit_runtime::{CircuitBreaker, Config, State};
    /// use std::time::Duration;
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// let remote = Remote::attach(&breaker);
    /// assert_eq!(remote.half_open_now(Epoch(1)), Effect::Unchanged); // there is nothing to probe
    /// remote.open_for(Epoch(2), Duration::from_secs(30), 0);
    /// assert_eq!(remote.half_open_now(Epoch(2)), Effect::Applied);
    /// assert_eq!(breaker.state(), State::HalfOpen);
    /// ```
    pub fn half_open_now(&self, epoch: Epoch) -> Effect {
        self.deliver(epoch, Decision::HalfOpen)
    }

    /// Delivers the verdict that another process has the lease, and keeps it for the time `rest`
    /// unless it reports before that.
    ///
    /// The rest of an open circuit's wait is replaced, as by [`open_for`](Self::open_for). A
    /// half-open circuit is open again, and the result of a probe in flight is not counted. If this
    /// is the first verdict of its epoch, a circuit that is closed or admits calls gradually opens,
    /// too. Otherwise it stays as it is, as does one that has opened by itself since.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::remote::{Effect, Epoch, Remote};
    /// use circuit_runtime::{CircuitBreaker, Config};
    /// use std::time::Duration;
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// let remote = Remote::attach(&breaker);
    /// remote.open_for(Epoch(1), Duration::from_secs(30), 0);
    /// assert_eq!(remote.wait(Epoch(1), Duration::from_secs(3)), Effect::Applied);
    /// assert!(breaker.snapshot().retry_after < Some(Duration::from_secs(4)));
    /// ```
    pub fn wait(&self, epoch: Epoch, rest: Duration) -> Effect {
        let time = rest.saturating_add(self.grace);
        self.deliver(epoch, Decision::Wait { time })
    }

    /// Delivers the verdict that the circuit is closed.
    ///
    /// A circuit that is open or half-open because of a verdict closes or, if its rules have a
    /// `ramp`, admits calls gradually, as after successful probes of its own. The cause is
    /// [`Cause::Fleet`](crate::Cause::Fleet). One that has opened by itself stays open, be it
    /// before any verdict or by a failed probe since.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::remote::{Effect, Epoch, Remote};
    /// use circuit_runtime::{CircuitBreaker, Config, State};
    /// use std::time::Duration;
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// let remote = Remote::attach(&breaker);
    /// remote.open_for(Epoch(1), Duration::from_secs(30), 0);
    /// assert_eq!(remote.close(Epoch(2)), Effect::Applied);
    /// assert_eq!(breaker.state(), State::Closed);
    ///
    /// breaker.trip(); // by itself
    /// assert_eq!(remote.close(Epoch(3)), Effect::Unchanged);
    /// assert_eq!(breaker.state(), State::Open);
    /// ```
    pub fn close(&self, epoch: Epoch) -> Effect {
        self.deliver(epoch, Decision::Close)
    }

    /// Delivers an order that holds the circuit open, for so long if a time is given.
    ///
    /// The order replaces a file's hold. It does not replace an order that was given to this
    /// process by hand: delivered again after that, it is applied. The
    /// [`hold`](crate::Snapshot::hold) has the source [`Fleet`](crate::HoldSource::Fleet).
    ///
    /// An order that was applied has no effect again, even if the circuit was released by hand
    /// since.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::remote::{Epoch, Remote};
    /// use circuit_runtime::{CircuitBreaker, Config, HoldSource};
    /// use std::time::Duration;
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// let remote = Remote::attach(&breaker);
    /// remote.hold_open(Epoch(1), Some(Duration::from_secs(900)));
    /// assert_eq!(breaker.snapshot().hold.unwrap().source, HoldSource::Fleet);
    /// ```
    pub fn hold_open(&self, epoch: Epoch, time: Option<Duration>) -> Effect {
        self.order(epoch, Some((State::Open, time)))
    }

    /// Delivers an order that holds the circuit closed, for so long if a time is given. Otherwise,
    /// this is [`hold_open`](Self::hold_open).
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::remote::{Effect, Epoch, Remote};
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// let remote = Remote::attach(&breaker);
    /// breaker.force_open(); // by hand, in this process
    /// assert_eq!(remote.hold_closed(Epoch(1), None), Effect::Held);
    /// breaker.reset();
    /// assert_eq!(remote.hold_closed(Epoch(1), None), Effect::Applied);
    /// ```
    pub fn hold_closed(&self, epoch: Epoch, time: Option<Duration>) -> Effect {
        self.order(epoch, Some((State::Closed, time)))
    }

    /// Delivers that no order of the fleet is in force.
    ///
    /// A circuit that one holds is released as by [`reset`](CircuitBreaker::reset), or to the hold
    /// of a file. Other holds stay.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::remote::{Effect, Epoch, Remote};
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// let remote = Remote::attach(&breaker);
    /// remote.hold_open(Epoch(1), None);
    /// assert_eq!(remote.release(Epoch(2)), Effect::Applied);
    /// assert!(breaker.try_acquire().is_ok());
    /// ```
    pub fn release(&self, epoch: Epoch) -> Effect {
        self.order(epoch, None)
    }
}

impl Remote {
    fn deliver(&self, epoch: Epoch, decision: Decision) -> Effect {
        let verdict = FleetVerdict { epoch, decision };
        let circuit = self.circuit.upgrade();
        circuit.map_or(Effect::Gone, |circuit| circuit.follow_verdict(verdict))
    }

    fn order(&self, epoch: Epoch, hold: Option<(State, Option<Duration>)>) -> Effect {
        let circuit = self.circuit.upgrade();
        circuit.map_or(Effect::Gone, |circuit| {
            circuit.follow_fleet_order(epoch, hold)
        })
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("name", &self.name)
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}

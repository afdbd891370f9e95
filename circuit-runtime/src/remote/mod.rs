//! The seam to a fleet: several processes that call the same service, and share what they know
//! about it.
//!
//! Each process has breakers of its own, and each breaker decides by itself: it counts, opens and
//! rejects without asking anyone. A *fleet* is a store that all processes reach, and a task in each
//! of them that tells the store what the breakers there have found, and tells the breakers what the
//! store says. This module is the second half of that task: what arrives is applied to a breaker
//! beforehand, so that no call ever waits for the store. `circuit-redis` is such a fleet; another
//! store can be put behind the same seam.
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
//! An order goes before a verdict, and a verdict before what the breaker has found by itself. Only
//! towards opening, though: a circuit that has opened by itself stays open although the verdict is
//! that it is closed, as the cause may be a broken network of this process alone.
//!
//! # Epochs
//!
//! Everything that is delivered carries the [`Epoch`] that the store gave it, a number that grows
//! with each change of the verdict. A verdict of an earlier epoch than the latest has no effect:
//! messages may arrive late, twice, or in another order. Of one epoch, an opening comes before a
//! lease, and a lease before a closing. Orders are numbered by themselves.
//!
//! A verdict is applied once. Delivered again, it does not undo what has come after it: a probe of
//! this process that has closed the circuit, or an operator who has reset it. The effect of each
//! delivery is returned as an [`Effect`].
//!
//! # Without the store
//!
//! A wait that a verdict sets is longer than the store's by a *grace*, a quarter of a second by
//! default, and by the `jitter` of the breaker's rules. So at the store's deadline, the process that
//! gets the lease is half-open first. A process that hears nothing becomes half-open by itself when
//! the grace is over, and probes: no circuit stays open because the store is away.
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

mod target;

use std::fmt;
use std::time::Duration;

pub use crate::circuit::fleet::{Effect, Epoch, Probed};

use crate::breaker::CircuitBreaker;
use crate::name::Name;
use target::Target;

/// How much longer than the store says a circuit stays open, unless set otherwise.
const GRACE: Duration = Duration::from_millis(250);

/// The connection of one breaker to its fleet.
///
/// Does not keep the breaker alive, and changes nothing by itself: dropped, it leaves the breaker as
/// it is. What a verdict has opened ends by time, as any wait does. The breaker may be reset and
/// reconfigured meanwhile. If it is that of a key, and is evicted, a new breaker of the same key
/// takes its place: it begins closed, without an epoch, and follows the next verdict.
///
/// What was delivered is kept with the breaker. If several are attached to one, they act as one:
/// all of them must be told by the same store, or by stores that agree about epochs.
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
    target: Target,
    grace: Duration,
}

impl Remote {
    /// Attaches to a breaker.
    #[must_use]
    pub fn attach(breaker: &CircuitBreaker) -> Self {
        todo!()
    }

    /// Sets how much longer than the store says the circuit stays open before it becomes half-open
    /// by itself: longer than it takes to ask the store for the lease, and to hear the answer.
    ///
    /// Give each process another one if, without the store, they should not probe in step.
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Self {
        todo!()
    }

    /// Returns the name of the breaker.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Returns a handle to the breaker; `None` if it is not in use any more.
    #[must_use]
    pub fn breaker(&self) -> Option<CircuitBreaker> {
        todo!()
    }

    /// Delivers the verdict that the circuit is open for the time `remaining`, and has reopened
    /// `reopenings` times since it was last closed: zero for the first opening of an outage.
    ///
    /// A closed circuit opens; one that is half-open, or admits calls gradually, reopens. In each
    /// case the cause is [`Cause::Fleet`](crate::Cause::Fleet). The results of calls in flight, a
    /// probe's included, are not counted any more. If the circuit is open already, what is left of
    /// its wait is replaced, without an event, and a [`close`](Self::close) ends it: so does a
    /// half-open one that has not admitted a probe yet. The number of reopenings becomes the fleet's,
    /// so that `max_reset` goes on doubling whichever process probes next.
    ///
    /// The wait is `remaining`, the grace, and the `jitter` of the rules. New rules do not change
    /// it.
    ///
    /// A verdict that was applied has no effect again, even if the circuit has been closed since: by
    /// its own probes, or by an operator.
    pub fn open_for(&self, epoch: Epoch, remaining: Duration, reopenings: u32) -> Effect {
        todo!()
    }

    /// Delivers the verdict that this process has the lease: its breaker may probe.
    ///
    /// An open circuit is half-open from now on, whoever has opened it. One that is half-open stays
    /// so, with a probe that is in flight. Others stay as they are. [`probed`](Self::probed) waits
    /// for the result.
    ///
    /// Of one epoch, this and [`wait`](Self::wait) may follow each other any number of times.
    pub fn half_open_now(&self, epoch: Epoch) -> Effect {
        todo!()
    }

    /// Delivers the verdict that another process has the lease, and keeps it for the time `rest`
    /// unless it reports before that.
    ///
    /// What is left of an open circuit's wait is replaced by `rest`, the grace, and the `jitter` of
    /// the rules. A half-open circuit is open again, and the result of its probe, if one is in
    /// flight, is not counted. A circuit that is closed, or admits calls gradually, opens if this is
    /// the first that it hears of this epoch, and otherwise stays as it is, as does one that has
    /// opened by itself since.
    pub fn wait(&self, epoch: Epoch, rest: Duration) -> Effect {
        todo!()
    }

    /// Delivers the verdict that the circuit is closed.
    ///
    /// A circuit that a verdict has opened, or keeps open, closes or, if its rules have a `ramp`,
    /// admits calls gradually, as after successful probes of its own. The cause is
    /// [`Cause::Fleet`](crate::Cause::Fleet). A circuit that has opened by itself stays open, one
    /// that has reopened by a failed probe of its own included.
    pub fn close(&self, epoch: Epoch) -> Effect {
        todo!()
    }

    /// Delivers an order that holds the circuit open, for so long if a time is given.
    ///
    /// The order replaces a file's hold. It does not replace an order that was given to this process
    /// by hand, which goes before it: deliver it again later. The hold of a
    /// [`Snapshot`](crate::Snapshot) has the source [`Fleet`](crate::HoldSource::Fleet).
    ///
    /// Orders are numbered apart from verdicts. An order that was applied has no effect again, even
    /// if an operator has released the circuit since.
    pub fn hold_open(&self, epoch: Epoch, time: Option<Duration>) -> Effect {
        todo!()
    }

    /// Delivers an order that holds the circuit closed, for so long if a time is given. Otherwise,
    /// this is [`hold_open`](Self::hold_open).
    pub fn hold_closed(&self, epoch: Epoch, time: Option<Duration>) -> Effect {
        todo!()
    }

    /// Delivers that no order of the fleet is in force.
    ///
    /// A circuit that one holds is released as by [`reset`](CircuitBreaker::reset), or to the hold
    /// of a file. Other holds stay.
    pub fn release(&self, epoch: Epoch) -> Effect {
        todo!()
    }

    /// Returns how many calls were rejected since the circuit opened: zero if it is closed, or the
    /// breaker is not in use any more.
    ///
    /// A process without callers should not ask for the lease, as it cannot probe.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        todo!()
    }

    /// Returns what is left of a wait that the breaker has begun by itself, or that was begun by
    /// hand: its own opinion, which the store does not have to share. Zero while it is half-open
    /// after such a wait.
    ///
    /// `None` if it is closed, admits calls gradually, is held, or is open because of a verdict.
    #[must_use]
    pub fn own_wait(&self) -> Option<Duration> {
        todo!()
    }

    /// Waits for the result of the probes that [`half_open_now`](Self::half_open_now) has allowed.
    ///
    /// Completes at once if there is a result that was not returned yet. Pending for as long as no
    /// call probes, or as the probe runs, and forever if the breaker is dropped or was never told to
    /// probe: wait no longer than for the lease.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future loses no result.
    pub async fn probed(&self) -> Probed {
        todo!()
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

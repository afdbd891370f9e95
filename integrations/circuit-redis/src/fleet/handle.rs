//! The public handle to a fleet.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use circuit_runtime::{State, registry};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::Instant;

use crate::error::FleetError;
use crate::events::FleetEvent;
use crate::keys::stored_name;
use crate::member::Member;
use crate::metrics::{self, Totals};
use crate::shared::{Command, Settings, Shared};
use crate::status::{Recorded, Sharing, Status};

/// Orders that wait for the task.
const COMMANDS: usize = 64;
/// An order ends after this time unless another is asked for.
const ORDER_TERM: Duration = Duration::from_secs(15 * 60);

/// Breakers that share what they know with those of other processes, through Redis or Valkey.
///
/// A clone is a handle to the same fleet. Dropping the last one ends [`run`](Self::run).
///
/// # Examples
///
/// ```no_run
/// use circuit_redis::{Fleet, Quorum};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), circuit_redis::FleetError> {
/// let fleet = Fleet::builder("redis://127.0.0.1", "shop")
///     .share("shop::*")
///     .quorum(Quorum::AtLeast(2))
///     .build()?;
/// tokio::spawn(fleet.run());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Fleet {
    shared: Arc<Shared>,
    commands: mpsc::Sender<Command>,
    /// The parts of the task, until it begins.
    start: Arc<Mutex<Option<Start>>>,
}

struct Start {
    settings: Settings,
    commands: mpsc::Receiver<Command>,
}

impl Fleet {
    pub(super) fn new(settings: Settings, namespace: Arc<str>) -> Self {
        let (sender, commands) = mpsc::channel(COMMANDS);
        let recorded = Recorded::new(namespace, Arc::clone(&settings.member));
        let start = Start { settings, commands };
        Self {
            shared: Arc::new(Shared::new(recorded)),
            commands: sender,
            start: Arc::new(Mutex::new(Some(start))),
        }
    }

    /// Connects to the store, keeps the connection, and lets the breakers of this process follow
    /// the fleet. To be spawned once; the future completes when the last handle is dropped, and at
    /// once if there is another one already.
    ///
    /// Never fails: while the store is away, each process has its own breakers, and this tries to
    /// reach it again.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, breakers stay as they are: what the fleet has opened ends by
    /// time, or an order at its end. A probe that runs is not reported, and its lease ends within
    /// three seconds.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_redis::Fleet;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // Nothing listens on this port: the fleet is degraded, and tries again and again.
    /// let fleet = Fleet::builder("redis://127.0.0.1:1", "shop").share("shop::*").build()?;
    /// let task = tokio::spawn(fleet.run());
    ///
    /// drop(fleet);
    /// task.await?; // ends with the last handle
    /// # Ok(())
    /// # }
    /// ```
    pub fn run(&self) -> impl Future<Output = ()> + Send + 'static {
        let start = self
            .start
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let shared = Arc::clone(&self.shared);
        // From now on, no change is missed.
        let changes = registry::changes();
        async move {
            if let Some(start) = start {
                let member = Member::new(start.settings, shared);
                member.run(start.commands, changes).await;
            }
        }
    }

    /// Returns what the fleet is like now, as this process knows it.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_redis::Fleet;
    ///
    /// let fleet = Fleet::builder("redis://127.0.0.1", "shop").build()?;
    /// let status = fleet.status();
    /// assert_eq!(status.last_sync, None); // the store was not asked yet
    /// assert!(status.circuits.is_empty() && status.orders.is_empty());
    /// # Ok::<(), circuit_redis::FleetError>(())
    /// ```
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.status.borrow().at(Instant::now())
    }

    /// Waits until the status is as wanted, and returns it.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost with the returned future.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_redis::{Fleet, Sharing};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), circuit_redis::FleetError> {
    /// // Nothing listens on this port.
    /// let fleet = Fleet::builder("redis://127.0.0.1:1", "shop").build()?;
    /// tokio::spawn(fleet.run());
    ///
    /// let is_degraded = |sharing: &Sharing| matches!(sharing, Sharing::Degraded { .. });
    /// let status = fleet.wait_for(|status| is_degraded(&status.sharing)).await;
    /// assert_eq!(status.members, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn wait_for(&self, mut wanted: impl FnMut(&Status) -> bool) -> Status {
        let mut receiver = self.shared.status.subscribe();
        loop {
            let status = receiver.borrow_and_update().at(Instant::now());
            if wanted(&status) {
                return status;
            }
            // The sender is in `self`: this fails only if nobody waits any more.
            let _ = receiver.changed().await;
        }
    }

    /// Returns a receiver of what happens from now on. One that falls behind by more than 1024
    /// events learns how many it has missed.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use circuit_redis::{Fleet, FleetEvent};
    /// use tokio::sync::broadcast::error::RecvError;
    ///
    /// /// Prints the orders of operators.
    /// async fn watch(fleet: &Fleet) {
    ///     let mut events = fleet.events();
    ///     loop {
    ///         match events.recv().await {
    ///             Ok(FleetEvent::Ordered { name, to, .. }) => println!("`{name}` is held {to}"),
    ///             Ok(_) => {}
    ///             Err(RecvError::Lagged(missed)) => eprintln!("missed {missed} events"),
    ///             Err(RecvError::Closed) => return,
    ///         }
    ///     }
    /// }
    /// # let _ = watch;
    /// ```
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<FleetEvent> {
        self.shared.events.subscribe()
    }

    /// Returns what this process has counted since the start.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_redis::Fleet;
    ///
    /// let fleet = Fleet::builder("redis://127.0.0.1", "shop").build()?;
    /// let totals = fleet.totals();
    /// assert_eq!((totals.requests, totals.failed_requests), (0, 0));
    /// # Ok::<(), circuit_redis::FleetError>(())
    /// ```
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.shared.counters.totals()
    }

    /// Writes the numbers of the fleet in the text format of Prometheus, to stand beside those of
    /// the breakers: names begin with `circuit_fleet_`.
    ///
    /// # Errors
    ///
    /// Returns the error of `text`.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_redis::Fleet;
    /// use circuit_runtime::export;
    ///
    /// let fleet = Fleet::builder("redis://127.0.0.1", "shop").build()?;
    /// let mut text = String::new();
    /// export::prometheus(&mut text)?;
    /// fleet.prometheus(&mut text)?;
    /// assert!(text.contains("circuit_fleet_members{namespace=\"shop\"} 0"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn prometheus(&self, text: &mut impl fmt::Write) -> fmt::Result {
        metrics::write(&self.status(), &self.totals(), text)
    }

    /// Holds a circuit open in all processes, for 15 minutes.
    ///
    /// # Errors
    ///
    /// Returns an error if the store has not taken the order. If it did not answer in time, it may
    /// have.
    ///
    /// # Cancel safety
    ///
    /// An order whose future is dropped may still be carried out.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use circuit_redis::{Fleet, FleetError};
    /// # async fn order(fleet: Fleet) -> Result<(), FleetError> {
    /// // The exchange is being repaired: no process calls it.
    /// fleet.hold_open("shop::quote").await?;
    /// # Ok(())
    /// # }
    /// # let _ = order;
    /// ```
    pub async fn hold_open(&self, name: &str) -> Result<(), FleetError> {
        self.order(name, Some(State::Open), Some(ORDER_TERM)).await
    }

    /// Holds a circuit closed in all processes, for 15 minutes.
    ///
    /// # Errors
    ///
    /// Returns an error if the store has not taken the order. If it did not answer in time, it may
    /// have.
    ///
    /// # Cancel safety
    ///
    /// An order whose future is dropped may still be carried out.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use circuit_redis::{Fleet, FleetError};
    /// # async fn order(fleet: Fleet) -> Result<(), FleetError> {
    /// // The calls must go through, whatever their results are.
    /// fleet.hold_closed("shop::quote").await?;
    /// # Ok(())
    /// # }
    /// # let _ = order;
    /// ```
    pub async fn hold_closed(&self, name: &str) -> Result<(), FleetError> {
        self.order(name, Some(State::Closed), Some(ORDER_TERM))
            .await
    }

    /// Holds a circuit in all processes for this time or, if it is `None`, until it is released:
    /// open, unless `to` is [`State::Closed`].
    ///
    /// An order without an end stays in the store, also when all processes have ended. One with an
    /// end is better forgotten than one without.
    ///
    /// # Errors
    ///
    /// Returns an error if the store has not taken the order. If it did not answer in time, it may
    /// have.
    ///
    /// # Cancel safety
    ///
    /// An order whose future is dropped may still be carried out.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use circuit_redis::{Fleet, FleetError};
    /// # async fn order(fleet: Fleet) -> Result<(), FleetError> {
    /// use circuit_runtime::State;
    /// use std::time::Duration;
    ///
    /// let night = Duration::from_secs(8 * 3600);
    /// fleet.hold("shop::quote", State::Open, Some(night)).await?;
    /// # Ok(())
    /// # }
    /// # let _ = order;
    /// ```
    pub async fn hold(
        &self,
        name: &str,
        to: State,
        time: Option<Duration>,
    ) -> Result<(), FleetError> {
        let to = match to {
            State::Closed => State::Closed,
            State::Open | State::HalfOpen => State::Open,
        };
        self.order(name, Some(to), time).await
    }

    /// Ends the order that holds a circuit in all processes.
    ///
    /// # Errors
    ///
    /// Returns an error if the store has not taken this. If it did not answer in time, it may have.
    ///
    /// # Cancel safety
    ///
    /// An order whose future is dropped may still be carried out.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use circuit_redis::{Fleet, FleetError};
    /// # async fn order(fleet: Fleet) -> Result<(), FleetError> {
    /// fleet.hold_open("shop::quote").await?;
    /// // Each process decides by its rules again.
    /// fleet.release("shop::quote").await?;
    /// # Ok(())
    /// # }
    /// # let _ = order;
    /// ```
    pub async fn release(&self, name: &str) -> Result<(), FleetError> {
        self.order(name, None, None).await
    }

    async fn order(
        &self,
        name: &str,
        to: Option<State>,
        term: Option<Duration>,
    ) -> Result<(), FleetError> {
        if self.status().sharing == Sharing::NotRunning {
            return Err(FleetError::NotRunning);
        }
        let (reply, answer) = oneshot::channel();
        let command = Command {
            name: stored_name(name),
            to,
            term,
            reply,
        };
        let sent = self.commands.send(command).await;
        sent.map_err(|_| FleetError::NotRunning)?;
        answer.await.unwrap_or(Err(FleetError::NotRunning))
    }
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet")
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

//! Receivers of changes, for slow consumers.

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Context;

use tokio::task::coop;

use super::change::StateChange;
use super::journal::{Entry, JOURNAL};
use super::waker::TaskWaker;

/// Receives the changes of all circuits, at the pace of its owner.
///
/// Changes wait in the [`history`](crate::registry::history), which keeps the latest 256. A
/// receiver that falls behind by more learns how many it has missed.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreaker, Config, State, registry};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut changes = registry::changes();
/// let breaker = CircuitBreaker::new("payments", Config::default());
/// breaker.trip();
///
/// match changes.recv().await {
///     Ok(change) => assert_eq!(change.to, State::Open),
///     Err(lagged) => eprintln!("{lagged}"),
/// }
/// # }
/// ```
#[must_use = "a receiver does nothing unless its changes are received"]
pub struct Changes {
    /// The number of the next change.
    next: u64,
    /// The waker of the task that has waited last.
    waker: Option<Arc<TaskWaker>>,
}

/// Returned by a receiver that has fallen behind, with the number of changes it missed.
///
/// # Examples
///
/// ```
/// use circuit_runtime::Lagged;
///
/// let lagged = Lagged(3);
/// assert_eq!(lagged.to_string(), "changes missed: 3; receive sooner, or take a snapshot");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("changes missed: {0}; receive sooner, or take a snapshot")]
pub struct Lagged(pub u64);

impl Changes {
    /// Creates a receiver of the changes from now on.
    pub(crate) fn new() -> Self {
        Self {
            next: JOURNAL.next(),
            waker: None,
        }
    }

    /// Creates a receiver of the changes from this number on, or from now on if it is higher than
    /// any.
    pub(crate) fn from_number(number: u64) -> Self {
        Self {
            next: JOURNAL.next().min(number),
            waker: None,
        }
    }

    /// Returns the number of the next change. The changes of the process are numbered from zero on,
    /// in the order of the [`history`](crate::registry::history).
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::registry;
    ///
    /// let changes = registry::changes();
    /// let again = registry::changes_from(changes.next_number());
    /// assert_eq!(again.next_number(), changes.next_number());
    /// ```
    #[must_use]
    pub fn next_number(&self) -> u64 {
        self.next
    }

    /// Waits for the next change.
    ///
    /// # Errors
    ///
    /// Returns [`Lagged`] if changes were missed. The next change is then the oldest that is kept.
    ///
    /// # Cancel safety
    ///
    /// No change is lost if the returned future is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::registry;
    ///
    /// /// Logs the changes of all circuits, until the program ends.
    /// async fn log() {
    ///     let mut changes = registry::changes();
    ///     loop {
    ///         match changes.recv().await {
    ///             Ok(change) => println!("{}: {}", change.breaker, change.to),
    ///             Err(lagged) => println!("{lagged}"),
    ///         }
    ///     }
    /// }
    /// # let _ = log;
    /// ```
    pub async fn recv(&mut self) -> Result<StateChange, Lagged> {
        loop {
            // Before reading, so that no change is missed in between.
            let mut recorded = pin!(JOURNAL.recorded());
            recorded.as_mut().enable();
            // A change consumes the task's cooperative budget, as that of any channel does:
            // otherwise a loop of changes would never let another task of its thread run.
            let budget = poll_fn(coop::poll_proceed).await;
            let received = self.try_recv().transpose();
            if let Some(received) = received {
                budget.made_progress();
                return received;
            }
            drop(budget);
            let waker = &mut self.waker;
            poll_fn(|context| {
                let waker = TaskWaker::for_task(context.waker(), waker);
                recorded.as_mut().poll(&mut Context::from_waker(&waker))
            })
            .await;
        }
    }

    /// Returns the next change; `None` if there is none yet.
    ///
    /// # Errors
    ///
    /// Returns [`Lagged`] if changes were missed. The next change is then the oldest that is kept.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::registry;
    ///
    /// let mut changes = registry::changes();
    /// assert_eq!(changes.try_recv(), Ok(None));
    /// ```
    pub fn try_recv(&mut self) -> Result<Option<StateChange>, Lagged> {
        match JOURNAL.read(&mut self.next) {
            Entry::Change(change) => Ok(Some(change)),
            Entry::Missed(changes) => Err(Lagged(changes)),
            Entry::End => Ok(None),
        }
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").finish_non_exhaustive()
    }
}

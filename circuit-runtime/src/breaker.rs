use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::call::Permit;
use crate::call::{self, Call};
use crate::circuit::Snapshot;
use crate::circuit::state::{Event, State};
use crate::circuit::ticket::{Outcome, Ticket};
use crate::circuit::{Circuit, Rejection};
use crate::config::Config;
use crate::error::{CallError, CircuitError};
use crate::name::Name;

/// A circuit breaker: it counts the failures of one dependency and, past a limit, answers at once
/// without asking.
///
/// A clone is a handle to the same breaker, and costs as much as a clone of an `Arc`. Annotated
/// functions have a breaker of their own; make one by hand to have one for each instance, tenant
/// or address.
///
/// ```
/// use circuit_runtime::{CallError, CircuitBreaker, Config};
///
/// # async fn get(url: &str) -> Result<String, std::io::Error> { Ok(url.to_owned()) }
/// struct Client {
///     breaker: CircuitBreaker,
/// }
///
/// impl Client {
///     async fn page(&self, url: &str) -> Result<String, CallError<std::io::Error>> {
///         self.breaker.call(get(url)).await
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let client = Client {
///     breaker: CircuitBreaker::new("pages", Config::default()),
/// };
/// assert!(client.page("/").await.is_ok());
/// # }
/// ```
#[derive(Clone)]
pub struct CircuitBreaker {
    circuit: Arc<Circuit>,
}

impl CircuitBreaker {
    /// A new breaker, closed, which [`registry`](crate::registry) knows until the last handle is
    /// dropped. Names need not be unique; [`find`](crate::registry::find) gives the oldest breaker of
    /// a name.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>, config: Config) -> Self {
        let name = Name::from(name.into());
        Self::from_circuit(Circuit::new(name, config))
    }

    pub(crate) fn from_circuit(circuit: Arc<Circuit>) -> Self {
        Self { circuit }
    }

    #[cfg(all(test, not(circuit_shuttle)))]
    pub(crate) fn circuit(&self) -> &Arc<Circuit> {
        &self.circuit
    }

    /// The name, as errors and the registry show it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.circuit.name()
    }

    /// The rules.
    #[must_use]
    pub fn config(&self) -> &Config {
        self.circuit.config()
    }

    /// The state at this moment. An open circuit becomes half-open by time alone.
    #[must_use]
    pub fn state(&self) -> State {
        self.circuit.state()
    }

    /// The state and the totals at this moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.circuit.snapshot()
    }

    /// Runs `future`, unless the circuit is open. Its result is evidence: an `Err` is a failure, unless
    /// [`failure_if`](Call::failure_if) or [`ignore_if`](Call::ignore_if) says otherwise, and so is a
    /// panic, which goes on unwinding. A future that is dropped is no evidence.
    ///
    /// The circuit is asked when the returned future is polled first. The future borrows the breaker:
    /// to spawn it, move a clone of the breaker into an `async` block and call there.
    ///
    /// # Errors
    ///
    /// [`CallError::Inner`] is the call's own error. [`CallError::Circuit`] says that the call was
    /// rejected or timed out, or that it needs a tokio runtime for its timeout.
    ///
    /// ```
    /// use circuit_runtime::{CallError, CircuitBreaker, Config};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let breaker = CircuitBreaker::new("numbers", Config::default());
    ///
    /// let answer = breaker.call(async { "7".parse::<u32>() }).await;
    /// assert_eq!(answer, Ok(7));
    ///
    /// breaker.force_open();
    /// match breaker.call(async { "7".parse::<u32>() }).await {
    ///     Ok(number) => println!("{number}"),
    ///     Err(CallError::Inner(error)) => println!("not a number: {error}"),
    ///     Err(CallError::Circuit(error)) => println!("no answer: {error}"),
    /// }
    /// # }
    /// ```
    pub fn call<F, T, E>(&self, future: F) -> Call<'_, F>
    where
        F: Future<Output = Result<T, E>>,
    {
        Call::new(self, future)
    }

    /// Runs `operation` on this thread, unless the circuit is open. The rules are those of
    /// [`call`](Self::call), but for the timeout: a blocking operation cannot be dropped. Every `Err` is
    /// a failure; to say otherwise, ask with [`try_acquire`](Self::try_acquire).
    ///
    /// # Errors
    ///
    /// [`CallError::Inner`] is the operation's own error. [`CallError::Circuit`] says that it was
    /// rejected.
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("numbers", Config::default());
    /// assert_eq!(breaker.call_blocking(|| "7".parse::<u32>()), Ok(7));
    /// ```
    pub fn call_blocking<T, E>(
        &self,
        operation: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, CallError<E>> {
        call::blocking(self, operation)
    }

    /// Asks to make a call by hand, for what [`call`](Self::call) cannot wrap. The breaker's `timeout` does not
    /// apply: the caller makes the call, and nothing here can drop it. A permit that is held as a guard, and
    /// never given back with a result, records nothing but that the call was given up.
    ///
    /// # Errors
    ///
    /// [`CircuitError::Open`] when the call must not be made.
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("pages", Config::default());
    ///
    /// let permit = breaker.try_acquire()?;
    /// let status = 503; // from the service
    /// if status < 500 {
    ///     permit.success();
    /// } else {
    ///     permit.failure();
    /// }
    /// assert_eq!(breaker.snapshot().failed, 1);
    /// # Ok::<(), circuit_runtime::CircuitError>(())
    /// ```
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit<'_>, CircuitError> {
        match self.admit() {
            Ok(ticket) => Ok(Permit::new(self, ticket)),
            Err(rejection) => Err(self.rejected(rejection)),
        }
    }

    /// Closes the circuit, with no evidence. Nothing that started before can undo it.
    pub fn reset(&self) {
        self.circuit.force(Event::Reset);
    }

    /// Opens the circuit until [`reset`](Self::reset) or [`force_closed`](Self::force_closed): no
    /// time ends it, and no probe is let in.
    pub fn force_open(&self) {
        self.circuit.force(Event::ForceOpen);
    }

    /// Closes the circuit until [`reset`](Self::reset) or [`force_open`](Self::force_open): no
    /// failure opens it.
    pub fn force_closed(&self) {
        self.circuit.force(Event::ForceClosed);
    }

    /// Lets a call in, or says for how long not to ask.
    #[inline]
    pub(crate) fn admit(&self) -> Result<Ticket, Rejection> {
        self.circuit.admit()
    }

    /// Takes a ticket back, with what became of the call.
    #[inline]
    pub(crate) fn settle(&self, ticket: Ticket, outcome: Outcome) {
        self.circuit.settle(ticket, outcome);
    }

    /// That a call was rejected. The error is made in its final place, here in the caller: moving it
    /// would take longer than all that led to it.
    #[inline]
    pub(crate) fn rejected(&self, rejection: Rejection) -> CircuitError {
        CircuitError::Open {
            breaker: self.circuit.name().clone(),
            retry_after: rejection.retry_after(),
        }
    }

    /// That the call took longer than `after`.
    #[cold]
    pub(crate) fn timed_out(&self, after: Duration) -> CircuitError {
        CircuitError::Timeout {
            breaker: self.circuit.name().clone(),
            after,
        }
    }

    /// That there is nothing to measure the timeout with.
    #[cold]
    pub(crate) fn without_runtime(&self) -> CircuitError {
        CircuitError::NoRuntime {
            breaker: self.circuit.name().clone(),
        }
    }
}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker")
            .field("name", self.circuit.name())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

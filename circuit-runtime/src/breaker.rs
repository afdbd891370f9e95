//! The public handle to a circuit.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::call::{self, Call, Deferred, OwnedPermit, Permit};
use crate::circuit::handle::CircuitHandle;
use crate::circuit::snapshot::Snapshot;
use crate::circuit::{Circuit, Owner};
use crate::config::{Config, ConfigError};
use crate::error::{CallError, CircuitError};
use crate::events::{StateChange, Subscription};
use crate::name::Name;
#[cfg(feature = "serde")]
use crate::overrides::in_force;
use crate::registration::Registration;
use crate::state::State;

/// A circuit breaker for one dependency: counts its failures and, past a limit, rejects calls
/// without making them.
///
/// A clone is a handle to the same breaker, and costs as much as a clone of an `Arc`. Annotated
/// functions have a breaker of their own; create one by hand to have one for each instance, tenant
/// or address.
///
/// # Examples
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
    /// Creates a closed breaker. The [`registry`](crate::registry) lists it until its last handle
    /// is dropped. Several breakers may have the same name; [`find`](crate::registry::find) returns
    /// the oldest of them.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config, State};
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// assert_eq!(breaker.state(), State::Closed);
    /// ```
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>, config: Config) -> Self {
        let (breaker, registration) = Self::for_owner(name.into(), config, Owner::Breaker);
        registration.deliver();
        breaker
    }

    /// Creates a breaker that is listed until its last handle is dropped.
    pub(crate) fn for_owner(
        name: Cow<'static, str>,
        config: Config,
        owner: Owner,
    ) -> (Self, Registration) {
        let circuit = Circuit::new(Name::from(name), config, owner);
        let registration = Registration::new(&circuit);
        (Self::from_circuit(circuit), registration)
    }

    pub(crate) fn from_circuit(circuit: Arc<Circuit>) -> Self {
        Self { circuit }
    }

    pub(crate) fn circuit(&self) -> &Arc<Circuit> {
        &self.circuit
    }

    /// Returns the name shown in errors and in the registry.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// assert_eq!(breaker.name(), "payments");
    /// assert_eq!(breaker.name().key(), None);
    /// ```
    #[must_use]
    pub fn name(&self) -> &Name {
        self.circuit.name()
    }

    /// Returns the configuration.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// assert_eq!(breaker.config().max_failures(), Some(5));
    /// ```
    #[must_use]
    pub fn config(&self) -> Config {
        self.circuit.config()
    }

    /// Returns the configuration that the program has set, without the options of
    /// [`Overrides`](crate::Overrides).
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use circuit_runtime::{CircuitBreaker, Config, Overrides, registry};
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// registry::apply(Overrides::new().options("payments", Config::builder().max_failures(3))?)?;
    /// assert_eq!(breaker.config().max_failures(), Some(3));
    /// assert_eq!(breaker.own_config().max_failures(), Some(5));
    /// # Ok::<(), circuit_runtime::OverridesError>(())
    /// ```
    #[cfg(feature = "serde")]
    #[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
    #[must_use]
    pub fn own_config(&self) -> Config {
        self.circuit.own_config()
    }

    /// Replaces the configuration while calls run.
    ///
    /// Totals, orders and the history stay. An open circuit follows a new `reset`. Counted results
    /// stay unless the kind or the length of the window changes; a new limit judges them with the
    /// next result. A call in flight keeps its timeout, a probe its lease, and a circuit that has
    /// admitted a probe stays half-open.
    ///
    /// In a window of time, the failures that a rate has counted also count towards a
    /// `max_failures` that is added, exact to a tenth of the window. A rate that is added there
    /// begins without calls: those before were not counted.
    ///
    /// Each call observes the configuration from before or the new one, never parts of both.
    ///
    /// With the feature `serde`, the options that a file has set here are gone, too, until the next
    /// `registry::apply`, which sets its options over the new configuration. The file's `hold`
    /// stays.
    ///
    /// # Errors
    ///
    /// Returns [`ConfigError::RulesOfOneKey`] if this is the breaker of a key: reconfigure its
    /// [`CircuitBreakers`](crate::CircuitBreakers). Returns [`ConfigError::TimeoutAtRunTime`] if it
    /// adds a `timeout` to an annotated function that has none. Nothing changes then.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    /// use std::time::Duration;
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// breaker.trip();
    ///
    /// let sooner = Config::builder().reset(Duration::from_secs(5)).build()?;
    /// breaker.reconfigure(sooner)?;
    /// assert!(breaker.snapshot().retry_after <= Some(Duration::from_secs(5)));
    /// # Ok::<(), circuit_runtime::ConfigError>(())
    /// ```
    pub fn reconfigure(&self, config: Config) -> Result<(), ConfigError> {
        #[cfg(feature = "serde")]
        return in_force::with_apply_blocked(|| self.circuit.reconfigure(config));
        #[cfg(not(feature = "serde"))]
        self.circuit.reconfigure(config)
    }

    /// Returns the current state. An open circuit becomes half-open by the passing of time alone.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config, State};
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// breaker.force_open();
    /// assert_eq!(breaker.state(), State::Open);
    /// ```
    #[must_use]
    pub fn state(&self) -> State {
        self.circuit.state()
    }

    /// Takes a snapshot of the state, the evidence and the totals.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// breaker.try_acquire()?.success();
    /// assert_eq!(breaker.snapshot().succeeded, 1);
    /// # Ok::<(), circuit_runtime::CircuitError>(())
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.circuit.snapshot()
    }

    /// Runs `future`, unless the circuit is open. An argument such as `tokio::spawn(..)`,
    /// `spawn_blocking(..)`, a channel's `send(..)` or a tower service's `call(..)` may start its
    /// work when it is *made*, before this method sees it, and even if the circuit is open: make it
    /// in the closure of [`call_with`](Self::call_with) instead. An `async` function or block does
    /// nothing until it is polled.
    ///
    /// The result is counted: an `Err` is a failure, unless [`failure_if`](Call::failure_if),
    /// [`ignore_if`](Call::ignore_if), [`retry_after`](Call::retry_after) or
    /// [`classify`](Call::classify) decides otherwise. A panic is a failure too, and keeps
    /// unwinding. A future that is dropped is neither success nor failure.
    ///
    /// The circuit is consulted when the returned future is first polled. The returned future
    /// borrows the breaker; that of [`call_owned`](Self::call_owned) holds a handle, and can be
    /// spawned.
    ///
    /// # Errors
    ///
    /// Returns [`CallError::Inner`] with the call's own error, and [`CallError::Circuit`] if the
    /// call was rejected, timed out, or has a timeout but no tokio runtime to measure it with.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the call and counts it as cancelled; see [`Call`].
    ///
    /// # Examples
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
    pub fn call<F, T, E>(&self, future: F) -> Call<&Self, F>
    where
        F: Future<Output = Result<T, E>>,
    {
        Call::new(self, future)
    }

    /// Runs the future that `create` returns, unless the circuit is open: for work that starts when
    /// it is made. `create` runs only if the call is admitted, and when it is.
    ///
    /// It is part of the call: a panic in it is one failure, and its time counts. Otherwise, this
    /// is [`call`](Self::call).
    ///
    /// # Errors
    ///
    /// Returns [`CallError::Inner`] with the call's own error, and [`CallError::Circuit`] if the
    /// call was rejected, timed out, or has a timeout but no tokio runtime to measure it with.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the call and counts it as cancelled; see [`Call`]. Work
    /// that `create` has spawned goes on.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    /// use tokio::task::spawn_blocking;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let breaker = CircuitBreaker::new("numbers", Config::default());
    /// let work = || "7".parse::<u32>();
    ///
    /// let answer = breaker.call_with(|| spawn_blocking(work)).await;
    /// assert!(matches!(answer, Ok(Ok(7))));
    ///
    /// breaker.force_open();
    /// let answer = breaker.call_with(|| spawn_blocking(work)).await; // spawns nothing
    /// assert!(answer.is_err());
    /// # }
    /// ```
    pub fn call_with<C, F, T, E>(&self, create: C) -> Call<&Self, Deferred<C, F>>
    where
        C: FnOnce() -> F,
        F: Future<Output = Result<T, E>>,
    {
        Call::deferred(self, create)
    }

    /// Runs `future`, unless the circuit is open, as [`call`](Self::call) does. The returned future
    /// holds this handle instead of borrowing it, and can be spawned.
    ///
    /// # Errors
    ///
    /// Returns [`CallError::Inner`] with the call's own error, and [`CallError::Circuit`] if the
    /// call was rejected, timed out, or has a timeout but no tokio runtime to measure it with.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the call and counts it as cancelled; see [`Call`].
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), tokio::task::JoinError> {
    /// let breaker = CircuitBreaker::new("numbers", Config::default());
    /// let call = breaker.clone().call_owned(async { "7".parse::<u32>() });
    /// assert_eq!(tokio::spawn(call).await?, Ok(7));
    /// # Ok(())
    /// # }
    /// ```
    pub fn call_owned<F, T, E>(self, future: F) -> Call<Self, F>
    where
        F: Future<Output = Result<T, E>>,
    {
        Call::new(self, future)
    }

    /// Runs the future that `create` returns, unless the circuit is open, as
    /// [`call_with`](Self::call_with) does. The returned future holds this handle instead of
    /// borrowing it, and can be spawned.
    ///
    /// # Errors
    ///
    /// Returns [`CallError::Inner`] with the call's own error, and [`CallError::Circuit`] if the
    /// call was rejected, timed out, or has a timeout but no tokio runtime to measure it with.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the call and counts it as cancelled; see [`Call`]. Work
    /// that `create` has spawned goes on.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    /// use tokio::task::spawn_blocking;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), tokio::task::JoinError> {
    /// let breaker = CircuitBreaker::new("numbers", Config::default());
    /// let call = breaker.clone().call_owned_with(|| spawn_blocking(|| "7".parse::<u32>()));
    /// assert!(matches!(tokio::spawn(call).await?, Ok(Ok(7))));
    /// # Ok(())
    /// # }
    /// ```
    pub fn call_owned_with<C, F, T, E>(self, create: C) -> Call<Self, Deferred<C, F>>
    where
        C: FnOnce() -> F,
        F: Future<Output = Result<T, E>>,
    {
        Call::deferred(self, create)
    }

    /// Runs `operation` on this thread, unless the circuit is open.
    ///
    /// The rules are those of [`call`](Self::call), except for the timeout: a blocking operation
    /// cannot be dropped. Every `Err` is a failure; to decide otherwise, use
    /// [`try_acquire`](Self::try_acquire).
    ///
    /// # Errors
    ///
    /// Returns [`CallError::Inner`] with the operation's own error, and [`CallError::Circuit`] if
    /// it was rejected.
    ///
    /// # Examples
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
        call::blocking(&self.circuit, operation)
    }

    /// Requests a permit to make one call by hand, where [`call`](Self::call) cannot wrap it.
    ///
    /// The breaker's `timeout` does not apply: the caller makes the call, and nothing here can drop
    /// it. A permit that is dropped without a result counts the call as cancelled, and nothing
    /// else.
    ///
    /// # Errors
    ///
    /// Returns [`CircuitError::Open`] if the call must not be made.
    ///
    /// # Examples
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
    #[expect(
        clippy::inline_always,
        reason = "a call of its own would cost half of all that an admission does"
    )]
    #[inline(always)]
    pub fn try_acquire(&self) -> Result<Permit<'_>, CircuitError> {
        let circuit = &*self.circuit;
        match circuit.admit() {
            Ok(ticket) => Ok(Permit::new(circuit, ticket)),
            Err(rejection) => Err(circuit.rejected(rejection)),
        }
    }

    /// Requests a permit that holds a handle to this breaker instead of borrowing it: for a stream
    /// or a response body that outlives this function, for a task, or for another function.
    ///
    /// Otherwise, this is [`try_acquire`](Self::try_acquire).
    ///
    /// # Errors
    ///
    /// Returns [`CircuitError::Open`] if the call must not be made.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("pages", Config::default());
    /// let permit = breaker.try_acquire_owned()?;
    /// std::thread::spawn(move || permit.failure()).join().unwrap();
    /// assert_eq!(breaker.snapshot().failed, 1);
    /// # Ok::<(), circuit_runtime::CircuitError>(())
    /// ```
    pub fn try_acquire_owned(&self) -> Result<OwnedPermit, CircuitError> {
        match self.circuit.admit() {
            Ok(ticket) => Ok(OwnedPermit::new(Arc::clone(&self.circuit), ticket)),
            Err(rejection) => Err(self.circuit.rejected(rejection)),
        }
    }

    /// Returns the rejection that a call would get now; `None` if it would run.
    ///
    /// Counts nothing and takes no slot: for choosing among services. By the time of the call the
    /// answer may be another.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let upstreams = ["a", "b"].map(|name| CircuitBreaker::new(name, Config::default()));
    /// upstreams[0].trip();
    ///
    /// let upstream = upstreams.iter().find(|upstream| upstream.would_reject().is_none());
    /// assert_eq!(upstream.unwrap().name(), "b");
    /// ```
    #[must_use]
    pub fn would_reject(&self) -> Option<CircuitError> {
        let rejection = self.circuit.would_reject()?;
        Some(self.circuit.rejected(rejection))
    }

    /// Counts a call that was rejected with the error of [`would_reject`](Self::would_reject),
    /// without another look at the circuit. A call that
    /// [`try_acquire`](Self::try_acquire) rejects is counted by itself.
    ///
    /// On a ramp this matters to the next calls, too: a share of all calls is admitted, and a
    /// rejection that is not counted is none of them.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// breaker.trip();
    ///
    /// if let Some(error) = breaker.would_reject() {
    ///     breaker.record_rejection();
    ///     println!("{error}");
    /// }
    /// assert_eq!(breaker.snapshot().rejected, 1);
    /// ```
    pub fn record_rejection(&self) {
        self.circuit.count_rejection();
    }

    /// Calls `listener` with each change of this breaker, from now on until the subscription is
    /// dropped. The rules are those of [`registry::on_change`](crate::registry::on_change): the
    /// thread that delivers a change goes on while other threads cause changes of this breaker.
    ///
    /// The breaker of a key keeps its listeners until it is evicted: hold a handle to it, or listen
    /// to all breakers.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    /// use std::sync::mpsc::channel;
    ///
    /// let (sender, receiver) = channel();
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// let subscription = breaker.on_change(move |change| {
    ///     let _ = sender.send(change.to.to_string());
    /// });
    ///
    /// breaker.trip();
    /// assert_eq!(receiver.recv().as_deref(), Ok("open"));
    /// # drop(subscription);
    /// ```
    pub fn on_change(
        &self,
        listener: impl Fn(&StateChange) + Send + Sync + 'static,
    ) -> Subscription {
        self.circuit.on_change(listener)
    }

    /// Closes the circuit and forgets all failures. No call that started earlier can undo this.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config, State};
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// breaker.force_open();
    /// breaker.reset();
    /// assert_eq!(breaker.state(), State::Closed);
    /// ```
    pub fn reset(&self) {
        self.circuit.reset();
    }

    /// Opens the circuit as if a limit had been reached: it becomes half-open after its usual wait,
    /// and recovers by itself.
    ///
    /// Changes nothing while the circuit is open already, or while an operator holds it. A
    /// half-open circuit reopens, as after a failed probe.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config, State};
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// breaker.trip();
    /// assert_eq!(breaker.state(), State::Open);
    /// assert!(breaker.snapshot().retry_after.is_some());
    /// ```
    pub fn trip(&self) {
        self.circuit.trip(None);
    }

    /// Opens the circuit for this long, as [`trip`](Self::trip) does for its usual wait. No jitter
    /// is added.
    ///
    /// If the circuit is open already, this time replaces the rest of its wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    /// use std::time::Duration;
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// breaker.open_for(Duration::from_secs(5));
    /// assert!(breaker.snapshot().retry_after <= Some(Duration::from_secs(5)));
    /// ```
    pub fn open_for(&self, time: Duration) {
        self.circuit.trip(Some(time));
    }

    /// Opens the circuit until [`reset`](Self::reset) or [`force_closed`](Self::force_closed) is
    /// called. It does not become half-open, and no probe is admitted.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// breaker.force_open();
    /// assert_eq!(breaker.try_acquire().unwrap_err().retry_after(), None);
    /// ```
    pub fn force_open(&self) {
        self.circuit.force_open(None);
    }

    /// Opens the circuit for this long, as [`force_open`](Self::force_open) does, then releases it
    /// as [`reset`](Self::reset) does. Time alone ends it: no task and no timer is involved.
    ///
    /// If a file's `hold` held the circuit before, it returns when the file is applied again.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config, State};
    /// use std::time::Duration;
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// breaker.force_open_for(Duration::from_secs(600));
    /// assert_eq!(breaker.state(), State::Open);
    /// ```
    pub fn force_open_for(&self, time: Duration) {
        self.circuit.force_open(Some(time));
    }

    /// Closes the circuit until [`reset`](Self::reset) or [`force_open`](Self::force_open) is
    /// called. No failure opens it.
    ///
    /// The rules are still judged: each time they would have opened the circuit,
    /// [`Snapshot::withheld`] is incremented and the evidence is cleared. This tries out new rules
    /// without rejecting a call.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config, State};
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// breaker.force_closed();
    /// for _ in 0..100 {
    ///     breaker.try_acquire()?.failure();
    /// }
    /// assert_eq!(breaker.state(), State::Closed);
    /// # Ok::<(), circuit_runtime::CircuitError>(())
    /// ```
    pub fn force_closed(&self) {
        self.circuit.force_closed(None);
    }

    /// Closes the circuit for this long, as [`force_closed`](Self::force_closed) does, then
    /// releases it as [`reset`](Self::reset) does. Time alone ends it.
    ///
    /// If a file's `hold` held the circuit before, it returns when the file is applied again.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config, State};
    /// use std::time::Duration;
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// breaker.force_closed_for(Duration::from_secs(600));
    /// assert_eq!(breaker.state(), State::Closed);
    /// ```
    pub fn force_closed_for(&self, time: Duration) {
        self.circuit.force_closed(Some(time));
    }
}

impl CircuitHandle for CircuitBreaker {}
impl CircuitHandle for &CircuitBreaker {}

#[doc(hidden)]
impl AsRef<Circuit> for CircuitBreaker {
    #[inline]
    fn as_ref(&self) -> &Circuit {
        &self.circuit
    }
}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.circuit.fmt(f)
    }
}

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::call::{self, Call};
use crate::clock::{self, Instant, Span};
use crate::config::Config;
use crate::counters::Counters;
use crate::error::{CallError, CircuitError};
use crate::name::Name;
use crate::permit::{Outcome, Permit, Ticket};
use crate::probe::{Lease, ProbeSlot};
use crate::registry;
use crate::snapshot::Snapshot;
use crate::state::{Effect, Event, Phase, State, Word, step};
use crate::sync::{AtomicU64, Ordering};
use crate::window::Window;

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
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    /// The [`Word`] of the state. It changes by compare-and-swap alone, in [`Shared::change`].
    state: AtomicU64,
    probe: ProbeSlot,
    reset: Span,
    window: Window,
    counters: Counters,
    config: Config,
    name: Name,
    id: registry::Id,
}

impl CircuitBreaker {
    /// A new breaker, closed, which [`registry`] knows until the last handle is dropped. Names need
    /// not be unique.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>, config: Config) -> Self {
        let name = Name::from(name.into());
        let shared = Arc::new_cyclic(|shared| Shared {
            state: AtomicU64::new(Word::FIRST.to_bits()),
            probe: ProbeSlot::default(),
            reset: Span::of(config.reset()),
            window: Window::new(&config),
            counters: Counters::default(),
            config,
            name,
            id: registry::add(shared),
        });
        Self { shared }
    }

    pub(crate) fn from_shared(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// The name, as errors, logs and the registry show it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// The rules.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// The state at this moment. An open circuit becomes half-open by time alone.
    #[must_use]
    pub fn state(&self) -> State {
        self.shared.word().state(clock::now(), self.shared.reset)
    }

    /// The state and the totals at this moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.shared.snapshot()
    }

    /// Runs `future`, unless the circuit is open. Its result is evidence: an `Err` is a failure, and
    /// so is a panic, which goes on unwinding. A future that is dropped is no evidence.
    ///
    /// The circuit is asked when the returned future is polled first.
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
    ///     Err(CallError::Circuit(error)) => println!("did not ask: {error}"),
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
    /// [`call`](Self::call), but for the timeout: a blocking operation cannot be dropped.
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

    /// Asks to make a call by hand, for what [`call`](Self::call) cannot wrap.
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
        self.shared.force(Event::Reset);
    }

    /// Opens the circuit until [`reset`](Self::reset) or [`force_closed`](Self::force_closed): no
    /// time ends it, and no probe is let in.
    pub fn force_open(&self) {
        self.shared.force(Event::ForceOpen);
    }

    /// Closes the circuit until [`reset`](Self::reset) or [`force_open`](Self::force_open): no
    /// failure opens it.
    pub fn force_closed(&self) {
        self.shared.force(Event::ForceClosed);
    }

    /// Lets a call in, or says for how long not to ask.
    #[inline]
    pub(crate) fn admit(&self) -> Result<Ticket, Rejection> {
        loop {
            let word = self.shared.word();
            if word.is_closed() {
                return Ok(Ticket::of_call(word));
            }
            if let Some(lease) = self.shared.admit_while_open(word)? {
                return Ok(Ticket::of_probe(word, lease));
            }
        }
    }

    /// Takes a ticket back, with what became of the call.
    #[inline]
    pub(crate) fn settle(&self, ticket: Ticket, outcome: Outcome) {
        self.shared.settle(ticket, outcome);
    }

    /// That a call was rejected. The error is made in its final place, here in the caller: moving it
    /// would take longer than all that led to it.
    #[inline]
    pub(crate) fn rejected(&self, rejection: Rejection) -> CircuitError {
        CircuitError::Open {
            breaker: self.shared.name.clone(),
            retry_after: rejection.retry_after(),
        }
    }

    /// That the call took longer than `after`.
    #[cold]
    pub(crate) fn timed_out(&self, after: Duration) -> CircuitError {
        CircuitError::Timeout {
            breaker: self.shared.name.clone(),
            after,
        }
    }

    /// That there is nothing to measure the timeout with.
    #[cold]
    pub(crate) fn without_runtime(&self) -> CircuitError {
        CircuitError::NoRuntime {
            breaker: self.shared.name.clone(),
        }
    }
}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker")
            .field("name", &self.shared.name)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

/// That a call must not run, and how long not to ask again.
///
/// One number, so that whoever asks gets the answer in registers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rejection {
    wait: Span,
}

impl Rejection {
    /// No time ends it.
    const ENDLESS: Self = Self {
        wait: Span::LONGEST,
    };

    /// Until `moment`, but for no longer than `longest`: the clock may lag behind the one that set
    /// the moment.
    #[inline]
    fn until(moment: Instant, now: Instant, longest: Span) -> Self {
        Self {
            wait: moment.since(now).min(longest),
        }
    }

    #[inline]
    fn retry_after(self) -> Option<Duration> {
        (self.wait != Span::LONGEST).then(|| self.wait.as_duration())
    }
}

impl Shared {
    #[inline]
    fn word(&self) -> Word {
        // Acquire: with a state comes all that its first observer did before, above all the
        // probe's slot as the last probe left it.
        Word::from_bits(self.state.load(Ordering::Acquire))
    }

    /// Lets a call in as a probe, if it may be one; `None` when the state is no longer `word`.
    #[inline(never)]
    fn admit_while_open(&self, word: Word) -> Result<Option<Lease>, Rejection> {
        let admission = match self.reject_at_a_glance(word) {
            Some(rejection) => Err(rejection),
            None => self.admit_probe(word),
        };
        if admission.is_err() {
            self.counters.add(|stripe| &stripe.rejected);
        }
        admission
    }

    /// Rejects a call when the coarse clock is enough to tell, which is unless a deadline is near.
    #[inline]
    fn reject_at_a_glance(&self, word: Word) -> Option<Rejection> {
        if word.phase() == Phase::ForcedOpen {
            return Some(Rejection::ENDLESS);
        }
        let half_open_at = word.half_open_at(self.reset);
        let earliest = clock::coarse();
        let latest = earliest.plus(clock::LAG);
        if latest < half_open_at {
            return Some(Rejection::until(half_open_at, earliest, self.reset));
        }
        let leased_until = self.probe.leased_until();
        if earliest >= half_open_at && latest < leased_until {
            return Some(Rejection::until(leased_until, earliest, self.reset));
        }
        None
    }

    #[cold]
    fn admit_probe(&self, word: Word) -> Result<Option<Lease>, Rejection> {
        let now = clock::now();
        let half_open_at = word.half_open_at(self.reset);
        if now < half_open_at {
            return Err(Rejection::until(half_open_at, now, self.reset));
        }
        match self.probe.take(now, self.reset) {
            Err(leased_until) => Err(Rejection::until(leased_until, now, self.reset)),
            Ok(lease) if self.word() == word => Ok(Some(lease)),
            Ok(lease) => {
                // The slot is that of another half-open phase, or of none.
                self.probe.give_back(lease);
                Ok(None)
            }
        }
    }

    #[inline]
    fn settle(&self, ticket: Ticket, outcome: Outcome) {
        if outcome == Outcome::Succeeded {
            self.succeeded(ticket);
        } else {
            self.did_not_succeed(ticket, outcome);
        }
    }

    #[inline]
    fn succeeded(&self, ticket: Ticket) {
        self.counters.add(|stripe| &stripe.succeeded);
        match ticket.word().phase() {
            Phase::Closed => self.window.success(ticket.word().generation()),
            Phase::Open => self.recover(ticket.word()),
            Phase::ForcedOpen | Phase::ForcedClosed => {}
        }
    }

    #[cold]
    fn recover(&self, word: Word) {
        self.change(word, Event::ProbeSucceeded, clock::now());
    }

    #[inline(never)]
    fn did_not_succeed(&self, ticket: Ticket, outcome: Outcome) {
        match outcome {
            Outcome::Succeeded => self.succeeded(ticket),
            Outcome::Failed => {
                self.counters.add(|stripe| &stripe.returned_error);
                self.failed(ticket);
            }
            Outcome::TimedOut => {
                self.counters.add(|stripe| &stripe.timed_out);
                self.failed(ticket);
            }
            Outcome::Panicked => {
                self.counters.add(|stripe| &stripe.panicked);
                self.failed(ticket);
            }
            Outcome::Ignored => {
                self.counters.add(|stripe| &stripe.ignored);
                self.gave_no_evidence(ticket);
            }
            Outcome::Cancelled => {
                self.counters.add(|stripe| &stripe.cancelled);
                self.gave_no_evidence(ticket);
            }
        }
    }

    fn failed(&self, ticket: Ticket) {
        let word = ticket.word();
        if self.word() != word {
            return; // of an earlier generation
        }
        let now = clock::now();
        match word.phase() {
            Phase::Closed => {
                if self.window.failure(word.generation(), now) {
                    // Not `now`, which may be long ago: the circuit opens when it is known to.
                    self.change(word, Event::LimitReached, clock::now());
                }
            }
            Phase::Open => self.change(word, Event::ProbeFailed, now),
            Phase::ForcedOpen | Phase::ForcedClosed => {}
        }
    }

    /// A call that is no evidence. If it was a probe, another may take its slot.
    fn gave_no_evidence(&self, ticket: Ticket) {
        if ticket.word().phase() == Phase::Open {
            self.probe.give_back(ticket.lease());
        }
    }

    /// The one way in which the state changes: from the word that the event belongs to, or not at
    /// all. Of events that race, one wins, and the others are of an earlier generation from then on.
    fn change(&self, word: Word, event: Event, now: Instant) {
        // The probe's slot is not freed: its lease runs out before another probe is due, and until
        // then it keeps out whoever still sees the old word.
        let _ = self.try_change(word, event, now);
    }

    fn try_change(&self, word: Word, event: Event, now: Instant) -> Result<(), Word> {
        let (next, effect) = step(word, event, now);
        // Release: what led to the new state is visible to those who act on it. Acquire: whoever
        // has to try again goes on from all that led to the actual one.
        self.state
            .compare_exchange(
                word.to_bits(),
                next.to_bits(),
                Ordering::AcqRel,
                Ordering::Acquire,
            )
            .map_err(Word::from_bits)?;
        if effect == Effect::Opened {
            self.counters.add(|stripe| &stripe.opened);
        }
        Ok(())
    }

    /// An operator's order: it holds whatever the state was.
    fn force(&self, event: Event) {
        let now = clock::now();
        let mut word = self.word();
        while let Err(actual) = self.try_change(word, event, now) {
            word = actual;
        }
    }

    fn snapshot(&self) -> Snapshot {
        let word = self.word();
        let now = clock::now();
        let state = word.state(now, self.reset);
        let retry_at = match (state, word.phase()) {
            (State::Open, Phase::Open) => word.half_open_at(self.reset),
            (State::HalfOpen, _) => self.probe.leased_until().min(now.plus(self.reset)),
            _ => now,
        };
        let timed_out = self.counters.total(|stripe| &stripe.timed_out);
        let panicked = self.counters.total(|stripe| &stripe.panicked);
        let returned_error = self.counters.total(|stripe| &stripe.returned_error);
        Snapshot {
            name: self.name.clone(),
            state,
            retry_after: (retry_at > now).then(|| retry_at.since(now).as_duration()),
            succeeded: self.counters.total(|stripe| &stripe.succeeded),
            failed: returned_error
                .wrapping_add(timed_out)
                .wrapping_add(panicked),
            timed_out,
            panicked,
            ignored: self.counters.total(|stripe| &stripe.ignored),
            cancelled: self.counters.total(|stripe| &stripe.cancelled),
            rejected: self.counters.total(|stripe| &stripe.rejected),
            opened: self.counters.total(|stripe| &stripe.opened),
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        registry::remove(self.id);
    }
}

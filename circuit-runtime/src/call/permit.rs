use std::fmt;
use std::mem;

use crate::breaker::CircuitBreaker;
use crate::circuit::ticket::{Outcome, Ticket};

/// The right to make one call, from [`CircuitBreaker::try_acquire`].
///
/// Give it back with what became of the call. A permit that is dropped stands for a call that was
/// given up: it is no evidence. One that is forgotten (`mem::forget`) is under way for ever: with a
/// `slow_call` it counts as slow until the circuit has opened, and if it was a probe's, another probe is
/// let in when `reset` is over.
///
/// ```
/// use circuit_runtime::{CircuitBreaker, CircuitError, Config};
///
/// /// Only what the service itself gets wrong is a failure.
/// fn note(breaker: &CircuitBreaker, status: u16) -> Result<(), CircuitError> {
///     let permit = breaker.try_acquire()?;
///     match status {
///         ..400 => permit.success(),
///         400..500 => permit.ignore(),
///         500.. => permit.failure(),
///     }
///     Ok(())
/// }
///
/// let breaker = CircuitBreaker::new("pages", Config::default());
/// note(&breaker, 404)?;
/// assert_eq!(breaker.snapshot().ignored, 1);
/// # Ok::<(), CircuitError>(())
/// ```
#[must_use = "a permit that is dropped says that the call was given up"]
pub struct Permit<'b> {
    breaker: &'b CircuitBreaker,
    ticket: Ticket,
}

impl<'b> Permit<'b> {
    #[inline]
    pub(crate) fn new(breaker: &'b CircuitBreaker, ticket: Ticket) -> Self {
        Self { breaker, ticket }
    }

    /// The service answered.
    #[inline]
    pub fn success(self) {
        self.settle(Outcome::Succeeded);
    }

    /// The service did not answer, or not as it should.
    #[inline]
    pub fn failure(self) {
        self.settle(Outcome::Failed);
    }

    /// The result says nothing about the service.
    #[inline]
    pub fn ignore(self) {
        self.settle(Outcome::Ignored);
    }

    /// A result that says by itself whether the service answered.
    #[inline]
    pub(crate) fn judge<T, E>(self, result: &Result<T, E>) {
        Judgement::of(result).give(self);
    }

    #[inline]
    fn settle(self, outcome: Outcome) {
        let (breaker, ticket) = (self.breaker, self.ticket);
        // First, so that nothing is left to do after.
        mem::forget(self);
        breaker.settle(ticket, outcome);
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("breaker", &self.breaker)
            .finish_non_exhaustive()
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.breaker.settle(self.ticket, Outcome::Cancelled);
    }
}

/// What a result says about the service.
#[must_use = "a judgement is to be given to a permit"]
pub enum Judgement<'r, E> {
    /// The service answered.
    Success,
    /// It did not, unless a predicate says otherwise of this error.
    Failure(&'r E),
    /// Nothing.
    NoEvidence,
}

impl<'r, E> Judgement<'r, E> {
    /// Every `Err` is a failure.
    #[inline]
    pub(crate) const fn of<T>(result: &'r Result<T, E>) -> Self {
        match result {
            Ok(_) => Self::Success,
            Err(error) => Self::Failure(error),
        }
    }

    /// An `Err` for which `predicate` is true is no evidence.
    #[inline]
    pub fn ignore_if(self, predicate: impl FnOnce(&E) -> bool) -> Self {
        match self {
            Self::Failure(error) if predicate(error) => Self::NoEvidence,
            other => other,
        }
    }

    /// An `Err` for which `predicate` is false is a success.
    #[inline]
    pub fn failure_if(self, predicate: impl FnOnce(&E) -> bool) -> Self {
        match self {
            Self::Failure(error) if !predicate(error) => Self::Success,
            other => other,
        }
    }

    /// Gives the permit back with it.
    #[inline]
    pub fn give(self, permit: Permit<'_>) {
        permit.settle(match self {
            Self::Success => Outcome::Succeeded,
            Self::Failure(_) => Outcome::Failed,
            Self::NoEvidence => Outcome::Ignored,
        });
    }
}

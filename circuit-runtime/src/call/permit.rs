//! The right to make one call, settled by hand.

use std::fmt;
use std::mem;

use super::future::Call;
use super::verdict::Verdict;
use crate::circuit::{Circuit, Outcome, Ticket};

/// The right to make one call, from
/// [`CircuitBreaker::try_acquire`](crate::CircuitBreaker::try_acquire).
///
/// Settle it with [`success`](Self::success), [`failure`](Self::failure),
/// [`ignore`](Self::ignore) or [`settle`](Self::settle), or run the call under it with
/// [`call`](Self::call). Dropping it counts the call as cancelled: neither success nor failure.
///
/// It borrows its breaker; [`OwnedPermit`](crate::OwnedPermit) does not.
///
/// The call of a leaked permit (`mem::forget`) stays in flight forever. With a `slow_call`, it
/// counts as slow until the circuit has opened. If it is a probe, its slot is free again after
/// `reset`, or after `timeout` if that is longer.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreaker, CircuitError, Config};
///
/// /// Counts only server errors as failures.
/// fn record(breaker: &CircuitBreaker, status: u16) -> Result<(), CircuitError> {
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
/// record(&breaker, 404)?;
/// assert_eq!(breaker.snapshot().ignored, 1);
/// # Ok::<(), CircuitError>(())
/// ```
#[must_use = "dropping a permit counts the call as cancelled"]
pub struct Permit<'b> {
    circuit: &'b Circuit,
    ticket: Ticket,
}

impl<'b> Permit<'b> {
    #[inline]
    pub(crate) fn new(circuit: &'b Circuit, ticket: Ticket) -> Self {
        Self { circuit, ticket }
    }

    /// Records a success.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("pages", Config::default());
    /// breaker.try_acquire()?.success();
    /// assert_eq!(breaker.snapshot().succeeded, 1);
    /// # Ok::<(), circuit_runtime::CircuitError>(())
    /// ```
    #[inline]
    pub fn success(self) {
        self.settle(Verdict::Success);
    }

    /// Records a failure.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("pages", Config::default());
    /// breaker.try_acquire()?.failure();
    /// assert_eq!(breaker.snapshot().failed, 1);
    /// # Ok::<(), circuit_runtime::CircuitError>(())
    /// ```
    #[inline]
    pub fn failure(self) {
        self.settle(Verdict::Failure);
    }

    /// Records that the result says nothing about the service.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("pages", Config::default());
    /// breaker.try_acquire()?.ignore();
    /// assert_eq!(breaker.snapshot().ignored, 1);
    /// # Ok::<(), circuit_runtime::CircuitError>(())
    /// ```
    #[inline]
    pub fn ignore(self) {
        self.settle(Verdict::Ignored);
    }

    /// Records this verdict.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config, State, Verdict};
    /// use std::time::Duration;
    ///
    /// let breaker = CircuitBreaker::new("pages", Config::default());
    /// let permit = breaker.try_acquire()?;
    /// let retry_after = Some(20); // from the service, in seconds
    /// permit.settle(match retry_after {
    ///     Some(seconds) => Verdict::Unavailable(Duration::from_secs(seconds)),
    ///     None => Verdict::Success,
    /// });
    /// assert_eq!(breaker.state(), State::Open);
    /// # Ok::<(), circuit_runtime::CircuitError>(())
    /// ```
    #[inline]
    pub fn settle(self, verdict: Verdict) {
        let (circuit, ticket) = self.into_parts();
        verdict.settle(circuit, ticket);
    }

    /// Runs `future` as the call of this permit: its result is counted, it may time out, and a
    /// panic is a failure, as with [`CircuitBreaker::call`](crate::CircuitBreaker::call).
    ///
    /// The call is in flight since the permit was acquired, which `slow_call` counts from. The
    /// timeout counts from the first poll at the earliest.
    ///
    /// # Errors
    ///
    /// Returns [`CallError::Inner`](crate::CallError::Inner) with the call's own error, and
    /// [`CallError::Circuit`](crate::CallError::Circuit) if the call timed out, or has a timeout
    /// but no tokio runtime to measure it with. It is never rejected.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future counts the call as cancelled, even before its first poll.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let breaker = CircuitBreaker::new("numbers", Config::default());
    /// let permit = breaker.try_acquire()?;
    /// // Prepare the call here: a call that is rejected does not come this far.
    /// let answer = permit.call(async { "7".parse::<u32>() }).await;
    /// assert_eq!(answer, Ok(7));
    /// # Ok(())
    /// # }
    /// ```
    pub fn call<F, T, E>(self, future: F) -> Call<&'b Circuit, F>
    where
        F: Future<Output = Result<T, E>>,
    {
        Call::from_admission(Some(self.into_parts()), future)
    }

    /// Takes the permit apart without settling it, so that `settle` is a tail call.
    #[inline]
    fn into_parts(self) -> (&'b Circuit, Ticket) {
        let parts = (self.circuit, self.ticket);
        mem::forget(self);
        parts
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("breaker", &self.circuit)
            .finish_non_exhaustive()
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.circuit.settle(self.ticket, Outcome::Cancelled);
    }
}

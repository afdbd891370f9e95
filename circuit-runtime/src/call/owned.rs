//! The right to make one call, independent of where its breaker is kept.

use std::fmt;
use std::sync::Arc;

use super::future::Call;
use super::verdict::Verdict;
use crate::circuit::{Circuit, Outcome, Ticket};

/// The right to make one call, from
/// [`CircuitBreaker::try_acquire_owned`](crate::CircuitBreaker::try_acquire_owned).
///
/// Like [`Permit`](crate::Permit), except that it holds a handle to its breaker instead of
/// borrowing it. It can be moved into a task, or into a stream or a response body, to be settled
/// where that ends. Dropping it counts the call as cancelled: neither success nor failure.
///
/// Leaking it (`mem::forget`) has the effects of leaking a [`Permit`](crate::Permit), and leaks its
/// handle, too, which keeps the breaker in the registry.
///
/// # Examples
///
/// A response that is streamed: the call is over when the stream is.
///
/// ```
/// use circuit_runtime::{CircuitBreaker, CircuitError, Config, OwnedPermit};
///
/// struct Tokens {
///     source: std::vec::IntoIter<Result<String, std::io::Error>>,
///     permit: Option<OwnedPermit>,
/// }
///
/// impl Iterator for Tokens {
///     type Item = Result<String, std::io::Error>;
///
///     fn next(&mut self) -> Option<Self::Item> {
///         let next = self.source.next();
///         match &next {
///             Some(Ok(_)) => {}
///             Some(Err(_)) => drop(self.permit.take().map(OwnedPermit::failure)),
///             None => drop(self.permit.take().map(OwnedPermit::success)),
///         }
///         next
///     }
/// }
///
/// fn tokens(breaker: &CircuitBreaker) -> Result<Tokens, CircuitError> {
///     let permit = Some(breaker.try_acquire_owned()?);
///     let source = vec![Ok("Hello".to_owned()), Err(std::io::Error::other("broken"))].into_iter();
///     Ok(Tokens { source, permit })
/// }
///
/// let breaker = CircuitBreaker::new("model", Config::default());
/// assert_eq!(tokens(&breaker)?.count(), 2); // breaks in the middle
/// assert_eq!(breaker.snapshot().failed, 1);
///
/// let mut stream = tokens(&breaker)?;
/// assert!(stream.next().is_some());
/// drop(stream); // the client leaves
/// assert_eq!(breaker.snapshot().cancelled, 1);
/// # Ok::<(), CircuitError>(())
/// ```
#[must_use = "dropping a permit counts the call as cancelled"]
pub struct OwnedPermit {
    // `None` once settled.
    admission: Option<(Arc<Circuit>, Ticket)>,
}

impl OwnedPermit {
    pub(crate) const fn new(circuit: Arc<Circuit>, ticket: Ticket) -> Self {
        Self {
            admission: Some((circuit, ticket)),
        }
    }

    /// Takes the admission, which is then no longer settled here.
    pub(super) fn take_admission(&mut self) -> Option<(Arc<Circuit>, Ticket)> {
        self.admission.take()
    }

    /// Records a success.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("pages", Config::default());
    /// let permit = breaker.try_acquire_owned()?;
    /// std::thread::spawn(move || permit.success()).join().unwrap();
    /// assert_eq!(breaker.snapshot().succeeded, 1);
    /// # Ok::<(), circuit_runtime::CircuitError>(())
    /// ```
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
    /// breaker.try_acquire_owned()?.failure();
    /// assert_eq!(breaker.snapshot().failed, 1);
    /// # Ok::<(), circuit_runtime::CircuitError>(())
    /// ```
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
    /// breaker.try_acquire_owned()?.ignore();
    /// assert_eq!(breaker.snapshot().ignored, 1);
    /// # Ok::<(), circuit_runtime::CircuitError>(())
    /// ```
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
    /// let permit = breaker.try_acquire_owned()?;
    /// permit.settle(Verdict::Unavailable(Duration::from_secs(20)));
    /// assert_eq!(breaker.state(), State::Open);
    /// # Ok::<(), circuit_runtime::CircuitError>(())
    /// ```
    pub fn settle(mut self, verdict: Verdict) {
        if let Some((circuit, ticket)) = self.admission.take() {
            verdict.settle(&circuit, ticket);
        }
    }

    /// Runs `future` as the call of this permit, as [`Permit::call`](crate::Permit::call) does.
    ///
    /// The returned future holds the handle of the permit, and can be spawned.
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
    /// let permit = breaker.try_acquire_owned()?;
    /// let answer = tokio::spawn(permit.call(async { "7".parse::<u32>() })).await?;
    /// assert_eq!(answer, Ok(7));
    /// # Ok(())
    /// # }
    /// ```
    pub fn call<F, T, E>(mut self, future: F) -> Call<Arc<Circuit>, F>
    where
        F: Future<Output = Result<T, E>>,
    {
        Call::from_admission(self.take_admission(), future)
    }
}

impl fmt::Debug for OwnedPermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let circuit = self.admission.as_ref().map(|(circuit, _)| circuit);
        f.debug_struct("OwnedPermit")
            .field("breaker", &circuit)
            .finish_non_exhaustive()
    }
}

impl Drop for OwnedPermit {
    fn drop(&mut self) {
        if let Some((circuit, ticket)) = self.admission.take() {
            circuit.settle(ticket, Outcome::Cancelled);
        }
    }
}

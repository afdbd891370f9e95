//! Calls guarded by a circuit.

pub(crate) mod classify;
pub(crate) mod guarded;
mod permit;
pub(crate) mod timeout;

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use classify::{Classified, Classify, Predicates};
use guarded::{CallGuard, PanicGuard, poll_guarded};
pub use permit::Permit;
use timeout::TimerDeadline;

use crate::circuit::Circuit;
use crate::circuit::handle::CircuitHandle;
use crate::error::CallError;

pin_project! {
    /// The future of [`CircuitBreaker::call`](crate::CircuitBreaker::call).
    ///
    /// Consults the circuit when first polled. Polled after completion, it returns `Pending`.
    ///
    /// # Cancel safety
    ///
    /// Dropping it before it completes drops the call, and counts it as cancelled: neither success
    /// nor failure. A probe that is dropped gives its slot to the next call.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let breaker = CircuitBreaker::new("numbers", Config::default());
    /// let call = breaker.call(async { "7".parse::<u32>() });
    /// assert_eq!(breaker.snapshot().succeeded, 0); // not polled yet
    /// assert_eq!(call.await, Ok(7));
    /// assert_eq!(breaker.snapshot().succeeded, 1);
    /// # }
    /// ```
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Call<H: AsRef<Circuit>, F, C = Predicates> {
        #[pin]
        guard: CallGuard<H, TimerDeadline>,
        // `None` after a timeout: the inner future is dropped at once, even if the caller keeps
        // this one.
        #[pin]
        future: Option<F>,
        classifier: C,
    }
}

impl<H: AsRef<Circuit>, F> Call<H, F> {
    pub(crate) fn new(handle: H, future: F) -> Self {
        Self {
            guard: CallGuard::new(handle, TimerDeadline::new()),
            future: Some(future),
            classifier: Predicates {
                failure_if: (),
                ignore_if: (),
            },
        }
    }
}

impl<H, F, T, E, I> Call<H, F, Predicates<(), I>>
where
    H: AsRef<Circuit>,
    F: Future<Output = Result<T, E>>,
{
    /// Counts an `Err` as a failure only if `predicate` is true for it. Any other counts as a
    /// success: the service answered, though not as the caller hoped.
    ///
    /// The result of the call is returned unchanged. `predicate` sees neither an `Ok` nor a
    /// rejection or timeout. If it panics, the call counts as cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// /// The status of a response other than 200.
    /// struct Status(u16);
    ///
    /// async fn get(path: &str) -> Result<String, Status> {
    ///     // ..
    /// #   let _ = path;
    ///     Err(Status(404))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let breaker = CircuitBreaker::new("pages", Config::default());
    /// let call = breaker.call(get("/missing"));
    /// assert!(call.failure_if(|status| status.0 >= 500).await.is_err());
    /// assert_eq!(breaker.snapshot().succeeded, 1);
    /// # }
    /// ```
    pub fn failure_if<P>(self, predicate: P) -> Call<H, F, Predicates<P, I>>
    where
        P: FnMut(&E) -> bool,
    {
        let Predicates { ignore_if, .. } = self.classifier;
        Call {
            guard: self.guard,
            future: self.future,
            classifier: Predicates {
                failure_if: predicate,
                ignore_if,
            },
        }
    }
}

impl<H, F, T, E, P> Call<H, F, Predicates<P, ()>>
where
    H: AsRef<Circuit>,
    F: Future<Output = Result<T, E>>,
{
    /// Ignores an `Err` for which `predicate` is true: it is neither success nor failure, as it
    /// says nothing about the service. An ignored probe gives its slot to the next call.
    ///
    /// The predicate of [`failure_if`](Self::failure_if) sees only errors that this one does not
    /// ignore. `predicate` sees neither an `Ok` nor a rejection or timeout. If it panics, the call
    /// counts as cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// #[derive(PartialEq)]
    /// enum Refusal {
    ///     /// The service was never called.
    ///     NoToken,
    ///     Unavailable,
    /// }
    ///
    /// async fn get(path: &str) -> Result<String, Refusal> {
    ///     // ..
    /// #   let _ = path;
    ///     Err(Refusal::NoToken)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let breaker = CircuitBreaker::new("pages", Config::default());
    /// let call = breaker.call(get("/"));
    /// assert!(call.ignore_if(|refusal| *refusal == Refusal::NoToken).await.is_err());
    /// assert_eq!(breaker.snapshot().ignored, 1);
    /// # let _ = Refusal::Unavailable;
    /// # }
    /// ```
    pub fn ignore_if<I>(self, predicate: I) -> Call<H, F, Predicates<P, I>>
    where
        I: FnMut(&E) -> bool,
    {
        let Predicates { failure_if, .. } = self.classifier;
        Call {
            guard: self.guard,
            future: self.future,
            classifier: Predicates {
                failure_if,
                ignore_if: predicate,
            },
        }
    }
}

impl<H, F, T, E, C> Future for Call<H, F, C>
where
    H: CircuitHandle,
    F: Future<Output = Result<T, E>>,
    C: Classify<Result<T, E>>,
{
    type Output = Result<T, CallError<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            return Poll::Pending; // it timed out earlier
        };
        let classify = |result: &Result<T, E>| this.classifier.classify(result);
        match ready!(poll_guarded(this.guard, future, classify, cx)) {
            Ok(result) => Poll::Ready(result.map_err(CallError::Inner)),
            Err(error) => {
                // Only after the outcome is settled: dropping the body may panic.
                this.future.set(None);
                Poll::Ready(Err(error.into()))
            }
        }
    }
}

impl<H: AsRef<Circuit>, F, C> fmt::Debug for Call<H, F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("breaker", &self.guard.handle().map(AsRef::as_ref))
            .finish_non_exhaustive()
    }
}

/// Runs `operation` to its end on this thread.
pub(crate) fn blocking<T, E>(
    circuit: &Circuit,
    operation: impl FnOnce() -> Result<T, E>,
) -> Result<T, CallError<E>> {
    let ticket = circuit
        .admit()
        .map_err(|rejection| circuit.rejected(rejection))?;
    let panic_guard = PanicGuard::new(circuit, ticket);
    let result = operation();
    panic_guard.disarm();
    circuit.settle(ticket, Classified::from_result(&result).outcome());
    result.map_err(CallError::Inner)
}

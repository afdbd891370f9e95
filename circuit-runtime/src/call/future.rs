//! The future of a guarded call.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::classify::{ByResult, Classify, Predicates};
use super::deadline::TimerDeadline;
use super::deferred::Deferred;
use super::guarded::{CallGuard, poll_guarded};
use super::verdict::Verdict;
use crate::circuit::handle::CircuitHandle;
use crate::circuit::{Circuit, Ticket};
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
    /// Creates a call that is admitted when it is first polled.
    pub(crate) const fn new(handle: H, future: F) -> Self {
        Self::from_guard(CallGuard::new(handle, TimerDeadline::new()), future)
    }

    /// Creates a call that was admitted before.
    pub(super) fn from_admission(admission: Option<(H, Ticket)>, future: F) -> Self {
        let guard = CallGuard::from_admission(admission, TimerDeadline::new());
        Self::from_guard(guard, future)
    }

    const fn from_guard(guard: CallGuard<H, TimerDeadline>, future: F) -> Self {
        Self {
            guard,
            future: Some(future),
            classifier: Predicates {
                failure_if: (),
                ignore_if: (),
                retry_after: (),
            },
        }
    }
}

impl<H: AsRef<Circuit>, C, F> Call<H, Deferred<C, F>> {
    /// Creates a call whose future is created once it is admitted.
    pub(crate) const fn deferred(handle: H, create: C) -> Self {
        let guard = CallGuard::new(handle, TimerDeadline::from_start());
        Self::from_guard(guard, Deferred::new(create))
    }
}

impl<H, F, T, E, I, W> Call<H, F, Predicates<(), I, W>>
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
    pub fn failure_if<P>(self, predicate: P) -> Call<H, F, Predicates<P, I, W>>
    where
        P: FnMut(&E) -> bool,
    {
        let Predicates {
            ignore_if,
            retry_after,
            ..
        } = self.classifier;
        Call {
            guard: self.guard,
            future: self.future,
            classifier: Predicates {
                failure_if: predicate,
                ignore_if,
                retry_after,
            },
        }
    }
}

impl<H, F, T, E, P, W> Call<H, F, Predicates<P, (), W>>
where
    H: AsRef<Circuit>,
    F: Future<Output = Result<T, E>>,
{
    /// Ignores an `Err` for which `predicate` is true: it is neither success nor failure, as it
    /// says nothing about the service. An ignored probe gives its slot to the next call.
    ///
    /// The closures of [`retry_after`](Self::retry_after) and [`failure_if`](Self::failure_if) see
    /// only errors that this one does not ignore. `predicate` sees neither an `Ok` nor a rejection
    /// or timeout. If it panics, the call counts as cancelled.
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
    pub fn ignore_if<I>(self, predicate: I) -> Call<H, F, Predicates<P, I, W>>
    where
        I: FnMut(&E) -> bool,
    {
        let Predicates {
            failure_if,
            retry_after,
            ..
        } = self.classifier;
        Call {
            guard: self.guard,
            future: self.future,
            classifier: Predicates {
                failure_if,
                ignore_if: predicate,
                retry_after,
            },
        }
    }
}

impl<H, F, T, E, P, I> Call<H, F, Predicates<P, I, ()>>
where
    H: AsRef<Circuit>,
    F: Future<Output = Result<T, E>>,
{
    /// Counts an `Err` for which `wait` returns a time as a failure by which the service asks not
    /// to be called for so long: the circuit opens at once, whatever its limits; see
    /// [`Verdict::Unavailable`].
    ///
    /// `wait` is asked after the predicate of [`ignore_if`](Self::ignore_if) and before that of
    /// [`failure_if`](Self::failure_if), which is not asked where `wait` returns a time. It sees
    /// neither an `Ok` nor a rejection or timeout. If it panics, the call counts as cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config, State};
    /// use std::time::Duration;
    ///
    /// /// A response other than 200.
    /// struct Refusal {
    ///     /// The header `Retry-After`, in seconds.
    ///     retry_after: Option<u64>,
    /// }
    ///
    /// async fn get(path: &str) -> Result<String, Refusal> {
    ///     // ..
    /// #   let _ = path;
    ///     Err(Refusal { retry_after: Some(20) })
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let breaker = CircuitBreaker::new("pages", Config::default());
    /// let call = breaker.call(get("/"));
    /// let call = call.retry_after(|refusal| refusal.retry_after.map(Duration::from_secs));
    /// assert!(call.await.is_err());
    /// assert_eq!(breaker.state(), State::Open);
    /// assert!(breaker.snapshot().retry_after > Some(Duration::from_secs(19)));
    /// # }
    /// ```
    pub fn retry_after<W>(self, wait: W) -> Call<H, F, Predicates<P, I, W>>
    where
        W: FnMut(&E) -> Option<Duration>,
    {
        let Predicates {
            failure_if,
            ignore_if,
            ..
        } = self.classifier;
        Call {
            guard: self.guard,
            future: self.future,
            classifier: Predicates {
                failure_if,
                ignore_if,
                retry_after: wait,
            },
        }
    }
}

impl<H, F, T, E> Call<H, F, Predicates>
where
    H: AsRef<Circuit>,
    F: Future<Output = Result<T, E>>,
{
    /// Counts the call as `classify` says of its whole result, an `Ok` included.
    ///
    /// Takes the place of [`failure_if`](Self::failure_if), [`ignore_if`](Self::ignore_if) and
    /// [`retry_after`](Self::retry_after), and cannot be combined with them. `classify` sees
    /// neither a rejection nor a timeout. If it panics, the call counts as cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config, Verdict};
    ///
    /// /// Returns the status of the response, whatever it is.
    /// async fn get(path: &str) -> Result<u16, std::io::Error> {
    ///     // ..
    /// #   let _ = path;
    ///     Ok(503)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let breaker = CircuitBreaker::new("pages", Config::default());
    /// let call = breaker.call(get("/")).classify(|result| match result {
    ///     Ok(..500) => Verdict::Success,
    ///     Ok(500..) | Err(_) => Verdict::Failure,
    /// });
    /// assert!(matches!(call.await, Ok(503)));
    /// assert_eq!(breaker.snapshot().failed, 1);
    /// # }
    /// ```
    pub fn classify<C>(self, classify: C) -> Call<H, F, ByResult<C>>
    where
        C: FnMut(&Result<T, E>) -> Verdict,
    {
        Call {
            guard: self.guard,
            future: self.future,
            classifier: ByResult(classify),
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

/// A call has predicates or a classification, not both.
///
/// ```compile_fail,E0599
/// # use circuit_runtime::{CircuitBreaker, Config, Verdict};
/// # let breaker = CircuitBreaker::new("pages", Config::default());
/// let call = breaker.call(std::future::ready(Err::<(), _>(7)));
/// drop(call.classify(|_| Verdict::Success).failure_if(|_| true));
/// ```
///
/// ```compile_fail,E0599
/// # use circuit_runtime::{CircuitBreaker, Config, Verdict};
/// # let breaker = CircuitBreaker::new("pages", Config::default());
/// let call = breaker.call(std::future::ready(Err::<(), _>(7)));
/// drop(call.retry_after(|_| None).classify(|_| Verdict::Success));
/// ```
///
/// ```
/// # use circuit_runtime::{CircuitBreaker, Config};
/// # let breaker = CircuitBreaker::new("pages", Config::default());
/// let call = breaker.call(std::future::ready(Err::<(), _>(7)));
/// drop(call.retry_after(|_| None).failure_if(|_| true));
/// ```
#[cfg(doctest)]
struct Excluded;

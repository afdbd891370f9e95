//! Calls under the protection of a breaker.

pub(crate) mod guarded;
pub(crate) mod permit;
pub(crate) mod timeout;

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::breaker::CircuitBreaker;
use crate::error::CallError;
use guarded::{Panicked, Protection};
use permit::Judgement;
pub use permit::Permit;
use timeout::Timer;

pin_project! {
    /// The future of [`CircuitBreaker::call`].
    ///
    /// It asks the circuit when it is polled first. Dropped before it is ready, it counts as
    /// cancelled, which is no evidence. Polled again after it was ready, it stays pending.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Call<'b, F, P = (), I = ()> {
        #[pin]
        protection: Protection<&'b CircuitBreaker, Timer>,
        // Until it is given up: whoever is told so may keep this future.
        #[pin]
        future: Option<F>,
        failure_if: P,
        ignore_if: I,
    }
}

impl<'b, F> Call<'b, F> {
    pub(crate) fn new(breaker: &'b CircuitBreaker, future: F) -> Self {
        Self {
            protection: Protection::new(breaker, Timer::new()),
            future: Some(future),
            failure_if: (),
            ignore_if: (),
        }
    }
}

impl<'b, F, T, E, I> Call<'b, F, (), I>
where
    F: Future<Output = Result<T, E>>,
{
    /// Only an `Err` for which `predicate` is true is a failure. Any other is a success: the service
    /// answered, though not what the caller hoped for.
    ///
    /// The call itself returns what it returns. An `Ok`, a rejection and a timeout are not shown to
    /// `predicate`. If it panics, the call is no evidence.
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// /// The status of an answer that is none of 200.
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
    pub fn failure_if<P>(self, predicate: P) -> Call<'b, F, P, I>
    where
        P: FnMut(&E) -> bool,
    {
        Call {
            protection: self.protection,
            future: self.future,
            failure_if: predicate,
            ignore_if: self.ignore_if,
        }
    }
}

impl<'b, F, T, E, P> Call<'b, F, P, ()>
where
    F: Future<Output = Result<T, E>>,
{
    /// An `Err` for which `predicate` is true is no evidence, neither failure nor success: it says
    /// nothing about the service. A probe that ends so has its place taken by the next call.
    ///
    /// It is asked before the predicate of [`failure_if`](Self::failure_if), which then sees only what
    /// is left. An `Ok`, a rejection and a timeout are not shown to `predicate`. If it panics, the call
    /// is no evidence either.
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// #[derive(PartialEq)]
    /// enum Refusal {
    ///     /// There was no way to ask.
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
    pub fn ignore_if<I>(self, predicate: I) -> Call<'b, F, P, I>
    where
        I: FnMut(&E) -> bool,
    {
        Call {
            protection: self.protection,
            future: self.future,
            failure_if: self.failure_if,
            ignore_if: predicate,
        }
    }
}

impl<F, T, E, P, I> Future for Call<'_, F, P, I>
where
    F: Future<Output = Result<T, E>>,
    P: Predicate<E>,
    I: Predicate<E>,
{
    type Output = Result<T, CallError<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let attempt = ready!(this.protection.as_mut().begin())?;
        let panicked = attempt.panicked();
        let polled = match this.future.as_mut().as_pin_mut() {
            Some(future) => future.poll(cx),
            None => Poll::Pending, // it was given up, and then there is no attempt
        };
        panicked.did_not_happen();

        if let Poll::Ready(result) = polled {
            // Before the predicates are asked: one that panics drops it.
            let permit = attempt.permit();
            Judgement::of(&result)
                .ignore_if(|error| this.ignore_if.says(error).unwrap_or(false))
                .failure_if(|error| this.failure_if.says(error).unwrap_or(true))
                .give(permit);
            return Poll::Ready(result.map_err(CallError::Inner));
        }
        let error = ready!(this.protection.go_on(attempt, cx));
        // After the circuit knows, as this may panic.
        this.future.set(None);
        Poll::Ready(Err(error.into()))
    }
}

impl<F, P, I> fmt::Debug for Call<'_, F, P, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("breaker", &self.protection.breaker())
            .finish_non_exhaustive()
    }
}

/// A predicate on the errors of a call, or `()` where there is none.
pub trait Predicate<E> {
    /// Its answer, if there is one.
    fn says(&mut self, error: &E) -> Option<bool>;
}

impl<E> Predicate<E> for () {
    #[inline]
    fn says(&mut self, _: &E) -> Option<bool> {
        None
    }
}

impl<E, P: FnMut(&E) -> bool> Predicate<E> for P {
    #[inline]
    fn says(&mut self, error: &E) -> Option<bool> {
        Some(self(error))
    }
}

/// Runs `operation` to its end on this thread.
pub(crate) fn blocking<T, E>(
    breaker: &CircuitBreaker,
    operation: impl FnOnce() -> Result<T, E>,
) -> Result<T, CallError<E>> {
    let ticket = breaker
        .admit()
        .map_err(|rejection| breaker.rejected(rejection))?;
    let panicked = Panicked::of(breaker, ticket);
    let result = operation();
    panicked.did_not_happen();
    Permit::new(breaker, ticket).judge(&result);
    result.map_err(CallError::Inner)
}

//! Calls under the protection of a breaker.

use std::borrow::Borrow;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::breaker::CircuitBreaker;
use crate::error::{CallError, CircuitError};
use crate::permit::{Judgement, Outcome, Permit, Ticket};
use crate::timeout::{Bounded, NoRuntime, Timed, Unfinished};

pin_project! {
    /// The future of [`CircuitBreaker::call`].
    ///
    /// It asks the circuit when it is polled first. Dropped before it is ready, it counts as
    /// cancelled, which is no evidence. Polled again after it was ready, it stays pending.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Call<'b, F, P = (), I = ()> {
        #[pin]
        protected: Protected<&'b CircuitBreaker, Timed<F>>,
        failure_if: P,
        ignore_if: I,
    }
}

impl<'b, F> Call<'b, F> {
    pub(crate) fn new(breaker: &'b CircuitBreaker, future: F) -> Self {
        Self {
            protected: Protected::new(breaker, Timed::new(future)),
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
            protected: self.protected,
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
            protected: self.protected,
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
        let this = self.project();
        let judge = |result: &Result<T, E>, permit: Permit<'_>| {
            Judgement::of(result)
                .ignore_if(|error| this.ignore_if.says(error).unwrap_or(false))
                .failure_if(|error| this.failure_if.says(error).unwrap_or(true))
                .give(permit);
        };
        let result = ready!(this.protected.poll(cx, judge))?;
        Poll::Ready(result.map_err(CallError::Inner))
    }
}

impl<F, P, I> fmt::Debug for Call<'_, F, P, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("breaker", &self.protected.breaker)
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
    let result = unless_it_panics(breaker, ticket, operation);
    Permit::new(breaker, ticket).judge(&result);
    result.map_err(CallError::Inner)
}

pin_project! {
    /// Runs a call if the circuit lets it. What its result means is for others to say.
    pub struct Protected<B: Borrow<CircuitBreaker>, C> {
        // Until the call is over.
        breaker: Option<B>,
        // While the call runs.
        ticket: Option<Ticket>,
        #[pin]
        call: C,
    }

    impl<B: Borrow<CircuitBreaker>, C> PinnedDrop for Protected<B, C> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let (Some(breaker), Some(ticket)) = (this.breaker, *this.ticket) {
                (*breaker).borrow().settle(ticket, Outcome::Cancelled);
            }
        }
    }
}

impl<B: Borrow<CircuitBreaker>, C> Protected<B, C> {
    #[inline]
    pub(crate) const fn new(breaker: B, call: C) -> Self {
        Self {
            breaker: Some(breaker),
            ticket: None,
            call,
        }
    }

    /// A call that has been let in already.
    #[inline]
    pub(crate) const fn admitted(breaker: B, ticket: Ticket, call: C) -> Self {
        Self {
            breaker: Some(breaker),
            ticket: Some(ticket),
            call,
        }
    }
}

impl<B: Borrow<CircuitBreaker>, C: Bounded> Protected<B, C> {
    /// Polls the call. Its result, if it comes to one, is shown to `judge` with the permit that waits
    /// for a verdict on it.
    #[inline]
    pub(crate) fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        judge: impl FnOnce(&C::Output, Permit<'_>),
    ) -> Poll<Result<C::Output, CircuitError>> {
        let mut this = self.project();
        // Taken, and put back only if the call goes on: a panic ends it as well.
        let Some(owned) = this.breaker.take() else {
            return Poll::Pending;
        };
        let breaker = owned.borrow();
        let timeout = breaker.config().timeout();

        let ticket = match *this.ticket {
            Some(ticket) => ticket,
            None => match breaker.admit() {
                Ok(ticket) => ticket,
                Err(rejection) => return Poll::Ready(Err(breaker.rejected(rejection))),
            },
        };
        if let Err(NoRuntime) = this.call.as_mut().start(timeout) {
            breaker.settle(ticket, Outcome::Cancelled);
            return Poll::Ready(Err(breaker.without_runtime()));
        }

        let had_budget = C::has_budget();
        let call = this.call.as_mut();
        if let Poll::Ready(result) = unless_it_panics(breaker, ticket, || call.poll(cx)) {
            judge(&result, Permit::new(breaker, ticket));
            return Poll::Ready(Ok(result));
        }

        *this.breaker = Some(owned);
        *this.ticket = Some(ticket);
        let end = ready!(this.call.as_mut().poll_end(timeout, had_budget, cx));

        let Some(owned) = this.breaker.take() else {
            return Poll::Pending;
        };
        let breaker = owned.borrow();
        let (outcome, error) = match end {
            Unfinished::TimedOut(after) => (Outcome::TimedOut, breaker.timed_out(after)),
            Unfinished::NoRuntime(NoRuntime) => (Outcome::Cancelled, breaker.without_runtime()),
        };
        // In this order, as dropping the call may panic.
        breaker.settle(ticket, outcome);
        this.call.give_up();
        Poll::Ready(Err(error))
    }
}

/// Runs a piece of the call itself. If it panics, that is how the call ended.
#[inline]
fn unless_it_panics<R>(breaker: &CircuitBreaker, ticket: Ticket, piece: impl FnOnce() -> R) -> R {
    struct Panicked<'b>(&'b CircuitBreaker, Ticket);

    impl Drop for Panicked<'_> {
        fn drop(&mut self) {
            self.0.settle(self.1, Outcome::Panicked);
        }
    }

    let panicked = Panicked(breaker, ticket);
    let result = piece();
    mem::forget(panicked);
    result
}

//! Calls under the protection of a breaker.

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::breaker::CircuitBreaker;
use crate::error::{CallError, CircuitError};
use crate::permit::{Ending, Permit, Ticket};
use crate::timeout::{Bounded, Limited, NoRuntime, Unfinished};

pin_project! {
    /// The future of [`CircuitBreaker::call`].
    ///
    /// It asks the circuit when it is polled first. Dropped before it is ready, it counts as
    /// cancelled, which is no evidence. Polled again after it was ready, it stays pending.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Call<'b, F> {
        #[pin]
        guard: Guard<'b, Limited<F>>,
    }
}

impl<'b, F> Call<'b, F> {
    pub(crate) fn new(breaker: &'b CircuitBreaker, future: F) -> Self {
        Self {
            guard: Guard::new(breaker, Limited::new(future)),
        }
    }
}

impl<F, T, E> Future for Call<'_, F>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<T, CallError<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = ready!(
            self.project()
                .guard
                .poll(cx, |result, permit| permit.judge(result))
        )?;
        Poll::Ready(result.map_err(CallError::Inner))
    }
}

impl<F> fmt::Debug for Call<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("breaker", &self.guard.breaker)
            .finish_non_exhaustive()
    }
}

/// Runs `operation` to its end on this thread.
pub(crate) fn blocking<T, E>(
    breaker: &CircuitBreaker,
    operation: impl FnOnce() -> Result<T, E>,
) -> Result<T, CallError<E>> {
    let ticket = breaker
        .admit()
        .map_err(|rejection| breaker.open(rejection))?;
    let result = unless_it_panics(breaker, ticket, operation);
    Permit::new(breaker, ticket).judge(&result);
    result.map_err(CallError::Inner)
}

pin_project! {
    /// Runs a call if the circuit lets it. What its result means is for others to say.
    pub struct Guard<'b, C> {
        // Until the call is over.
        breaker: Option<&'b CircuitBreaker>,
        // While the call runs.
        ticket: Option<Ticket>,
        #[pin]
        call: C,
    }

    impl<C> PinnedDrop for Guard<'_, C> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let (Some(breaker), Some(ticket)) = (*this.breaker, *this.ticket) {
                breaker.settle(ticket, Ending::Cancelled);
            }
        }
    }
}

impl<'b, C> Guard<'b, C> {
    #[inline]
    pub(crate) const fn new(breaker: &'b CircuitBreaker, call: C) -> Self {
        Self {
            breaker: Some(breaker),
            ticket: None,
            call,
        }
    }
}

impl<'b, C: Bounded> Guard<'b, C> {
    /// Polls the call. Its result, if it comes to one, is shown to `judge` with the permit that waits
    /// for a verdict on it.
    #[inline]
    pub(crate) fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        judge: impl FnOnce(&C::Output, Permit<'b>),
    ) -> Poll<Result<C::Output, CircuitError>> {
        let mut this = self.project();
        // Taken, and put back only if the call goes on.
        let Some(breaker) = this.breaker.take() else {
            return Poll::Pending;
        };
        let timeout = breaker.config().timeout();

        let ticket = if let Some(ticket) = *this.ticket {
            ticket
        } else {
            if let Err(NoRuntime) = this.call.as_mut().start(timeout) {
                return Poll::Ready(Err(breaker.no_runtime()));
            }
            match breaker.admit() {
                Ok(ticket) => ticket,
                Err(rejection) => return Poll::Ready(Err(breaker.open(rejection))),
            }
        };

        let call = this.call.as_mut();
        if let Poll::Ready(result) = unless_it_panics(breaker, ticket, || call.poll(cx)) {
            judge(&result, Permit::new(breaker, ticket));
            return Poll::Ready(Ok(result));
        }

        let (ending, error) = match this.call.as_mut().poll_end(timeout, cx) {
            Poll::Pending => {
                *this.breaker = Some(breaker);
                *this.ticket = Some(ticket);
                return Poll::Pending;
            }
            Poll::Ready(Unfinished::TimedOut(after)) => (Ending::TimedOut, breaker.timeout(after)),
            Poll::Ready(Unfinished::Unmeasured(NoRuntime)) => {
                (Ending::Cancelled, breaker.no_runtime())
            }
        };
        // In this order, as dropping the call may panic.
        breaker.settle(ticket, ending);
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
            self.0.settle(self.1, Ending::Panicked);
        }
    }

    let panicked = Panicked(breaker, ticket);
    let result = piece();
    mem::forget(panicked);
    result
}

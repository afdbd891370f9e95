//! What stands between a call and its circuit.
//!
//! Nothing here depends on the type of the call: an unoptimized build makes it once, and not for each
//! annotated function.

use std::borrow::Borrow;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::permit::Permit;
use super::timeout::{NoRuntime, Timing, Unfinished};
use crate::breaker::CircuitBreaker;
use crate::circuit::ticket::{Outcome, Ticket};
use crate::error::CircuitError;

pin_project! {
    /// Asks the circuit before a call runs, and tells it when the call has to end. What its result means
    /// is for others to say.
    pub struct Protection<B: Borrow<CircuitBreaker>, T> {
        // Until the call is over.
        breaker: Option<B>,
        // While the call runs.
        ticket: Option<Ticket>,
        #[pin]
        timing: T,
    }

    impl<B: Borrow<CircuitBreaker>, T> PinnedDrop for Protection<B, T> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let (Some(breaker), Some(ticket)) = (this.breaker, *this.ticket) {
                (*breaker).borrow().settle(ticket, Outcome::Cancelled);
            }
        }
    }
}

/// One poll of a call that may run.
pub(crate) struct Attempt<B> {
    breaker: B,
    ticket: Ticket,
    timeout: Option<Duration>,
    had_budget: bool,
}

impl<B: Borrow<CircuitBreaker>, T> Protection<B, T> {
    #[inline]
    pub(crate) const fn new(breaker: B, timing: T) -> Self {
        Self {
            breaker: Some(breaker),
            ticket: None,
            timing,
        }
    }

    /// Of a call that has been let in already.
    #[inline]
    pub(crate) const fn admitted(breaker: B, ticket: Ticket, timing: T) -> Self {
        Self {
            breaker: Some(breaker),
            ticket: Some(ticket),
            timing,
        }
    }

    /// The breaker, until the call is over.
    pub(crate) fn breaker(&self) -> Option<&B> {
        self.breaker.as_ref()
    }
}

impl<B: Borrow<CircuitBreaker>, T: Timing> Protection<B, T> {
    /// What to poll the call with, unless the circuit is open. Pending when the call is over.
    #[cfg_attr(
        not(debug_assertions),
        expect(
            clippy::inline_always,
            reason = "it returns too much for registers; in a debug build it is the compiler that is waited for"
        ),
        inline(always)
    )]
    pub(crate) fn begin(self: Pin<&mut Self>) -> Poll<Result<Attempt<B>, CircuitError>> {
        let this = self.project();
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
        if let Err(NoRuntime) = this.timing.start(timeout) {
            breaker.settle(ticket, Outcome::Cancelled);
            return Poll::Ready(Err(breaker.without_runtime()));
        }
        Poll::Ready(Ok(Attempt {
            breaker: owned,
            ticket,
            timeout,
            had_budget: T::has_budget(timeout),
        }))
    }

    /// Has the call wait, unless it has taken too long.
    pub(crate) fn go_on(
        self: Pin<&mut Self>,
        attempt: Attempt<B>,
        cx: &mut Context<'_>,
    ) -> Poll<CircuitError> {
        let mut this = self.project();
        let Attempt {
            breaker,
            ticket,
            timeout,
            had_budget,
        } = attempt;
        *this.breaker = Some(breaker);
        *this.ticket = Some(ticket);
        let end = ready!(this.timing.as_mut().poll_end(timeout, had_budget, cx));

        let Some(owned) = this.breaker.take() else {
            return Poll::Pending;
        };
        let breaker = owned.borrow();
        let (outcome, error) = match end {
            Unfinished::TimedOut(after) => (Outcome::TimedOut, breaker.timed_out(after)),
            Unfinished::NoRuntime(NoRuntime) => (Outcome::Cancelled, breaker.without_runtime()),
        };
        breaker.settle(ticket, outcome);
        Poll::Ready(error)
    }
}

impl<B: Borrow<CircuitBreaker>> Attempt<B> {
    /// How the call ends, should it panic.
    #[inline]
    pub(crate) fn panicked(&self) -> Panicked<'_> {
        Panicked::of(self.breaker.borrow(), self.ticket)
    }

    /// The permit, for a result.
    #[inline]
    pub(crate) fn permit(&self) -> Permit<'_> {
        Permit::new(self.breaker.borrow(), self.ticket)
    }
}

/// Stands beside a piece of the call itself. If that panics, it is how the call ended.
pub(crate) struct Panicked<'b> {
    breaker: &'b CircuitBreaker,
    ticket: Ticket,
}

impl<'b> Panicked<'b> {
    #[inline]
    pub(crate) fn of(breaker: &'b CircuitBreaker, ticket: Ticket) -> Self {
        Self { breaker, ticket }
    }

    #[inline]
    pub(crate) fn did_not_happen(self) {
        mem::forget(self);
    }
}

impl Drop for Panicked<'_> {
    fn drop(&mut self) {
        self.breaker.settle(self.ticket, Outcome::Panicked);
    }
}

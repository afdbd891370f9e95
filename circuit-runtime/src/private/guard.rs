//! The futures that an annotated function awaits.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::breaker::CircuitBreaker;
use crate::call::Verdict;
use crate::call::deadline::{NoDeadline, TimerDeadline};
use crate::call::guarded::{CallGuard, poll_guarded};
use crate::circuit::handle::CircuitHandle;
use crate::circuit::{Circuit, Ticket};
use crate::error::CircuitError;
use crate::keyed::KeyedHandle;

/// Runs the body of a function that has no timeout.
#[inline]
pub fn guard<A, F, C, R>(
    admission: A,
    body: F,
    classify: C,
    on_rejection: R,
) -> Guard<A::Handle, F, C, R>
where
    A: Admission,
    F: Future,
    C: Fn(&F::Output) -> Verdict,
    R: Fn(CircuitError) -> F::Output,
{
    Guard {
        call: admission.guard(NoDeadline),
        body,
        classify,
        on_rejection,
    }
}

/// Runs the body of a function that has a fallback and no timeout, once it is admitted: there is no
/// error left to convert.
#[inline]
pub fn guard_admitted<H, F, C>(
    admitted: Admitted<H>,
    body: F,
    classify: C,
) -> GuardAdmitted<H, F, C>
where
    H: CircuitHandle,
    F: Future,
    C: Fn(&F::Output) -> Verdict,
{
    GuardAdmitted {
        call: admitted.guard(NoDeadline),
        body,
        classify,
    }
}

/// Runs the body of a function that may have a timeout. The caller converts the error, after the
/// body and everything it holds has been dropped.
#[inline]
pub fn guard_timed<A, F, C>(admission: A, body: F, classify: C) -> GuardTimed<A::Handle, F, C>
where
    A: Admission,
    F: Future,
    C: Fn(&F::Output) -> Verdict,
{
    GuardTimed {
        call: admission.guard(TimerDeadline::new()),
        body,
        classify,
    }
}

/// How a body is admitted: on its first poll, or ahead of time by [`admit`](super::admit()).
pub trait Admission {
    /// The breaker, or a reference to it.
    type Handle: CircuitHandle;

    #[doc(hidden)]
    fn guard<D>(self, deadline: D) -> CallGuard<Self::Handle, D>;
}

impl Admission for &CircuitBreaker {
    type Handle = Self;

    #[inline]
    fn guard<D>(self, deadline: D) -> CallGuard<Self, D> {
        CallGuard::new(self, deadline)
    }
}

impl Admission for CircuitBreaker {
    type Handle = Self;

    #[inline]
    fn guard<D>(self, deadline: D) -> CallGuard<Self, D> {
        CallGuard::new(self, deadline)
    }
}

impl Admission for KeyedHandle {
    type Handle = Self;

    #[inline]
    fn guard<D>(self, deadline: D) -> CallGuard<Self, D> {
        CallGuard::new(self, deadline)
    }
}

/// An admitted call, to be handed to [`guard`], which settles it.
#[must_use]
pub struct Admitted<H> {
    handle: H,
    ticket: Ticket,
}

impl<H> Admitted<H> {
    #[inline]
    pub(super) fn new(handle: H, ticket: Ticket) -> Self {
        Self { handle, ticket }
    }
}

impl<H: CircuitHandle> Admission for Admitted<H> {
    type Handle = H;

    #[inline]
    fn guard<D>(self, deadline: D) -> CallGuard<H, D> {
        CallGuard::from_ticket(self.handle, self.ticket, deadline)
    }
}

pin_project! {
    /// The body of a function, run if the circuit admits it.
    pub struct Guard<H: AsRef<Circuit>, F, C, R> {
        #[pin]
        call: CallGuard<H, NoDeadline>,
        #[pin]
        body: F,
        classify: C,
        on_rejection: R,
    }
}

impl<H, F, C, R> Future for Guard<H, F, C, R>
where
    H: CircuitHandle,
    F: Future,
    C: Fn(&F::Output) -> Verdict,
    R: Fn(CircuitError) -> F::Output,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let result = ready!(poll_guarded(this.call, this.body, &*this.classify, cx));
        Poll::Ready(result.unwrap_or_else(&*this.on_rejection))
    }
}

pin_project! {
    /// The body of a function, run after its admission.
    pub struct GuardAdmitted<H: AsRef<Circuit>, F, C> {
        #[pin]
        call: CallGuard<H, NoDeadline>,
        #[pin]
        body: F,
        classify: C,
    }
}

impl<H, F, C> Future for GuardAdmitted<H, F, C>
where
    H: CircuitHandle,
    F: Future,
    C: Fn(&F::Output) -> Verdict,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        match ready!(poll_guarded(this.call, this.body, &*this.classify, cx)) {
            Ok(result) => Poll::Ready(result),
            // Neither rejected nor timed: there is no such error.
            Err(_) => Poll::Pending,
        }
    }
}

pin_project! {
    /// The body of a function that may time out. The body is dropped with
    /// this future, as soon as this is ready.
    pub struct GuardTimed<H: AsRef<Circuit>, F, C> {
        #[pin]
        call: CallGuard<H, TimerDeadline>,
        #[pin]
        body: F,
        classify: C,
    }
}

impl<H, F, C> Future for GuardTimed<H, F, C>
where
    H: CircuitHandle,
    F: Future,
    C: Fn(&F::Output) -> Verdict,
{
    type Output = Result<F::Output, CircuitError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        poll_guarded(this.call, this.body, &*this.classify, cx)
    }
}

//! Everything a guarded future does besides polling its body.
//!
//! [`CallGuard`] is not generic over the body, so that it is compiled once rather than for every
//! annotated function; only [`poll_guarded`] is.

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tokio::task::coop;

use super::deadline::{Deadline, Interrupted, NoRuntime};
use super::verdict::Verdict;
use crate::circuit::handle::CircuitHandle;
use crate::circuit::{Circuit, Outcome, Rejection, Ticket};
use crate::clock::Span;
use crate::error::CircuitError;

pin_project! {
    /// Admission, timeout and cancellation of one call. Classifying the result is up to the caller.
    pub struct CallGuard<H: AsRef<Circuit>, D> {
        // `None` once the call is over.
        handle: Option<H>,
        // `Some` while the call is in flight.
        ticket: Option<Ticket>,
        #[pin]
        deadline: D,
    }

    impl<H: AsRef<Circuit>, D> PinnedDrop for CallGuard<H, D> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let (Some(handle), Some(ticket)) = (this.handle, *this.ticket) {
                (*handle).as_ref().settle(ticket, Outcome::Cancelled);
            }
        }
    }
}

/// Admits a call, once a rejection can be paid for from the cooperative budget of the task:
/// otherwise a loop of rejected calls would never let another task of its thread run.
#[inline]
pub(crate) fn poll_admit(
    circuit: &Circuit,
    cx: &mut Context<'_>,
) -> Poll<Result<Ticket, Rejection>> {
    match circuit.admit_while_closed() {
        Some(ticket) => Poll::Ready(Ok(ticket)),
        None => poll_admit_open(circuit, cx),
    }
}

#[inline(never)]
fn poll_admit_open(circuit: &Circuit, cx: &mut Context<'_>) -> Poll<Result<Ticket, Rejection>> {
    // Ask for budget first, so that a rejection that waits for it is counted once.
    let budget = ready!(coop::poll_proceed(cx));
    let admitted = circuit.admit();
    if admitted.is_err() {
        budget.made_progress();
    }
    Poll::Ready(admitted)
}

/// An admitted call, for the duration of one poll.
struct Turn<H> {
    handle: H,
    ticket: Ticket,
    timeout: Span,
}

/// Polls `body` under `guard`, and settles the call with the verdict of `classify` on its result.
#[inline]
pub(crate) fn poll_guarded<H, D, F>(
    mut guard: Pin<&mut CallGuard<H, D>>,
    body: Pin<&mut F>,
    classify: impl FnOnce(&F::Output) -> Verdict,
    cx: &mut Context<'_>,
) -> Poll<Result<F::Output, CircuitError>>
where
    H: CircuitHandle,
    D: Deadline,
    F: Future,
{
    let turn = ready!(guard.as_mut().poll_admit(cx))?;
    let had_budget = D::has_budget(turn.timeout);
    let panic_guard = turn.outcome_guard(Outcome::Panicked);
    let polled = body.poll(cx);
    panic_guard.disarm();

    if let Poll::Ready(result) = polled {
        let predicate_guard = turn.outcome_guard(Outcome::Cancelled);
        let verdict = classify(&result);
        predicate_guard.disarm();
        verdict.settle(turn.handle.as_ref(), turn.ticket);
        turn.handle.give_back();
        return Poll::Ready(Ok(result));
    }
    guard.poll_timeout(turn, had_budget, cx).map(Err)
}

/// The result of a call, and what settles it.
pub(super) type Unsettled<T, H> = (T, H, Ticket);

/// Polls `body` under `guard`, as [`poll_guarded`] does, and returns its result with what settles
/// the call.
#[inline]
pub(super) fn poll_unsettled<H, D, F>(
    mut guard: Pin<&mut CallGuard<H, D>>,
    body: Pin<&mut F>,
    cx: &mut Context<'_>,
) -> Poll<Result<Unsettled<F::Output, H>, CircuitError>>
where
    H: CircuitHandle,
    D: Deadline,
    F: Future,
{
    let turn = ready!(guard.as_mut().poll_admit(cx))?;
    let had_budget = D::has_budget(turn.timeout);
    let panic_guard = turn.outcome_guard(Outcome::Panicked);
    let polled = body.poll(cx);
    panic_guard.disarm();

    if let Poll::Ready(result) = polled {
        return Poll::Ready(Ok((result, turn.handle, turn.ticket)));
    }
    guard.poll_timeout(turn, had_budget, cx).map(Err)
}

impl<H: AsRef<Circuit>, D> CallGuard<H, D> {
    #[inline]
    pub(crate) const fn new(handle: H, deadline: D) -> Self {
        Self {
            handle: Some(handle),
            ticket: None,
            deadline,
        }
    }

    /// Creates the guard of a call that was admitted ahead of time.
    #[inline]
    pub(crate) const fn from_ticket(handle: H, ticket: Ticket, deadline: D) -> Self {
        Self {
            handle: Some(handle),
            ticket: Some(ticket),
            deadline,
        }
    }

    /// Creates the guard of a call that was admitted ahead of time, or one of a call that is over.
    pub(super) fn from_admission(admission: Option<(H, Ticket)>, deadline: D) -> Self {
        let (handle, ticket) = admission.unzip();
        Self {
            handle,
            ticket,
            deadline,
        }
    }

    /// Returns the handle, until the call is over.
    pub(crate) fn handle(&self) -> Option<&H> {
        self.handle.as_ref()
    }
}

impl<H: CircuitHandle, D: Deadline> CallGuard<H, D> {
    /// Admits the call on the first poll; returns what the poll needs. `Pending` once the call is
    /// over.
    #[cfg_attr(
        not(debug_assertions),
        expect(
            clippy::inline_always,
            reason = "it returns too much for registers; a debug build is to compile it once"
        ),
        inline(always)
    )]
    fn poll_admit(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Turn<H>, CircuitError>> {
        let this = self.project();
        // Taken here and put back only if the call stays pending, so that a panic ends the call,
        // too.
        let Some(handle) = this.handle.take() else {
            return Poll::Pending;
        };
        let circuit = handle.as_ref();
        let timeout = match *this.ticket {
            Some(ticket) => this.deadline.timeout(circuit, ticket),
            None => D::timeout_while_closed(circuit),
        };

        let (ticket, timeout) = match *this.ticket {
            Some(ticket) => (ticket, timeout),
            None => match circuit.admit_while_closed() {
                Some(ticket) => (ticket, timeout),
                None => match poll_admit_open(circuit, cx) {
                    Poll::Ready(Ok(ticket)) => (ticket, D::timeout_at_start(circuit, ticket)),
                    Poll::Ready(Err(rejection)) => {
                        let error = circuit.rejected(rejection);
                        handle.give_back();
                        return Poll::Ready(Err(error));
                    }
                    Poll::Pending => {
                        *this.handle = Some(handle);
                        return Poll::Pending;
                    }
                },
            },
        };
        if let Err(NoRuntime) = this.deadline.start(timeout) {
            circuit.settle(ticket, Outcome::Cancelled);
            return Poll::Ready(Err(circuit.without_runtime()));
        }
        Poll::Ready(Ok(Turn {
            handle,
            ticket,
            timeout,
        }))
    }

    /// Keeps the call pending, or ends it if its timeout has elapsed.
    fn poll_timeout(
        self: Pin<&mut Self>,
        turn: Turn<H>,
        had_budget: bool,
        cx: &mut Context<'_>,
    ) -> Poll<CircuitError> {
        let mut this = self.project();
        let Turn {
            handle,
            ticket,
            timeout,
        } = turn;
        *this.handle = Some(handle);
        *this.ticket = Some(ticket);
        let interrupted = ready!(this.deadline.as_mut().poll_end(timeout, had_budget, cx));

        let Some(handle) = this.handle.take() else {
            return Poll::Pending;
        };
        let circuit = handle.as_ref();
        let (outcome, error) = match interrupted {
            Interrupted::TimedOut(after) => (Outcome::TimedOut, circuit.timed_out(after)),
            Interrupted::NoRuntime(NoRuntime) => (Outcome::Cancelled, circuit.without_runtime()),
        };
        circuit.settle(ticket, outcome);
        handle.give_back();
        Poll::Ready(error)
    }
}

impl<H: AsRef<Circuit>> Turn<H> {
    #[inline]
    fn outcome_guard(&self, outcome: Outcome) -> OutcomeGuard<'_> {
        OutcomeGuard::new(self.handle.as_ref(), self.ticket, outcome)
    }
}

/// Drop guard around user code: if it unwinds, settles the call with this outcome.
pub(super) struct OutcomeGuard<'b> {
    circuit: &'b Circuit,
    ticket: Ticket,
    outcome: Outcome,
}

impl<'b> OutcomeGuard<'b> {
    #[inline]
    pub(super) fn new(circuit: &'b Circuit, ticket: Ticket, outcome: Outcome) -> Self {
        Self {
            circuit,
            ticket,
            outcome,
        }
    }

    #[inline]
    pub(super) fn disarm(self) {
        mem::forget(self);
    }
}

impl Drop for OutcomeGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        settle_unwound(self.circuit, self.ticket, self.outcome);
    }
}

/// Out of line, so that the guard is dropped without a reference to it, and takes no memory.
#[cold]
#[inline(never)]
fn settle_unwound(circuit: &Circuit, ticket: Ticket, outcome: Outcome) {
    circuit.settle(ticket, outcome);
}

//! Deadlines of guarded calls.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::runtime::Handle;
use tokio::task::coop;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use crate::circuit::{Circuit, Ticket};
use crate::clock::Span;

/// The message of the panic of tokio's timers when their runtime is shutting down.
const SHUTTING_DOWN: &str = "A Tokio 1.x context was found, but it is being shutdown.";

/// Ends a call that runs for too long.
pub trait Deadline {
    /// Returns the timeout of a call that starts now while its circuit is closed.
    /// [`Span::INDEFINITE`] stands for none.
    fn timeout_while_closed(circuit: &Circuit) -> Span;

    /// Returns the timeout of a call that starts now and has been admitted.
    fn timeout_at_start(circuit: &Circuit, ticket: Ticket) -> Span;

    /// Returns the timeout of a call that was admitted before: the one that it started with, if it
    /// has started.
    fn timeout(&self, circuit: &Circuit, ticket: Ticket) -> Span;

    /// Starts to measure the timeout of a call; does nothing if it has started before.
    fn start(self: Pin<&mut Self>, timeout: Span) -> Result<(), NoRuntime>;

    /// Returns `true` if the task has cooperative budget left. Without any, every tokio resource
    /// the call awaits reports `Pending`, ready or not. Always `true` without a timeout.
    fn has_budget(timeout: Span) -> bool;

    /// Checks the timer after the body was polled: a result that is ready wins. `had_budget` says
    /// whether there was budget before that poll.
    fn poll_end(
        self: Pin<&mut Self>,
        timeout: Span,
        had_budget: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Interrupted>;
}

/// The reason why a call ended without a result.
#[derive(Debug)]
pub enum Interrupted {
    /// It took longer than this.
    TimedOut(Span),
    /// There is no timer to measure it with.
    NoRuntime(NoRuntime),
}

/// The call runs outside of a tokio runtime, or in one without timers.
#[derive(Debug)]
pub struct NoRuntime;

/// The deadline of a call that is known to have no timeout.
pub(crate) struct NoDeadline;

impl Deadline for NoDeadline {
    #[inline]
    fn timeout_while_closed(_: &Circuit) -> Span {
        Span::INDEFINITE
    }

    #[inline]
    fn timeout_at_start(_: &Circuit, _: Ticket) -> Span {
        Span::INDEFINITE
    }

    #[inline]
    fn timeout(&self, _: &Circuit, _: Ticket) -> Span {
        Span::INDEFINITE
    }

    #[inline]
    fn start(self: Pin<&mut Self>, _: Span) -> Result<(), NoRuntime> {
        Ok(())
    }

    #[inline]
    fn has_budget(_: Span) -> bool {
        true
    }

    #[inline]
    fn poll_end(self: Pin<&mut Self>, _: Span, _: bool, _: &mut Context<'_>) -> Poll<Interrupted> {
        Poll::Pending
    }
}

pin_project! {
    /// The deadline of a call that may have a timeout.
    ///
    /// A call that is ready at once reads no clock and creates no timer. The timeout is measured
    /// from the moment at which the call first has to wait: an exact reading at its start would
    /// cost as much as the call, and a coarse one may be too early by any time. So no call times
    /// out too soon. Only [`from_start`](Self::from_start) has it created at the start.
    #[project = TimerProjection]
    pub(crate) enum TimerDeadline {
        // The call has never had to wait.
        Unneeded { start: Start },
        // Its circuit had no timeout when the call started.
        NoTimeout,
        Running { timeout: Span, #[pin] sleep: Sleep },
    }
}

/// The start of a call, and the moment from which its timeout is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// It has not started; its timeout is measured from the moment at which it first has to wait.
    Lazy,
    /// It has not started; its timeout is measured from its start.
    Eager,
    Started,
}

impl Deadline for TimerDeadline {
    #[inline]
    fn timeout_while_closed(circuit: &Circuit) -> Span {
        circuit.timeout()
    }

    #[inline]
    fn timeout_at_start(circuit: &Circuit, ticket: Ticket) -> Span {
        circuit.timeout_of(ticket)
    }

    #[inline]
    fn timeout(&self, circuit: &Circuit, ticket: Ticket) -> Span {
        match self {
            Self::Unneeded { .. } => Self::timeout_at_start(circuit, ticket),
            Self::NoTimeout => Span::INDEFINITE,
            Self::Running { timeout, .. } => *timeout,
        }
    }

    #[inline]
    fn start(mut self: Pin<&mut Self>, timeout: Span) -> Result<(), NoRuntime> {
        if timeout == Span::INDEFINITE {
            return Ok(());
        }
        match self.as_mut().project() {
            TimerProjection::Unneeded { start } if *start == Start::Lazy => {
                // Check now, before the call does anything, rather than when the timer is needed.
                if !inside_a_runtime() {
                    return Err(NoRuntime);
                }
                *start = Start::Started;
                Ok(())
            }
            TimerProjection::Unneeded { start } if *start == Start::Eager => {
                self.start_early(timeout)
            }
            _ => Ok(()),
        }
    }

    #[inline]
    fn has_budget(timeout: Span) -> bool {
        timeout == Span::INDEFINITE || coop::has_budget_remaining()
    }

    fn poll_end(
        mut self: Pin<&mut Self>,
        timeout: Span,
        had_budget: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Interrupted> {
        if timeout == Span::INDEFINITE {
            self.set(Self::NoTimeout);
            return Poll::Pending;
        }
        self.poll_elapsed(timeout, had_budget, cx)
    }
}

impl TimerDeadline {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self::Unneeded { start: Start::Lazy }
    }

    /// Creates the deadline of a call that begins with code which no timer can interrupt: the
    /// timeout is measured from its start.
    pub(crate) const fn from_start() -> Self {
        Self::Unneeded {
            start: Start::Eager,
        }
    }

    /// Creates the timer of a call whose timeout is measured from its start.
    #[cold]
    fn start_early(mut self: Pin<&mut Self>, timeout: Span) -> Result<(), NoRuntime> {
        let sleep = create_timer(|| sleep(timeout.as_duration()))?;
        self.set(Self::Running { timeout, sleep });
        Ok(())
    }

    fn poll_elapsed(
        mut self: Pin<&mut Self>,
        timeout: Span,
        had_budget: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Interrupted> {
        let duration = timeout.as_duration();
        if let Self::Unneeded { .. } = *self {
            match create_timer(|| sleep(duration)) {
                Ok(sleep) => self.set(Self::Running { timeout, sleep }),
                Err(error) => return poll_without_timer(error, had_budget, cx),
            }
        }
        let elapsed = match self.as_mut().poll_timer(had_budget, cx) {
            Ok(elapsed) => elapsed,
            Err(ShutDown { deadline }) => {
                // The call may have been moved to another runtime, and goes on there.
                let moved = create_timer(|| sleep_on(deadline, duration)).and_then(|sleep| {
                    self.set(Self::Running { timeout, sleep });
                    self.poll_timer(had_budget, cx).map_err(|_| NoRuntime)
                });
                match moved {
                    Ok(elapsed) => elapsed,
                    Err(error) => return poll_without_timer(error, had_budget, cx),
                }
            }
        };
        elapsed.map(|()| Interrupted::TimedOut(timeout))
    }

    fn poll_timer(
        self: Pin<&mut Self>,
        had_budget: bool,
        cx: &mut Context<'_>,
    ) -> Result<Poll<()>, ShutDown> {
        let TimerProjection::Running { sleep, .. } = self.project() else {
            return Ok(Poll::Pending);
        };
        let deadline = sleep.deadline();
        // If the body used up the budget, poll the timer outside of it, as tokio's own `Timeout`
        // does. If there was none to begin with, let the body be polled again first: its result may
        // be ready.
        let polled = catch_unwind(AssertUnwindSafe(|| {
            if had_budget {
                Pin::new(&mut tokio::task::unconstrained(sleep)).poll(cx)
            } else {
                sleep.poll(cx)
            }
        }));
        polled.or_else(|panic| {
            if is_shut_down(&*panic) {
                Err(ShutDown { deadline })
            } else {
                // The panic of the caller's waker, which is cloned here.
                resume_unwind(panic)
            }
        })
    }
}

/// Ends a call for lack of a timer, once that can be paid for from the cooperative budget, as a
/// rejection is: otherwise a loop of such calls would never let another task of its thread run.
///
/// A call whose body has just used up the budget ends at once: the body would use it up again after
/// each wait.
#[cold]
fn poll_without_timer(
    error: NoRuntime,
    had_budget: bool,
    cx: &mut Context<'_>,
) -> Poll<Interrupted> {
    match coop::poll_proceed(cx) {
        Poll::Ready(budget) => budget.made_progress(),
        Poll::Pending if had_budget => {}
        Poll::Pending => return Poll::Pending,
    }
    Poll::Ready(Interrupted::NoRuntime(error))
}

/// The runtime of a timer is shutting down.
struct ShutDown {
    deadline: Instant,
}

/// Returns `true` inside a tokio runtime.
///
/// Within a task this is one load. `Handle::try_current` clones a reference count shared by all
/// worker threads, so it is only the fallback. A local task polled outside of any runtime passes;
/// its lack of a runtime shows when it needs a timer.
#[inline]
fn inside_a_runtime() -> bool {
    tokio::task::try_id().is_some() || Handle::try_current().is_ok()
}

/// Runs `create`. tokio reports a runtime without timers only by panicking; no code of the caller's
/// runs in there.
fn create_timer(create: impl FnOnce() -> Sleep) -> Result<Sleep, NoRuntime> {
    catch_unwind(AssertUnwindSafe(create)).map_err(|_| NoRuntime)
}

/// Creates the timer of a call that goes on in another runtime.
///
/// In tests, the clocks of the two may be hours apart. If the deadline is past on this runtime's
/// clock, or later than a call that starts now has it, the call has its whole timeout again: it
/// neither ends at once nor hours later.
fn sleep_on(deadline: Instant, timeout: Duration) -> Sleep {
    if !cfg!(feature = "test-util") {
        return sleep_until(deadline);
    }
    let whole = sleep(timeout);
    let end = deadline.checked_add(timeout);
    let is_over = end.is_some_and(|end| end < whole.deadline());
    if deadline > whole.deadline() || is_over {
        whole
    } else {
        sleep_until(deadline)
    }
}

/// Returns `true` for the panic by which tokio reports that the runtime of a timer is shutting
/// down.
fn is_shut_down(panic: &(dyn Any + Send)) -> bool {
    let message = match panic.downcast_ref::<String>() {
        Some(message) => message.as_str(),
        None => panic.downcast_ref::<&str>().copied().unwrap_or_default(),
    };
    message == SHUTTING_DOWN
}

//! How long a call may take.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::runtime::Handle;
use tokio::time::{Sleep, sleep};

use crate::clock::{self, Instant};

/// What tells when a call has to end before it has a result.
pub trait Timing {
    /// Begins with the call, unless it has begun.
    fn start(self: Pin<&mut Self>, timeout: Option<Duration>) -> Result<(), NoRuntime>;

    /// Whether the task has any of tokio's budget left. Without, nothing that the call waits for says
    /// that it is there. True where there is no timeout.
    fn has_budget(timeout: Option<Duration>) -> bool;

    /// Asks the clock, after the call: a result that is there is the result. `had_budget` is of the
    /// moment before the call was asked.
    fn poll_end(
        self: Pin<&mut Self>,
        timeout: Option<Duration>,
        had_budget: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Unfinished>;
}

/// Why a call ends without a result.
#[derive(Debug)]
pub enum Unfinished {
    /// It took longer than this.
    TimedOut(Duration),
    /// Nobody can tell how long it takes.
    NoRuntime(NoRuntime),
}

/// There is no tokio runtime around the call, or none with timers.
#[derive(Debug)]
pub struct NoRuntime;

/// The timing of a call that is known to have no timeout.
pub(crate) struct Untimed;

impl Timing for Untimed {
    #[inline]
    fn start(self: Pin<&mut Self>, _: Option<Duration>) -> Result<(), NoRuntime> {
        Ok(())
    }

    #[inline]
    fn has_budget(_: Option<Duration>) -> bool {
        true
    }

    #[inline]
    fn poll_end(
        self: Pin<&mut Self>,
        _: Option<Duration>,
        _: bool,
        _: &mut Context<'_>,
    ) -> Poll<Unfinished> {
        Poll::Pending
    }
}

pin_project! {
    /// The timing of a call that may have a timeout.
    ///
    /// One that has its result at once never sees a timer: its start is read from the coarse clock,
    /// and the timer made when the call has to wait.
    #[project = TimerProjection]
    pub(crate) enum Timer {
        Unneeded { started: Instant },
        Running { #[pin] sleep: Sleep },
    }
}

/// When a call started that has not.
const UNSTARTED: Instant = Instant::from_micros(u64::MAX);

impl Timing for Timer {
    #[inline]
    fn start(self: Pin<&mut Self>, timeout: Option<Duration>) -> Result<(), NoRuntime> {
        if timeout.is_none() {
            return Ok(());
        }
        match self.project() {
            TimerProjection::Unneeded { started } if *started == UNSTARTED => {
                // Now, before the call does anything, rather than when the timer is needed.
                if !inside_a_runtime() {
                    return Err(NoRuntime);
                }
                *started = clock::coarse();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    #[inline]
    fn has_budget(timeout: Option<Duration>) -> bool {
        timeout.is_none() || tokio::task::coop::has_budget_remaining()
    }

    fn poll_end(
        self: Pin<&mut Self>,
        timeout: Option<Duration>,
        had_budget: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Unfinished> {
        match timeout {
            Some(timeout) => self.poll_passed(timeout, had_budget, cx),
            None => Poll::Pending,
        }
    }
}

impl Timer {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self::Unneeded { started: UNSTARTED }
    }

    fn poll_passed(
        mut self: Pin<&mut Self>,
        timeout: Duration,
        had_budget: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Unfinished> {
        if let Self::Unneeded { started } = *self {
            let left = remaining(timeout, started);
            match ask_tokio(|| sleep(left)) {
                Ok(sleep) => self.set(Self::Running { sleep }),
                Err(error) => return Poll::Ready(Unfinished::NoRuntime(error)),
            }
        }
        if let TimerProjection::Running { sleep } = self.project() {
            // A call that has used up the budget must not keep its timer from being asked. One that
            // found none is asked again first: its result may be there.
            let polled = ask_tokio(|| {
                if had_budget {
                    Pin::new(&mut tokio::task::unconstrained(sleep)).poll(cx)
                } else {
                    sleep.poll(cx)
                }
            });
            match polled {
                Ok(passed) => ready!(passed),
                Err(error) => return Poll::Ready(Unfinished::NoRuntime(error)),
            }
        }
        Poll::Ready(Unfinished::TimedOut(timeout))
    }
}

/// In a task the answer is a load. Only elsewhere is the handle asked for, which is counted in a
/// place that all threads of the runtime share. A local task that is polled outside of any runtime
/// passes; it is found out when it needs a timer.
#[inline]
fn inside_a_runtime() -> bool {
    tokio::task::try_id().is_some() || Handle::try_current().is_ok()
}

/// What is left of the timeout after the first poll. The coarse clock may have shown the start too
/// early, so that much of the first poll is not counted: no call is given up too soon.
pub(crate) fn remaining(timeout: Duration, started: Instant) -> Duration {
    let spent = clock::now().since(started.plus(clock::LAG));
    timeout.saturating_sub(spent.as_duration())
}

/// Asks tokio for its timer. That a runtime was built without timers, or is shutting down, shows in
/// no other way than a panic.
fn ask_tokio<R>(ask: impl FnOnce() -> R) -> Result<R, NoRuntime> {
    catch_unwind(AssertUnwindSafe(ask)).map_err(|_| NoRuntime)
}

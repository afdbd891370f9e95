//! How long a call may take.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::runtime::Handle;
use tokio::time::{Sleep, sleep};

use crate::clock::{self, Instant};

/// A call that may have to end before it has a result.
pub trait Bounded {
    /// What the call itself results in.
    type Output;

    /// Begins the call, unless it has begun.
    fn start(self: Pin<&mut Self>, timeout: Option<Duration>) -> Result<(), NoRuntime>;

    /// Whether the task has any of tokio's budget left. Without, nothing that the call waits for says
    /// that it is there.
    fn has_budget() -> bool;

    /// Asks the call.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output>;

    /// Asks the clock, after the call: a result that is there is the result. `had_budget` is of the
    /// moment before the call was asked.
    fn poll_end(
        self: Pin<&mut Self>,
        timeout: Option<Duration>,
        had_budget: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Unfinished>;

    /// Drops the call.
    fn give_up(self: Pin<&mut Self>);
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

pin_project! {
    /// A call that is known to have no timeout.
    pub struct Untimed<F> {
        #[pin]
        call: F,
    }
}

impl<F> Untimed<F> {
    pub(crate) const fn new(call: F) -> Self {
        Self { call }
    }
}

impl<F: Future> Bounded for Untimed<F> {
    type Output = F::Output;

    #[inline]
    fn start(self: Pin<&mut Self>, _: Option<Duration>) -> Result<(), NoRuntime> {
        Ok(())
    }

    #[inline]
    fn has_budget() -> bool {
        true
    }

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().call.poll(cx)
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

    fn give_up(self: Pin<&mut Self>) {}
}

pin_project! {
    /// A call that may have a timeout.
    ///
    /// One that has its result at once never sees a timer: its start is read from the coarse clock,
    /// and the timer made when the call has to wait.
    pub struct Timed<F> {
        #[pin]
        call: Option<F>,
        #[pin]
        timer: Timer,
    }
}

pin_project! {
    #[project = TimerProjection]
    enum Timer {
        Unneeded { started: Instant },
        Running { #[pin] sleep: Sleep },
    }
}

/// When a call started that has not.
const UNSTARTED: Instant = Instant::from_micros(u64::MAX);

impl<F> Timed<F> {
    pub(crate) const fn new(call: F) -> Self {
        Self {
            call: Some(call),
            timer: Timer::Unneeded { started: UNSTARTED },
        }
    }
}

impl<F: Future> Bounded for Timed<F> {
    type Output = F::Output;

    #[inline]
    fn start(self: Pin<&mut Self>, timeout: Option<Duration>) -> Result<(), NoRuntime> {
        if timeout.is_none() {
            return Ok(());
        }
        match self.project().timer.project() {
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
    fn has_budget() -> bool {
        tokio::task::coop::has_budget_remaining()
    }

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project().call.as_pin_mut() {
            Some(call) => call.poll(cx),
            None => Poll::Pending,
        }
    }

    fn poll_end(
        self: Pin<&mut Self>,
        timeout: Option<Duration>,
        had_budget: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Unfinished> {
        match timeout {
            Some(timeout) => self.project().timer.poll_passed(timeout, had_budget, cx),
            None => Poll::Pending,
        }
    }

    fn give_up(self: Pin<&mut Self>) {
        self.project().call.set(None);
    }
}

impl Timer {
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

//! The result of every measured call.

use std::fmt;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::thread;

use circuit_runtime::CircuitError;

pub(crate) type Answer = Result<u32, Down>;

/// The error of the service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Down;

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("down")
    }
}

impl std::error::Error for Down {}

/// The error type of annotated functions.
#[derive(Debug)]
#[expect(
    dead_code,
    reason = "errors are created and dropped, as by a caller that retries"
)]
pub(crate) enum Failure {
    Down(Down),
    Circuit(CircuitError),
    Arcly(arcly_http::__macro_support::BreakerOpen),
}

impl From<Down> for Failure {
    fn from(down: Down) -> Self {
        Self::Down(down)
    }
}

impl From<CircuitError> for Failure {
    fn from(error: CircuitError) -> Self {
        Self::Circuit(error)
    }
}

impl From<arcly_http::__macro_support::BreakerOpen> for Failure {
    fn from(error: arcly_http::__macro_support::BreakerOpen) -> Self {
        Self::Arcly(error)
    }
}

/// The body of a call, which is ready at once.
pub(crate) async fn body(answer: Answer) -> Answer {
    answer
}

/// Makes the compiler create the whole result, and returns whether it is a rejection.
#[inline(always)]
#[expect(clippy::needless_pass_by_value, reason = "the result is dropped here")]
pub(crate) fn observed<T>(result: T, is_rejection: impl FnOnce(&T) -> bool) -> bool {
    is_rejection(black_box(&result))
}

/// Like [`observed`], for the output of a future. The output is not moved, which would take as long
/// as some of the calls.
#[inline(always)]
pub(crate) fn observed_at_once<F: Future>(
    future: F,
    is_rejection: impl FnOnce(&F::Output) -> bool,
) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    let mut future = pin!(future);
    let polled = future.as_mut().poll(&mut context);
    match black_box(&polled) {
        Poll::Ready(output) => is_rejection(output),
        Poll::Pending => observed(after_others(future, &mut context), is_rejection),
    }
}

/// Returns the output of a future that waits for nothing but a lock.
#[inline(always)]
pub(crate) fn at_once<F: Future>(future: F) -> F::Output {
    let mut context = Context::from_waker(Waker::noop());
    let mut future = pin!(future);
    match future.as_mut().poll(&mut context) {
        Poll::Ready(output) => output,
        Poll::Pending => after_others(future, &mut context),
    }
}

/// Polls again and again, as the holder of the lock wakes no waker here.
#[cold]
#[inline(never)]
fn after_others<F: Future>(mut future: Pin<&mut F>, context: &mut Context<'_>) -> F::Output {
    let mut polls = 0_u32;
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return output;
        }
        polls += 1;
        if polls.is_multiple_of(64) {
            thread::yield_now();
        } else {
            std::hint::spin_loop();
        }
    }
}

//! What every measured call results in.

use std::fmt;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::thread;

use circuit_runtime::CircuitError;

pub(crate) type Answer = Result<u32, Down>;

/// The service did not answer.
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
    reason = "errors are made and dropped, as by a caller who retries"
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

/// The call itself: it is ready at once.
pub(crate) async fn ask(answer: Answer) -> Answer {
    answer
}

/// Has a result be made as if somebody looked at all of it; whether it is a rejection.
#[inline(always)]
#[expect(clippy::needless_pass_by_value, reason = "whoever sees it drops it")]
pub(crate) fn seen<T>(result: T, is_rejection: impl FnOnce(&T) -> bool) -> bool {
    is_rejection(black_box(&result))
}

/// The same of the output of a future. It stays where the future puts it: to move it would take as long
/// as some of what is measured.
#[inline(always)]
pub(crate) fn seen_at_once<F: Future>(
    future: F,
    is_rejection: impl FnOnce(&F::Output) -> bool,
) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    let mut future = pin!(future);
    let polled = future.as_mut().poll(&mut context);
    match black_box(&polled) {
        Poll::Ready(output) => is_rejection(output),
        Poll::Pending => seen(after_others(future, &mut context), is_rejection),
    }
}

/// The output of a future that waits for nothing but a lock, if for anything.
#[inline(always)]
pub(crate) fn at_once<F: Future>(future: F) -> F::Output {
    let mut context = Context::from_waker(Waker::noop());
    let mut future = pin!(future);
    match future.as_mut().poll(&mut context) {
        Poll::Ready(output) => output,
        Poll::Pending => after_others(future, &mut context),
    }
}

/// Asks again and again: whoever holds the lock wakes nobody here.
#[cold]
#[inline(never)]
fn after_others<F: Future>(mut future: Pin<&mut F>, context: &mut Context<'_>) -> F::Output {
    let mut asked = 0_u32;
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return output;
        }
        asked += 1;
        if asked.is_multiple_of(64) {
            thread::yield_now();
        } else {
            std::hint::spin_loop();
        }
    }
}

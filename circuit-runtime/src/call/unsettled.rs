//! A call that returns its permit instead of settling it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::deadline::TimerDeadline;
use super::guarded::{CallGuard, OutcomeGuard, poll_unsettled};
use super::owned::OwnedPermit;
use crate::circuit::{Circuit, Outcome};
use crate::error::CircuitError;

impl OwnedPermit {
    /// Runs the future that `create` returns as the call of this permit, and returns the permit
    /// with its result instead of settling it: for a response whose head is here before its body.
    ///
    /// `create` runs at once; a panic in it is a failure. Otherwise, this is [`call`](Self::call):
    /// the breaker's timeout holds until the result is here. The future may return anything.
    ///
    /// # Errors
    ///
    /// Returns [`CircuitError::Timeout`] if the call timed out, and [`CircuitError::NoRuntime`] if
    /// it has a timeout but no tokio runtime to measure it with. It is never rejected.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future counts the call as cancelled, even before its first poll.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// async fn open() -> std::vec::IntoIter<Result<&'static str, std::io::Error>> {
    ///     vec![Ok("Hello"), Err(std::io::Error::other("broken"))].into_iter()
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), circuit_runtime::CircuitError> {
    /// let breaker = CircuitBreaker::new("model", Config::default());
    /// let (mut stream, permit) = breaker.try_acquire_owned()?.call_unsettled_with(open).await?;
    /// assert_eq!(breaker.snapshot().succeeded, 0);
    ///
    /// if stream.all(|token| token.is_ok()) {
    ///     permit.success();
    /// } else {
    ///     permit.failure();
    /// }
    /// assert_eq!(breaker.snapshot().failed, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn call_unsettled_with<C, F>(mut self, create: C) -> UnsettledCall<F>
    where
        C: FnOnce() -> F,
        F: Future,
    {
        let admission = self.take_admission();
        let future = {
            let panic_guard = admission
                .as_ref()
                .map(|(circuit, ticket)| OutcomeGuard::new(circuit, *ticket, Outcome::Panicked));
            let future = create();
            if let Some(guard) = panic_guard {
                guard.disarm();
            }
            future
        };
        UnsettledCall {
            guard: CallGuard::from_admission(admission, TimerDeadline::new()),
            future: Some(future),
        }
    }
}

pin_project! {
    /// The future of [`OwnedPermit::call_unsettled_with`]. Polled after completion, it returns
    /// `Pending`.
    ///
    /// # Cancel safety
    ///
    /// Dropping it before it completes drops the call, and counts it as cancelled: neither success
    /// nor failure. A probe that is dropped gives its slot to the next call.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config, UnsettledCall};
    /// use std::future::{Ready, ready};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), circuit_runtime::CircuitError> {
    /// let breaker = CircuitBreaker::new("model", Config::default());
    /// let permit = breaker.try_acquire_owned()?;
    ///
    /// let call: UnsettledCall<Ready<u16>> = permit.call_unsettled_with(|| ready(200));
    /// let (status, permit) = call.await?;
    /// assert_eq!(status, 200);
    /// permit.success();
    /// assert_eq!(breaker.snapshot().succeeded, 1);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct UnsettledCall<F> {
        #[pin]
        guard: CallGuard<Arc<Circuit>, TimerDeadline>,
        // `None` after a timeout: the inner future is dropped at once, even if the caller keeps
        // this one.
        #[pin]
        future: Option<F>,
    }
}

impl<F: Future> Future for UnsettledCall<F> {
    type Output = Result<(F::Output, OwnedPermit), CircuitError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            return Poll::Pending; // it timed out earlier
        };
        match ready!(poll_unsettled(this.guard, future, cx)) {
            Ok((result, circuit, ticket)) => {
                Poll::Ready(Ok((result, OwnedPermit::new(circuit, ticket))))
            }
            Err(error) => {
                // Only after the outcome is settled: dropping the body may panic.
                this.future.set(None);
                Poll::Ready(Err(error))
            }
        }
    }
}

impl<F> fmt::Debug for UnsettledCall<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnsettledCall")
            .field("breaker", &self.guard.handle())
            .finish_non_exhaustive()
    }
}

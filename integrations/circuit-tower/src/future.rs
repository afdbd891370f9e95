//! The future of a call through the layer.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use circuit_runtime::{CircuitError, UnsettledCall};
use pin_project_lite::pin_project;
use tokio::task::coop;

use crate::answer::Answer;
use crate::classify::Classify;
use crate::extent::Extent;

pin_project! {
    /// The future of [`CircuitBreaker`](crate::CircuitBreaker). Polled after completion, it returns
    /// `Pending`.
    ///
    /// # Cancel safety
    ///
    /// Dropping it before it completes drops the call of the service, and counts it as cancelled,
    /// even before its first poll. A probe gives its slot to the next call.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    /// use circuit_tower::CircuitBreakerLayer;
    /// use std::convert::Infallible;
    /// use std::future::pending;
    /// use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let breaker = CircuitBreaker::new("quotes", Config::default());
    /// let mut service = ServiceBuilder::new()
    ///     .layer(CircuitBreakerLayer::new(breaker.clone()))
    ///     .service(service_fn(async |()| pending::<Result<(), Infallible>>().await));
    ///
    /// let response = service.ready().await.unwrap().call(());
    /// drop(response);
    /// assert_eq!(breaker.snapshot().cancelled, 1);
    /// # }
    /// ```
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct ResponseFuture<F, C, A, X> {
        #[pin]
        state: State<F>,
        classify: C,
        answer: A,
        extent: PhantomData<fn() -> X>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Called { #[pin] call: UnsettledCall<F> },
        // `None` once the error is returned.
        Rejected { error: Option<CircuitError> },
    }
}

impl<F: Future, C, A, X> ResponseFuture<F, C, A, X> {
    /// Creates the future of a call that is made.
    #[inline]
    pub(crate) fn called(call: UnsettledCall<F>, classify: C, answer: A) -> Self {
        Self::new(State::Called { call }, classify, answer)
    }

    /// Creates the future of a call that is not made.
    pub(crate) fn rejected(error: CircuitError, classify: C, answer: A) -> Self {
        Self::new(State::Rejected { error: Some(error) }, classify, answer)
    }

    #[inline]
    fn new(state: State<F>, classify: C, answer: A) -> Self {
        Self {
            state,
            classify,
            answer,
            extent: PhantomData,
        }
    }
}

impl<F, R, E, C, A, X> Future for ResponseFuture<F, C, A, X>
where
    F: Future<Output = Result<R, E>>,
    C: Classify<R, E>,
    A: Answer<R, E>,
    X: Extent<R>,
{
    type Output = Result<X::Response, A::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let error = match this.state.project() {
            StateProjection::Called { call } => match ready!(call.poll(cx)) {
                Ok((result, permit)) => {
                    let verdict = this.classify.classify(&result);
                    return Poll::Ready(match result {
                        Ok(response) => {
                            let trailers = this.classify.trailers();
                            Ok(X::respond(response, permit, verdict, trailers))
                        }
                        Err(error) => {
                            permit.settle(verdict);
                            Err(A::error(error))
                        }
                    });
                }
                Err(error) => error,
            },
            StateProjection::Rejected { error } => {
                // Paid for from the cooperative budget of the task: otherwise a loop of rejected
                // calls would never let another task of its thread run.
                let budget = ready!(coop::poll_proceed(cx));
                budget.made_progress();
                match error.take() {
                    Some(error) => error,
                    None => return Poll::Pending, // it was returned earlier
                }
            }
        };
        Poll::Ready(this.answer.answer(error).map(X::without_call))
    }
}

impl<F, C, A, X> fmt::Debug for ResponseFuture<F, C, A, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ResponseFuture");
        match &self.state {
            State::Called { call } => debug.field("call", call),
            State::Rejected { error } => debug.field("rejected", error),
        };
        debug.finish_non_exhaustive()
    }
}

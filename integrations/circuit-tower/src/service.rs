//! The service that the layer makes of another.

use std::fmt;
use std::marker::PhantomData;
use std::task::{Context, Poll, ready};

use circuit_runtime::CircuitError;
use tower_service::Service;

use crate::answer::{Answer, Propagate};
use crate::classify::{Classify, Errors};
use crate::extent::{Extent, Head};
use crate::future::ResponseFuture;
use crate::selection::{Select, Single};

/// A service whose calls go through a circuit breaker; made by
/// [`CircuitBreakerLayer`](crate::CircuitBreakerLayer).
///
/// # Readiness
///
/// While the circuit rejects calls, the service is ready without asking the one inside, which may
/// never be. The next `call` is then rejected, whatever the circuit says by that time. While the
/// circuit admits calls, the service is ready when the one inside is. It never fails and never
/// waits because of the circuit. A task that waits for the service inside already is woken by that
/// alone.
///
/// With a breaker for each key, the key of the next request is not known yet: the service is ready
/// when the one inside is.
///
/// Nothing is taken before `call`: a service that is ready and never called, or a clone, holds no
/// slot of a probe. An error of the readiness of the service inside is a failed call, unless there
/// is a breaker for each key.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreaker, CircuitError, Config};
/// use circuit_tower::CircuitBreakerLayer;
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let breaker = CircuitBreaker::new("quotes", Config::default());
/// let service = ServiceBuilder::new()
///     .layer(CircuitBreakerLayer::new(breaker.clone()))
///     .service(service_fn(async |symbol: &str| symbol.parse::<f64>()));
/// assert_eq!(service.clone().oneshot("12.5").await.unwrap(), 12.5);
///
/// breaker.trip();
/// let error = service.oneshot("12.5").await.unwrap_err();
/// assert!(error.downcast_ref::<CircuitError>().is_some_and(CircuitError::is_open));
/// # }
/// ```
pub struct CircuitBreaker<S, B = Single, C = Errors, A = Propagate, X = Head> {
    inner: S,
    select: B,
    classify: C,
    answer: A,
    extent: PhantomData<fn() -> X>,
    // The rejection of the last `poll_ready`, for the next `call`: the inner service was not asked.
    rejection: Option<CircuitError>,
}

impl<S, B, C, A, X> CircuitBreaker<S, B, C, A, X> {
    pub(crate) fn new(inner: S, select: B, classify: C, answer: A) -> Self {
        Self {
            inner,
            select,
            classify,
            answer,
            extent: PhantomData,
            rejection: None,
        }
    }

    /// Returns the service inside.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    /// use circuit_tower::CircuitBreakerLayer;
    /// use tower::Layer;
    ///
    /// let layer = CircuitBreakerLayer::new(CircuitBreaker::new("quotes", Config::default()));
    /// let service = layer.layer("a client");
    /// assert_eq!(*service.get_ref(), "a client");
    /// ```
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns the service inside, to change it.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    /// use circuit_tower::CircuitBreakerLayer;
    /// use tower::Layer;
    ///
    /// let layer = CircuitBreakerLayer::new(CircuitBreaker::new("quotes", Config::default()));
    /// let mut service = layer.layer("a client");
    /// *service.get_mut() = "another client";
    /// assert_eq!(*service.get_ref(), "another client");
    /// ```
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Returns the service inside, without the layer.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    /// use circuit_tower::CircuitBreakerLayer;
    /// use tower::Layer;
    ///
    /// let layer = CircuitBreakerLayer::new(CircuitBreaker::new("quotes", Config::default()));
    /// let service = layer.layer("a client");
    /// assert_eq!(service.into_inner(), "a client");
    /// ```
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, B, C, A, X, R> Service<R> for CircuitBreaker<S, B, C, A, X>
where
    S: Service<R>,
    B: Select<R>,
    C: Classify<S::Response, S::Error> + Clone,
    A: Answer<S::Response, S::Error> + Clone,
    X: Extent<S::Response>,
{
    type Response = X::Response;
    type Error = A::Error;
    type Future = ResponseFuture<S::Future, C, A, X>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), A::Error>> {
        let breaker = self.select.common();
        self.rejection = breaker.and_then(circuit_runtime::CircuitBreaker::would_reject);
        if self.rejection.is_some() {
            return Poll::Ready(Ok(()));
        }
        let Err(error) = ready!(self.inner.poll_ready(cx)) else {
            return Poll::Ready(Ok(()));
        };
        let failed = Err(error);
        if let Some(Ok(permit)) = breaker.map(circuit_runtime::CircuitBreaker::try_acquire) {
            permit.settle(self.classify.classify(&failed));
        }
        Poll::Ready(failed.map(drop).map_err(A::error))
    }

    fn call(&mut self, request: R) -> Self::Future {
        let classify = self.classify.clone();
        let answer = self.answer.clone();
        if let Some(error) = self.rejection.take() {
            if let Some(breaker) = self.select.common() {
                breaker.record_rejection();
            }
            return ResponseFuture::rejected(error, classify, answer);
        }
        match self.select.try_acquire(&request) {
            Ok(permit) => {
                let call = permit.call_unsettled_with(|| self.inner.call(request));
                ResponseFuture::called(call, classify, answer)
            }
            Err(error) => ResponseFuture::rejected(error, classify, answer),
        }
    }
}

impl<S, B, C, A, X> Clone for CircuitBreaker<S, B, C, A, X>
where
    S: Clone,
    B: Clone,
    C: Clone,
    A: Clone,
{
    /// Returns a service that shares the breaker, and has yet to become ready.
    fn clone(&self) -> Self {
        Self::new(
            self.inner.clone(),
            self.select.clone(),
            self.classify.clone(),
            self.answer.clone(),
        )
    }
}

impl<S, B, C, A, X> fmt::Debug for CircuitBreaker<S, B, C, A, X>
where
    S: fmt::Debug,
    B: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker")
            .field("inner", &self.inner)
            .field("breaker", &self.select)
            .finish_non_exhaustive()
    }
}

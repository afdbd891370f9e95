//! The layer.

use std::fmt;
use std::marker::PhantomData;

use circuit_runtime::{CircuitBreakers, CircuitError};
use tower_layer::Layer;

use crate::answer::{Propagate, Respond};
use crate::classify::Errors;
use crate::extent::{Head, UntilBodyEnds};
use crate::selection::{Keyed, Single};
use crate::service::CircuitBreaker;

/// Puts a circuit breaker around a service.
///
/// The layer holds a handle to its breaker. All services that it makes share it, however often the
/// layer is applied: axum, for one, applies a layer to each route.
///
/// By default, a call is over with the head of its response, every error is a failure, and the
/// layer returns [`CircuitError`] in a [`BoxError`](crate::BoxError) where the service was not
/// called.
///
/// # Examples
///
/// With axum, whose errors are responses:
///
/// ```
/// use axum::{Router, routing::get};
/// use circuit_runtime::{CircuitBreaker, Config};
/// use circuit_tower::{CircuitBreakerLayer, HttpStatus, respond_503};
///
/// let quotes = CircuitBreaker::new("quotes", Config::default());
/// let layer = CircuitBreakerLayer::new(quotes)
///     .classify(HttpStatus::new())
///     .respond(respond_503);
/// let router: Router = Router::new().route("/quotes", get(async || "12.5")).layer(layer);
/// # let _ = router;
/// ```
pub struct CircuitBreakerLayer<B = Single, C = Errors, A = Propagate, X = Head> {
    select: B,
    classify: C,
    answer: A,
    extent: PhantomData<fn() -> X>,
}

impl CircuitBreakerLayer {
    /// Creates a layer with one breaker for all requests.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    /// use circuit_tower::CircuitBreakerLayer;
    ///
    /// let breaker = CircuitBreaker::new("quotes", Config::default());
    /// let layer = CircuitBreakerLayer::new(breaker);
    /// # let _ = layer;
    /// ```
    #[must_use]
    pub fn new(breaker: circuit_runtime::CircuitBreaker) -> Self {
        Self::from_parts(Single(breaker), Errors, Propagate)
    }
}

impl<K> CircuitBreakerLayer<Keyed<K>> {
    /// Creates a layer with a breaker for each [`Key`](crate::Key) of a request.
    ///
    /// The key of a request is known only when it is called. So the service inside is asked for its
    /// readiness first, and one that is never ready hides an open circuit; put a
    /// [`Buffer`](https://docs.rs/tower/latest/tower/buffer/) or a load shed between.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreakers, Config};
    /// use circuit_tower::{CircuitBreakerLayer, Host};
    ///
    /// let upstreams = CircuitBreakers::new("upstreams", Config::default());
    /// let layer = CircuitBreakerLayer::keyed(upstreams, Host);
    /// # let _ = layer;
    /// ```
    #[must_use]
    pub fn keyed(breakers: CircuitBreakers, key: K) -> Self {
        Self::from_parts(Keyed { breakers, key }, Errors, Propagate)
    }
}

impl<B, C, A, X> CircuitBreakerLayer<B, C, A, X> {
    fn from_parts(select: B, classify: C, answer: A) -> Self {
        Self {
            select,
            classify,
            answer,
            extent: PhantomData,
        }
    }

    /// Classifies results by this, instead of by [`Errors`].
    ///
    /// See [`Classify`](crate::Classify), which closures implement,
    /// [`HttpStatus`](crate::HttpStatus) and [`Grpc`](crate::Grpc).
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    /// use circuit_tower::{CircuitBreakerLayer, HttpStatus};
    ///
    /// let breaker = CircuitBreaker::new("quotes", Config::default());
    /// let layer = CircuitBreakerLayer::new(breaker).classify(HttpStatus::new().also(429));
    /// # let _ = layer;
    /// ```
    #[must_use]
    pub fn classify<D>(self, classify: D) -> CircuitBreakerLayer<B, D, A, X> {
        CircuitBreakerLayer::from_parts(self.select, classify, self.answer)
    }

    /// Responds with what `respond` returns where the service was not called or timed out, instead
    /// of returning an error. The error of the layer is that of the service then.
    ///
    /// See [`respond_503`](crate::respond_503) and
    /// [`respond_unavailable`](crate::respond_unavailable), which are ready. Like these, a closure
    /// should put the error into the extensions of an `http::Response`: a layer outside of this one
    /// does not count a rejection then, as no service was reached.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, CircuitError, Config};
    /// use circuit_tower::CircuitBreakerLayer;
    /// use std::convert::Infallible;
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let breaker = CircuitBreaker::new("quotes", Config::default());
    /// let layer = CircuitBreakerLayer::new(breaker.clone())
    ///     .respond(|error: CircuitError| format!("later: {}", error.breaker()));
    /// let service = ServiceBuilder::new()
    ///     .layer(layer)
    ///     .service(service_fn(async |()| Ok::<_, Infallible>("12.5".to_owned())));
    ///
    /// breaker.trip();
    /// let response: Result<String, Infallible> = service.oneshot(()).await;
    /// assert_eq!(response.as_deref(), Ok("later: quotes"));
    /// # }
    /// ```
    #[must_use]
    pub fn respond<F, R>(self, respond: F) -> CircuitBreakerLayer<B, C, Respond<F>, X>
    where
        F: Fn(CircuitError) -> R,
    {
        CircuitBreakerLayer::from_parts(self.select, self.classify, Respond(respond))
    }

    /// Has a call last until the body of its response ends, instead of until its head: a body that
    /// breaks off is a failure, and one that is dropped before its end counts as cancelled.
    ///
    /// For services whose failures show in the body: streams, and the trailers of gRPC. Responses
    /// are of type `http::Response`, with a [`CircuitBody`](crate::CircuitBody). A head that is not
    /// a success ends the call.
    ///
    /// Not the default, as a stream that goes on for an hour would be a probe for an hour, or until
    /// its slot is given to another call. The time of a slow call includes its body; the breaker's
    /// `timeout` ends with the head. A server that answers `HEAD` with the body of a `GET`, as axum
    /// does, drops that unread: such a call counts as cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    /// use circuit_tower::{CircuitBreakerLayer, Grpc};
    ///
    /// let breaker = CircuitBreaker::new("model", Config::default());
    /// let layer = CircuitBreakerLayer::new(breaker)
    ///     .classify(Grpc::new())
    ///     .until_body_ends();
    /// # let _ = layer;
    /// ```
    #[must_use]
    pub fn until_body_ends(self) -> CircuitBreakerLayer<B, C, A, UntilBodyEnds> {
        CircuitBreakerLayer::from_parts(self.select, self.classify, self.answer)
    }
}

impl<S, B, C, A, X> Layer<S> for CircuitBreakerLayer<B, C, A, X>
where
    B: Clone,
    C: Clone,
    A: Clone,
{
    type Service = CircuitBreaker<S, B, C, A, X>;

    fn layer(&self, inner: S) -> Self::Service {
        CircuitBreaker::new(
            inner,
            self.select.clone(),
            self.classify.clone(),
            self.answer.clone(),
        )
    }
}

impl<B, C, A, X> Clone for CircuitBreakerLayer<B, C, A, X>
where
    B: Clone,
    C: Clone,
    A: Clone,
{
    fn clone(&self) -> Self {
        Self::from_parts(
            self.select.clone(),
            self.classify.clone(),
            self.answer.clone(),
        )
    }
}

impl<B: fmt::Debug, C, A, X> fmt::Debug for CircuitBreakerLayer<B, C, A, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreakerLayer")
            .field("breaker", &self.select)
            .finish_non_exhaustive()
    }
}

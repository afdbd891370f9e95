//! The trait of all classifications.

use circuit_runtime::Verdict;
use http::Response;

use super::grpc::Grpc;
use super::reached::{reached_service, verdict_if_reached};

/// Decides what the result of a call says about the service.
///
/// Implemented for closures, by [`Errors`](crate::Errors), the default, by
/// [`HttpStatus`](crate::HttpStatus) and by [`Grpc`]. A clone goes with each call, so it should be
/// cheap; that of a closure is as cheap as those of what it captures. If it panics, the call counts
/// as cancelled.
///
/// # Examples
///
/// A closure names the type of the result, which nothing else determines:
///
/// ```
/// use circuit_runtime::{CircuitBreaker, Config, Verdict};
/// use circuit_tower::CircuitBreakerLayer;
/// use http::Response;
///
/// let breaker = CircuitBreaker::new("quotes", Config::default());
/// let layer = CircuitBreakerLayer::new(breaker)
///     .classify(|result: &Result<Response<String>, std::io::Error>| match result {
///         Ok(response) if response.status() == 404 => Verdict::Ignored,
///         Ok(response) if response.status().is_success() => Verdict::Success,
///         _ => Verdict::Failure,
///     });
/// # let _ = layer;
/// ```
pub trait Classify<R, E> {
    /// Returns the verdict on a call with this result.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::Verdict;
    /// use circuit_tower::{BoxError, Classify, HttpStatus};
    /// use http::{Response, StatusCode};
    ///
    /// let mut response = Response::new(());
    /// *response.status_mut() = StatusCode::BAD_GATEWAY;
    /// let result: Result<_, BoxError> = Ok(response);
    /// assert_eq!(HttpStatus::new().classify(&result), Verdict::Failure);
    /// ```
    fn classify(&self, result: &Result<R, E>) -> Verdict;

    /// Returns the classification of the trailers of a body, for
    /// [`until_body_ends`](crate::CircuitBreakerLayer::until_body_ends).
    ///
    /// Without one, which is the default, every body that ends is a success.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_tower::{BoxError, Classify, Grpc, HttpStatus};
    /// use http::Response;
    ///
    /// fn trailers(classify: impl Classify<Response<()>, BoxError>) -> Option<Grpc> {
    ///     classify.trailers()
    /// }
    /// assert_eq!(trailers(Grpc::new()), Some(Grpc::new()));
    /// assert_eq!(trailers(HttpStatus::new()), None);
    /// ```
    fn trailers(&self) -> Option<Grpc> {
        None
    }
}

impl<F, R, E> Classify<R, E> for F
where
    F: Fn(&Result<R, E>) -> Verdict,
{
    fn classify(&self, result: &Result<R, E>) -> Verdict {
        self(result)
    }
}

impl<B, E: 'static> Classify<Response<B>, E> for Grpc {
    fn classify(&self, result: &Result<Response<B>, E>) -> Verdict {
        match result {
            Ok(response) => {
                let verdict = self.verdict_on_head(response.status(), response.headers());
                verdict_if_reached(verdict, response.extensions())
            }
            Err(error) if reached_service(error) => Verdict::Failure,
            Err(_) => Verdict::Ignored,
        }
    }

    fn trailers(&self) -> Option<Grpc> {
        Some(*self)
    }
}

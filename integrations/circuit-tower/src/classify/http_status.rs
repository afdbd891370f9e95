//! Failures by the status of HTTP.

use std::sync::Arc;

use circuit_runtime::Verdict;
use http::{HeaderMap, Response, StatusCode};

use super::classifier::Classify;
use super::reached::{reached_service, verdict_if_reached};
use super::retry_after::retry_after;

/// Classifies by the status of a response: 500 and above is a failure, as is every error.
///
/// A failure whose header `Retry-After` says how long is [`Verdict::Unavailable`]: the circuit
/// opens at once, and for that time. The header may have seconds or a date, which is compared with
/// the header `Date`, or with the clock of the system if there is none. One that is neither, and a
/// date that is past, leave it an ordinary failure. However long it says, a circuit is open for no
/// longer than its `max_reset`, or for one hour if that is not set.
///
/// All other responses are successes: the service works. Errors by which no service is reached are
/// ignored, as by [`Errors`](crate::Errors), and so are the answers of a breaker inside; see
/// [`respond`](crate::CircuitBreakerLayer::respond).
///
/// # Examples
///
/// ```
/// use circuit_runtime::Verdict;
/// use circuit_tower::HttpStatus;
/// use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
/// use std::time::Duration;
///
/// let mut headers = HeaderMap::new();
/// let status = HttpStatus::new();
/// assert_eq!(status.verdict(StatusCode::NOT_FOUND, &headers), Verdict::Success);
/// assert_eq!(status.verdict(StatusCode::BAD_GATEWAY, &headers), Verdict::Failure);
///
/// headers.insert(RETRY_AFTER, "20".parse()?);
/// let wait = Verdict::Unavailable(Duration::from_secs(20));
/// assert_eq!(status.verdict(StatusCode::SERVICE_UNAVAILABLE, &headers), wait);
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpStatus {
    // `None` for none, so that a clone costs nothing then.
    also: Option<Arc<[u16]>>,
}

impl HttpStatus {
    /// Creates the classification by which 500 and above is a failure.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_tower::HttpStatus;
    ///
    /// assert_eq!(HttpStatus::new(), HttpStatus::default());
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self { also: None }
    }

    /// Makes this status a failure, too: 429, for example, of a service that limits its clients.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::Verdict;
    /// use circuit_tower::HttpStatus;
    /// use http::{HeaderMap, StatusCode};
    ///
    /// let status = HttpStatus::new().also(429).also(408);
    /// let verdict = status.verdict(StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new());
    /// assert_eq!(verdict, Verdict::Failure);
    /// ```
    #[must_use]
    pub fn also(self, status: u16) -> Self {
        let before = self.also.iter().flat_map(|also| also.iter().copied());
        Self {
            also: Some(before.chain([status]).collect()),
        }
    }

    /// Returns the verdict on a response with this status and these headers, for responses of
    /// another type than [`http::Response`].
    ///
    /// # Examples
    ///
    /// With `reqwest::Client` as the service:
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config, Verdict};
    /// use circuit_tower::{CircuitBreakerLayer, HttpStatus};
    ///
    /// let breaker = CircuitBreaker::new("quotes", Config::default());
    /// let status = HttpStatus::new().also(429);
    /// let layer = CircuitBreakerLayer::new(breaker).classify(
    ///     move |result: &Result<reqwest::Response, reqwest::Error>| match result {
    ///         Ok(response) => status.verdict(response.status(), response.headers()),
    ///         Err(_) => Verdict::Failure,
    ///     },
    /// );
    /// # let _ = layer;
    /// ```
    pub fn verdict(&self, status: StatusCode, headers: &HeaderMap) -> Verdict {
        let status = status.as_u16();
        let is_failure = status >= 500 || self.also.iter().any(|also| also.contains(&status));
        if !is_failure {
            return Verdict::Success;
        }
        retry_after(headers).map_or(Verdict::Failure, Verdict::Unavailable)
    }
}

impl<B, E: 'static> Classify<Response<B>, E> for HttpStatus {
    fn classify(&self, result: &Result<Response<B>, E>) -> Verdict {
        match result {
            Ok(response) => {
                let verdict = self.verdict(response.status(), response.headers());
                verdict_if_reached(verdict, response.extensions())
            }
            Err(error) if reached_service(error) => Verdict::Failure,
            Err(_) => Verdict::Ignored,
        }
    }
}

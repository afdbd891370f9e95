//! The answer to a call that the circuit rejected or timed out: an error, or a response.

use circuit_runtime::CircuitError;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use crate::BoxError;

/// Answers calls that the service did not answer.
pub trait Answer<R, E> {
    /// The error of the layer.
    type Error;

    /// Returns the answer to a call that ended with this error of its circuit.
    fn answer(&self, error: CircuitError) -> Result<R, Self::Error>;

    /// Converts an error of the service.
    fn error(error: E) -> Self::Error;
}

/// Returns the [`CircuitError`], boxed.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreaker, Config};
/// use circuit_tower::{CircuitBreakerLayer, Errors, Propagate, Single};
///
/// // The defaults, as the type of a field has them.
/// struct Client {
///     layer: CircuitBreakerLayer<Single, Errors, Propagate>,
/// }
/// let breaker = CircuitBreaker::new("quotes", Config::default());
/// let client = Client { layer: CircuitBreakerLayer::new(breaker) };
/// # let _ = client.layer;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Propagate;

impl<R, E: Into<BoxError>> Answer<R, E> for Propagate {
    type Error = BoxError;

    #[cold]
    fn answer(&self, error: CircuitError) -> Result<R, BoxError> {
        Err(error.into())
    }

    #[inline]
    fn error(error: E) -> BoxError {
        error.into()
    }
}

/// Responds with what the closure `F` returns for the [`CircuitError`].
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreaker, CircuitError, Config};
/// use circuit_tower::{CircuitBreakerLayer, Errors, Respond, Single, respond_503};
/// use http::Response;
///
/// type Answer = fn(CircuitError) -> Response<String>;
///
/// let breaker = CircuitBreaker::new("quotes", Config::default());
/// let layer: CircuitBreakerLayer<Single, Errors, Respond<Answer>> =
///     CircuitBreakerLayer::new(breaker).respond(respond_503 as Answer);
/// # let _ = layer;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Respond<F>(pub(crate) F);

impl<R, E, F> Answer<R, E> for Respond<F>
where
    F: Fn(CircuitError) -> R,
{
    type Error = E;

    #[cold]
    fn answer(&self, error: CircuitError) -> Result<R, E> {
        Ok((self.0)(error))
    }

    #[inline]
    fn error(error: E) -> E {
        error
    }
}

/// Returns a response of status 503 without a body, for
/// [`respond`](crate::CircuitBreakerLayer::respond).
///
/// The header `Retry-After` is in whole seconds, rounded up. There is none while an operator holds
/// the circuit open, or after a timeout. The error is in the extensions of the response.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreaker, Config};
/// use circuit_tower::respond_503;
/// use http::Response;
///
/// let breaker = CircuitBreaker::new("quotes", Config::default());
/// breaker.trip();
/// let error = breaker.try_acquire().unwrap_err();
/// let response: Response<String> = respond_503(error);
/// assert_eq!(response.status(), 503);
/// assert_eq!(response.headers()["retry-after"], "30");
/// ```
pub fn respond_503<B: Default>(error: CircuitError) -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    if let Some(seconds) = error.retry_after_secs() {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response.extensions_mut().insert(error);
    response
}

/// Returns a response of gRPC with the status `UNAVAILABLE` (14) and without a message, for
/// [`respond`](crate::CircuitBreakerLayer::respond).
///
/// Its `grpc-message` is the error. Its `grpc-retry-pushback-ms` is in milliseconds, rounded up.
/// There is none while an operator holds the circuit open, or after a timeout. The error is in the
/// extensions of the response.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreaker, Config};
/// use circuit_tower::respond_unavailable;
/// use http::Response;
///
/// let breaker = CircuitBreaker::new("quotes", Config::default());
/// breaker.trip();
/// let error = breaker.try_acquire().unwrap_err();
/// let response: Response<String> = respond_unavailable(error);
/// assert_eq!(response.status(), 200);
/// assert_eq!(response.headers()["grpc-status"], "14");
/// assert!(response.headers().contains_key("grpc-retry-pushback-ms"));
/// ```
pub fn respond_unavailable<B: Default>(error: CircuitError) -> Response<B> {
    let mut response = Response::new(B::default());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-status", HeaderValue::from_static("14"));
    if let Ok(message) = HeaderValue::from_str(&percent_encoded(&error.to_string())) {
        headers.insert("grpc-message", message);
    }
    if let Some(wait) = error.retry_after() {
        let millis = u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        headers.insert("grpc-retry-pushback-ms", HeaderValue::from(millis));
    }
    response.extensions_mut().insert(error);
    response
}

/// Encodes a message as gRPC has it: what is not printable ASCII, and `%`, as `%` and two digits.
fn percent_encoded(message: &str) -> String {
    let mut encoded = String::with_capacity(message.len());
    for byte in message.bytes() {
        if matches!(byte, b' '..=b'~') && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for digit in [byte >> 4, byte & 0xf] {
                let digit = char::from_digit(digit.into(), 16).unwrap_or_default();
                encoded.push(digit.to_ascii_uppercase());
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::{percent_encoded, respond_503, respond_unavailable};
    use circuit_runtime::{CircuitBreaker, CircuitError, Config};
    use http::Response;
    use std::time::Duration;

    fn error(open_for: Option<Duration>) -> CircuitError {
        let breaker = CircuitBreaker::new("caf\u{e9} 100%", Config::default());
        match open_for {
            Some(time) => breaker.open_for(time),
            None => breaker.force_open(),
        }
        breaker.try_acquire().unwrap_err()
    }

    #[test]
    fn a_wait_is_rounded_up() {
        let open = error(Some(Duration::from_millis(2_500)));
        let response: Response<()> = respond_503(open.clone());
        assert_eq!(response.headers()["retry-after"], "3");
        let response: Response<()> = respond_unavailable(open.clone());
        let millis = open.retry_after().unwrap().as_nanos().div_ceil(1_000_000);
        let pushback = &response.headers()["grpc-retry-pushback-ms"];
        assert_eq!(pushback.to_str().unwrap(), millis.to_string());
    }

    #[test]
    fn a_circuit_that_is_held_open_has_no_wait() {
        let response: Response<()> = respond_503(error(None));
        assert!(!response.headers().contains_key("retry-after"));
        let response: Response<()> = respond_unavailable(error(None));
        assert!(!response.headers().contains_key("grpc-retry-pushback-ms"));
        let message = &response.headers()["grpc-message"];
        assert_eq!(message, "circuit `caf%C3%A9 100%25` is open");
    }

    #[test]
    fn messages_are_encoded() {
        assert_eq!(percent_encoded("a b~\n\u{7f}%"), "a b~%0A%7F%25");
    }
}

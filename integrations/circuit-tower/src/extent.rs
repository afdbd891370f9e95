//! The extent of a call: to the head of its response, or to the end of its body.

use circuit_runtime::{OwnedPermit, Verdict};
use http::Response;
use http::header::CONTENT_LENGTH;
use http_body::Body;

use crate::body::CircuitBody;
use crate::classify::Grpc;

/// Settles the call of a response, or has the response settle it.
pub trait Extent<R> {
    /// The response of the layer.
    type Response;

    /// Returns the response of a call with this verdict on its head.
    fn respond(
        response: R,
        permit: OwnedPermit,
        verdict: Verdict,
        trailers: Option<Grpc>,
    ) -> Self::Response;

    /// Returns a response that did not come from the service.
    fn without_call(response: R) -> Self::Response;
}

/// A call ends with the head of its response: the default.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreaker, Config};
/// use circuit_tower::{CircuitBreakerLayer, Errors, Head, Propagate, Single};
///
/// let breaker = CircuitBreaker::new("quotes", Config::default());
/// let layer: CircuitBreakerLayer<Single, Errors, Propagate, Head> =
///     CircuitBreakerLayer::new(breaker);
/// # let _ = layer;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Head;

impl<R> Extent<R> for Head {
    type Response = R;

    #[inline]
    fn respond(response: R, permit: OwnedPermit, verdict: Verdict, _: Option<Grpc>) -> R {
        permit.settle(verdict);
        response
    }

    #[inline]
    fn without_call(response: R) -> R {
        response
    }
}

/// A call ends with the body of its response.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreaker, Config};
/// use circuit_tower::{CircuitBreakerLayer, Grpc, Propagate, Single, UntilBodyEnds};
///
/// let breaker = CircuitBreaker::new("model", Config::default());
/// let layer: CircuitBreakerLayer<Single, Grpc, Propagate, UntilBodyEnds> =
///     CircuitBreakerLayer::new(breaker).classify(Grpc::new()).until_body_ends();
/// # let _ = layer;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct UntilBodyEnds;

impl<B: Body> Extent<Response<B>> for UntilBodyEnds {
    type Response = Response<CircuitBody<B>>;

    fn respond(
        response: Response<B>,
        permit: OwnedPermit,
        verdict: Verdict,
        trailers: Option<Grpc>,
    ) -> Self::Response {
        // The status of gRPC comes after the last byte.
        let length = trailers.map_or_else(|| length(&response), |_| None);
        let is_over = length == Some(0) || response.body().is_end_stream();
        if verdict == Verdict::Success && !is_over {
            response.map(|body| CircuitBody::new(body, permit, trailers, length))
        } else {
            permit.settle(verdict);
            response.map(CircuitBody::settled)
        }
    }

    fn without_call(response: Response<B>) -> Self::Response {
        response.map(CircuitBody::settled)
    }
}

/// Returns the number of bytes of the body, after which neither a server nor a client reads on.
fn length<B: Body>(response: &Response<B>) -> Option<u64> {
    let header = response.headers().get(CONTENT_LENGTH);
    let length = header.and_then(|length| length.to_str().ok()?.parse().ok());
    length.or_else(|| response.body().size_hint().exact())
}

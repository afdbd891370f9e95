//! A response body that takes the permit of its call along.

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use circuit_runtime::{OwnedPermit, Verdict};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::classify::Grpc;

pin_project! {
    /// The response body of [`until_body_ends`](crate::CircuitBreakerLayer::until_body_ends): its
    /// call is over when the body is.
    ///
    /// - A body that ends is a success, or what its trailers say.
    /// - A body that breaks off with an error, or panics, is a failure.
    /// - A body that is dropped before its end counts the call as cancelled.
    ///
    /// A body has ended once [`is_end_stream`](Body::is_end_stream) says so, too, or, but for gRPC,
    /// with the last byte of its `Content-Length`: a reader of so many bytes does not ask for
    /// another frame.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{CircuitBreaker, Config};
    /// use circuit_tower::{CircuitBody, CircuitBreakerLayer};
    /// use http::Response;
    /// use http_body_util::BodyExt;
    /// use std::convert::Infallible;
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let breaker = CircuitBreaker::new("quotes", Config::default());
    /// let service = ServiceBuilder::new()
    ///     .layer(CircuitBreakerLayer::new(breaker.clone()).until_body_ends())
    ///     .service(service_fn(async |()| Ok::<_, Infallible>(Response::new("12.5".to_owned()))));
    /// let response: Response<CircuitBody<String>> = service.oneshot(()).await.unwrap();
    /// assert_eq!(breaker.snapshot().succeeded, 0);
    ///
    /// response.into_body().collect().await.unwrap();
    /// assert_eq!(breaker.snapshot().succeeded, 1);
    /// # }
    /// ```
    pub struct CircuitBody<B>
    where
        B: Body,
    {
        #[pin]
        body: B,
        // `None` once the call is settled.
        permit: Option<OwnedPermit>,
        trailers: Option<Grpc>,
        // The bytes that are left to read; `None` if their number does not tell the end.
        left: Option<u64>,
    }

    impl<B> PinnedDrop for CircuitBody<B>
    where
        B: Body,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if this.permit.is_some() && this.body.is_end_stream() {
                settle(this.permit, Verdict::Success);
            }
        }
    }
}

impl<B: Body> CircuitBody<B> {
    /// Creates a body of a call that is over.
    pub(crate) fn settled(body: B) -> Self {
        Self {
            body,
            permit: None,
            trailers: None,
            left: None,
        }
    }

    /// Creates a body that settles its call: at its end, by these trailers, or with the last byte
    /// of this length.
    pub(crate) fn new(
        body: B,
        permit: OwnedPermit,
        trailers: Option<Grpc>,
        length: Option<u64>,
    ) -> Self {
        Self {
            body,
            permit: Some(permit),
            trailers,
            left: length,
        }
    }

    /// Returns the body of the service.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_tower::CircuitBody;
    ///
    /// let body: CircuitBody<String> = CircuitBody::default();
    /// assert_eq!(body.get_ref(), "");
    /// ```
    pub fn get_ref(&self) -> &B {
        &self.body
    }
}

impl<B: Body> Body for CircuitBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let panic_guard = PanicGuard(this.permit);
        let polled = this.body.as_mut().poll_frame(cx);
        mem::forget(panic_guard);
        let frame = ready!(polled);
        if this.permit.is_some() {
            let verdict = match &frame {
                Some(Ok(frame)) => {
                    let read = frame.data_ref().map_or(0, Buf::remaining);
                    *this.left = this.left.map(|left| left.saturating_sub(read as u64));
                    let is_over = *this.left == Some(0) || this.body.is_end_stream();
                    match (frame.trailers_ref(), *this.trailers) {
                        (Some(trailers), Some(grpc)) => Some(grpc.verdict(trailers)),
                        (Some(_), None) => Some(Verdict::Success),
                        (None, _) => is_over.then_some(Verdict::Success),
                    }
                }
                Some(Err(_)) => Some(Verdict::Failure),
                None => Some(Verdict::Success),
            };
            if let Some(verdict) = verdict {
                settle(this.permit, verdict);
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B: Body + Default> Default for CircuitBody<B> {
    fn default() -> Self {
        Self::settled(B::default())
    }
}

impl<B: Body + fmt::Debug> fmt::Debug for CircuitBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBody")
            .field("body", &self.body)
            .field("permit", &self.permit)
            .finish_non_exhaustive()
    }
}

fn settle(permit: &mut Option<OwnedPermit>, verdict: Verdict) {
    if let Some(permit) = permit.take() {
        permit.settle(verdict);
    }
}

/// Drop guard around the body of the service: if that unwinds, its call has failed.
struct PanicGuard<'p>(&'p mut Option<OwnedPermit>);

impl Drop for PanicGuard<'_> {
    fn drop(&mut self) {
        settle(self.0, Verdict::Failure);
    }
}

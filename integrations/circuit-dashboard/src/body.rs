//! The body of a response.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::stream::Client;

/// The body of a response of the dashboard: of known length, or a stream of events without an end.
///
/// # Examples
///
/// ```
/// use circuit_dashboard::{Body, Dashboard};
/// use http::{Request, Response};
/// use http_body_util::BodyExt;
/// use tower::ServiceExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let request = Request::get("http://localhost/api/breakers").body(String::new())?;
/// let response: Response<Body> = Dashboard::new().oneshot(request).await?;
///
/// let list = response.into_body().collect().await?.to_bytes();
/// assert!(list.starts_with(b"{"));
/// # Ok(())
/// # }
/// ```
pub struct Body(Content);

enum Content {
    /// `None` once it was read.
    Full(Option<Bytes>),
    Stream(Client),
}

impl Body {
    pub(crate) fn full(content: impl Into<Bytes>) -> Self {
        let content = content.into();
        Self(Content::Full(Some(content).filter(|it| !it.is_empty())))
    }

    pub(crate) fn stream(client: Client) -> Self {
        Self(Content::Stream(client))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = match &mut self.get_mut().0 {
            Content::Full(content) => Poll::Ready(content.take()),
            Content::Stream(client) => client.poll_next(cx),
        };
        frame.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Content::Full(content) => content.is_none(),
            Content::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Content::Full(content) => {
                let length = content.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
            }
            Content::Stream(_) => SizeHint::default(),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let content = match &self.0 {
            Content::Full(_) => "Full",
            Content::Stream(_) => "Stream",
        };
        f.debug_tuple("Body").field(&content).finish()
    }
}

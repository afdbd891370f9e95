//! Calls that last until the body of their response ends.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use circuit_runtime::{CircuitBreaker, Config, State};
use circuit_tower::{CircuitBody, CircuitBreakerLayer, Grpc, HttpStatus, respond_503};
use http::{HeaderMap, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{
    Failed, breaker, half_open, has_slot, poll_once, seconds, timed, two_failures,
};

/// A body of these frames. It knows its end as readers with a content length see it, or not.
#[derive(Debug, Default)]
struct Frames {
    frames: VecDeque<Result<Frame<Bytes>, Failed>>,
    knows_its_end: bool,
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Failed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failed>>> {
        Poll::Ready(self.frames.pop_front())
    }

    fn is_end_stream(&self) -> bool {
        self.knows_its_end && self.frames.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(7)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a body has results")]
fn data(text: &'static str) -> Result<Frame<Bytes>, Failed> {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

#[expect(clippy::unnecessary_wraps, reason = "a body has results")]
fn trailers(status: &'static str) -> Result<Frame<Bytes>, Failed> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", status.parse().unwrap());
    Ok(Frame::trailers(trailers))
}

/// Returns the calls that are over.
fn settled(breaker: &CircuitBreaker) -> u64 {
    let snapshot = breaker.snapshot();
    snapshot.succeeded + snapshot.failed + snapshot.ignored + snapshot.cancelled
}

/// Returns the response of a service with this body.
async fn respond<B: Body + Send>(breaker: &CircuitBreaker, status: u16, body: B) -> CircuitBody<B> {
    let body = Arc::new(Mutex::new(Some(body)));
    let service = service_fn(move |()| {
        let body = body.lock().unwrap().take().unwrap();
        let response = Response::builder().status(status).body(body).unwrap();
        std::future::ready(Ok::<_, Failed>(response))
    });
    let layer = CircuitBreakerLayer::new(breaker.clone())
        .classify(HttpStatus::new())
        .until_body_ends();
    layer.layer(service).oneshot(()).await.unwrap().into_body()
}

async fn frames(
    breaker: &CircuitBreaker,
    frames: impl IntoIterator<Item = Result<Frame<Bytes>, Failed>>,
    knows_its_end: bool,
) -> CircuitBody<Frames> {
    let frames = frames.into_iter().collect();
    let body = Frames {
        frames,
        knows_its_end,
    };
    respond(breaker, 200, body).await
}

#[tokio::test(start_paused = true)]
async fn a_body_that_ends_is_a_success() {
    let breaker = two_failures();
    let body = frames(&breaker, [data("a"), data("b")], false).await;
    assert_eq!(settled(&breaker), 0);
    assert_eq!(body.collect().await.unwrap().to_bytes(), "ab");
    assert_eq!(breaker.snapshot().succeeded, 1);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_is_a_failure() {
    let breaker = two_failures();
    for _ in 0..2 {
        let body = frames(&breaker, [data("a"), Err(Failed)], false).await;
        assert_eq!(body.collect().await.unwrap_err(), Failed);
    }
    assert_eq!(breaker.snapshot().failed, 2);
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn without_the_option_a_body_that_breaks_is_a_success() {
    let breaker = two_failures();
    let service = service_fn(async |()| {
        let frames = [data("a"), Err(Failed)].into();
        let knows_its_end = false;
        Ok::<_, Failed>(Response::new(Frames {
            frames,
            knows_its_end,
        }))
    });
    let response = CircuitBreakerLayer::new(breaker.clone())
        .layer(service)
        .oneshot(())
        .await;
    assert!(response.unwrap().into_body().collect().await.is_err());
    assert_eq!(breaker.snapshot().succeeded, 1);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_knows_the_length_asks_for_no_end() {
    let breaker = two_failures();
    let mut body = frames(&breaker, [data("a"), data("b")], true).await;
    assert_eq!(body.size_hint().exact(), Some(7));
    assert!(body.frame().await.unwrap().is_ok());
    assert_eq!(breaker.snapshot().succeeded, 0);
    assert!(!body.is_end_stream());
    assert!(body.frame().await.unwrap().is_ok());
    assert_eq!(breaker.snapshot().succeeded, 1);
    assert!(body.is_end_stream());
    drop(body);
    assert_eq!(breaker.snapshot().cancelled, 0);
}

/// Returns the body of a response with this header.
async fn with_length<const N: usize>(
    breaker: &CircuitBreaker,
    length: &'static str,
    parts: [&'static str; N],
) -> CircuitBody<Frames> {
    let service = service_fn(move |()| {
        let body = Frames {
            frames: parts.map(data).into(),
            knows_its_end: false,
        };
        let response = Response::builder().header("content-length", length);
        std::future::ready(Ok::<_, Failed>(response.body(body).unwrap()))
    });
    let layer = CircuitBreakerLayer::new(breaker.clone()).until_body_ends();
    layer.layer(service).oneshot(()).await.unwrap().into_body()
}

#[tokio::test(start_paused = true)]
async fn a_content_length_ends_a_body_with_its_last_byte() {
    let breaker = two_failures();
    let mut body = with_length(&breaker, "3", ["ab", "", "c"]).await;
    for succeeded in [0, 0, 1] {
        assert!(body.frame().await.unwrap().is_ok());
        assert_eq!(breaker.snapshot().succeeded, succeeded);
    }
    drop(body);
    drop(with_length(&breaker, "0", []).await);
    assert_eq!(breaker.snapshot().succeeded, 2);

    let mut body = with_length(&breaker, "4", ["ab", "", "c"]).await;
    for _ in 0..3 {
        assert!(body.frame().await.unwrap().is_ok());
    }
    drop(body);
    assert_eq!(breaker.snapshot().cancelled, 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_content_length_a_body_has_the_length_that_it_says() {
    let breaker = two_failures();
    for (calls, length) in (0..).zip(["", "three", "-3"]) {
        let mut body = with_length(&breaker, length, ["abc", "defg", ""]).await;
        assert!(body.frame().await.unwrap().is_ok());
        assert_eq!(breaker.snapshot().succeeded, calls);
        assert!(body.frame().await.unwrap().is_ok());
        assert_eq!(breaker.snapshot().succeeded, calls + 1, "{length}");
    }
}

/// A body whose end shows only after its last frame was polled.
#[derive(Default)]
struct Late {
    ended: Arc<std::sync::atomic::AtomicBool>,
}

impl Body for Late {
    type Data = Bytes;
    type Error = Failed;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failed>>> {
        Poll::Ready(Some(data("a")))
    }

    fn is_end_stream(&self) -> bool {
        self.ended.load(std::sync::atomic::Ordering::Relaxed)
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_has_ended_when_it_is_dropped_is_a_success() {
    let breaker = two_failures();
    let late = Late::default();
    let ended = late.ended.clone();
    let mut body = respond(&breaker, 200, late).await;
    assert!(body.frame().await.unwrap().is_ok());
    assert_eq!(breaker.snapshot().succeeded, 0);
    ended.store(true, std::sync::atomic::Ordering::Relaxed);
    drop(body);
    assert_eq!(breaker.snapshot().succeeded, 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_is_no_failure() {
    let breaker = two_failures();
    half_open(&breaker).await;
    let mut body = frames(&breaker, [data("a"), data("b")], true).await;
    assert!(body.frame().await.unwrap().is_ok());
    assert!(!has_slot(&breaker));
    drop(body);
    assert!(has_slot(&breaker));
    assert_eq!(breaker.snapshot().cancelled, 1);

    drop(frames(&breaker, [data("a")], true).await);
    assert_eq!(breaker.snapshot().cancelled, 2);
}

#[tokio::test(start_paused = true)]
async fn a_response_without_a_body_is_over_with_its_head() {
    // As of a HEAD, and of a 204.
    for status in [200, 204] {
        let breaker = two_failures();
        let body = respond(&breaker, status, Full::<Bytes>::default()).await;
        assert_eq!(breaker.snapshot().succeeded, 1);
        drop(body);
        let body = frames(&breaker, [], true).await;
        assert_eq!(breaker.snapshot().succeeded, 2);
        assert!(body.get_ref().frames.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_a_failure_ends_the_call() {
    let breaker = two_failures();
    let body = respond(&breaker, 500, Full::<Bytes>::from("down")).await;
    assert_eq!(breaker.snapshot().failed, 1);
    assert_eq!(body.collect().await.unwrap().to_bytes(), "down");
    assert_eq!(breaker.snapshot().succeeded, 0);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_panics_is_a_failure() {
    struct Panics;
    impl Body for Panics {
        type Data = Bytes;
        type Error = Failed;
        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Failed>>> {
            panic!("in the body")
        }
    }
    let breaker = two_failures();
    let body = respond(&breaker, 200, Panics).await;
    assert!(tokio::spawn(body.collect()).await.is_err());
    assert_eq!(breaker.snapshot().failed, 1);
}

/// A body that never ends.
struct Waits;

impl Body for Waits {
    type Data = Bytes;
    type Error = Failed;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failed>>> {
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_waits_is_still_in_flight() {
    let breaker = two_failures();
    let mut body = respond(&breaker, 200, Waits).await;
    assert!(poll_once(body.frame()).is_pending());
    assert_eq!(settled(&breaker), 0);
}

#[tokio::test(start_paused = true)]
async fn the_timeout_ends_with_the_head() {
    let breaker = timed();
    let mut body = respond(&breaker, 200, Waits).await;
    let frame = tokio::time::timeout(seconds(60), body.frame()).await;
    assert!(frame.is_err());
    assert_eq!((settled(&breaker), breaker.snapshot().timed_out), (0, 0));
    drop(body);
    assert_eq!(breaker.snapshot().cancelled, 1);
}

#[tokio::test(start_paused = true)]
async fn a_probe_whose_body_does_not_end_gives_its_slot_to_another_call() {
    let breaker = two_failures();
    half_open(&breaker).await;
    let body = respond(&breaker, 200, Waits).await;
    assert!(!has_slot(&breaker));
    tokio::time::advance(breaker.config().reset()).await;
    assert!(has_slot(&breaker));
    let other = respond(&breaker, 200, Full::<Bytes>::default()).await;
    assert_eq!(breaker.state(), State::Closed);
    drop((body, other));
    assert_eq!(breaker.state(), State::Closed);
}

/// Responds with a message of as many bytes as the body says it has, and with trailers.
async fn grpc(breaker: &CircuitBreaker, trailers: &'static str) -> CircuitBody<Frames> {
    let service = service_fn(move |()| {
        let body = Frames {
            frames: [data("message"), self::trailers(trailers)].into(),
            knows_its_end: true,
        };
        std::future::ready(Ok::<_, Failed>(Response::new(body)))
    });
    let layer = CircuitBreakerLayer::new(breaker.clone())
        .classify(Grpc::new())
        .until_body_ends();
    layer.layer(service).oneshot(()).await.unwrap().into_body()
}

#[tokio::test(start_paused = true)]
async fn trailers_have_the_status_of_a_call() {
    let breaker = breaker(Config::builder().max_failures(9));
    for (status, expected) in [("0", (1, 0, 0)), ("14", (1, 1, 0)), ("1", (1, 1, 1))] {
        let before = settled(&breaker);
        let mut body = grpc(&breaker, status).await;
        assert!(body.frame().await.unwrap().is_ok());
        assert_eq!(settled(&breaker), before);
        assert!(body.frame().await.unwrap().unwrap().is_trailers());
        assert_eq!(settled(&breaker), before + 1);
        let snapshot = breaker.snapshot();
        assert_eq!(
            (snapshot.succeeded, snapshot.failed, snapshot.ignored),
            expected
        );
        assert!(body.frame().await.is_none());
    }
    assert_eq!(breaker.snapshot().cancelled, 0);
}

#[tokio::test(start_paused = true)]
async fn trailers_say_nothing_of_a_call_over_http() {
    let breaker = two_failures();
    let body = frames(&breaker, [data("a"), trailers("14")], false).await;
    assert!(body.collect().await.is_ok());
    assert_eq!(breaker.snapshot().succeeded, 1);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_has_a_body_of_its_own() {
    let breaker = two_failures();
    breaker.trip();
    let service = service_fn(async |()| Ok::<_, Failed>(Response::new(Full::from("fine"))));
    let layer = CircuitBreakerLayer::new(breaker.clone())
        .respond(respond_503)
        .until_body_ends();
    let response: Response<CircuitBody<Full<Bytes>>> =
        layer.layer(service).oneshot(()).await.unwrap();
    assert_eq!(response.status(), 503);
    assert!(response.into_body().is_end_stream());
    assert_eq!(breaker.snapshot().rejected, 1);
    assert_eq!(breaker.snapshot().cancelled, 0);
}

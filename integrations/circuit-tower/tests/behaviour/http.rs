//! Between real servers and clients of HTTP, on loopback: axum, hyper and reqwest.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::error_handling::HandleErrorLayer;
use axum::extract::Path;
use axum::routing::get;
use bytes::Bytes;
use circuit_runtime::{CircuitBreaker, CircuitBreakers, Config, State, Verdict};
use circuit_tower::{BoxError, CircuitBreakerLayer, Host, HttpStatus, respond_503};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tower::{ServiceBuilder, ServiceExt};

use crate::support::{breaker, is_open, two_failures};

/// Serves until the test ends.
async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, router).await });
    address
}

/// Returns the status that the path asks for.
async fn status(Path(status): Path<u16>) -> StatusCode {
    StatusCode::from_u16(status).unwrap()
}

async fn status_of(address: SocketAddr, path: &str) -> (u16, Option<String>) {
    let response = reqwest::get(format!("http://{address}{path}"))
        .await
        .unwrap();
    let wait = response.headers().get("retry-after");
    let wait = wait.map(|wait| wait.to_str().unwrap().to_owned());
    (response.status().as_u16(), wait)
}

#[tokio::test]
async fn the_routes_of_axum_share_the_breaker_of_a_layer() {
    let breaker = two_failures();
    let layer = CircuitBreakerLayer::new(breaker.clone())
        .classify(HttpStatus::new())
        .respond(respond_503);
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let other = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async { "fine" }
    };
    let router = Router::new()
        .route("/status/{status}", get(status))
        .route("/other", get(other))
        .layer(layer.clone())
        // Again: nothing is lost.
        .layer(layer);
    let address = serve(router).await;
    assert_eq!(status_of(address, "/other").await.0, 200);
    assert_eq!(status_of(address, "/status/404").await.0, 404);
    assert_eq!(breaker.snapshot().failed, 0);
    assert_eq!(status_of(address, "/status/500").await.0, 500);
    assert_eq!(breaker.state(), State::Open); // counted by both
    let (status, wait) = status_of(address, "/other").await;
    assert_eq!(status, 503);
    assert_eq!(wait.as_deref(), Some("30"));
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_circuit_of_a_route_does_not_open_that_of_its_router() {
    let (route, router) = (two_failures(), two_failures());
    let layer = |breaker: &CircuitBreaker| {
        CircuitBreakerLayer::new(breaker.clone())
            .classify(HttpStatus::new())
            .respond(respond_503)
    };
    let service = Router::new()
        .route("/status/{status}", get(status))
        .route_layer(layer(&route))
        .layer(layer(&router));
    let address = serve(service).await;
    route.trip();
    let (code, retry_after) = status_of(address, "/status/200").await;
    assert_eq!((code, retry_after.as_deref()), (503, Some("30")));
    assert_eq!(router.state(), State::Closed);
    assert_eq!(router.snapshot().ignored, 1);
}

#[tokio::test]
async fn axum_handles_the_error_of_a_layer() {
    let breaker = two_failures();
    let layers = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(async |error: BoxError| {
            assert!(is_open(&error));
            StatusCode::IM_A_TEAPOT
        }))
        .layer(CircuitBreakerLayer::new(breaker.clone()));
    let router = Router::new()
        .route("/status/{status}", get(status))
        .layer(layers);
    let address = serve(router).await;
    assert_eq!(status_of(address, "/status/500").await.0, 500);
    breaker.trip();
    assert_eq!(status_of(address, "/status/200").await.0, 418);
}

#[tokio::test]
async fn each_body_of_a_server_ends_as_it_is_sent() {
    let breaker = two_failures();
    let layer = CircuitBreakerLayer::new(breaker.clone())
        .classify(HttpStatus::new())
        .respond(respond_503)
        .until_body_ends();
    let router = Router::new()
        .route("/status/{status}", get(status))
        .route("/text", get(async || "fine"))
        .route("/stream", get(async || Body::from_stream(parts(false))))
        .route(
            "/file",
            get(async || ([("content-length", "4")], Body::from_stream(parts(false)))),
        )
        .layer(layer);
    let address = serve(router).await;
    assert_eq!(status_of(address, "/status/204").await.0, 204);
    let client = reqwest::Client::new();
    let head = client.head(format!("http://{address}/text")).send().await;
    assert_eq!(head.unwrap().status(), 200);
    for path in ["/text", "/stream", "/file"] {
        let response = reqwest::get(format!("http://{address}{path}"))
            .await
            .unwrap();
        assert_eq!(response.text().await.unwrap(), "fine");
    }
    // The server drops a body once it is sent, and that of a HEAD without sending it.
    until(|| breaker.snapshot().succeeded == 4).await;
    until(|| breaker.snapshot().cancelled == 1).await;
}

/// Two parts of a body, and an error at its end or none.
fn parts(breaks: bool) -> impl tokio_stream::Stream<Item = Result<&'static str, std::io::Error>> {
    let end = breaks.then(|| Err(std::io::Error::other("broken")));
    tokio_stream::iter([Ok("fi"), Ok("ne")].into_iter().chain(end))
}

/// Lets other tasks run until the condition holds; fails where it never does.
async fn until(condition: impl Fn() -> bool) {
    let holds = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    let held = tokio::time::timeout(Duration::from_secs(20), holds).await;
    assert!(held.is_ok(), "the condition never holds");
}

#[tokio::test]
async fn a_stream_that_breaks_in_a_server_is_a_failure() {
    let breaker = two_failures();
    let layer = CircuitBreakerLayer::new(breaker.clone())
        .respond(respond_503)
        .until_body_ends();
    let router = Router::new()
        .route("/", get(async || Body::from_stream(parts(true))))
        .layer(layer);
    let address = serve(router).await;
    let text = async {
        reqwest::get(format!("http://{address}/"))
            .await?
            .text()
            .await
    };
    assert!(text.await.is_err());
    until(|| breaker.snapshot().failed == 1).await;
}

#[tokio::test]
async fn a_client_that_leaves_a_server_is_no_failure() {
    let breaker = two_failures();
    let layer = CircuitBreakerLayer::new(breaker.clone())
        .respond(respond_503)
        .until_body_ends();
    let endless = async || {
        use tokio_stream::StreamExt;
        let first = tokio_stream::once(Ok::<_, Infallible>("first"));
        Body::from_stream(first.chain(tokio_stream::pending()))
    };
    let address = serve(Router::new().route("/", get(endless)).layer(layer)).await;
    let mut response = reqwest::get(format!("http://{address}/")).await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "first");
    assert_eq!(breaker.snapshot().cancelled, 0);
    drop(response);
    until(|| breaker.snapshot().cancelled == 1).await;
    assert_eq!(breaker.snapshot().failed, 0);
}

#[tokio::test]
async fn a_breaker_is_around_the_client_of_reqwest() {
    let address = serve(Router::new().route("/{status}", get(status))).await;
    let breakers = CircuitBreakers::new("reqwest", Config::default());
    let status = HttpStatus::new().also(429);
    let layer = CircuitBreakerLayer::keyed(breakers.clone(), |request: &reqwest::Request| {
        let url = request.url();
        format!("{:?}:{:?}", url.host_str(), url.port())
    });
    let layer =
        layer.classify(
            move |result: &Result<reqwest::Response, reqwest::Error>| match result {
                Ok(response) => status.verdict(response.status(), response.headers()),
                Err(_) => Verdict::Failure,
            },
        );
    let client = ServiceBuilder::new()
        .layer(layer)
        .service(reqwest::Client::new());
    let send = |address: SocketAddr, path: &str| {
        let url = format!("http://{address}/{path}").parse().unwrap();
        client
            .clone()
            .oneshot(reqwest::Request::new(reqwest::Method::GET, url))
    };
    assert_eq!(send(address, "404").await.unwrap().status(), 404);
    for _ in 0..5 {
        assert_eq!(send(address, "429").await.unwrap().status(), 429);
    }
    assert!(is_open(&send(address, "200").await.unwrap_err()));

    // Nothing listens there any more.
    let gone = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    for _ in 0..5 {
        let error = send(gone, "200").await.unwrap_err();
        assert!(error.is::<reqwest::Error>());
    }
    assert!(is_open(&send(gone, "200").await.unwrap_err()));
    assert_eq!(breakers.all().len(), 2);
}

/// Answers each request of a connection with these bytes, and closes it.
async fn serve_raw(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = [0; 1024];
            let _ = connection.read(&mut request).await;
            let _ = connection.write_all(answer.as_bytes()).await;
        }
    });
    address
}

/// A client of hyper below reqwest whose calls last until the body ends.
async fn fetch(
    breaker: &CircuitBreaker,
    address: SocketAddr,
) -> Response<impl http_body::Body<Data = Bytes>> {
    let layer = CircuitBreakerLayer::new(breaker.clone())
        .classify(HttpStatus::new())
        .until_body_ends();
    let client = ServiceBuilder::new()
        .layer(layer)
        .map_request(|request: Request<reqwest::Body>| reqwest::Request::try_from(request).unwrap())
        .map_response(Response::<reqwest::Body>::from)
        .service(reqwest::Client::new());
    let request = Request::get(format!("http://{address}/"));
    client
        .oneshot(request.body(reqwest::Body::default()).unwrap())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_body_with_a_length_ends_with_its_last_byte() {
    let breaker = breaker(Config::builder().max_failures(9));
    let address = serve_raw("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine").await;
    let mut body = Box::pin(fetch(&breaker, address).await.into_body());
    let mut read = 0;
    while read < 4 {
        read += body
            .frame()
            .await
            .unwrap()
            .ok()
            .unwrap()
            .into_data()
            .unwrap()
            .len();
    }
    // No other frame is asked for.
    assert_eq!(breaker.snapshot().succeeded, 1);
    drop(body);
    assert_eq!(breaker.snapshot().cancelled, 0);
}

#[tokio::test]
async fn a_body_in_chunks_ends_with_the_last_one() {
    let breaker = two_failures();
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n\r\n";
    let response = fetch(&breaker, serve_raw(chunks).await).await;
    assert_eq!(breaker.snapshot().succeeded, 0);
    let Ok(body) = response.into_body().collect().await else {
        panic!("it broke")
    };
    assert_eq!(body.to_bytes(), "fine");
    assert_eq!(breaker.snapshot().succeeded, 1);
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_body_is_a_failure() {
    let breaker = two_failures();
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfine",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n",
    ] {
        let response = fetch(&breaker, serve_raw(answer).await).await;
        assert_eq!(response.status(), 200);
        assert!(response.into_body().collect().await.is_err());
    }
    assert_eq!(breaker.snapshot().failed, 2);
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test]
async fn a_breaker_of_each_host_is_found_in_the_requests_of_a_server() {
    let breakers = CircuitBreakers::new("virtual hosts", Config::default());
    let layer = CircuitBreakerLayer::keyed(breakers.clone(), Host).respond(respond_503);
    let router = Router::new().route("/", get(async || "fine")).layer(layer);
    let address = serve(router).await;
    breakers.get("a.example").trip();
    let client = reqwest::Client::new();
    for (host, expected) in [("a.example", 503), ("A.example", 503), ("b.example", 200)] {
        let request = client
            .get(format!("http://{address}/"))
            .header("host", host);
        assert_eq!(request.send().await.unwrap().status(), expected, "{host}");
    }
}

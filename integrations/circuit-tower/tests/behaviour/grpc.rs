//! Between a real server and a real client of gRPC, on loopback: tonic.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, BufMut};
use circuit_runtime::{CircuitBreaker, State};
use circuit_tower::{CircuitBreakerLayer, Grpc, respond_unavailable};
use http::uri::PathAndQuery;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt};
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::NamedService;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Response, Status};
use tower::{Service, ServiceBuilder, service_fn};

use crate::support::two_failures;

/// Messages that are text.
#[derive(Clone, Copy, Debug, Default)]
struct Text;

impl Codec for Text {
    type Encode = String;
    type Decode = String;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Text {
    type Item = String;
    type Error = Status;

    fn encode(&mut self, item: String, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(item.as_bytes());
        Ok(())
    }
}

impl Decoder for Text {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// Answers with the status whose code it is sent: at once, or after two messages of a stream.
#[derive(Clone)]
struct Quotes;

impl NamedService for Quotes {
    const NAME: &'static str = "Quotes";
}

fn status(request: Request<String>) -> Result<(), Status> {
    let code = Code::from(request.into_inner().parse::<i32>().unwrap());
    let status = Status::new(code, "as asked");
    if code == Code::Ok {
        Ok(())
    } else {
        Err(status)
    }
}

type Quoted = Pin<Box<dyn Stream<Item = Result<String, Status>> + Send>>;

impl Service<http::Request<Body>> for Quotes {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(Text);
            if request.uri().path() == "/Quotes/Stream" {
                let stream = service_fn(async |request| {
                    let end = status(request).err().map(Err);
                    let messages = ["a", "b"].map(|text| Ok(text.to_owned()));
                    let stream: Quoted =
                        Box::pin(tokio_stream::iter(messages.into_iter().chain(end)));
                    Ok(Response::new(stream))
                });
                return Ok(grpc.server_streaming(stream, request).await);
            }
            let unary = service_fn(async |request| {
                status(request).map(|()| Response::new("fine".to_owned()))
            });
            Ok(grpc.unary(unary, request).await)
        })
    }
}

async fn listen() -> (SocketAddr, TcpListenerStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    (
        listener.local_addr().unwrap(),
        TcpListenerStream::new(listener),
    )
}

async fn serve() -> SocketAddr {
    let (address, incoming) = listen().await;
    tokio::spawn(
        Server::builder()
            .add_service(Quotes)
            .serve_with_incoming(incoming),
    );
    address
}

fn channel(address: SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{address}"))
        .unwrap()
        .connect_lazy()
}

/// A client, as generated ones are.
macro_rules! client {
    ($breaker:expr, $address:expr) => {
        tonic::client::Grpc::new(
            ServiceBuilder::new()
                .layer(
                    CircuitBreakerLayer::new($breaker.clone())
                        .classify(Grpc::new())
                        .respond(respond_unavailable)
                        .until_body_ends(),
                )
                .service(channel($address)),
        )
    };
}

macro_rules! unary {
    ($client:expr, $code:expr) => {{
        $client.ready().await.unwrap();
        let path = PathAndQuery::from_static("/Quotes/Quote");
        let answer = $client
            .unary(Request::new($code.to_string()), path, Text)
            .await;
        answer.map(Response::<String>::into_inner)
    }};
}

fn counts(breaker: &CircuitBreaker) -> (u64, u64, u64) {
    let snapshot = breaker.snapshot();
    (snapshot.succeeded, snapshot.failed, snapshot.ignored)
}

#[tokio::test]
async fn the_status_of_a_call_opens_the_circuit_of_a_client() {
    let breaker = two_failures();
    let mut client = client!(breaker, serve().await);
    assert_eq!(unary!(client, 0).unwrap(), "fine");
    assert_eq!(counts(&breaker), (1, 0, 0));
    assert_eq!(unary!(client, 5).unwrap_err().code(), Code::NotFound);
    assert_eq!(counts(&breaker), (2, 0, 0));
    assert_eq!(unary!(client, 1).unwrap_err().code(), Code::Cancelled);
    assert_eq!(counts(&breaker), (2, 0, 1));
    for code in [13, 14] {
        assert_eq!(unary!(client, code).unwrap_err().message(), "as asked");
    }
    assert_eq!(breaker.state(), State::Open);

    let status = unary!(client, 0).unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(
        status.message().starts_with("circuit `breaker` is open"),
        "{status}"
    );
    let wait = status.metadata().get("grpc-retry-pushback-ms").unwrap();
    assert!(wait.to_str().unwrap().parse::<u64>().unwrap() <= 30_000);
    assert_eq!(breaker.snapshot().rejected, 1);
}

#[tokio::test]
async fn the_trailers_of_a_stream_are_read() {
    let breaker = two_failures();
    let mut client = client!(breaker, serve().await);
    for (code, expected) in [("0", (1, 0, 0)), ("14", (1, 1, 0)), ("8", (2, 1, 0))] {
        client.ready().await.unwrap();
        let path = PathAndQuery::from_static("/Quotes/Stream");
        let answer = client
            .server_streaming(Request::new(code.to_owned()), path, Text)
            .await;
        let mut stream: tonic::Streaming<String> = answer.unwrap().into_inner();
        let mut messages = 0;
        while let Some(message) = stream.next().await {
            messages += usize::from(message.is_ok());
        }
        assert_eq!(messages, 2);
        assert_eq!(counts(&breaker), expected, "{code}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_a_stream_counts_nothing() {
    let breaker = two_failures();
    let mut client = client!(breaker, serve().await);
    client.ready().await.unwrap();
    let path = PathAndQuery::from_static("/Quotes/Stream");
    let answer = client
        .server_streaming(Request::new("14".to_owned()), path, Text)
        .await;
    let stream: Response<tonic::Streaming<String>> = answer.unwrap();
    drop(stream);
    assert_eq!(counts(&breaker), (0, 0, 0));
    assert_eq!(breaker.snapshot().cancelled, 1);
}

#[tokio::test]
async fn a_server_that_is_gone_opens_the_circuit() {
    let breaker = two_failures();
    let (gone, incoming) = listen().await;
    drop(incoming);
    let mut client = client!(breaker, gone);
    for _ in 0..2 {
        assert!(unary!(client, 0).is_err());
    }
    assert_eq!(breaker.state(), State::Open);
    let status = unary!(client, 0).unwrap_err();
    assert!(status.message().starts_with("circuit"), "{status}");
}

#[tokio::test]
async fn without_a_response_the_error_is_the_source_of_the_status() {
    let breaker = two_failures();
    breaker.trip();
    let layer = CircuitBreakerLayer::new(breaker.clone()).classify(Grpc::new());
    let service = ServiceBuilder::new()
        .layer(layer)
        .service(channel(serve().await));
    let mut client = tonic::client::Grpc::new(service);
    let status = unary!(client, 0).unwrap_err();
    let source = std::error::Error::source(&status).unwrap();
    assert!(source.is::<circuit_runtime::CircuitError>());
}

#[tokio::test]
async fn a_server_may_have_the_layer() {
    let breaker = two_failures();
    let layer = CircuitBreakerLayer::new(breaker.clone())
        .classify(Grpc::new().also(8))
        .respond(respond_unavailable)
        .until_body_ends();
    let (address, incoming) = listen().await;
    let server = Server::builder().layer(layer).add_service(Quotes);
    tokio::spawn(server.serve_with_incoming(incoming));
    let mut client = tonic::client::Grpc::new(channel(address));
    assert_eq!(unary!(client, 0).unwrap(), "fine");
    for _ in 0..2 {
        assert_eq!(
            unary!(client, 8).unwrap_err().code(),
            Code::ResourceExhausted
        );
    }
    assert_eq!(breaker.state(), State::Open);
    let status = unary!(client, 0).unwrap_err();
    assert!(
        status.message().starts_with("circuit `breaker` is open"),
        "{status}"
    );
}

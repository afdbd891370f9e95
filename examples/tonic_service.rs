//! A server and a client of gRPC, by tonic: the circuit around the client's channel reads the
//! status of each call, also where it comes in the trailers of a stream.
//!
//! The service is written by hand, as `protoc` is not needed then; a generated client takes the
//! same channel.

use std::convert::Infallible;
use std::error::Error;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use circuit_runtime::{CircuitBreaker, Config};
use circuit_tower::{CircuitBreakerLayer, Grpc, respond_unavailable};
use http::uri::PathAndQuery;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt};
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::NamedService;
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Response, Status, Streaming};
use tower::{Service, ServiceBuilder, service_fn};

/// Set while the exchange behind the server is down.
static IS_DOWN: AtomicBool = AtomicBool::new(false);

/// Messages of text, where a program has those of `prost`.
#[derive(Clone, Copy)]
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
        bytes::BufMut::put_slice(buffer, item.as_bytes());
        Ok(())
    }
}

impl Decoder for Text {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let length = bytes::Buf::remaining(buffer);
        let bytes = bytes::Buf::copy_to_bytes(buffer, length);
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }
}

type Prices = Pin<Box<dyn Stream<Item = Result<String, Status>> + Send>>;

/// Streams three prices, or breaks off after the first.
async fn prices(_: Request<String>) -> Result<Response<Prices>, Status> {
    let prices = ["12.5", "12.6", "12.4"].map(|price| Ok(price.to_owned()));
    let prices: Prices = if IS_DOWN.load(Ordering::Relaxed) {
        let down = Err(Status::unavailable("the exchange is down"));
        Box::pin(tokio_stream::iter(prices.into_iter().take(1).chain([down])))
    } else {
        Box::pin(tokio_stream::iter(prices))
    };
    Ok(Response::new(prices))
}

#[derive(Clone)]
struct Exchange;

impl NamedService for Exchange {
    const NAME: &'static str = "Exchange";
}

impl Service<http::Request<Body>> for Exchange {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async {
            let mut grpc = tonic::server::Grpc::new(Text);
            Ok(grpc.server_streaming(service_fn(prices), request).await)
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let server = Server::builder().add_service(Exchange);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));

    let rules = Config::builder()
        .max_failures(2)
        .reset(Duration::from_millis(300));
    let breaker = CircuitBreaker::new("exchange", rules.build()?);
    let layer = CircuitBreakerLayer::new(breaker.clone())
        .classify(Grpc::new())
        .respond(respond_unavailable)
        .until_body_ends();
    let channel = Endpoint::from_shared(format!("http://{address}"))?.connect_lazy();
    let mut client = tonic::client::Grpc::new(ServiceBuilder::new().layer(layer).service(channel));

    for is_down in [false, true, true, true, false] {
        IS_DOWN.store(is_down, Ordering::Relaxed);
        if !is_down {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        client.ready().await?;
        let path = PathAndQuery::from_static("/Exchange/Prices");
        let request = Request::new("ACME".to_owned());
        match client.server_streaming(request, path, Text).await {
            Ok(prices) => print(prices.into_inner()).await,
            Err(status) => println!("{:?}: {}", status.code(), status.message()),
        }
        println!("  the circuit is {}", breaker.state());
    }
    Ok(())
}

async fn print(mut prices: Streaming<String>) {
    while let Some(price) = prices.next().await {
        match price {
            Ok(price) => print!("{price} "),
            Err(status) => print!("{:?}: {}", status.code(), status.message()),
        }
    }
    println!();
}

//! A call through the layer allocates nothing, and its future is small.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot continue fails"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use circuit_runtime::{CircuitBreaker, CircuitBreakers, CircuitError, Config};
use circuit_tower::{
    CircuitBreakerLayer, Errors, Grpc, Head, Host, HttpStatus, Propagate, ResponseFuture,
};
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, Service};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is forwarded unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

type Body = Full<&'static [u8]>;
type Answer = Result<Response<Body>, Infallible>;

/// A service that allocates nothing.
#[derive(Clone)]
struct Fine(u16);

impl Service<Request<()>> for Fine {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Answer>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        let mut response = Response::new(Body::new(b"fine"));
        *response.status_mut() = self.0.try_into().unwrap();
        ready(Ok(response))
    }
}

/// Returns the allocations of a hundred calls, after one to warm up.
fn allocations<S: Service<Request<()>>>(mut service: S) -> usize {
    let mut call = || {
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(matches!(service.poll_ready(cx), Poll::Ready(Ok(()))));
        assert!(pin!(service.call(Request::new(()))).poll(cx).is_ready());
    };
    call();
    let before = ALLOCATIONS.get();
    (0..100).for_each(|_| call());
    ALLOCATIONS.get() - before
}

fn config() -> Config {
    Config::builder().max_failures(100_000).build().unwrap()
}

/// Responds without an allocation.
fn rejected(_: CircuitError) -> Response<Body> {
    Response::new(Body::default())
}

#[test]
fn the_allocator_counts_allocations() {
    let before = ALLOCATIONS.get();
    drop(Box::new(7));
    assert_eq!(ALLOCATIONS.get() - before, 1);
}

#[test]
fn a_call_allocates_nothing() {
    for name in ["static".into(), std::borrow::Cow::Owned("owned".to_owned())] {
        let breaker = CircuitBreaker::new(name, config());
        let layer = CircuitBreakerLayer::new(breaker.clone());
        assert_eq!(allocations(layer.layer(Fine(200))), 0);
        let http = layer.clone().classify(HttpStatus::new().also(429));
        assert_eq!(allocations(http.layer(Fine(200))), 0);
        assert_eq!(allocations(http.layer(Fine(500))), 0);
        assert_eq!(allocations(http.until_body_ends().layer(Fine(200))), 0);
        let grpc = layer.clone().classify(Grpc::new());
        assert_eq!(allocations(grpc.layer(Fine(503))), 0);
        assert_eq!(allocations(grpc.until_body_ends().layer(Fine(200))), 0);

        let layer = layer.respond(rejected);
        assert_eq!(allocations(layer.layer(Fine(200))), 0);
        breaker.trip();
        assert_eq!(allocations(layer.layer(Fine(200))), 0);
        assert_eq!(allocations(layer.until_body_ends().layer(Fine(200))), 0);
    }
}

#[test]
fn a_call_by_host_allocates_nothing() {
    let breakers = CircuitBreakers::new("hosts", config());
    let layer = CircuitBreakerLayer::keyed(breakers.clone(), Host).respond(rejected);
    assert_eq!(allocations(layer.layer(Fine(200))), 0);
    breakers.get("").trip();
    assert_eq!(allocations(layer.layer(Fine(200))), 0);
}

#[test]
fn a_rejection_allocates_the_box_of_its_error() {
    let breaker = CircuitBreaker::new("open", config());
    breaker.trip();
    let layer = CircuitBreakerLayer::new(breaker);
    assert_eq!(allocations(layer.layer(Fine(200))), 100);
}

#[test]
fn a_future_is_that_of_the_service_and_a_timer() {
    let future = size_of::<ResponseFuture<Ready<Answer>, Errors, Propagate, Head>>();
    let inner = size_of::<Ready<Answer>>();
    println!("future: {future} bytes, around one of {inner}");
    assert!(future <= inner + 176, "{future} bytes, around {inner}");
}

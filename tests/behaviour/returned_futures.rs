//! Functions that are not `async`, but return the future of an `async move` block.

use crate::support::{ServiceError, advance, poll_once, seconds};
use circuit_runtime::{CircuitBreaker, CircuitError, circuit_breaker, registry};
use std::cell::Cell;
use std::pin::Pin;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The `boxed` of the crate `futures`.
trait FutureExt: Future + Sized {
    fn boxed<'a>(self) -> BoxFuture<'a, Self::Output>
    where
        Self: Send + 'a,
    {
        Box::pin(self)
    }
}

impl<F: Future> FutureExt for F {}

#[tokio::test(start_paused = true)]
async fn the_block_is_guarded_and_the_statements_before_it_are_not() {
    #[circuit_breaker(max_failures = 1, name = "returned::statements")]
    fn service(
        called: &Cell<u32>,
        fail: bool,
    ) -> impl Future<Output = Result<u32, ServiceError>> + use<> {
        called.set(called.get() + 1);
        let number = called.get();
        async move {
            tokio::task::yield_now().await;
            if fail {
                Err(ServiceError::Failed)
            } else {
                Ok(number)
            }
        }
    }

    let called = Cell::new(0);
    assert_eq!(service(&called, false).await, Ok(1));
    let unpolled = service(&called, false);
    assert_eq!(called.get(), 2, "they run when the function is called");
    assert_eq!(service(&called, true).await, Err(ServiceError::Failed));
    let rejected = unpolled.await.unwrap_err();
    assert!(matches!(rejected, ServiceError::Circuit(_)));
    assert!(service(&called, false).await.is_err());
    assert_eq!(called.get(), 4, "of a rejected call, too");
    advance(seconds(30)).await;
    assert_eq!(service(&called, false).await, Ok(5));

    let totals = registry::find("returned::statements").unwrap().snapshot();
    assert_eq!(
        (totals.succeeded, totals.failed, totals.rejected),
        (2, 1, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn a_future_that_is_never_polled_is_not_counted() {
    #[circuit_breaker(name = "returned::unpolled")]
    fn service() -> impl Future<Output = Result<(), ServiceError>> {
        async move { std::future::pending().await }
    }

    drop(service());
    assert!(poll_once(Box::pin(service())).is_pending());
    let totals = registry::find("returned::unpolled").unwrap().snapshot();
    assert_eq!(totals.cancelled, 1);
}

#[tokio::test(start_paused = true)]
async fn a_handle_taken_before_the_block_outlives_the_service() {
    struct Client {
        breaker: CircuitBreaker,
        host: String,
    }

    impl Client {
        #[circuit_breaker(breaker = breaker)]
        fn call(&mut self) -> BoxFuture<'static, Result<usize, ServiceError>> {
            let host = self.host.clone();
            let breaker = self.breaker.clone();
            async move { Ok(host.len()) }.boxed()
        }
    }

    let mut client = Client {
        breaker: CircuitBreaker::new("returned::handle", circuit_runtime::Config::default()),
        host: "a.example".to_owned(),
    };
    let handle = client.breaker.clone();
    let called = client.call();
    drop(client);
    assert_eq!(called.await, Ok(9));
    assert_eq!(handle.snapshot().succeeded, 1);
}

trait Service {
    type Future<'a>: Future<Output = Result<usize, ServiceError>>
    where
        Self: 'a;

    fn host(&self) -> &str;

    /// The default of a method.
    #[circuit_breaker(max_failures = 1, key = self.host())]
    fn default(&self, fail: bool) -> impl Future<Output = Result<usize, ServiceError>> + Send
    where
        Self: Sync,
    {
        let host = self.host().to_owned();
        async move {
            if fail {
                Err(ServiceError::Failed)
            } else {
                Ok(host.len())
            }
        }
    }

    fn boxed(&self, path: String) -> BoxFuture<'_, Result<usize, ServiceError>>;

    fn aliased(&self) -> Self::Future<'_>;
}

struct Host(String);

impl Service for Host {
    type Future<'a> = BoxFuture<'a, Result<usize, ServiceError>>;

    fn host(&self) -> &str {
        &self.0
    }

    #[circuit_breaker(max_failures = 1, timeout = "2s", key = host, fallback = Ok(path.len()))]
    fn boxed(&self, path: String) -> BoxFuture<'_, Result<usize, ServiceError>> {
        let host = self.host();
        let path = path + "/";
        async move {
            tokio::time::sleep(seconds(path.len() as u64)).await;
            Ok(host.len())
        }
        .boxed()
    }

    #[circuit_breaker(max_failures = 1, or_else = |error| error.length(&self.0))]
    fn aliased(&self) -> Self::Future<'_> {
        Box::pin(async move {
            match self.0.len() {
                0 => Err(ServiceError::Failed),
                length => Ok(length),
            }
        })
    }
}

impl ServiceError {
    fn length(self, host: &str) -> Result<usize, Self> {
        match self {
            Self::Failed => Ok(host.len() + 100),
            Self::Circuit(error) if error.is_open() => Ok(host.len() + 200),
            timed_out @ Self::Circuit(_) => Err(timed_out),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn methods_of_traits_can_return_futures() {
    let [empty, host] = ["", "abc"].map(|host| Host(host.to_owned()));
    assert_eq!(host.default(false).await, Ok(3));
    assert_eq!(empty.default(true).await, Err(ServiceError::Failed));
    assert!(empty.default(false).await.is_err(), "rejected");
    assert_eq!(host.default(false).await, Ok(3), "another key");

    let path = |length| "x".repeat(length);
    assert_eq!(host.boxed(path(0)).await, Ok(3));
    let timed_out = host.boxed(path(2)).await.unwrap_err();
    assert!(matches!(
        timed_out,
        ServiceError::Circuit(CircuitError::Timeout { .. })
    ));
    assert_eq!(host.boxed(path(7)).await, Ok(8), "rejected");

    assert_eq!(host.aliased().await, Ok(3));
    assert_eq!(empty.aliased().await, Ok(100));
    assert_eq!(host.aliased().await, Ok(203));
}

#[tokio::test]
async fn a_breaker_can_be_a_variable_of_the_statements() {
    #[circuit_breaker(breaker = breaker)]
    fn service(
        breaker: &CircuitBreaker,
    ) -> impl Future<Output = Result<u64, CircuitError>> + Send + use<> {
        let breaker = breaker.clone();
        async move { Ok(breaker.snapshot().succeeded) }
    }

    let breaker = CircuitBreaker::new("returned::variable", circuit_runtime::Config::default());
    assert_eq!(service(&breaker).await, Ok(0));
    assert_eq!(service(&breaker).await, Ok(1));
    breaker.force_open();
    assert!(service(&breaker).await.unwrap_err().is_open());
}

#[test]
fn such_a_future_grows_like_that_of_an_async_fn() {
    type Page = [u8; 256];

    #[expect(clippy::manual_async_fn, reason = "to compare")]
    fn plain(page: Page) -> impl Future<Output = Result<Page, ServiceError>> {
        async move {
            tokio::task::yield_now().await;
            Ok(page)
        }
    }

    #[circuit_breaker]
    fn guarded(page: Page) -> impl Future<Output = Result<Page, ServiceError>> {
        async move {
            tokio::task::yield_now().await;
            Ok(page)
        }
    }

    let plain = size_of_val(&plain([0; 256]));
    let guarded = size_of_val(&guarded([0; 256]));
    assert!(guarded <= plain + 32, "{guarded} over {plain}");
}

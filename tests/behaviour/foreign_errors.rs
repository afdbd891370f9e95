//! Errors that implement no `From<CircuitError>`: the option `error` makes them.

use crate::support::{advance, poll_once, seconds};
use circuit_runtime::{CircuitBreaker, CircuitError, Config, circuit_breaker, registry};
use std::cell::Cell;
use std::future::pending;
use std::io;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::Poll;

/// The error of a service of another crate.
#[derive(Debug, PartialEq, Eq)]
struct Status {
    code: u16,
    message: String,
}

impl Status {
    fn new(code: u16, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "it is a function for `error`"
    )]
    fn unavailable(error: CircuitError) -> Self {
        Self::new(503, error.to_string())
    }
}

#[tokio::test(start_paused = true)]
async fn error_makes_the_error_of_a_rejection_and_no_other() {
    #[circuit_breaker(
        max_failures = 1,
        error = |circuit_error| {
            made.set(made.get() + 1);
            Status::new(503, format!("{:?}", circuit_error.retry_after()))
        },
        name = "foreign::rejection"
    )]
    async fn service(made: &Cell<u32>, code: u16) -> Result<u16, Status> {
        match code {
            200 => Ok(code),
            _ => Err(Status::new(code, "")),
        }
    }

    let made = &Cell::new(0);
    assert_eq!(service(made, 200).await, Ok(200));
    assert_eq!(service(made, 500).await, Err(Status::new(500, "")));
    assert_eq!(made.get(), 0);
    assert_eq!(
        service(made, 200).await,
        Err(Status::new(503, "Some(30s)")),
        "a rejection"
    );
    assert_eq!(made.get(), 1);
    advance(seconds(30)).await;
    assert_eq!(service(made, 200).await, Ok(200), "the probe");
    let totals = registry::find("foreign::rejection").unwrap().snapshot();
    assert_eq!(
        (totals.succeeded, totals.failed, totals.rejected),
        (2, 1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn error_makes_the_error_of_a_timeout() {
    #[circuit_breaker(max_failures = 1, timeout = "2s", error = Status::unavailable)]
    async fn service() -> Result<u8, Status> {
        pending().await
    }

    let message = |result: Result<u8, Status>| result.unwrap_err().message;
    assert!(message(service().await).contains("timed out after 2s"));
    assert!(message(service().await).contains("is open"));
}

#[test]
fn error_makes_the_error_of_a_missing_runtime() {
    #[circuit_breaker(timeout = "2s", error = |error| (503, error.to_string()))]
    async fn service() -> Result<u8, (u16, String)> {
        Ok(7)
    }

    let Poll::Ready(Err((503, message))) = poll_once(Box::pin(service())) else {
        panic!("the call has no runtime")
    };
    assert!(message.contains("runtime"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn error_runs_once_the_body_is_dropped() {
    static LOCK: Mutex<u32> = Mutex::new(0);

    #[circuit_breaker(timeout = "2s", error = |_| {
        let mut number = LOCK.try_lock().unwrap();
        *number += 1;
        *number
    })]
    #[expect(clippy::await_holding_lock, reason = "the timeout drops it")]
    async fn service() -> Result<(), u32> {
        let _held = LOCK.lock().unwrap();
        pending().await
    }

    assert_eq!(service().await, Err(1));
    assert_eq!(service().await, Err(2));
}

#[tokio::test]
async fn error_makes_an_error_of_any_type() {
    #[circuit_breaker(error = io::Error::other, name = "foreign::any std")]
    async fn std() -> io::Result<u8> {
        Ok(1)
    }

    #[circuit_breaker(error = |error| error.to_string(), failure_if = String::is_empty, name = "foreign::any string")]
    async fn string() -> Result<u8, String> {
        Ok(2)
    }

    #[circuit_breaker(error = E::from, name = "foreign::any generic")]
    async fn generic<E: From<CircuitError>>() -> Result<u8, E> {
        Ok(3)
    }

    #[circuit_breaker(error = |_| E::default(), name = "foreign::any default")]
    async fn default<E: Default>() -> Result<u8, E> {
        Ok(4)
    }

    #[circuit_breaker(error = |_| Box::new(std::fmt::Error), name = "foreign::any coerced")]
    async fn coerced() -> Result<u8, Box<std::fmt::Error>> {
        Ok(5)
    }

    assert_eq!(std().await.unwrap(), 1);
    assert_eq!(string().await, Ok(2));
    assert_eq!(generic::<CircuitError>().await, Ok(3));
    assert_eq!(default::<u8>().await, Ok(4));
    assert_eq!(coerced().await, Ok(5));
    for breaker in registry::all() {
        if breaker.name().as_str().starts_with("foreign::any ") {
            breaker.force_open();
        }
    }
    let opened = std().await.unwrap_err();
    assert!(opened.to_string().contains("is open"), "{opened}");
    assert!(string().await.unwrap_err().contains("is open"));
    assert!(generic::<CircuitError>().await.unwrap_err().is_open());
    assert_eq!(default::<u8>().await, Err(0));
    assert!(coerced().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_fallback_without_a_timeout_asks_nothing_of_the_error_type() {
    #[circuit_breaker(max_failures = 1, fallback = Ok(0), failure_if = |error| *error > 1)]
    async fn service(answer: Result<u8, u8>) -> Result<u8, u8> {
        answer
    }

    #[circuit_breaker(max_failures = 1, key = name, fallback = |error| Err(error.to_string()))]
    async fn named(name: &str) -> Result<u8, String> {
        Err(name.to_owned())
    }

    assert_eq!(service(Err(1)).await, Err(1));
    assert_eq!(service(Err(2)).await, Err(2));
    assert_eq!(service(Err(2)).await, Ok(0));

    assert_eq!(named("a").await, Err("a".to_owned()));
    assert!(named("a").await.unwrap_err().contains("[a]` is open"));
    assert_eq!(named("b").await, Err("b".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn beside_a_fallback_error_makes_the_error_of_a_timeout() {
    #[circuit_breaker(
        max_failures = 1,
        timeout = "2s",
        fallback = Ok(0),
        error = |error| error.is_timeout()
    )]
    async fn service() -> Result<u8, bool> {
        pending().await
    }

    assert_eq!(service().await, Err(true));
    assert_eq!(service().await, Ok(0));
}

struct Client {
    breaker: CircuitBreaker,
    code: u16,
}

impl Client {
    #[circuit_breaker(
        breaker = self.breaker,
        error = |error| Status::new(self.code, error.to_string())
    )]
    async fn page(&self, path: String) -> Result<String, Status> {
        tokio::task::yield_now().await;
        Ok(path)
    }

    #[circuit_breaker(breaker = self.breaker, fallback = Ok(path), error = |_| Self::code())]
    async fn own(&self, path: &'static str) -> Result<&'static str, u16> {
        pending().await
    }

    #[circuit_breaker(key = path, error = |_| self.code)]
    fn boxed<'a>(
        &'a self,
        path: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<usize, u16>> + Send + 'a>> {
        Box::pin(async move { Err(self.code + u16::try_from(path.len()).unwrap_or(0)) })
    }

    const fn code() -> u16 {
        9
    }
}

#[tokio::test(start_paused = true)]
async fn error_can_use_arguments_and_self() {
    let config = Config::builder().timeout(seconds(1)).max_failures(1);
    let client = Client {
        breaker: CircuitBreaker::new("foreign::client", config.build().unwrap()),
        code: 7,
    };
    assert_eq!(client.page("/".to_owned()).await.unwrap(), "/");
    assert_eq!(client.own("/a").await, Err(9));
    assert_eq!(client.own("/b").await, Ok("/b"), "rejected");
    let error = client.page("/".to_owned()).await.unwrap_err();
    assert_eq!(error.code, 7);

    for _ in 0..5 {
        assert_eq!(client.boxed("abc").await, Err(10));
    }
    assert_eq!(client.boxed("abc").await, Err(7));
    assert_eq!(client.boxed("ab").await, Err(9));
}

/// Neither does a `fallback` that leaves no error to convert.
#[test]
fn error_adds_nothing_to_a_future() {
    #[circuit_breaker]
    async fn plain(page: [u8; 64]) -> Result<[u8; 64], CircuitError> {
        tokio::task::yield_now().await;
        Ok(page)
    }

    #[circuit_breaker(error = |error| error)]
    async fn made(page: [u8; 64]) -> Result<[u8; 64], CircuitError> {
        tokio::task::yield_now().await;
        Ok(page)
    }

    #[circuit_breaker(fallback = Ok(page))]
    async fn fallback(page: [u8; 64]) -> Result<[u8; 64], ()> {
        tokio::task::yield_now().await;
        Ok(page)
    }

    #[circuit_breaker(fallback = Ok(page))]
    async fn convertible(page: [u8; 64]) -> Result<[u8; 64], CircuitError> {
        tokio::task::yield_now().await;
        Ok(page)
    }

    assert_eq!(size_of_val(&made([0; 64])), size_of_val(&plain([0; 64])));
    assert_eq!(
        size_of_val(&fallback([0; 64])),
        size_of_val(&convertible([0; 64]))
    );
}

//! `or_else`, which runs in place of every `Err` that a call would return.

use crate::support::{ServiceError, advance, poll_once, seconds};
use circuit_runtime::{CircuitBreaker, CircuitError, Config, circuit_breaker, registry};
use std::cell::{Cell, RefCell};
use std::future::pending;
use std::pin::Pin;
use std::task::Poll;

#[tokio::test(start_paused = true)]
async fn or_else_replaces_every_err_and_no_ok() {
    #[circuit_breaker(
        max_failures = 1,
        timeout = "2s",
        or_else = |error| match error {
            ServiceError::Failed => Ok("failed"),
            ServiceError::Circuit(CircuitError::Open { .. }) => Ok("rejected"),
            ServiceError::Circuit(_) => Ok("timed out"),
        },
        name = "or_else::every"
    )]
    async fn service(answer: Option<Result<&str, ServiceError>>) -> Result<&str, ServiceError> {
        match answer {
            Some(answer) => answer,
            None => pending().await,
        }
    }

    let ok = || service(Some(Ok("ok")));
    assert_eq!(ok().await, Ok("ok"));
    assert_eq!(service(Some(Err(ServiceError::Failed))).await, Ok("failed"));
    assert_eq!(ok().await, Ok("rejected"));
    advance(seconds(30)).await;
    assert_eq!(service(None).await, Ok("timed out"));
    assert_eq!(ok().await, Ok("rejected"));

    let totals = registry::find("or_else::every").unwrap().snapshot();
    assert_eq!(
        (totals.succeeded, totals.failed, totals.rejected),
        (1, 2, 2),
        "what it returns is not counted"
    );
}

#[test]
fn or_else_replaces_the_error_of_a_missing_runtime() {
    #[circuit_breaker(timeout = "2s", or_else = |error| Err(error + "!"), error = |_| "none".to_owned())]
    async fn service() -> Result<u8, String> {
        Ok(7)
    }

    let result = poll_once(Box::pin(service()));
    assert_eq!(result, Poll::Ready(Err("none!".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn or_else_can_await_return_early_and_fail() {
    async fn stored(number: u32) -> Result<u32, ServiceError> {
        tokio::time::sleep(seconds(60)).await;
        number.checked_sub(1).ok_or(ServiceError::Failed)
    }

    #[circuit_breaker(
        max_failures = 1,
        timeout = "2s",
        or_else = |_| {
            if number > 9 {
                return Ok(9);
            }
            Ok(stored(number).await? + stored(number).await?)
        },
        name = "or_else::awaits"
    )]
    async fn service(number: u32) -> Result<u32, ServiceError> {
        Err(ServiceError::Failed)
    }

    for _ in 0..2 {
        assert_eq!(service(10).await, Ok(9));
        assert_eq!(service(3).await, Ok(4), "no timeout ends it");
        assert_eq!(service(0).await, Err(ServiceError::Failed));
    }
    let totals = registry::find("or_else::awaits").unwrap().snapshot();
    assert_eq!(totals.timed_out, 0);
    assert_eq!(totals.failed + totals.rejected, 6);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_in_its_or_else_has_been_counted() {
    #[circuit_breaker(or_else = |_| pending().await, name = "or_else::dropped")]
    async fn service() -> Result<u32, ServiceError> {
        Err(ServiceError::Failed)
    }

    let mut call = Box::pin(service());
    assert!(poll_once(&mut call).is_pending());
    drop(call);
    let totals = registry::find("or_else::dropped").unwrap().snapshot();
    assert_eq!((totals.failed, totals.cancelled), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn predicates_see_the_error_that_or_else_replaces() {
    #[circuit_breaker(
        max_failures = 1,
        failure_if = |error| *error > limit,
        ignore_if = |error| *error == limit,
        error = |_| 100,
        or_else = |error| if error > limit { Err(error) } else { Ok(error) },
        name = "or_else::predicates"
    )]
    async fn service(answer: Result<u8, u8>, limit: u8) -> Result<u8, u8> {
        answer
    }

    for (answer, expected) in [
        (Ok(1), Ok(1)),
        (Err(5), Ok(5)),
        (Err(4), Ok(4)),
        (Err(6), Err(6)),
        (Ok(1), Err(100)),
    ] {
        assert_eq!(service(answer, 5).await, expected);
    }
    let totals = registry::find("or_else::predicates").unwrap().snapshot();
    assert_eq!((totals.succeeded, totals.ignored, totals.failed), (2, 1, 1));
}

struct Client {
    breaker: CircuitBreaker,
    cache: RefCell<Vec<String>>,
}

impl Client {
    #[circuit_breaker(
        breaker = self.breaker,
        or_else = |error| self.cached(path).ok_or(error)
    )]
    async fn page(&self, path: &str, fail: bool) -> Result<String, ServiceError> {
        tokio::task::yield_now().await;
        if fail {
            return Err(ServiceError::Failed);
        }
        self.cache.borrow_mut().push(path.to_owned());
        Ok(path.to_owned())
    }

    #[circuit_breaker(key = path, max_failures = 1, or_else = |error| self.cached(path).ok_or(error))]
    fn boxed<'a>(
        &'a self,
        path: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<String, ServiceError>> + 'a>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.cache
                .borrow()
                .get(7)
                .cloned()
                .ok_or(ServiceError::Failed)
        })
    }

    fn cached(&self, path: &str) -> Option<String> {
        let cache = self.cache.borrow();
        cache.iter().find(|cached| *cached == path).cloned()
    }
}

#[tokio::test(start_paused = true)]
async fn or_else_can_use_shared_references_and_self() {
    let config = Config::builder().max_failures(1).build().unwrap();
    let client = Client {
        breaker: CircuitBreaker::new("or_else::client", config),
        cache: RefCell::default(),
    };
    assert_eq!(client.page("/", false).await.unwrap(), "/");
    assert_eq!(client.page("/", true).await.unwrap(), "/");
    assert_eq!(client.page("/", false).await.unwrap(), "/");
    let error = client.page("/a", false).await.unwrap_err();
    assert!(matches!(error, ServiceError::Circuit(_)));

    assert_eq!(client.boxed("/").await.unwrap(), "/");
    assert_eq!(client.boxed("/").await.unwrap(), "/", "rejected");
    assert_eq!(client.boxed("/a").await, Err(ServiceError::Failed));
}

#[tokio::test(start_paused = true)]
async fn or_else_owns_an_argument_that_the_body_leaves() {
    #[circuit_breaker(max_failures = 1, or_else = |_| Ok(instead))]
    async fn service(number: u32, instead: String) -> Result<String, ServiceError> {
        number
            .checked_sub(1)
            .map(|less| less.to_string())
            .ok_or(ServiceError::Failed)
    }

    for _ in 0..2 {
        assert_eq!(service(0, "instead".to_owned()).await.unwrap(), "instead");
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_or_else_is_not_counted() {
    #[circuit_breaker(or_else = |_| panic!("in or_else"), name = "or_else::panics")]
    async fn service() -> Result<u32, ServiceError> {
        Err(ServiceError::Failed)
    }

    assert!(tokio::spawn(service()).await.unwrap_err().is_panic());
    let totals = registry::find("or_else::panics").unwrap().snapshot();
    assert_eq!((totals.failed, totals.panicked), (1, 0));
}

thread_local! {
    static DROPPED: Cell<bool> = const { Cell::new(false) };
}

/// Tells when it is dropped.
struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        DROPPED.set(true);
    }
}

#[tokio::test(start_paused = true)]
async fn or_else_runs_once_the_body_has_dropped_its_arguments() {
    #[circuit_breaker(
        max_failures = 1,
        timeout = "2s",
        or_else = |_| Ok(DROPPED.replace(false)),
        name = "or_else::drops"
    )]
    async fn service(_guard: Guard, last: Guard, fail: bool) -> Result<bool, ServiceError> {
        let _last = &last;
        if fail {
            return Err(ServiceError::Failed);
        }
        pending().await
    }

    for fail in [false, true] {
        registry::find("or_else::drops").inspect(CircuitBreaker::reset);
        assert_eq!(service(Guard, Guard, fail).await, Ok(true));
        assert_eq!(service(Guard, Guard, fail).await, Ok(true), "rejected");
    }
}

/// The size of a future without `or_else`, and with one that keeps nothing.
#[test]
fn or_else_adds_to_a_future_only_what_it_uses() {
    type Page = [u8; 256];

    #[circuit_breaker]
    async fn plain(page: Page, path: &str) -> Result<Page, ServiceError> {
        tokio::task::yield_now().await;
        if path.is_empty() {
            Err(ServiceError::Failed)
        } else {
            Ok(page)
        }
    }

    #[circuit_breaker(or_else = |error| Err(error))]
    async fn error(page: Page, path: &str) -> Result<Page, ServiceError> {
        tokio::task::yield_now().await;
        if path.is_empty() {
            Err(ServiceError::Failed)
        } else {
            Ok(page)
        }
    }

    #[circuit_breaker(or_else = |_| {
        tokio::task::yield_now().await;
        Ok([0; 256])
    })]
    async fn awaiting(page: Page, path: &str) -> Result<Page, ServiceError> {
        tokio::task::yield_now().await;
        if path.is_empty() {
            Err(ServiceError::Failed)
        } else {
            Ok(page)
        }
    }

    #[circuit_breaker(or_else = |error| {
        tokio::task::yield_now().await;
        if path.len() > 1 { Ok([0; 256]) } else { Err(error) }
    })]
    async fn using(page: Page, path: &str) -> Result<Page, ServiceError> {
        tokio::task::yield_now().await;
        if path.is_empty() {
            Err(ServiceError::Failed)
        } else {
            Ok(page)
        }
    }

    let page = [0; 256];
    let plain = size_of_val(&plain(page, ""));
    assert_eq!(size_of_val(&error(page, "")), plain);
    assert_eq!(size_of_val(&awaiting(page, "")), plain);
    let path = size_of::<&str>();
    let using = size_of_val(&using(page, ""));
    assert!(using <= plain + path, "{using} over {plain}");
}

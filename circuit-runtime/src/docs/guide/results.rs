//! Which results are failures.
//!
//! | a call that | counts as |
//! |---|---|
//! | returns `Ok` | a success |
//! | returns `Err` | a failure |
//! | panics | a failure; the panic keeps unwinding |
//! | takes longer than `timeout` | a failure; the call is dropped |
//! | is dropped by its caller | neither: the caller lost interest, the service did nothing wrong |
//! | ends after the circuit has changed state | neither: it says nothing about the new state |
//! | is rejected | neither |
//!
//! The options on this page change the first two lines.
//!
//! # Errors that are answers
//!
//! Not every `Err` means that the service is down. In this example, `Unknown` is an answer: it
//! shows that the exchange is up, and counts as a success. `NoToken` says nothing about the
//! exchange, which was not called, and is ignored:
#![cfg_attr(
    feature = "macros",
    doc = r#"
```
use circuit_runtime::{CircuitError, circuit_breaker};

#[derive(Debug, thiserror::Error)]
enum QuoteError {
    #[error("no access token")]
    NoToken,
    #[error("no quote for `{0}`")]
    Unknown(String),
    #[error("the exchange is down")]
    Down,
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

#[circuit_breaker(
    failure_if = |error| matches!(error, QuoteError::Down),
    ignore_if = |error| matches!(error, QuoteError::NoToken),
)]
async fn quote(symbol: &str) -> Result<f64, QuoteError> {
    match symbol {
        "" => Err(QuoteError::NoToken),
        "ACME" => Err(QuoteError::Down),
        _ => Err(QuoteError::Unknown(symbol.to_owned())),
    }
}

# #[tokio::main(flavor = "current_thread")]
# async fn main() {
for _ in 0..10 {
    assert!(matches!(quote("").await, Err(QuoteError::NoToken)));
    assert!(matches!(quote("NEWCO").await, Err(QuoteError::Unknown(_))));
}
for _ in 0..5 {
    assert!(matches!(quote("ACME").await, Err(QuoteError::Down)));
}
assert!(matches!(quote("ACME").await, Err(QuoteError::Circuit(_))));
# }
```
"#
)]
//!
//! `ignore_if` is evaluated first. Both predicates see only errors of the body, and neither changes
//! what the function returns. They can use arguments that are shared references or `Copy`, but not
//! those that the body takes by value.
//!
//! # Failures in an `Ok`
//!
//! Many HTTP clients return `Ok` for a status of 500. `classify` sees the whole result, and returns
//! a [`Verdict`](crate::Verdict):
#![cfg_attr(
    feature = "macros",
    doc = r#"
```
use circuit_runtime::{CircuitError, Verdict, circuit_breaker};
use std::time::Duration;

/// The response of a service, and its header `Retry-After`.
struct Response {
    status: u16,
    retry_after: Option<Duration>,
}

#[derive(Debug, thiserror::Error)]
enum SearchError {
    #[error("no response")]
    Unreachable,
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

fn verdict(result: &Result<Response, SearchError>) -> Verdict {
    match result {
        // The circuit opens at once, for as long as the service asked.
        Ok(Response { status: 429 | 503, retry_after: Some(wait) }) => Verdict::Unavailable(*wait),
        Ok(response) if response.status >= 500 => Verdict::Failure,
        Ok(_) => Verdict::Success,
        Err(_) => Verdict::Failure,
    }
}

#[circuit_breaker(classify = verdict)]
async fn search(words: &str) -> Result<Response, SearchError> {
    // A real program would call the service here.
    match words {
        "" => Err(SearchError::Unreachable),
        _ => Ok(Response { status: 429, retry_after: Some(Duration::from_secs(5)) }),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), SearchError> {
    assert_eq!(search("rust").await?.status, 429);
    let Err(SearchError::Circuit(error)) = search("rust").await else { return Ok(()) };
    println!("{error}"); // circuit `shop::search` is open; retry in 5s
    Ok(())
}
```
"#
)]
//!
//! Where the error carries that time, `retry_after = |error| error.retry_after` is all it takes.
//! The circuit then stays open for that time and the `jitter`, but at most for `max_reset`, or for
//! one hour without it.
//!
//! The repository's `examples/classify.rs` runs all of these.

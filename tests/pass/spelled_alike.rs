//! Names in options that are spelled like an argument, and are something else.

#![allow(dead_code)]

use std::time::Duration;

use circuit_runtime::{CircuitError, Verdict, circuit_breaker};

macro_rules! log {
    ($word:ident $number:literal) => {
        assert_eq!((stringify!($word), $number), ("url", 1))
    };
}

#[derive(Debug)]
pub struct Status {
    message: String,
}

impl Status {
    fn message(&self) -> &str {
        &self.message
    }
}

#[derive(Debug)]
enum Error {
    Http { status: u16 },
    Io(String),
    Circuit(CircuitError),
}

impl From<CircuitError> for Error {
    fn from(error: CircuitError) -> Self {
        Self::Circuit(error)
    }
}

async fn stored(_: &str) -> Option<u32> {
    None
}

async fn echo(body: Vec<u8>) -> Vec<u8> {
    body
}

#[circuit_breaker(error = |e| Status { message: e.to_string() })]
async fn field_of_a_literal(message: String) -> Result<usize, Status> {
    Ok(message.len())
}

#[circuit_breaker(
    error = |e| { let message = e.to_string(); Status { message } },
    ignore_if = |e| e.message.is_empty() || e.message() == "ours",
)]
async fn variable(message: String) -> Result<usize, Status> {
    Ok(message.len())
}

#[circuit_breaker(or_else = |error| match stored("k").await {
    Some(value) => Ok(value),
    None => Err(error),
})]
async fn arm(value: String) -> Result<u32, CircuitError> {
    Ok(value.len() as u32)
}

#[circuit_breaker(or_else = |error| if let Some(value) = stored("k").await { Ok(value) } else { Err(error) })]
async fn condition(value: String) -> Result<u32, CircuitError> {
    Ok(value.len() as u32)
}

#[circuit_breaker(or_else = |error| {
    fn value() -> Option<u32> {
        None
    }
    value().ok_or(error)
})]
async fn item(value: String) -> Result<u32, CircuitError> {
    Ok(value.len() as u32)
}

#[circuit_breaker(or_else = |error| {
    let Some(value) = stored("k").await else { return Err(error) };
    Ok(value)
})]
async fn parts((value, _): (String, Vec<u8>)) -> Result<u32, CircuitError> {
    Ok(value.len() as u32)
}

#[circuit_breaker(classify = |r| match r {
    Ok(body) if body.is_empty() => Verdict::Failure,
    Ok(_) => Verdict::Success,
    Err(_) => Verdict::Failure,
})]
async fn guard(body: Vec<u8>) -> Result<Vec<u8>, CircuitError> {
    Ok(echo(body).await)
}

#[circuit_breaker(failure_if = |e| matches!(e, Error::Http { status: 500.. }))]
async fn field_of_a_pattern(status: Vec<u16>) -> Result<usize, Error> {
    Ok(status.len())
}

#[circuit_breaker(failure_if = |e| match e {
    Error::Http { status } => *status >= 500,
    Error::Io(status) => status.is_empty(),
    Error::Circuit(_) => true,
})]
async fn shorthand(status: Vec<u16>) -> Result<usize, Error> {
    Ok(status.len())
}

#[circuit_breaker(
    failure_if = |e| 'url: loop { break 'url matches!(e, Error::Io(_)) },
    or_else = |e| { log!(url 1); Err(e) },
)]
async fn label_and_word(url: String) -> Result<usize, Error> {
    Ok(url.len())
}

#[circuit_breaker(failure_if = |e| [e].iter().any(|url| matches!(url, Error::Io(_))))]
async fn inner_parameter(url: String) -> Result<usize, Error> {
    Ok(url.len())
}

#[circuit_breaker(failure_if = |_| { #[cfg(any())] drop(url); true })]
async fn configured_out(url: String) -> Result<usize, Error> {
    Ok(url.len())
}

#[circuit_breaker(or_else = |e| if url.is_empty() { Ok(0) } else { Err(e) })]
async fn configured_out_of_the_body(url: String) -> Result<usize, Error> {
    #[cfg(any())]
    drop(url);
    Ok(1)
}

#[circuit_breaker(or_else = |e| if url.is_empty() { Ok(0) } else { Err(e) })]
async fn word_in_the_body(url: String) -> Result<usize, Error> {
    assert_eq!(stringify!(count(url)).len(), 10);
    Ok(1)
}

struct Limits {
    limit: u32,
    seconds: u64,
}

const LIMITS: Limits = Limits { limit: 3, seconds: 5 };

#[circuit_breaker(
    max_failures = LIMITS.limit,
    probes = Limits { limit: 2, seconds: 1 }.limit,
    reset = { const seconds: u64 = 5; Duration::from_secs(seconds) },
    timeout = match Some(LIMITS.seconds) { Some(seconds) => Duration::from_secs(seconds), None => Duration::MAX },
)]
#[allow(non_upper_case_globals)]
async fn constants(limit: u32, seconds: u64) -> Result<u64, Error> {
    Ok(u64::from(limit) + seconds)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let text = || "four".to_owned();
    assert_eq!(field_of_a_literal(text()).await.unwrap(), 4);
    assert_eq!(variable(text()).await.unwrap(), 4);
    assert_eq!(arm(text()).await.unwrap(), 4);
    assert_eq!(condition(text()).await.unwrap(), 4);
    assert_eq!(item(text()).await.unwrap(), 4);
    assert_eq!(parts((text(), Vec::new())).await.unwrap(), 4);
    assert_eq!(guard(vec![1]).await.unwrap(), [1]);
    assert_eq!(field_of_a_pattern(vec![1]).await.unwrap(), 1);
    assert_eq!(shorthand(vec![1]).await.unwrap(), 1);
    assert_eq!(label_and_word(text()).await.unwrap(), 4);
    assert_eq!(inner_parameter(text()).await.unwrap(), 4);
    assert_eq!(configured_out(text()).await.unwrap(), 4);
    assert_eq!(configured_out_of_the_body(text()).await.unwrap(), 1);
    assert_eq!(word_in_the_body(text()).await.unwrap(), 1);
    assert_eq!(constants(1, 2).await.unwrap(), 3);
}

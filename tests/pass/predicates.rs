//! Expressions that are valid as `failure_if` and `ignore_if`.

#![deny(warnings)]

use std::{error::Error, fmt, io};

use circuit_runtime::{CircuitError, circuit_breaker};

trait IsOutage {
    fn is_outage(&self) -> bool;
}

#[derive(Debug, PartialEq)]
enum QuoteError {
    Unknown,
    Down,
    Circuit(CircuitError),
}

impl From<CircuitError> for QuoteError {
    fn from(error: CircuitError) -> Self {
        Self::Circuit(error)
    }
}

impl IsOutage for QuoteError {
    fn is_outage(&self) -> bool {
        matches!(self, Self::Down)
    }
}

impl QuoteError {
    fn is_unknown(&self) -> bool {
        *self == Self::Unknown
    }

    const fn never(&self) -> bool {
        false
    }
}

fn is_outage(error: &impl IsOutage) -> bool {
    error.is_outage()
}

fn is_of<E: IsOutage, const OUTAGE: bool>(error: &E) -> bool {
    error.is_outage() == OUTAGE
}

fn is_anything<T: ?Sized>(_: &T) -> bool {
    true
}

const PREDICATE: fn(&QuoteError) -> bool = QuoteError::never;

#[circuit_breaker(failure_if = |error| error.is_outage())]
async fn closure() -> Result<u8, QuoteError> {
    Err(QuoteError::Unknown)
}

#[circuit_breaker(failure_if = |error: &QuoteError| error.is_outage(), ignore_if = |_| false)]
async fn annotated() -> Result<u8, QuoteError> {
    Err(QuoteError::Unknown)
}

#[circuit_breaker(ignore_if = is_outage)]
async fn path() -> Result<u8, QuoteError> {
    Err(QuoteError::Unknown)
}

#[circuit_breaker(ignore_if = is_of::<_, true>, failure_if = is_anything)]
async fn generic_path() -> Result<u8, QuoteError> {
    Err(QuoteError::Unknown)
}

#[circuit_breaker(failure_if = QuoteError::is_outage, ignore_if = <QuoteError>::is_unknown)]
async fn associated() -> Result<u8, QuoteError> {
    Err(QuoteError::Unknown)
}

#[circuit_breaker(failure_if = (PREDICATE), timeout = "2s", max_failures = 5)]
async fn constant() -> Result<u8, QuoteError> {
    Err(QuoteError::Unknown)
}

#[circuit_breaker(failure_if = |error| match error {
    QuoteError::Unknown => false,
    QuoteError::Down | QuoteError::Circuit(_) => true,
}, ignore_if = |error| {
    let unknown = QuoteError::Unknown;
    if *error == unknown {
        return true;
    }
    false
})]
async fn lines() -> Result<u8, QuoteError> {
    Err(QuoteError::Unknown)
}

#[circuit_breaker(failure_if = E::is_outage, ignore_if = |error| !error.is_outage())]
async fn generic<E: From<CircuitError> + IsOutage>(error: E) -> Result<u8, E> {
    Err(error)
}

#[circuit_breaker(failure_if = |error| error.downcast_ref::<io::Error>().is_some())]
async fn boxed() -> Result<u8, Box<dyn Error + Send + Sync>> {
    Err("unknown".into())
}

#[circuit_breaker(failure_if = |error| !error.to_string().is_empty())]
async fn opaque() -> Result<impl fmt::Display, impl Error + From<CircuitError>> {
    Ok::<_, CircuitError>(1)
}

/// An error that borrows.
struct Borrowed<'a>(&'a str);

impl From<CircuitError> for Borrowed<'_> {
    fn from(_: CircuitError) -> Self {
        Self("circuit")
    }
}

#[circuit_breaker(failure_if = |error| error.0.is_empty())]
async fn borrowed(text: &str) -> Result<u8, Borrowed<'_>> {
    Err(Borrowed(text))
}

/// Names mean what they mean in the body.
#[circuit_breaker(failure_if = |error| *error != QuoteError::Unknown && limit > 3)]
async fn argument(limit: u8) -> Result<u8, QuoteError> {
    if limit > 3 {
        return Ok(limit);
    }
    Err(QuoteError::Unknown)
}

#[derive(Default)]
struct Client {
    strict: bool,
}

impl Client {
    fn is_outage(&self, error: &QuoteError) -> bool {
        self.strict || error.is_outage()
    }

    fn is_ours(error: &QuoteError) -> bool {
        error.is_unknown()
    }

    #[circuit_breaker(failure_if = |error| self.is_outage(error), ignore_if = Self::is_ours)]
    async fn shared(&self) -> Result<u8, QuoteError> {
        if self.strict {
            return Ok(1);
        }
        Err(QuoteError::Unknown)
    }

    #[circuit_breaker(ignore_if = Self::is_ours)]
    async fn exclusive(&mut self) -> Result<u8, QuoteError> {
        self.strict = false;
        Err(QuoteError::Unknown)
    }
}

trait Quotes {
    type Error: From<CircuitError> + IsOutage;

    fn is_ours(error: &Self::Error) -> bool;

    async fn quote(&self) -> Result<u8, Self::Error>;

    #[circuit_breaker(failure_if = |error| error.is_outage(), ignore_if = Self::is_ours)]
    async fn first(&self) -> Result<u8, Self::Error> {
        self.quote().await
    }
}

impl Quotes for Client {
    type Error = QuoteError;

    fn is_ours(error: &QuoteError) -> bool {
        error.is_unknown()
    }

    #[circuit_breaker(failure_if = is_outage)]
    async fn quote(&self) -> Result<u8, QuoteError> {
        Err(QuoteError::Unknown)
    }
}

macro_rules! from_fragments {
    ($name:ident, $failure:expr, $ignore:path, $($other:tt)*) => {
        #[circuit_breaker(failure_if = $failure, ignore_if = $ignore, $($other)*)]
        async fn $name() -> Result<u8, QuoteError> {
            Err(QuoteError::Unknown)
        }
    };
}

from_fragments!(
    fragments,
    |error| error.is_outage(),
    QuoteError::is_unknown,
    reset = "1s"
);

fn is_send<T: Send>(future: T) -> T {
    future
}

type Answer = Result<u16, u8>;
type AnswerResult = Answer;

#[circuit_breaker(failure_if = |error| matches!(error, Err(_)), ignore_if = |error| error.is_ok(), error = |_| Err(1))]
async fn error_is_a_result() -> Result<u8, Result<u16, u8>> {
    Err(Ok(2))
}

#[circuit_breaker(failure_if = |error| error.is_err(), error = |_| Err(1))]
async fn error_is_an_alias() -> Result<u8, AnswerResult> {
    Err(Ok(2))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let unknown = Err(QuoteError::Unknown);
    assert_eq!(is_send(closure()).await, unknown);
    assert_eq!(annotated().await, unknown);
    assert_eq!(path().await, unknown);
    assert_eq!(generic_path().await, unknown);
    assert_eq!(is_send(associated()).await, unknown);
    assert_eq!(constant().await, unknown);
    assert_eq!(lines().await, unknown);
    assert_eq!(is_send(generic(QuoteError::Unknown)).await, unknown);
    assert!(is_send(boxed()).await.is_err());
    assert!(opaque().await.is_ok());
    assert!(is_send(borrowed("text")).await.is_err());
    assert_eq!(is_send(argument(1)).await, unknown);
    assert_eq!(is_send(Client::default().shared()).await, unknown);
    assert_eq!(Client::default().exclusive().await, unknown);
    assert_eq!(Client::default().quote().await, unknown);
    assert_eq!(Client::default().first().await, unknown);
    assert_eq!(fragments().await, unknown);
    assert_eq!(error_is_a_result().await, Err(Ok(2)));
    assert_eq!(error_is_an_alias().await, Err(Ok(2)));
}

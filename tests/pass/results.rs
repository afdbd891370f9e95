//! The body's type is the declared one: `?`, `return` and coercions work as in a plain function.

use std::{collections::BTreeMap, error::Error, fmt, io, num::ParseIntError};

use circuit_runtime::{CircuitError, circuit_breaker};

type Failure = Box<dyn Error + Send + Sync>;

#[derive(Debug)]
enum QuoteError {
    Parse(ParseIntError),
    Circuit(CircuitError),
}

impl From<ParseIntError> for QuoteError {
    fn from(error: ParseIntError) -> Self {
        Self::Parse(error)
    }
}

impl From<CircuitError> for QuoteError {
    fn from(error: CircuitError) -> Self {
        Self::Circuit(error)
    }
}

/// Converts from any error, and is not an `Error` itself, like `anyhow::Error`.
#[derive(Debug)]
struct AnyError(Failure);

impl<E: Error + Send + Sync + 'static> From<E> for AnyError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

type Quoted<T, E = QuoteError> = Result<T, E>;

#[circuit_breaker]
async fn alias(text: &str) -> Quoted<u8> {
    Ok(text.parse()?)
}

#[circuit_breaker]
async fn any_error(text: &str) -> Result<u8, AnyError> {
    if text.is_empty() {
        return Err(io::Error::other("empty").into());
    }
    Ok(text.parse()?)
}

#[circuit_breaker]
async fn circuit_error() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker]
async fn boxed_error(text: &str) -> Result<u8, Failure> {
    if text.is_empty() {
        return Err(Box::new(fmt::Error));
    }
    if text == "word" {
        Err("a string")?;
    }
    Ok(text.parse()?)
}

#[circuit_breaker]
async fn boxed_closure(by: u8) -> Result<Box<dyn Fn(u8) -> u8 + Send>, Failure> {
    if by == 0 {
        return Ok(Box::new(|number| number));
    }
    Ok(Box::new(move |number| number + by))
}

#[circuit_breaker]
async fn inferred(text: &str) -> Result<BTreeMap<String, u8>, Failure> {
    text.split(',')
        .map(|pair| {
            let (key, value) = pair.split_once('=').ok_or("no `=`")?;
            Ok((key.to_owned(), value.parse()?))
        })
        .collect()
}

#[circuit_breaker]
async fn diverges(forever: bool) -> Result<u8, Failure> {
    loop {
        if !forever {
            break Ok(1);
        }
    }
}

#[circuit_breaker]
async fn panics() -> Result<(u8, String), Failure> {
    todo!()
}

#[circuit_breaker]
async fn always_fails() -> Result<std::convert::Infallible, Failure> {
    Err("always".into())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    assert!(matches!(alias("7").await, Ok(7)));
    assert!(matches!(alias("x").await, Err(QuoteError::Parse(_))));
    assert!(matches!(any_error("7").await, Ok(7)));
    assert!(matches!(any_error("").await, Err(AnyError(_))));
    assert_eq!(circuit_error().await, Ok(1));
    assert_eq!(boxed_error("7").await?, 7);
    assert!(
        boxed_error("")
            .await
            .is_err_and(|error| error.is::<fmt::Error>())
    );
    assert!(
        boxed_error("word")
            .await
            .is_err_and(|error| error.to_string() == "a string")
    );
    assert_eq!(boxed_closure(0).await?(7), 7);
    assert_eq!(boxed_closure(1).await?(7), 8);
    assert_eq!(inferred("a=1,b=2").await?.len(), 2);
    assert!(inferred("a").await.is_err());
    assert_eq!(diverges(false).await?, 1);
    assert!(always_fails().await.is_err());
    let _never_polled = panics();
    Ok(())
}

//! Functions that are valid as `error`.

#![no_implicit_prelude]

use ::circuit_runtime::{CircuitBreaker, CircuitError, circuit_breaker};
use ::std::borrow::ToOwned as _;
use ::std::boxed::Box;
use ::std::convert::{From, Into};
use ::std::io;
use ::std::option::Option::{self, Some};
use ::std::result::Result::{self, Err, Ok};
use ::std::string::{String, ToString as _};
use ::std::vec::Vec;

pub struct Status(String);

impl Status {
    fn of(error: CircuitError) -> Self {
        Self(error.to_string())
    }
}

type Answer<T> = Result<T, Status>;

#[circuit_breaker(error = Status::of)]
async fn path() -> Answer<u8> {
    Ok(1)
}

#[circuit_breaker(error = (|error| Status(error.to_string())))]
async fn closure() -> Answer<u8> {
    Ok(1)
}

#[circuit_breaker(error = |error: CircuitError| -> Status { Status(error.to_string()) }, timeout = "1s")]
async fn typed() -> Answer<u8> {
    Ok(1)
}

#[circuit_breaker(error = |_| (503, "unavailable".to_owned()))]
async fn tuple() -> Result<Vec<u8>, (u16, String)> {
    Ok(Vec::new())
}

#[circuit_breaker(error = io::Error::other)]
async fn opaque(text: &str) -> io::Result<impl ::std::fmt::Display + use<>> {
    Ok(text.len())
}

#[circuit_breaker(error = Into::into)]
async fn generic<E: From<CircuitError>>(error: Option<E>) -> Result<u8, E> {
    match error {
        Some(error) => Err(error),
        _ => Ok(1),
    }
}

#[circuit_breaker(error = From::from, failure_if = |_| true)]
async fn converted() -> Result<u8, Box<dyn ::std::error::Error + ::std::marker::Send + ::std::marker::Sync>> {
    let number: u8 = "1".parse()?;
    Ok(number)
}

#[circuit_breaker(error = |error| { return Status(error.to_string()) })]
async fn early() -> Answer<u8> {
    Ok(1)
}

#[circuit_breaker(fallback = Ok(T::default()))]
async fn unasked<T: ::std::default::Default, E>(error: Option<E>) -> Result<T, E> {
    match error {
        Some(error) => Err(error),
        _ => Ok(T::default()),
    }
}

trait Quotes {
    const CODE: u16;

    fn breaker(&self) -> &CircuitBreaker;

    #[circuit_breaker(error = |_| Self::CODE, timeout = "1s")]
    async fn default(&self) -> Result<u8, u16> {
        Ok(1)
    }

    #[circuit_breaker(breaker = self.breaker(), error = |_| Self::CODE)]
    async fn own(&self) -> Result<u8, u16> {
        Ok(1)
    }
}

fn main() {
    let _futures = (path(), closure(), typed(), tuple(), opaque(""), early(), converted());
    let _generic = (
        generic::<CircuitError>(Option::None),
        unasked::<u8, ()>(Option::None),
    );
}

//! Functions that return the future of an `async move` block.

#![deny(warnings, unused)]

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use circuit_runtime::{CircuitError, circuit_breaker};

type Error = Box<dyn std::error::Error + Send + Sync>;
type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
type LocalBoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

trait FutureExt: Future + Sized {
    fn boxed<'a>(self) -> BoxFuture<'a, Self::Output>
    where
        Self: Send + 'a,
    {
        Box::pin(self)
    }

    fn boxed_local<'a>(self) -> LocalBoxFuture<'a, Self::Output>
    where
        Self: 'a,
    {
        Box::pin(self)
    }
}

impl<F: Future> FutureExt for F {}

#[circuit_breaker]
fn free() -> impl Future<Output = Result<u8, CircuitError>> + Send {
    async move { Ok(1) }
}

#[circuit_breaker(max_failures = 3, window = "10s", fallback = Ok(text.len()))]
pub fn statements(text: &str) -> impl Future<Output = Result<usize, Error>> + Send + use<> {
    #![allow(clippy::let_and_return)]
    let text = {
        let owned = text.to_owned();
        owned
    };
    if text.is_empty() {
        print!("{text}");
    }
    async move {
        if text.is_empty() {
            return Err(Box::new(std::fmt::Error));
        }
        let number: usize = text.parse()?;
        Ok(number)
    }
}

#[circuit_breaker(timeout = "1s")]
fn mutable(mut number: u8) -> impl Future<Output = Result<u8, CircuitError>> {
    number += 1;
    let mut other = number;
    async move {
        other += number;
        number += 1;
        Ok(other + number)
    }
}

#[circuit_breaker(key = shown, or_else = |_| Ok(1))]
fn generic<'a, T: Display + Sync>(
    shown: &'a T,
) -> impl Future<Output = Result<usize, CircuitError>> + Send + use<'a, T> {
    async move { Ok(shown.to_string().len()) }
}

#[circuit_breaker(error = |error| error.to_string())]
fn boxed(text: String) -> BoxFuture<'static, Result<String, String>> {
    async move { Ok(text) }.boxed()
}

#[circuit_breaker]
fn local(text: Rc<str>) -> LocalBoxFuture<'static, Result<usize, CircuitError>> {
    let length = text.len();
    async move { Ok(text.len() + length) }.boxed_local()
}

trait Quotes: Sync {
    type ResponseFuture;

    #[circuit_breaker]
    fn default(&self) -> impl Future<Output = Result<u8, CircuitError>> + Send {
        async move { self.one().await }
    }

    fn one(&self) -> impl Future<Output = Result<u8, CircuitError>> + Send;

    fn boxed(&mut self) -> BoxFuture<'_, Result<u8, CircuitError>>;

    fn call(self, text: String) -> Self::ResponseFuture;
}

struct Client(u8);

impl Quotes for Client {
    type ResponseFuture = BoxFuture<'static, Result<String, CircuitError>>;

    #[circuit_breaker]
    fn one(&self) -> impl Future<Output = Result<u8, CircuitError>> + Send {
        async move { Ok(self.0) }
    }

    #[circuit_breaker(fallback = Ok(self.0))]
    fn boxed(&mut self) -> BoxFuture<'_, Result<u8, CircuitError>> {
        self.0 += 1;
        Box::pin(async move {
            self.0 += 1;
            Ok(self.0)
        })
    }

    #[circuit_breaker(timeout = "1s", ignore_if = |_| true)]
    fn call(self, text: String) -> Self::ResponseFuture {
        let number = self.0;
        Box::pin(async move { Ok(text + &number.to_string()) })
    }
}

fn is_send<T: Send>(_: T) {}

fn main() {
    let client = Client(1);
    is_send((free(), statements("1"), mutable(1), generic(&1), boxed(String::new())));
    is_send((client.default(), client.one()));
    is_send((Client(1).boxed(), client.call(String::new())));
    let _not_send = local("".into());
}

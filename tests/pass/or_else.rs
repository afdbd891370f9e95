//! Closures that are valid as `or_else`.

#![deny(warnings)]

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;

use circuit_runtime::{CircuitBreaker, CircuitError, circuit_breaker};

type Error = Box<dyn std::error::Error + Send + Sync>;

async fn stored(symbol: &str) -> Option<usize> {
    Some(symbol.len())
}

#[circuit_breaker(or_else = |error| stored(symbol).await.ok_or(error))]
async fn awaited(symbol: &str) -> Result<usize, CircuitError> {
    Ok(symbol.len())
}

#[circuit_breaker(or_else = |_| Err(Box::new(std::fmt::Error)), timeout = "2s")]
async fn coerced(number: &str) -> Result<u8, Error> {
    Ok(number.parse()?)
}

#[circuit_breaker(or_else = |mut error: String| { error.push('!'); Err(error) }, error = |error| error.to_string())]
async fn mutated(number: u8) -> Result<u8, String> {
    Ok(number)
}

#[circuit_breaker(or_else = async |(code, _)| {
    let number: u8 = "1".parse().map_err(|_| (code, "number"))?;
    Ok(number)
}, error = |_| (503, "open"))]
async fn pattern(number: u8) -> Result<u8, (u16, &'static str)> {
    Ok(number)
}

#[circuit_breaker(or_else = |_| Ok(items.iter().cloned()))]
async fn opaque<'a, T: Clone>(
    items: &'a [T],
) -> Result<impl Iterator<Item = T> + use<'a, T>, CircuitError> {
    Ok(items.iter().cloned())
}

#[circuit_breaker(or_else = |_| todo!())]
async fn diverging(number: u8) -> Result<u8, CircuitError> {
    Ok(number)
}

// The body names `copied`, too.
#[circuit_breaker(or_else = |_| Ok((copied, shown)), key = shown)]
async fn copied<T: Copy, D: Display>(copied: T, shown: &D) -> Result<(T, &D), CircuitError> {
    Ok((copied, shown))
}

#[circuit_breaker(or_else = |_| Ok(owned))]
async fn owned(owned: String, other: Vec<u8>) -> Result<String, CircuitError> {
    drop(other);
    Err(CircuitError::NoRuntime { breaker: breaker().name().clone() })
}

fn breaker() -> CircuitBreaker {
    CircuitBreaker::new("or_else", circuit_runtime::Config::default())
}

struct Client {
    host: String,
    breaker: CircuitBreaker,
}

impl Client {
    #[circuit_breaker(breaker = self.breaker, or_else = |_| Ok(&self.host))]
    async fn host(&self) -> Result<&str, CircuitError> {
        Ok(&self.host)
    }

    #[circuit_breaker(breaker = self.breaker, or_else = |error| self.stored(path).await.ok_or(error.into()))]
    fn boxed<'a>(
        &'a self,
        path: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<usize, Error>> + Send + 'a>> {
        Box::pin(async move { Ok(path.parse()?) })
    }

    #[circuit_breaker(or_else = |_| Err(Box::new(std::fmt::Error)))]
    fn coerced(&self) -> Pin<Box<dyn Future<Output = Result<usize, Error>> + Send + '_>> {
        Box::pin(async move { Ok(self.host.parse()?) })
    }

    async fn stored(&self, path: &str) -> Option<usize> {
        Some(self.host.len() + path.len())
    }
}

fn is_send<T: Send>(_: T) {}

fn main() {
    is_send((
        awaited(""),
        coerced(""),
        mutated(1),
        pattern(1),
        opaque::<u8>(&[]),
        diverging(1),
        copied(1, &1),
        owned(String::new(), Vec::new()),
    ));
    let client = Client {
        host: String::new(),
        breaker: breaker(),
    };
    is_send((client.host(), client.boxed(""), client.coerced()));
}

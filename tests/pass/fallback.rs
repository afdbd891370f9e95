//! Expressions that are valid as `fallback`.

use circuit_runtime::{CircuitError, circuit_breaker};

type Error = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug)]
struct Own(Option<CircuitError>);

impl From<CircuitError> for Own {
    fn from(error: CircuitError) -> Self {
        Self(Some(error))
    }
}

async fn cached(symbol: &str) -> Option<String> {
    Some(symbol.to_owned())
}

#[circuit_breaker(fallback = Ok(symbol.len()))]
async fn value(symbol: &str) -> Result<usize, Own> {
    if symbol.is_empty() { Err(Own(None)) } else { Ok(0) }
}

// Body and fallback both move the argument.
#[circuit_breaker(fallback = Ok(symbol))]
async fn moved(symbol: String) -> Result<String, Own> {
    Ok(symbol)
}

#[circuit_breaker(fallback = |error| cached(&symbol).await.ok_or(Own(Some(error))))]
async fn awaited(symbol: String) -> Result<String, Own> {
    drop(symbol);
    Err(Own(None))
}

#[circuit_breaker(fallback = |_| Err(Box::new(std::fmt::Error)), timeout = "2s")]
async fn coerced(number: &str) -> Result<u8, Error> {
    Ok(number.parse::<u8>()?)
}

#[circuit_breaker(fallback = {
    let parsed: u8 = number.parse()?;
    if parsed > 7 {
        return Ok(7);
    }
    Ok(parsed)
})]
async fn early(number: &str) -> Result<u8, Error> {
    Ok(number.parse::<u8>()?)
}

#[circuit_breaker(fallback = match number {
    0 => Err("none".into()),
    other => Ok(other),
})]
async fn matched(mut number: u8) -> Result<u8, Error> {
    number += 1;
    Ok(number)
}

#[circuit_breaker(fallback = async |error: CircuitError| {
    number += u8::try_from(cached("a").await.unwrap_or_default().len())?;
    Err(format!("{number}: {error}").into())
})]
async fn mutated(mut number: u8) -> Result<u8, Error> {
    number += 1;
    Ok(number)
}

#[circuit_breaker(fallback = Ok(items.iter().cloned()))]
async fn opaque<'a, T: Clone>(items: &'a [T]) -> Result<impl Iterator<Item = T> + use<'a, T>, Own> {
    Ok(items.iter().cloned())
}


struct Client {
    name: String,
}

impl Client {
    #[circuit_breaker(fallback = Ok(self.name))]
    async fn into_name(mut self) -> Result<String, Own> {
        self.name.push('!');
        Ok(self.name)
    }

    #[circuit_breaker(fallback = |_| { self.name.clear(); Ok(&self.name) })]
    async fn name(&mut self, (first, _): (char, char)) -> Result<&str, Own> {
        self.name.push(first);
        Ok(&self.name)
    }

    #[circuit_breaker(fallback = Self::nothing().await)]
    async fn default() -> Result<Self, Own> {
        Err(Own(None))
    }

    async fn nothing() -> Result<Self, Own> {
        Ok(Self {
            name: String::new(),
        })
    }
}

fn is_send<T: Send>(future: T) -> T {
    future
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    for _ in 0..2 {
        let _ = is_send(value("")).await;
        let _ = is_send(moved(String::from("a"))).await;
        let _ = is_send(awaited(String::from("a"))).await;
        let _ = is_send(coerced("7")).await;
        let _ = is_send(early("7")).await;
        let _ = is_send(matched(7)).await;
        let _ = is_send(mutated(7)).await;
        let _ = opaque(&[1, 2]).await.map(Iterator::count);
        let client = Client::default().await;
        if let Ok(mut client) = client {
            let _ = client.name(('a', 'b')).await;
            let _ = client.into_name().await;
        }
        for breaker in circuit_runtime::registry::all() {
            breaker.force_open();
        }
    }
}

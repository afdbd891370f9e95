//! Beside `#[tracing::instrument]`, in either order.

use circuit_runtime::{CircuitBreaker, CircuitError, Config, circuit_breaker};
use tracing::instrument;

type Error = Box<dyn std::error::Error + Send + Sync>;

#[circuit_breaker(window = "10s", timeout = "1s")]
#[instrument]
async fn above(symbol: &str) -> Result<usize, Error> {
    Ok(symbol.parse()?)
}

#[instrument(skip_all, fields(length = symbol.len()))]
#[circuit_breaker(window = "10s", timeout = "1s")]
async fn below(symbol: &str) -> Result<usize, Error> {
    Ok(symbol.parse()?)
}

#[circuit_breaker(key = host, fallback = |error| { Err(Box::new(error)) })]
#[instrument(err(Debug), ret)]
async fn keyed_above(mut host: String) -> Result<String, Error> {
    host.push('!');
    Ok(host)
}

#[instrument(err(Debug), ret)]
#[circuit_breaker(key = host, fallback = |error| { Err(Box::new(error)) })]
async fn keyed_below(mut host: String) -> Result<String, Error> {
    host.push('!');
    Ok(host)
}

#[derive(Debug)]
struct Client {
    breaker: CircuitBreaker,
}

impl Client {
    #[circuit_breaker(breaker = self.breaker, fallback = Ok(name))]
    #[instrument(skip(self))]
    async fn own_above<'a>(&self, name: &'a str) -> Result<&'a str, CircuitError> {
        Ok(name)
    }

    #[instrument(skip(self))]
    #[circuit_breaker(breaker = self.breaker, fallback = Ok(name))]
    async fn own_below<'a>(&self, name: &'a str) -> Result<&'a str, CircuitError> {
        Ok(name)
    }

    #[instrument(level = "debug", skip_all)]
    #[circuit_breaker(fallback = Ok(self))]
    async fn opaque(self) -> Result<impl std::fmt::Debug, CircuitError> {
        Ok(self)
    }
}

mod object {
    use async_trait::async_trait;
    use circuit_runtime::{CircuitError, circuit_breaker};
    use tracing::instrument;

    #[async_trait]
    pub(super) trait Quotes {
        #[instrument(skip_all)]
        #[circuit_breaker(key = symbol)]
        async fn below(&self, symbol: &str) -> Result<usize, CircuitError> {
            Ok(symbol.len())
        }
    }

    impl Quotes for super::Client {}
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    use object::Quotes as _;

    assert_eq!(above("7").await?, 7);
    assert_eq!(below("7").await?, 7);
    assert!(below("x").await.is_err());
    assert_eq!(keyed_above("a".to_owned()).await?, "a!");
    assert_eq!(keyed_below("a".to_owned()).await?, "a!");

    let client = Client {
        breaker: CircuitBreaker::new("own", Config::builder().build()?),
    };
    assert_eq!(client.own_above("a").await, Ok("a"));
    assert_eq!(client.own_below("a").await, Ok("a"));
    assert_eq!(client.breaker.snapshot().succeeded, 2);
    assert_eq!(client.below("abc").await, Ok(3));
    assert!(format!("{:?}", client.opaque().await?).contains("own"));
    Ok(())
}

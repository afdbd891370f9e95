//! Methods of traits with `#[async_trait]`.

use std::fmt::Display;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use circuit_runtime::{CircuitBreaker, CircuitError, Config, circuit_breaker};

type Error = Box<dyn std::error::Error + Send + Sync>;

const LIMIT: u32 = 2;

#[async_trait]
trait Quotes: Send + Sync {
    async fn quote(&self, symbol: &str) -> Result<f64, Error>;

    async fn change(&mut self, mut by: u32, pair: (u32, u32)) -> Result<u32, Error>;

    async fn into_name(self: Box<Self>) -> Result<String, Error>;

    async fn shared(self: Arc<Self>) -> Result<usize, Error>;

    async fn by_host(&self, host: &str, port: u16) -> Result<String, Error>;

    async fn owned(&self, host: String) -> Result<String, Error>;

    async fn own(&self) -> Result<&str, Error>;

    /// A default, which all implementors share.
    #[circuit_breaker(max_failures = LIMIT, timeout = "1s", fallback = Ok(symbol.len()))]
    async fn defaulted(&self, symbol: &str) -> Result<usize, Error> {
        Err(format!("no {symbol}").into())
    }

    #[circuit_breaker(key = self.name(), max_keys = LIMIT)]
    async fn defaulted_by_key(&self) -> Result<usize, Error> {
        Ok(self.name().len())
    }

    fn name(&self) -> &str;
}

struct Client {
    name: String,
    calls: AtomicU32,
    breaker: CircuitBreaker,
}

#[async_trait]
impl Quotes for Client {
    #[circuit_breaker(max_failures = 2, failure_if = |error| !error.to_string().is_empty())]
    async fn quote(&self, symbol: &str) -> Result<f64, Error> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if symbol.is_empty() {
            return Err(Box::from("no symbol"));
        }
        Ok(symbol.parse()?)
    }

    #[circuit_breaker(timeout = "1s")]
    async fn change(&mut self, mut by: u32, (first, _): (u32, u32)) -> Result<u32, Error> {
        by += first;
        *self.calls.get_mut() += by;
        Ok(self.calls.load(Ordering::Relaxed))
    }

    #[circuit_breaker(fallback = Ok(self.name))]
    async fn into_name(mut self: Box<Self>) -> Result<String, Error> {
        self.name.push('!');
        Ok(self.name)
    }

    #[circuit_breaker(key = self.name)]
    async fn shared(self: Arc<Self>) -> Result<usize, Error> {
        Ok(Arc::strong_count(&self))
    }

    #[circuit_breaker(key = format!("{host}:{port}"), fallback = |error| {
        tokio::task::yield_now().await;
        Err(error.into())
    })]
    async fn by_host(&self, host: &str, port: u16) -> Result<String, Error> {
        Ok(format!("{}@{host}:{port}", self.name))
    }

    #[circuit_breaker(key = host, fallback = |error| Ok(format!("{host}: {error}")))]
    async fn owned(&self, host: String) -> Result<String, Error> {
        Ok(host)
    }

    #[circuit_breaker(breaker = self.breaker, fallback = Ok("fallen back"))]
    async fn own(&self) -> Result<&str, Error> {
        Ok(&self.name)
    }

    fn name(&self) -> &str {
        &self.name
    }
}

#[async_trait]
trait Store<K: Display + Send + Sync + 'static> {
    type Value: Send;

    async fn get<'a, D>(&'a self, key: &'a K, default: D) -> Result<Self::Value, CircuitError>
    where
        D: Into<Self::Value> + Send;
}

#[async_trait]
impl<K: Display + Send + Sync + 'static> Store<K> for Vec<K> {
    type Value = String;

    #[circuit_breaker(key = key, fallback = Ok(default.into()))]
    async fn get<'a, D>(&'a self, key: &'a K, default: D) -> Result<Self::Value, CircuitError>
    where
        D: Into<Self::Value> + Send,
    {
        let _ = default;
        Ok(format!("{key} of {}", self.len()))
    }
}

/// Futures that stay on their thread.
#[async_trait(?Send)]
trait Local {
    #[circuit_breaker(key = name, fallback = Ok(name.len()))]
    async fn count(&self, name: Rc<str>) -> Result<usize, CircuitError> {
        let counted = Rc::strong_count(&name);
        tokio::task::yield_now().await;
        Ok(counted)
    }
}

impl Local for () {}

// Written out as `#[async_trait]` expands it.
#[circuit_breaker(max_failures = 1)]
fn boxed(number: u8) -> std::pin::Pin<Box<dyn std::future::Future<Output = Result<u8, Error>> + Send>> {
    Box::pin(async move {
        if number == 0 {
            return Err("zero".into());
        }
        Ok(number)
    })
}

fn is_send<T: Send>(future: T) -> T {
    future
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let breaker = CircuitBreaker::new("own", Config::builder().build()?);
    let mut client = Client {
        name: "a".to_owned(),
        calls: AtomicU32::new(0),
        breaker: breaker.clone(),
    };
    assert_eq!(client.change(1, (2, 3)).await?, 3);

    let mut client: Box<dyn Quotes> = Box::new(client);
    assert_eq!(client.change(1, (2, 3)).await?, 6);
    assert_eq!(is_send(client.quote("7.5")).await?, 7.5);
    assert!(client.quote("").await.is_err());
    assert!(client.quote("?").await.is_err());
    let open = client.quote("7.5").await;
    assert!(open.is_err_and(|error| error.is::<CircuitError>()));

    assert!(client.defaulted("abc").await.is_err());
    assert!(client.defaulted("abc").await.is_err());
    assert_eq!(client.defaulted("abc").await?, 3);
    assert_eq!(client.defaulted_by_key().await?, 1);

    assert_eq!(client.by_host("b", 7).await?, "a@b:7");
    assert_eq!(client.owned("b".to_owned()).await?, "b");
    assert_eq!(client.own().await?, "a");
    breaker.force_open();
    assert_eq!(client.own().await?, "fallen back");
    assert_eq!(client.into_name().await?, "a!");

    let client: Arc<dyn Quotes> = Arc::new(Client {
        name: "b".to_owned(),
        calls: AtomicU32::new(0),
        breaker,
    });
    assert_eq!(client.shared().await?, 1);

    assert_eq!(vec![7].get(&7, "none").await?, "7 of 1");
    assert_eq!(().count(Rc::from("abc")).await, Ok(1));
    assert!(boxed(0).await.is_err());
    assert!(boxed(1).await.is_err_and(|error| error.is::<CircuitError>()));
    Ok(())
}

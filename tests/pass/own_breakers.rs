//! Expressions that are valid as `breaker` beside a `key`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError, RwLock};

use circuit_runtime::{CircuitBreakers, CircuitError, Config, circuit_breaker};

type Error = Box<dyn std::error::Error + Send + Sync>;

static EACH: LazyLock<CircuitBreakers> = LazyLock::new(made);
static LATER: OnceLock<CircuitBreakers> = OnceLock::new();

fn made() -> CircuitBreakers {
    CircuitBreakers::new("own", Config::default())
}

fn shared() -> &'static CircuitBreakers {
    LATER.get_or_init(made)
}

thread_local! {
    static LOCAL: CircuitBreakers = made();
}

#[circuit_breaker(breaker = EACH, key = host)]
async fn lazy(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = host, breaker = *EACH)]
async fn dereferenced(host: String) -> Result<String, CircuitError> {
    Ok(host)
}

#[circuit_breaker(breaker = &&EACH, key = &host)]
async fn reference(mut host: String) -> Result<String, CircuitError> {
    host.push('!');
    Ok(host)
}

#[circuit_breaker(breaker = shared(), key = number)]
async fn called(number: u64) -> Result<u64, CircuitError> {
    Ok(number)
}

#[circuit_breaker(breaker = LOCAL.with(CircuitBreakers::clone), key = host)]
async fn of_the_thread(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(breaker = breakers, key = host)]
async fn borrowed(breakers: &CircuitBreakers, host: &str) -> Result<usize, CircuitError> {
    Ok(breakers.all().len() + host.len())
}

#[circuit_breaker(breaker = breakers, key = host)]
async fn exclusive(breakers: &mut CircuitBreakers, host: &str) -> Result<usize, CircuitError> {
    *breakers = made();
    Ok(breakers.all().len() + host.len())
}

#[circuit_breaker(breaker = breakers, key = host, fallback = Ok((breakers, host)))]
async fn owned(
    breakers: CircuitBreakers,
    host: String,
) -> Result<(CircuitBreakers, String), CircuitError> {
    Ok((breakers, host))
}

#[circuit_breaker(breaker = breakers, key = host)]
async fn boxed(breakers: Box<CircuitBreakers>, host: Box<str>) -> Result<Box<str>, CircuitError> {
    drop(breakers);
    Ok(host)
}

#[circuit_breaker(breaker = breakers, key = host)]
async fn counted(breakers: Rc<CircuitBreakers>, host: &str) -> Result<usize, CircuitError> {
    Ok(Rc::strong_count(&breakers) + host.len())
}

#[circuit_breaker(breaker = breakers.borrow(), key = host)]
async fn in_a_cell(breakers: &RefCell<CircuitBreakers>, host: &str) -> Result<bool, CircuitError> {
    let _ = host;
    Ok(breakers.try_borrow_mut().is_ok())
}

#[circuit_breaker(breaker = all.1, key = all.0)]
async fn of_a_pair(all: &(u8, Arc<CircuitBreakers>)) -> Result<u8, CircuitError> {
    Ok(all.0)
}

#[circuit_breaker(breaker = by_region.get(region).ok_or("no such region")?, key = host.ok_or("no host")?)]
async fn early(
    by_region: &HashMap<String, CircuitBreakers>,
    region: &str,
    host: Option<&str>,
) -> Result<usize, Error> {
    Ok(by_region.len() + region.len() + host.map_or(0, str::len))
}

#[circuit_breaker(breaker = awaited().await, key = resolved(host).await)]
async fn waits(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

async fn awaited() -> &'static CircuitBreakers {
    tokio::task::yield_now().await;
    shared()
}

async fn resolved(host: &str) -> String {
    tokio::task::yield_now().await;
    host.to_lowercase()
}

#[circuit_breaker(breaker = breakers, key = host)]
async fn generic<B, K>(breakers: B, host: K) -> Result<K, CircuitError>
where
    B: Deref<Target = CircuitBreakers>,
    K: fmt::Display,
{
    Ok(host)
}

#[circuit_breaker(breaker = breakers.as_ref(), key = host)]
async fn as_reference<B: AsRef<CircuitBreakers>>(breakers: B, host: &str) -> Result<B, CircuitError> {
    let _ = host;
    Ok(breakers)
}

struct Held(CircuitBreakers);

impl AsRef<CircuitBreakers> for Held {
    fn as_ref(&self) -> &CircuitBreakers {
        &self.0
    }
}

#[circuit_breaker(
    breaker = EACH,
    key = host,
    fallback = |error| if error.is_open() { Ok(host.len()) } else { Err(error) },
    failure_if = |error| error.is_timeout(),
    ignore_if = CircuitError::is_open,
    crate = ::circuit_runtime
)]
async fn with_all(host: String) -> Result<usize, CircuitError> {
    Ok(host.len())
}

struct Client {
    upstreams: CircuitBreakers,
    host: String,
    locked: Mutex<CircuitBreakers>,
    by_region: RwLock<HashMap<String, CircuitBreakers>>,
}

impl Client {
    fn upstreams(&self) -> &CircuitBreakers {
        &self.upstreams
    }

    #[circuit_breaker(breaker = self.upstreams, key = host)]
    async fn page(&self, host: &str) -> Result<usize, CircuitError> {
        Ok(host.len())
    }

    #[circuit_breaker(breaker = self.upstreams(), key = self.host)]
    async fn of_a_getter(&self) -> Result<&str, CircuitError> {
        Ok(&self.host)
    }

    #[circuit_breaker(breaker = self.upstreams, key = {
        self.host.push('!');
        self.host.as_str()
    })]
    async fn renewed(&mut self) -> Result<&str, CircuitError> {
        self.upstreams = made();
        Ok(&self.host)
    }

    #[circuit_breaker(breaker = self.upstreams, key = self.host, fallback = Ok(self.host))]
    async fn into_host(self) -> Result<String, CircuitError> {
        Ok(self.host)
    }

    #[circuit_breaker(breaker = self.upstreams, key = self.host)]
    async fn shared(self: Arc<Self>) -> Result<Arc<Self>, CircuitError> {
        Ok(self)
    }

    // The locks are free again when the body runs, and while the key is awaited.
    #[circuit_breaker(
        breaker = self.locked.lock().unwrap_or_else(PoisonError::into_inner),
        key = self.unlocked(host).await
    )]
    async fn locked(&self, host: &str) -> Result<bool, CircuitError> {
        Ok(self.locked.try_lock().is_ok())
    }

    async fn unlocked<'a>(&self, host: &'a str) -> &'a str {
        tokio::task::yield_now().await;
        assert!(self.locked.try_lock().is_ok());
        host
    }

    #[circuit_breaker(breaker = self.by_region.write().unwrap_or_else(PoisonError::into_inner)
        .entry(region.to_owned()).or_insert_with(made), key = host)]
    async fn of_a_region(&self, region: &str, host: &str) -> Result<bool, CircuitError> {
        let _ = host;
        Ok(self.by_region.try_read().is_ok_and(|by_region| by_region.contains_key(region)))
    }
}

trait Pages {
    fn upstreams(&self) -> &CircuitBreakers;

    #[circuit_breaker(breaker = self.upstreams(), key = host)]
    #[allow(async_fn_in_trait)]
    async fn defaulted(&self, host: &str) -> Result<usize, CircuitError> {
        Ok(host.len())
    }
}

impl Pages for Client {
    fn upstreams(&self) -> &CircuitBreakers {
        &self.upstreams
    }
}

#[async_trait::async_trait]
trait DynamicPages: Sync {
    async fn dynamic(&self, host: &str) -> Result<usize, CircuitError>;
}

#[async_trait::async_trait]
impl DynamicPages for Client {
    #[circuit_breaker(breaker = self.upstreams, key = host)]
    async fn dynamic(&self, host: &str) -> Result<usize, CircuitError> {
        tokio::task::yield_now().await;
        Ok(host.len() + self.host.len())
    }
}

#[circuit_breaker(breaker = EACH, key = host)]
fn in_a_box(
    host: &str,
) -> Pin<Box<dyn Future<Output = Result<usize, CircuitError>> + Send + '_>> {
    Box::pin(async move {
        tokio::task::yield_now().await;
        Ok(host.len())
    })
}

fn is_send<F: Future + Send>(future: F) -> F {
    future
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    assert_eq!(lazy("a").await, Ok(1));
    assert_eq!(dereferenced("a".to_owned()).await?, "a");
    assert_eq!(reference("a".to_owned()).await?, "a!");
    assert_eq!(in_a_box("a").await, Ok(1));
    assert_eq!(with_all("a".to_owned()).await, Ok(1));
    assert_eq!(EACH.get("a").snapshot().succeeded, 5);

    assert_eq!(called(7).await, Ok(7));
    assert_eq!(of_the_thread("a").await, Ok(1));
    assert_eq!(LOCAL.with(|breakers| breakers.get("a").snapshot().succeeded), 1);
    assert_eq!(is_send(waits("A")).await, Ok(1));
    assert_eq!(shared().get("a").snapshot().succeeded, 1);
    assert_eq!(shared().get("7").snapshot().succeeded, 1);

    let mut breakers = made();
    assert_eq!(borrowed(&breakers, "a").await, Ok(2));
    assert_eq!(exclusive(&mut breakers, "a").await, Ok(1));
    let (breakers, host) = owned(breakers, "a".to_owned()).await?;
    assert_eq!(&*boxed(Box::new(breakers.clone()), host.into()).await?, "a");
    assert_eq!(counted(Rc::new(breakers.clone()), "a").await, Ok(2));
    assert_eq!(in_a_cell(&RefCell::new(breakers.clone()), "a").await, Ok(true));
    assert_eq!(of_a_pair(&(7, Arc::new(breakers.clone()))).await, Ok(7));
    assert_eq!(generic(&breakers, 'a').await, Ok('a'));
    assert_eq!(as_reference(Held(breakers.clone()), "a").await?.0.all().len(), 2);
    assert_eq!(breakers.get("a").snapshot().succeeded, 6);

    let by_region = HashMap::from([("eu".to_owned(), breakers)]);
    assert_eq!(early(&by_region, "eu", Some("a")).await?, 4);
    let error = |result: Result<usize, Error>| result.err().map(|error| error.to_string());
    assert_eq!(error(early(&by_region, "us", Some("a")).await).as_deref(), Some("no such region"));
    assert_eq!(error(early(&by_region, "eu", None).await).as_deref(), Some("no host"));

    let mut client = Client {
        upstreams: made(),
        host: "a".to_owned(),
        locked: Mutex::new(made()),
        by_region: RwLock::default(),
    };
    assert_eq!(is_send(client.page("a")).await, Ok(1));
    assert_eq!(client.of_a_getter().await, Ok("a"));
    assert_eq!(is_send(client.locked("a")).await, Ok(true));
    assert_eq!(client.of_a_region("eu", "a").await, Ok(true));
    assert_eq!(client.defaulted("abc").await, Ok(3));
    assert_eq!(client.dynamic("abc").await, Ok(4));
    assert_eq!(client.upstreams.get("a").snapshot().succeeded, 2);
    assert_eq!(client.upstreams.get("abc").snapshot().succeeded, 2);
    assert_eq!(client.renewed().await, Ok("a!"));
    let client = Arc::new(client).shared().await?;
    assert_eq!(Arc::into_inner(client).ok_or("shared")?.into_host().await?, "a!");
    Ok(())
}

//! Expressions that are valid as `breaker`.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use circuit_runtime::{CircuitBreaker, CircuitError, Config, circuit_breaker};

type Error = Box<dyn std::error::Error + Send + Sync>;

const CONFIG: Result<Config, circuit_runtime::ConfigError> =
    Config::builder().max_failures(1).timeout(Duration::from_secs(1)).build();

static BREAKER: LazyLock<CircuitBreaker> = LazyLock::new(made);
static LATER: OnceLock<CircuitBreaker> = OnceLock::new();

fn made() -> CircuitBreaker {
    CircuitBreaker::new("own", CONFIG.expect("a config"))
}

fn shared() -> &'static CircuitBreaker {
    LATER.get_or_init(made)
}

thread_local! {
    static LOCAL: CircuitBreaker = made();
}

#[circuit_breaker(breaker = BREAKER)]
async fn lazy() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = *BREAKER)]
async fn dereferenced() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = &BREAKER)]
async fn reference() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = shared())]
async fn called() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = LOCAL.with(CircuitBreaker::clone))]
async fn of_the_thread() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(breaker = breaker)]
async fn borrowed(breaker: &CircuitBreaker) -> Result<&str, CircuitError> {
    Ok(breaker.name())
}

// The body owns it as well.
#[circuit_breaker(breaker = breaker)]
async fn owned(breaker: CircuitBreaker) -> Result<CircuitBreaker, CircuitError> {
    Ok(breaker)
}

#[circuit_breaker(breaker = breaker, fallback = Ok(breaker))]
async fn mutable(mut breaker: CircuitBreaker) -> Result<CircuitBreaker, CircuitError> {
    breaker = breaker.clone();
    Ok(breaker)
}

#[circuit_breaker(breaker = pair.1)]
async fn of_a_pair(pair: &(u8, Arc<CircuitBreaker>)) -> Result<u8, CircuitError> {
    Ok(pair.0)
}

#[circuit_breaker(breaker = breakers[index % breakers.len()])]
async fn indexed(breakers: &[CircuitBreaker], index: usize) -> Result<usize, CircuitError> {
    Ok(breakers.len() + index)
}

#[circuit_breaker(breaker = breakers.get(host).ok_or("no such host")?)]
async fn found(breakers: &HashMap<String, CircuitBreaker>, host: &str) -> Result<usize, Error> {
    Ok(breakers.len() + host.len())
}

// References of every kind.
#[circuit_breaker(breaker = match breakers.get(host) {
    Some(breaker) => breaker,
    None => other,
})]
async fn matched(
    breakers: &HashMap<String, CircuitBreaker>,
    host: &str,
    other: &CircuitBreaker,
) -> Result<usize, Error> {
    Ok(breakers.len() + host.len() + other.name().len())
}

#[circuit_breaker(breaker = if backup { one } else { other.unwrap_or(one) })]
async fn either(
    backup: bool,
    one: &CircuitBreaker,
    other: Option<&CircuitBreaker>,
) -> Result<bool, CircuitError> {
    Ok(backup && other.is_none())
}

#[circuit_breaker(breaker = if backup { made() } else { BREAKER.clone() })]
async fn chosen(backup: bool) -> Result<bool, CircuitError> {
    Ok(backup)
}

#[circuit_breaker(breaker = {
    let breaker = made();
    breaker.force_open();
    breaker
}, fallback = |error| Ok(error.breaker().len()))]
async fn made_for_the_call() -> Result<usize, CircuitError> {
    Ok(0)
}

#[circuit_breaker(breaker = awaited().await)]
async fn waits() -> Result<u8, CircuitError> {
    Ok(1)
}

async fn awaited() -> CircuitBreaker {
    tokio::task::yield_now().await;
    made()
}

#[circuit_breaker(
    breaker = breaker.as_ref(),
    failure_if = |error| error.is_timeout(),
    ignore_if = CircuitError::is_open,
    crate = ::circuit_runtime
)]
async fn generic<B: AsRef<CircuitBreaker>>(breaker: B) -> Result<B, CircuitError> {
    Ok(breaker)
}

struct Held(CircuitBreaker);

impl AsRef<CircuitBreaker> for Held {
    fn as_ref(&self) -> &CircuitBreaker {
        &self.0
    }
}

struct Client {
    breaker: CircuitBreaker,
    shared: Arc<CircuitBreaker>,
    by_host: RwLock<HashMap<String, CircuitBreaker>>,
    one: Mutex<CircuitBreaker>,
}

impl Client {
    fn breaker(&self) -> &CircuitBreaker {
        &self.breaker
    }

    #[circuit_breaker(breaker = self.breaker)]
    async fn quote(&self, symbol: &str) -> Result<usize, CircuitError> {
        Ok(symbol.len())
    }

    #[circuit_breaker(breaker = &self.shared)]
    async fn of_a_counted_one(&self) -> Result<u8, CircuitError> {
        Ok(1)
    }

    #[circuit_breaker(breaker = self.breaker())]
    async fn of_a_getter(&self) -> Result<u8, CircuitError> {
        Ok(1)
    }

    #[circuit_breaker(breaker = self.breaker)]
    async fn renewed(&mut self) -> Result<&CircuitBreaker, CircuitError> {
        self.breaker = made();
        Ok(&self.breaker)
    }

    #[circuit_breaker(breaker = self.breaker, fallback = Ok(self.breaker))]
    async fn into_breaker(self) -> Result<CircuitBreaker, CircuitError> {
        Ok(self.breaker)
    }

    #[circuit_breaker(breaker = self.breaker)]
    async fn counted(self: Arc<Self>) -> Result<Arc<Self>, CircuitError> {
        Ok(self)
    }

    // The locks are free again when the body runs.
    #[circuit_breaker(breaker = self.by_host.write().unwrap_or_else(PoisonError::into_inner)
        .entry(host.to_owned()).or_insert_with(made))]
    async fn of_a_host(&self, host: &str) -> Result<bool, CircuitError> {
        Ok(self.by_host.try_read().is_ok_and(|by_host| by_host.contains_key(host)))
    }

    #[circuit_breaker(breaker = self.one.lock().unwrap_or_else(PoisonError::into_inner))]
    async fn locked(&self) -> Result<bool, CircuitError> {
        Ok(self.one.try_lock().is_ok())
    }
}

trait Quotes {
    fn breaker(&self) -> &CircuitBreaker;

    #[circuit_breaker(breaker = self.breaker())]
    #[allow(async_fn_in_trait)]
    async fn defaulted(&self) -> Result<u8, CircuitError> {
        Ok(1)
    }
}

impl Quotes for Client {
    fn breaker(&self) -> &CircuitBreaker {
        &self.shared
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    assert_eq!(lazy().await, Ok(1));
    assert_eq!(dereferenced().await, Ok(1));
    assert_eq!(reference().await, Ok(1));
    assert_eq!(called().await, Ok(1));
    assert_eq!(of_the_thread().await, Ok(1));
    assert_eq!(BREAKER.snapshot().succeeded, 3);
    assert_eq!(shared().snapshot().succeeded, 1);

    let breaker = made();
    assert_eq!(borrowed(&breaker).await, Ok("own"));
    owned(breaker.clone()).await?;
    mutable(breaker.clone()).await?;
    of_a_pair(&(1, Arc::new(breaker.clone()))).await?;
    indexed(&[breaker.clone()], 7).await?;
    found(&HashMap::from([("a".to_owned(), breaker.clone())]), "a").await?;
    assert!(found(&HashMap::new(), "a").await.is_err());
    generic(Held(breaker.clone())).await?;
    matched(&HashMap::new(), "a", &breaker).await?;
    either(true, &breaker, None).await?;
    assert_eq!(breaker.snapshot().succeeded, 9);
    assert_eq!(chosen(true).await, Ok(true));
    assert_eq!(made_for_the_call().await, Ok(3));
    assert_eq!(waits().await, Ok(1));

    let mut client = Client {
        breaker: breaker.clone(),
        shared: Arc::new(breaker),
        by_host: RwLock::default(),
        one: Mutex::new(made()),
    };
    client.quote("a").await?;
    client.of_a_counted_one().await?;
    client.of_a_getter().await?;
    client.defaulted().await?;
    assert_eq!(client.of_a_host("a").await, Ok(true));
    assert_eq!(client.locked().await, Ok(true));
    client.renewed().await?;
    assert_eq!(client.shared.snapshot().succeeded, 14);
    let client = Arc::new(client).counted().await?;
    let made = Arc::into_inner(client).ok_or("shared")?.into_breaker().await?;
    assert_eq!(made.snapshot().succeeded, 2);
    Ok(())
}

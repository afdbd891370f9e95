//! Expressions that are valid as `key`.

use std::borrow::Cow;
use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use circuit_runtime::{CircuitError, circuit_breaker};

type Error = Box<dyn std::error::Error + Send + Sync>;

const MANY: u32 = 1_000;

#[derive(Clone, Copy, Debug)]
enum Region {
    North,
    South,
}

impl fmt::Display for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

#[circuit_breaker(key = host)]
async fn borrowed(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

// The key is evaluated before the body moves it.
#[circuit_breaker(key = host, max_keys = MANY * 2, timeout = "2s")]
async fn taken(host: String) -> Result<String, CircuitError> {
    Ok(host)
}

#[circuit_breaker(key = &host, name = "keyed::reference", window = "10s", reset = Duration::from_secs(1))]
async fn reference(mut host: String) -> Result<String, CircuitError> {
    host.push('!');
    Ok(host)
}

#[circuit_breaker(key = *host)]
async fn dereferenced(host: &&str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = host.as_deref().unwrap_or("none"))]
async fn computed(host: Option<String>) -> Result<bool, CircuitError> {
    Ok(host.is_some())
}

#[circuit_breaker(key = hosts[index])]
async fn indexed(hosts: &[String], index: usize) -> Result<usize, CircuitError> {
    Ok(hosts.len() + index)
}

#[circuit_breaker(key = hosts.get(index).ok_or("no such host")?)]
async fn early(hosts: &[String], index: usize) -> Result<usize, Error> {
    Ok(hosts.len() + index)
}

#[circuit_breaker(key = resolved(host).await)]
async fn awaited(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

async fn resolved(host: &str) -> String {
    tokio::task::yield_now().await;
    host.to_lowercase()
}

#[circuit_breaker(key = format!("{host}:{port}"))]
async fn formatted(host: &str, port: u16) -> Result<u16, CircuitError> {
    let _ = host;
    Ok(port)
}

#[circuit_breaker(key = format_args!("{host}:{port}"))]
async fn formatted_in_place(host: &str, port: u16) -> Result<u16, CircuitError> {
    let _ = host;
    Ok(port)
}

#[circuit_breaker(key = match region {
    Region::North => "north",
    Region::South => "south",
})]
async fn matched(region: Region) -> Result<u8, CircuitError> {
    let _ = region;
    Ok(1)
}

#[circuit_breaker(key = {
    let host = host.trim();
    host.len()
})]
async fn block(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = number)]
async fn number(number: u64) -> Result<u64, CircuitError> {
    Ok(number)
}

#[circuit_breaker(key = region)]
async fn shown(region: Region) -> Result<Region, CircuitError> {
    Ok(region)
}

#[circuit_breaker(key = address)]
async fn address(address: Ipv4Addr) -> Result<Ipv4Addr, CircuitError> {
    Ok(address)
}

#[circuit_breaker(key = host)]
async fn copied_on_write(host: Cow<'_, str>) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[circuit_breaker(key = host)]
async fn counted(host: Arc<str>) -> Result<Arc<str>, CircuitError> {
    Ok(host)
}

#[circuit_breaker(key = host)]
async fn boxed(host: Box<str>) -> Result<Box<str>, CircuitError> {
    Ok(host)
}

#[circuit_breaker(key = host)]
async fn displayed<T: fmt::Display>(host: T) -> Result<T, CircuitError> {
    Ok(host)
}

#[circuit_breaker(key = host.as_ref())]
async fn of_a_string<T: AsRef<str>>(host: T) -> Result<T, CircuitError> {
    Ok(host)
}

#[circuit_breaker(key = host)]
async fn opaque(host: impl fmt::Display) -> Result<impl fmt::Display, CircuitError> {
    Ok(host)
}

#[circuit_breaker(key = host)]
async fn dynamic(host: &(dyn fmt::Display + Sync)) -> Result<usize, CircuitError> {
    Ok(host.to_string().len())
}

#[circuit_breaker(key = N)]
async fn constant<const N: usize>(bytes: [u8; N]) -> Result<[u8; N], CircuitError> {
    Ok(bytes)
}

#[circuit_breaker(key = host)]
async fn pattern((host, port): (&str, u16), [first, ..]: [u8; 3]) -> Result<usize, CircuitError> {
    Ok(host.len() + usize::from(port) + usize::from(first))
}

#[circuit_breaker(
    key = host,
    fallback = |error| if error.is_open() { Ok(host.len()) } else { Err(error) },
    failure_if = |error| error.is_timeout(),
    crate = ::circuit_runtime
)]
async fn with_all(host: String) -> Result<usize, CircuitError> {
    Ok(host.len())
}

struct Client {
    host: String,
    region: Region,
}

impl Client {
    #[circuit_breaker(key = self.host)]
    async fn host(&self) -> Result<&str, CircuitError> {
        Ok(&self.host)
    }

    #[circuit_breaker(key = self.region, max_keys = 2)]
    async fn region(&mut self) -> Result<Region, CircuitError> {
        self.region = Region::South;
        Ok(self.region)
    }

    #[circuit_breaker(key = self.host)]
    async fn into_host(mut self) -> Result<String, CircuitError> {
        self.host.push('!');
        Ok(self.host)
    }

    #[circuit_breaker(key = Self::name_of(&self))]
    async fn shared(self: Arc<Self>) -> Result<Arc<Self>, CircuitError> {
        Ok(self)
    }

    fn name_of(&self) -> &str {
        &self.host
    }
}

trait Quotes {
    fn host(&self) -> &str;

    #[circuit_breaker(key = self.host())]
    #[allow(async_fn_in_trait)]
    async fn quote(&self, symbol: &str) -> Result<usize, CircuitError> {
        Ok(symbol.len())
    }
}

impl Quotes for Client {
    fn host(&self) -> &str {
        &self.host
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let hosts = ["a".to_owned(), "b".to_owned()];
    assert_eq!(borrowed("a").await, Ok(1));
    assert_eq!(taken("a".to_owned()).await?, "a");
    assert_eq!(reference("a".to_owned()).await?, "a!");
    assert_eq!(dereferenced(&"a").await, Ok(1));
    assert_eq!(computed(None).await, Ok(false));
    assert_eq!(indexed(&hosts, 1).await, Ok(3));
    assert!(early(&hosts, 2).await.is_err_and(|error| error.to_string() == "no such host"));
    assert_eq!(awaited("A").await, Ok(1));
    assert_eq!(formatted("a", 7).await, Ok(7));
    assert_eq!(formatted_in_place("a", 7).await, Ok(7));
    assert_eq!(matched(Region::North).await, Ok(1));
    assert_eq!(block("a").await, Ok(1));
    assert_eq!(number(u64::MAX).await, Ok(u64::MAX));
    assert_eq!(shown(Region::South).await?.to_string(), "South");
    assert_eq!(address(Ipv4Addr::LOCALHOST).await, Ok(Ipv4Addr::LOCALHOST));
    assert_eq!(copied_on_write(Cow::Borrowed("a")).await, Ok(1));
    assert_eq!(&*counted("a".into()).await?, "a");
    assert_eq!(&*boxed("a".into()).await?, "a");
    assert_eq!(displayed('a').await, Ok('a'));
    assert_eq!(of_a_string("a").await, Ok("a"));
    assert_eq!(opaque("a").await?.to_string(), "a");
    assert_eq!(dynamic(&"a").await, Ok(1));
    assert_eq!(constant([1, 2]).await, Ok([1, 2]));
    assert_eq!(pattern(("a", 1), [1, 2, 3]).await, Ok(3));
    assert_eq!(with_all("a".to_owned()).await, Ok(1));

    let mut client = Client {
        host: "a".to_owned(),
        region: Region::North,
    };
    assert_eq!(client.host().await?, "a");
    assert_eq!(client.region().await?.to_string(), "South");
    assert_eq!(client.quote("abc").await?, 3);
    let client = Arc::new(client).shared().await?;
    assert_eq!(Arc::into_inner(client).ok_or("shared")?.into_host().await?, "a!");

    let names = circuit_runtime::registry::all();
    let names: Vec<_> = names.iter().map(|breaker| breaker.name()).collect();
    assert!(names.iter().any(|name| name.contains("keyed::reference")), "{names:?}");
    Ok(())
}

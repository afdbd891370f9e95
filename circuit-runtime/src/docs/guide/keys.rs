//! One breaker per host, tenant or instance.
//!
//! There is one breaker per annotated function. It is shared by all instances, all type arguments
//! and, for the default method of a trait, all implementors: two hosts behind one `&self` method
//! share a circuit.
//!
//! # One per key
//!
//! If one function calls many hosts, tenants or shards, a single breaker would stop calls to all of
//! them when one is down. Write `key = host`: each value has a breaker of its own, named
//! `name[key]`, with the rules in the attribute. The key is a string, or anything that implements
//! `Display`:
#![cfg_attr(
    feature = "macros",
    doc = r#"
```
use circuit_runtime::{CircuitError, circuit_breaker};

type Error = Box<dyn std::error::Error + Send + Sync>;

#[circuit_breaker(max_failures = 3, key = host)]
async fn page(host: &str, path: &str) -> Result<String, Error> {
    // A real program would call the host here.
    match host {
        "down" => Err("no answer".into()),
        _ => Ok(format!("{path} of {host}")),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    for _ in 0..3 {
        assert!(page("down", "/").await.is_err());
    }
    assert!(page("down", "/").await.unwrap_err().is::<CircuitError>());
    println!("{}", page("up", "/").await?);
    Ok(())
}
```
"#
)]
//!
//! For a key of two arguments, write `key = format!("{region}/{host}")`.
//!
//! # One per instance
//!
//! Keep a [`CircuitBreaker`](crate::CircuitBreaker) in a field and name it with `breaker`. For one
//! that several functions share, keep it in a static, such as a `LazyLock`. The rules, the name and
//! the timeout are then those of that breaker:
#![cfg_attr(
    feature = "macros",
    doc = r#"
```
use circuit_runtime::{CircuitBreaker, CircuitError, Config, ConfigError, circuit_breaker};
use std::time::Duration;

struct Client {
    host: String,
    breaker: CircuitBreaker,
}

impl Client {
    fn new(host: &str) -> Result<Self, ConfigError> {
        let config = Config::builder()
            .max_failures(3)
            .window(Duration::from_secs(10))
            .build()?;
        Ok(Self {
            host: host.to_owned(),
            breaker: CircuitBreaker::new(format!("client of {host}"), config),
        })
    }

    #[circuit_breaker(breaker = self.breaker)]
    async fn page(&self, path: &str) -> Result<String, CircuitError> {
        // A real program would call the host here.
        Ok(format!("{path} of {}", self.host))
    }
}
#
# #[tokio::main(flavor = "current_thread")]
# async fn main() -> Result<(), Box<dyn std::error::Error>> {
#     let [a, b] = [Client::new("a")?, Client::new("b")?];
#     a.breaker.force_open();
#     assert!(a.page("/").await.is_err());
#     assert_eq!(b.page("/").await?, "/ of b");
#     Ok(())
# }
```
"#
)]
//!
//! The methods of the builder are named like the options, except that a `window` of calls is
//! `last_calls`. The repository's `examples/per_instance.rs` has two clients of one type.
//!
//! # Rules that the program computes
//!
//! A set of breakers can be a value of the program, a [`CircuitBreakers`](crate::CircuitBreakers),
//! which the attribute uses with `breaker = self.upstreams, key = host`. This is for rules that the
//! program computes, for several functions that share the breakers of their hosts, and for two
//! clients that must not share them. Its rules and its bound are then values:
//!
//! ```
//! use circuit_runtime::{CircuitBreakers, Config, State};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let max_failures = 3;
//! let config = Config::builder().max_failures(max_failures).build()?; // computed
//! let upstreams = CircuitBreakers::new("upstreams", config).max_keys(1_000);
//!
//! for _ in 0..max_failures {
//!     upstreams.get("a.example").try_acquire()?.failure();
//! }
//! assert_eq!(upstreams.get("a.example").state(), State::Open);
//! assert_eq!(upstreams.get("b.example").state(), State::Closed);
//! # Ok(())
//! # }
//! ```
//!
//! The repository's `examples/keyed.rs` calls four hosts over HTTP in both ways.
//!
//! # Memory
//!
//! Finding the breaker of a key takes no lock. An idle one needs about 240 bytes under every rule,
//! including a name of 30 bytes and its share of the map. One that has been called a thousand
//! times, or has failed, needs more: see [`costs`](super::costs).
//!
//! `max_keys` bounds how many breakers there are. Beyond it, idle ones are evicted in this order:
//!
//! 1. closed ones, those not used recently first;
//! 2. those that have been half-open for as long as another `reset` without a probe;
//! 3. closed ones with a failure or slow call that counts.
//!
//! One that is open, has a call in flight or is held by an operator is never evicted, even if the
//! bound is exceeded. One that a [file](super::files) holds may be: the next breaker of its key is
//! held, too. So there are at most `max_keys` breakers, not counting those in use and those that
//! opened no longer ago than their wait and another `reset`. The work for each new key is bounded,
//! too, however many breakers there are to evict.
//!
//! So no number of keys that work, made-up ones included, displaces the evidence of a host that
//! fails now and then. Only keys that fail can displace it, about `max_keys` of them. If callers
//! can make up keys that fail, bound their rate.
//!
//! After an eviction, the totals of a key start again from 0. An export keeps the earlier ones in
//! the totals of the function.
//!
//! A key of more than 256 bytes is kept as its beginning, and a hash of the rest under a secret of
//! the process. Two long keys that differ have two breakers, and no caller can craft two that share
//! one.

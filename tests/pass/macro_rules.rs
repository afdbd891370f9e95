//! Functions that another macro writes.

use std::sync::LazyLock;

use circuit_runtime::{CircuitBreaker, CircuitError, Config, circuit_breaker};

macro_rules! from_tokens {
    ($($function:tt)*) => {
        #[circuit_breaker(max_failures = 2)]
        $($function)*
    };
}

from_tokens! {
    async fn tokens(mut number: u8) -> Result<u8, CircuitError> {
        number += 1;
        Ok(number)
    }
}

macro_rules! from_fragments {
    ($(#[$attribute:meta])* $visibility:vis $name:ident($argument:ident: $type:ty) -> $output:ty, $failures:literal, $reset:expr, $window:literal, $body:block) => {
        $(#[$attribute])*
        #[circuit_breaker(max_failures = $failures, reset = $reset, window = $window)]
        $visibility async fn $name(mut $argument: $type) -> $output $body
    };
}

from_fragments! {
    /// Documented.
    #[must_use = "the number is the point"]
    pub fragments(number: u8) -> Result<u8, CircuitError>, 2, std::time::Duration::from_secs(1), "1s", {
        number += 1;
        Ok(number)
    }
}

from_fragments! {
    lone_expression(number: u8) -> Result<u8, CircuitError>, 2u32, "1s", "1s", { Ok({ number += 1; number }) }
}

macro_rules! from_item {
    ($function:item) => {
        #[circuit_breaker]
        $function
    };
}

from_item! {
    async fn item() -> Result<u8, CircuitError> {
        Ok(1)
    }
}

/// A name inside of the macro is not the one outside.
macro_rules! hygienic {
    ($outside:ident) => {
        #[circuit_breaker]
        async fn hygienic($outside: u8) -> Result<u8, CircuitError> {
            let number = 10;
            Ok(number + $outside)
        }
    };
}

hygienic!(number);

/// Code that comes in pieces of every kind.
macro_rules! with_code {
    ($name:ident, $argument:ident: $type:ty, $key:expr, $most:literal, $fallback:expr) => {
        #[circuit_breaker(key = $key, max_keys = $most, fallback = $fallback)]
        async fn $name($argument: $type) -> Result<usize, CircuitError> {
            Ok($argument.len())
        }
    };
    ($name:ident, $breaker:expr, |$error:ident| $value:expr) => {
        #[circuit_breaker(breaker = $breaker, fallback = |$error| $value)]
        async fn $name(breaker: CircuitBreaker) -> Result<usize, CircuitError> {
            Ok(breaker.name().len())
        }
    };
    ($name:ident($argument:ident) by $($key:tt)*) => {
        #[circuit_breaker(key = $($key)*)]
        async fn $name($argument: String) -> Result<String, CircuitError> {
            Ok($argument)
        }
    };
}

with_code!(by_expression, host: &str, host, 7, |error| Err(error));
with_code!(by_sum, host: &str, host.len() + 1, 7u32, Ok(host.len()));
with_code!(by_tokens(host) by &host[..1]);

/// The breaker is named by the macro, the error by who calls it.
macro_rules! owning {
    ($name:ident, |$error:ident| $value:expr) => {
        with_code!($name, BREAKER, |$error| $value);
    };
}

static BREAKER: LazyLock<CircuitBreaker> = LazyLock::new(|| {
    CircuitBreaker::new("own", Config::builder().build().expect("a config"))
});

owning!(by_breaker, |error| Ok(error.breaker().len()));

/// Many at once, each with a breaker of its own.
macro_rules! clients {
    ($($client:ident: $host:literal),* $(,)?) => {
        $(
            struct $client;

            impl $client {
                #[circuit_breaker(name = $host, key = path, fallback = Ok($host.len()))]
                async fn get(&self, path: &str) -> Result<usize, CircuitError> {
                    Ok(path.len() + $host.len())
                }
            }
        )*
    };
}

clients! {
    Payments: "payments",
    Stock: "stock",
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!(tokens(1).await, Ok(2));
    assert_eq!(fragments(1).await, Ok(2));
    assert_eq!(lone_expression(1).await, Ok(2));
    assert_eq!(item().await, Ok(1));
    assert_eq!(hygienic(1).await, Ok(11));
    assert_eq!(by_expression("a").await, Ok(1));
    assert_eq!(by_sum("a").await, Ok(1));
    assert_eq!(by_tokens("abc".to_owned()).await, Ok("abc".to_owned()));
    assert_eq!(by_breaker(BREAKER.clone()).await, Ok(3));
    assert_eq!(Payments.get("a").await, Ok(9));
    assert_eq!(Stock.get("a").await, Ok(6));
}

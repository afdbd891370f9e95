//! The attribute triggers no lint that the plain function does not.

#![forbid(unsafe_code)]
#![deny(
    warnings,
    unused,
    missing_docs,
    clippy::all,
    clippy::pedantic,
    clippy::nursery
)]

use std::{future::Future, sync::MutexGuard, time::Duration};

use circuit_runtime::{CircuitBreaker, CircuitBreakers, CircuitError, Config, circuit_breaker};

const LIMIT: u32 = 5;
const RATE: f64 = 0.5;

/// A struct whose fields can be moved out one by one.
#[derive(Debug, Default)]
pub struct Order {
    number: u64,
    items: Vec<String>,
}

impl Order {
    /// Writes one field and moves the others.
    ///
    /// # Errors
    ///
    /// When the circuit is open.
    #[circuit_breaker(max_failures = LIMIT, window = "10s", reset = Duration::from_secs(30), timeout = "1h")]
    pub async fn renumbered(mut self) -> Result<Self, CircuitError> {
        self.number = next(self.number).await?;
        Ok(Self {
            items: Vec::new(),
            ..self
        })
    }

    /// Moves one field.
    ///
    /// # Errors
    ///
    /// When the circuit is open.
    #[circuit_breaker]
    pub async fn into_items(self) -> Result<Vec<String>, CircuitError> {
        Ok(self.items)
    }
}

/// A lone expression.
///
/// # Errors
///
/// When the circuit is open.
#[circuit_breaker]
pub async fn next(number: u64) -> Result<u64, CircuitError> {
    Ok(number + 1)
}

/// Every option.
///
/// # Errors
///
/// When the circuit is open.
#[circuit_breaker(
    max_failures = 5,
    window = "10s",
    failure_rate = "50%",
    slow_call = "2s",
    slow_rate = 1,
    min_calls = 20,
    reset = "30s",
    max_reset = "5m",
    jitter = 0.1,
    probes = 3,
    timeout = "3s",
    name = "literals"
)]
pub async fn literals() -> Result<(), CircuitError> {
    Ok(())
}

/// Every option, of constants.
///
/// # Errors
///
/// When the circuit is open.
#[circuit_breaker(
    max_failures = LIMIT,
    window = LIMIT * 4,
    failure_rate = RATE,
    slow_call = Duration::from_secs(2),
    slow_rate = RATE / 2.0,
    min_calls = LIMIT + 1,
    reset = Duration::from_secs(30),
    max_reset = Duration::MAX,
    jitter = RATE,
    probes = LIMIT,
    timeout = Duration::from_secs(3)
)]
pub async fn constants() -> Result<(), CircuitError> {
    Ok(())
}

/// Predicates: one closure, one path.
///
/// # Errors
///
/// When the circuit is open.
#[circuit_breaker(
    failure_if = CircuitError::is_timeout,
    ignore_if = |error| error.is_open() && error.retry_after().is_none(),
    timeout = "3s"
)]
pub async fn judged() -> Result<u8, CircuitError> {
    Ok(1)
}

/// Predicates of several lines, one of which uses an argument.
///
/// # Errors
///
/// When the circuit is open.
#[circuit_breaker(failure_if = |error| {
    let wait = error.retry_after().unwrap_or_default();
    wait.as_secs() > number
}, ignore_if = |error| match error {
    CircuitError::Timeout { .. } => true,
    _ => false,
})]
#[expect(
    clippy::match_like_matches_macro,
    reason = "a lint of a predicate's own is still found"
)]
pub async fn judged_in_lines(number: u64) -> Result<u64, CircuitError> {
    Ok(number)
}

/// A `mut` argument of which one field is written.
///
/// # Errors
///
/// When the circuit is open.
#[circuit_breaker]
pub async fn rewritten(mut order: Order) -> Result<Order, CircuitError> {
    order.number = next(1).await?;
    Ok(Order {
        items: Vec::new(),
        ..order
    })
}

/// A guard and a future by value, which some lints track into `let _`.
///
/// # Errors
///
/// When the circuit is open.
#[circuit_breaker]
#[expect(
    clippy::future_not_send,
    reason = "the plain function triggers it, too"
)]
pub async fn followed(
    mut guard: MutexGuard<'_, u64>,
    mut future: impl Future<Output = ()> + Unpin,
) -> Result<u64, CircuitError> {
    *guard += 1;
    let number = *guard;
    drop(guard);
    (&mut future).await;
    Ok(number)
}

/// Arguments that are expected to be unused, one of which the body names as something else.
///
/// # Errors
///
/// When the circuit is open.
#[circuit_breaker(fallback = Ok(number))]
pub async fn expected(
    #[expect(unused_variables, reason = "an unused argument is still found")] text: String,
    #[expect(unused_variables, reason = "so is an unused part")] (first, second): (String, String),
    #[expect(unused_variables, reason = "so is one with the name of a field")] items: Vec<String>,
    number: u64,
) -> Result<u64, CircuitError> {
    let order = Order::default();
    next(number + order.items.len() as u64).await
}

/// Only a unit.
///
/// # Errors
///
/// When the circuit is open.
#[circuit_breaker]
pub async fn unit() -> Result<(), CircuitError> {
    Ok(())
}

/// One `match`, with attributes of its own.
///
/// # Errors
///
/// When the circuit is open.
#[must_use = "the number is the point"]
#[circuit_breaker]
#[expect(
    clippy::match_same_arms,
    reason = "a lint of the function's own is still found"
)]
pub async fn matched(number: u8) -> Result<u8, CircuitError> {
    match number {
        0 => Ok(1),
        1 => Ok(1),
        number => Ok(number),
    }
}

/// Attributes inside of the body.
///
/// # Errors
///
/// When the circuit is open.
#[circuit_breaker]
pub async fn inner() -> Result<u8, CircuitError> {
    #![allow(unused_variables)]
    let unused = 1;
    Ok(1)
}

/// Attributes before a lone expression.
///
/// # Errors
///
/// When the circuit is open.
#[circuit_breaker]
pub async fn inner_alone(number: Option<u8>) -> Result<Option<u8>, CircuitError> {
    #![allow(clippy::manual_map, clippy::option_if_let_else)]
    match number {
        Some(number) => Ok(Some(number)),
        None => Ok(None),
    }
}

#[expect(dead_code, reason = "a function that is not called is still found")]
#[circuit_breaker]
async fn dead() -> Result<u8, CircuitError> {
    Ok(1)
}

pub mod forbidding {
    //! With `forbid`, where no lint can be allowed.

    #![forbid(
        warnings,
        unused,
        unreachable_code,
        missing_docs,
        unsafe_code,
        clippy::all,
        clippy::pedantic,
        clippy::nursery,
        clippy::cargo
    )]

    use std::fmt::Display;
    use std::sync::{Arc, Mutex};

    use circuit_runtime::{CircuitBreaker, CircuitBreakers, CircuitError, circuit_breaker};

    const MANY: u32 = 100;

    #[circuit_breaker(window = "10s", timeout = "2s", failure_if = CircuitError::is_open, ignore_if = |_| false)]
    pub(crate) async fn diverging(mut count: u8) -> Result<u8, CircuitError> {
        loop {
            count += 1;
            if count == 10 {
                return Ok(count);
            }
        }
    }

    /// A value.
    #[circuit_breaker(fallback = Ok(symbol.len()))]
    pub(crate) async fn value(symbol: &str) -> Result<usize, CircuitError> {
        Ok(symbol.len())
    }

    /// Body and fallback both move the argument.
    #[circuit_breaker(fallback = Ok(symbol), timeout = "2s")]
    pub(crate) async fn moved(mut symbol: String) -> Result<String, CircuitError> {
        symbol.push('!');
        Ok(symbol)
    }

    /// Patterns, of which the body uses a part.
    #[circuit_breaker]
    pub(crate) async fn in_part(
        Client { host, .. }: Client,
        (mut name, _): (String, String),
        mut items: Vec<String>,
        _unused: String,
        _: String,
    ) -> Result<String, CircuitError> {
        name.push_str(&host);
        items.push(name);
        Ok(items.concat())
    }

    /// Patterns, of which body and fallback use different parts.
    #[circuit_breaker(key = key, fallback = |error| Err(error), timeout = "2s")]
    pub(crate) async fn in_part_with_fallback(
        Client { mut host, .. }: Client,
        key: String,
        mut items: Vec<String>,
    ) -> Result<String, CircuitError> {
        host.push_str(&key);
        items.push(host);
        Ok(items.concat())
    }

    /// A key that is part of an argument.
    #[circuit_breaker(key = host)]
    pub(crate) async fn keyed_by_a_field(
        Client { host, .. }: Client,
        mut name: String,
    ) -> Result<String, CircuitError> {
        name.push_str(&host);
        Ok(name)
    }

    /// A predicate that borrows an argument.
    #[circuit_breaker(failure_if = |_| limit.is_empty())]
    pub(crate) async fn judged(limit: String, number: u64) -> Result<u64, CircuitError> {
        Ok(number)
    }

    /// Errors made by a closure and by a path.
    #[circuit_breaker(error = |error| { error.to_string() }, failure_if = String::is_empty)]
    pub(crate) async fn described(number: u64) -> Result<u64, String> {
        Ok(number)
    }

    /// An error made of an argument.
    #[circuit_breaker(error = |_| number, timeout = "2s")]
    pub(crate) async fn numbered(number: u64) -> Result<u64, u64> {
        Ok(number)
    }

    /// Another result, of one expression and of several.
    #[circuit_breaker(or_else = |error| { Err(error) })]
    pub(crate) async fn returned(number: u64) -> Result<u64, CircuitError> {
        Ok(number)
    }

    #[circuit_breaker(or_else = |()| Ok(number), timeout = "2s", error = |_| ())]
    pub(crate) async fn replaced(number: u64, unnamed: String) -> Result<u64, ()> {
        next(number + unnamed.len() as u64).await.map_err(drop)
    }

    #[circuit_breaker(or_else = |_error| -> Result<u64, CircuitError> {
        let number = next(number).await?;
        if number == 7 {
            return Ok(number);
        }
        next(number).await
    })]
    pub(crate) async fn again(number: u64) -> Result<u64, CircuitError> {
        next(number).await
    }

    /// A closure of a `match`.
    #[circuit_breaker(or_else = |error| match error {
        CircuitError::Timeout { .. } => Ok(1),
        error => Err(error),
    })]
    pub(crate) async fn sorted(number: u64) -> Result<u64, CircuitError> {
        next(number).await
    }

    /// An error type that nothing is asked of.
    #[circuit_breaker(fallback = Ok(number), failure_if = |()| true)]
    pub(crate) async fn unasked(number: u64) -> Result<u64, ()> {
        Ok(number)
    }

    /// A closure of one expression in braces.
    #[circuit_breaker(fallback = |error| { Err(error) })]
    pub(crate) async fn closure() -> Result<(), CircuitError> {
        Ok(())
    }

    /// A closure that ignores the error.
    #[circuit_breaker(fallback = |_error| Ok(7))]
    pub(crate) async fn unneeded(number: u8) -> Result<u8, CircuitError> {
        Ok(number)
    }

    /// A closure with a return type, which needs its braces.

    #[circuit_breaker(fallback = |_| -> Result<u8, CircuitError> { Ok(7) })]
    pub(crate) async fn typed_closure(number: u8) -> Result<u8, CircuitError> {
        Ok(number)
    }

    /// A closure of several lines.
    #[circuit_breaker(fallback = |error: CircuitError| {
        let waiting = error.retry_after().unwrap_or_default();
        if waiting.is_zero() {
            return Err(error);
        }
        next(number).await
    })]
    pub(crate) async fn lines(number: u64) -> Result<u64, CircuitError> {
        next(number).await
    }

    /// A block, a match and a condition.
    #[circuit_breaker(fallback = {
        let doubled = number * 2;
        Ok(doubled)
    })]
    pub(crate) async fn block(mut number: u64) -> Result<u64, CircuitError> {
        number += 1;
        next(number).await
    }

    #[circuit_breaker(fallback = match number {
        0 => Ok(1),
        number => Ok(number),
    })]
    pub(crate) async fn matched(number: u64) -> Result<u64, CircuitError> {
        next(number).await
    }

    #[circuit_breaker(fallback = if number == 0 { Ok(1) } else { Ok(number) })]
    pub(crate) async fn condition(number: u64) -> Result<u64, CircuitError> {
        next(number).await
    }

    #[circuit_breaker]
    async fn next(number: u64) -> Result<u64, CircuitError> {
        Ok(number + 1)
    }

    /// A key that is a reference.
    #[circuit_breaker(key = host)]
    pub(crate) async fn keyed(host: &str) -> Result<usize, CircuitError> {
        Ok(host.len())
    }

    /// A key that the body moves.
    #[circuit_breaker(key = host, max_keys = MANY, fallback = Ok(host), timeout = "2s")]
    pub(crate) async fn keyed_and_taken(host: String) -> Result<String, CircuitError> {
        Ok(host)
    }

    /// A key that is `Copy`.
    #[circuit_breaker(key = number, max_keys = 100)]
    pub(crate) async fn keyed_by_number(number: u64) -> Result<u64, CircuitError> {
        Ok(number)
    }

    /// Keys that are computed.
    #[circuit_breaker(key = format!("{host}:{port}"))]
    pub(crate) async fn keyed_by_both(host: &str, port: u16) -> Result<usize, CircuitError> {
        Ok(host.len() + usize::from(port))
    }

    #[circuit_breaker(key = &host[..1], failure_if = CircuitError::is_timeout)]
    pub(crate) async fn keyed_by_a_part(host: &str) -> Result<usize, CircuitError> {
        Ok(host.len())
    }

    #[circuit_breaker(key = host.clone())]
    pub(crate) async fn keyed_by_display<T: Display + Clone + Send>(
        host: T,
    ) -> Result<T, CircuitError> {
        Ok(host)
    }

    /// A struct with a breaker in it.
    pub(crate) struct Client {
        pub(crate) host: String,
        pub(crate) breaker: CircuitBreaker,
        pub(crate) breakers: Mutex<Vec<CircuitBreaker>>,
        pub(crate) upstreams: CircuitBreakers,
    }

    impl Client {
        /// A field.
        #[circuit_breaker(breaker = self.breaker)]
        pub(crate) async fn field(&self) -> Result<&str, CircuitError> {
            Ok(&self.host)
        }

        /// A reference to a field.
        #[circuit_breaker(breaker = &self.breaker, fallback = Ok(self.host))]
        pub(crate) async fn into_host(self) -> Result<String, CircuitError> {
            Ok(self.host)
        }

        /// A breaker behind a lock.
        #[circuit_breaker(breaker = self.breakers.lock().map_err(|_| self.error())?.first().ok_or_else(|| self.error())?)]
        pub(crate) async fn locked(&self) -> Result<usize, CircuitError> {
            Ok(self.host.len())
        }

        /// The result of a function, and a field as the key.
        #[circuit_breaker(breaker = self.spare())]
        pub(crate) async fn called(self: Arc<Self>) -> Result<usize, CircuitError> {
            Ok(self.host.len())
        }

        #[circuit_breaker(key = self.host, crate = ::circuit_runtime)]
        pub(crate) async fn keyed(&mut self) -> Result<&mut String, CircuitError> {
            self.host.push('!');
            Ok(&mut self.host)
        }

        /// Breakers in a field, one for each key.
        #[circuit_breaker(breaker = self.upstreams, key = host)]
        pub(crate) async fn page(&self, host: &str) -> Result<usize, CircuitError> {
            Ok(self.host.len() + host.len())
        }

        /// Breakers that the body moves, as it moves the key.
        #[circuit_breaker(breaker = &self.upstreams, key = self.host, fallback = Ok(self.host))]
        pub(crate) async fn into_key(self) -> Result<String, CircuitError> {
            Ok(self.host)
        }

        /// The result of a function.
        #[circuit_breaker(breaker = self.of(region), key = format!("{region}/{}", self.host))]
        pub(crate) async fn regional(&mut self, region: u8) -> Result<&str, CircuitError> {
            self.host.push('!');
            Ok(&self.host)
        }

        fn of(&self, region: u8) -> CircuitBreakers {
            let _ = region;
            self.upstreams.clone()
        }

        const fn spare(&self) -> &CircuitBreaker {
            &self.breaker
        }

        fn error(&self) -> CircuitError {
            CircuitError::Timeout {
                breaker: self.breaker.name().clone(),
                after: std::time::Duration::ZERO,
            }
        }
    }
}

pub mod boxed {
    //! Methods of an object.

    use async_trait::async_trait;
    use circuit_runtime::{CircuitError, circuit_breaker};

    /// A source of prices.
    #[async_trait]
    pub(crate) trait Quotes {
        /// The price.
        #[circuit_breaker(key = symbol, fallback = |error| Err(error), timeout = "2s")]
        async fn quote(&self, mut symbol: String) -> Result<String, CircuitError> {
            symbol.push('!');
            Ok(symbol)
        }
    }

    #[async_trait]
    impl Quotes for () {
        #[circuit_breaker(max_failures = 3)]
        async fn quote(&self, symbol: String) -> Result<String, CircuitError> {
            Ok(symbol)
        }
    }
}

fn main() {
    let _futures = (
        Order::default().renumbered(),
        Order::default().into_items(),
        rewritten(Order::default()),
    );
    let _more = (
        unit(),
        literals(),
        constants(),
        judged(),
        judged_in_lines(1),
        expected(String::new(), <_>::default(), Vec::new(), 1),
        matched(1),
        inner(),
        inner_alone(None),
        forbidding::diverging(1),
    );
    let _forbidding = (
        forbidding::value(""),
        forbidding::moved(String::new()),
        forbidding::closure(),
        forbidding::typed_closure(1),
        forbidding::unneeded(1),
        forbidding::lines(1),
        forbidding::block(1),
        forbidding::matched(1),
        forbidding::condition(1),
    );
    let _keyed = (
        forbidding::keyed(""),
        forbidding::keyed_and_taken(String::new()),
        forbidding::keyed_by_number(1),
        forbidding::keyed_by_both("", 1),
        forbidding::keyed_by_a_part("a"),
        forbidding::judged(String::new(), 1),
        forbidding::described(1),
        forbidding::returned(1),
        forbidding::replaced(1, String::new()),
        forbidding::again(1),
        forbidding::sorted(1),
        forbidding::numbered(1),
        forbidding::unasked(1),
        forbidding::keyed_by_display(1),
        boxed::Quotes::quote(&(), String::new()),
    );
    if let Ok(config) = Config::builder().build() {
        let made = || forbidding::Client {
            host: String::new(),
            breaker: CircuitBreaker::new("own", config),
            breakers: std::sync::Mutex::default(),
            upstreams: CircuitBreakers::new("own", config),
        };
        let _taken = (
            made().into_host(),
            made().into_key(),
            std::sync::Arc::new(made()).called(),
        );
        let _in_part = (
            forbidding::in_part(
                made(),
                <_>::default(),
                Vec::new(),
                String::new(),
                String::new(),
            ),
            forbidding::in_part_with_fallback(made(), String::new(), Vec::new()),
            forbidding::keyed_by_a_field(made(), String::new()),
        );
        let (client, mut changed, mut other) = (made(), made(), made());
        let _borrowed = (client.field(), client.locked(), changed.keyed());
        let _keyed = (client.page(""), other.regional(1));
    }
    let mutex = std::sync::Mutex::new(1);
    let _last = mutex
        .lock()
        .map(|guard| followed(guard, std::future::ready(())));
}

//! The attribute brings no lint that the plain function does not.

#![forbid(unsafe_code)]
#![deny(warnings, unused, missing_docs, clippy::all, clippy::pedantic)]

use std::{sync::MutexGuard, time::Duration};

use circuit_runtime::{CircuitError, circuit_breaker};

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

/// Predicates of several lines, of which one names an argument.
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

/// A guard and a future by value, which some lints follow into `let _`.
///
/// # Errors
///
/// When the circuit is open.
#[circuit_breaker]
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
    #![allow(clippy::manual_map)]
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

mod forbidding {
    #![forbid(warnings, unused, unreachable_code, clippy::all, clippy::pedantic)]

    use circuit_runtime::{CircuitError, circuit_breaker};

    #[circuit_breaker(window = "10s", timeout = "2s", failure_if = CircuitError::is_open, ignore_if = |_| false)]
    pub(crate) async fn diverging(mut count: u8) -> Result<u8, CircuitError> {
        loop {
            count += 1;
            if count == 10 {
                return Ok(count);
            }
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
        matched(1),
        inner(),
        inner_alone(None),
        forbidding::diverging(1),
    );
    let mutex = std::sync::Mutex::new(1);
    let _last = mutex
        .lock()
        .map(|guard| followed(guard, std::future::ready(())));
}

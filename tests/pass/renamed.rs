//! The runtime under another name, with its own name out of scope.

extern crate circuit_runtime as other;

use std::fmt;
use std::time::Duration;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// The re-exports of a library.
pub mod resilience {
    pub mod breakers {
        pub use ::circuit_runtime::*;
    }

    pub use ::circuit_runtime as circuits;
}

/// A module with the name of the runtime that is not the runtime.
mod circuit_runtime {}

use self::resilience::breakers::{CircuitBreaker, CircuitError, Config, circuit_breaker};

const LIMIT: u32 = 5;

#[circuit_breaker(crate = crate::resilience::breakers)]
async fn module() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(crate = self::resilience::circuits, timeout = "2s")]
async fn relative() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(crate = other)]
async fn extern_crate() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(crate = (crate::other))]
async fn extern_crate_by_path() -> Result<u8, CircuitError> {
    Ok(1)
}

#[circuit_breaker(
    max_failures = LIMIT,
    window = LIMIT * 2,
    failure_rate = LIMIT as f64 / 10.0,
    slow_call = Duration::from_secs(1),
    reset = Duration::from_secs(1),
    crate = other,
    failure_if = |error| error.is_timeout(),
    ignore_if = CircuitError::is_open,
    fallback = |error| { Err(error) },
    key = number,
    max_keys = LIMIT,
    timeout = Duration::from_secs(1)
)]
async fn every_option(mut number: u8) -> Result<impl fmt::Display, CircuitError> {
    number += 1;
    Ok(number)
}

#[circuit_breaker(crate = other, breaker = breaker, fallback = Ok(7))]
async fn own(breaker: &CircuitBreaker) -> Result<usize, CircuitError> {
    Ok(breaker.name().len())
}

mod inner {
    use super::resilience::circuits::{CircuitError, circuit_breaker};

    #[circuit_breaker(crate = super::resilience::circuits)]
    pub(super) async fn parent() -> Result<u8, CircuitError> {
        Ok(1)
    }
}

macro_rules! library {
    ($runtime:path, $name:ident) => {
        #[circuit_breaker(crate = $runtime, key = host)]
        async fn $name(host: &str) -> Result<usize, CircuitError> {
            Ok(host.len())
        }
    };
    ($name:ident) => {
        #[circuit_breaker(crate = $crate::resilience::breakers, max_failures = LIMIT)]
        async fn $name() -> Result<u8, CircuitError> {
            Ok(1)
        }
    };
}

library!(crate::resilience::breakers, by_fragment);
library!(by_the_macros_own_crate);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    module().await?;
    relative().await?;
    extern_crate().await?;
    extern_crate_by_path().await?;
    assert_eq!(every_option(1).await?.to_string(), "2");
    let breaker = CircuitBreaker::new("own", Config::builder().build()?);
    assert_eq!(own(&breaker).await, Ok(3));
    inner::parent().await?;
    assert_eq!(by_fragment("a").await, Ok(1));
    by_the_macros_own_crate().await?;
    Ok(())
}

//! Results in place of an error.
//!
//! # In place of a rejected call
//!
//! A `fallback` is evaluated in place of the body when the circuit rejects the call. A failure or a
//! timeout of the body is returned as it is. A closure receives the error. Either form may
//! `.await`, use `?`, and take arguments that the body takes by value, because only one of the two
//! runs:
#![cfg_attr(
    feature = "macros",
    doc = r#"
```
use circuit_runtime::{CircuitError, circuit_breaker};

type Error = Box<dyn std::error::Error + Send + Sync>;

async fn cached(symbol: &str) -> Option<f64> {
    (symbol == "ACME").then_some(12.5)
}

#[circuit_breaker(max_failures = 1, fallback = |error| cached(&symbol).await.ok_or(error.into()))]
async fn quote(symbol: String) -> Result<f64, Error> {
    Err(format!("no price for {symbol}").into())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    assert!(quote("ACME".to_owned()).await.is_err());
    assert_eq!(quote("ACME".to_owned()).await?, 12.5);
    assert!(quote("NEWCO".to_owned()).await.unwrap_err().is::<CircuitError>());
    Ok(())
}
```
"#
)]
//!
//! # In place of every error
//!
//! `or_else` is evaluated in place of every `Err`: a rejection, a timeout or the body's own. It
//! receives an error of the function's type, and changes nothing of what was counted:
#![cfg_attr(
    feature = "macros",
    doc = r#"
```
use circuit_runtime::circuit_breaker;

type Error = Box<dyn std::error::Error + Send + Sync>;

async fn backup(symbol: &str) -> Result<f64, Error> {
    if symbol == "ACME" { Ok(12.5) } else { Err("not in the backup".into()) }
}

#[circuit_breaker(or_else = |error| backup(symbol).await.map_err(|_| error))]
async fn quote(symbol: &str) -> Result<f64, Error> {
    Err(format!("no price for {symbol}").into())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    assert_eq!(quote("ACME").await?, 12.5);
    assert_eq!(quote("NEWCO").await.unwrap_err().to_string(), "no price for NEWCO");
    Ok(())
}
```
"#
)]
//!
//! The repository's `examples/fallback.rs` returns the last known price while the exchange is down.

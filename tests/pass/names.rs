//! Names of the user's mean what they mean without the attribute.

#![allow(dead_code, unused_macros)]

use ::circuit_runtime::{CircuitError, circuit_breaker};

const BREAKER: u32 = 7;
const CONFIG: u32 = 8;
static LAZY: u32 = 9;

struct Lazy;
struct Config;
struct CircuitBreaker;
struct Duration;
trait Future {}
trait Clone {}
mod core {}
mod std {}
mod circuit_runtime {}

fn guard() -> u32 {
    1
}

fn returns() -> u32 {
    2
}

macro_rules! concat {
    () => {};
}

macro_rules! module_path {
    () => {};
}

mod patterns {
    #![allow(non_upper_case_globals, non_camel_case_types, dead_code)]

    use ::circuit_runtime::{CircuitError, circuit_breaker};

    const error: u32 = 1;
    static result: u32 = 2;
    struct permit;

    #[circuit_breaker]
    async fn called_like_items() -> Result<u32, CircuitError> {
        Ok(error + result)
    }
}

#[circuit_breaker(window = "1s", timeout = "1s")]
async fn items() -> Result<u32, CircuitError> {
    let (_lazy, _config, _breaker) = (Lazy, Config, CircuitBreaker);
    Ok(BREAKER + CONFIG + LAZY + guard() + returns())
}

#[circuit_breaker]
async fn locals(breaker: u32, body: u32) -> Result<u32, CircuitError> {
    const BREAKER: u32 = 100;
    let config = breaker + body;
    Ok(config + BREAKER)
}

#[circuit_breaker]
async fn r#type(r#fn: u32) -> Result<u32, CircuitError> {
    Ok(r#fn)
}

type Foo = Result<u32, CircuitError>;

enum Bar {
    Foo,
}

/// The return type is resolved outside of the body, where `Foo` may be something else.
#[circuit_breaker]
async fn shadowed_by_a_glob() -> Foo {
    use Bar::*;
    let _variant = Foo;
    Ok(1)
}

#[circuit_breaker]
async fn shadowed_by_an_item() -> Foo {
    struct Foo;
    let _value = Foo;
    Ok(1)
}

mod own_result {
    use circuit_runtime_alias::{CircuitError, circuit_breaker};

    use ::circuit_runtime as circuit_runtime_alias;

    type Result<T> = ::std::result::Result<T, CircuitError>;

    enum Option {
        Some,
    }

    #[circuit_breaker]
    pub(super) async fn call() -> Result<u32> {
        use Option::Some;
        let _some = Some;
        Ok(1)
    }
}

fn assert_names_of_types() {
    #[circuit_breaker]
    async fn nested() -> Foo {
        Ok(1)
    }
    let _future = nested();
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!(items().await, Ok(27));
    assert_eq!(locals(1, 2).await, Ok(103));
    assert_eq!(r#type(1).await, Ok(1));
    assert_eq!(shadowed_by_a_glob().await, Ok(1));
    assert_eq!(shadowed_by_an_item().await, Ok(1));
    assert_eq!(own_result::call().await, Ok(1));
    assert_names_of_types();
}

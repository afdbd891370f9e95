//! The user's names mean what they mean without the attribute.

#![allow(dead_code, unused_macros)]

use ::circuit_runtime::{CircuitError, circuit_breaker};

const BREAKER: u32 = 7;
const CONFIG: u32 = 8;
static LAZY: u32 = 9;

struct LazyBreaker;
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
    let (_lazy, _config, _breaker) = (LazyBreaker, Config, CircuitBreaker);
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

/// Other definitions of every name that the expansion uses.
mod all_of_them {
    #![allow(non_snake_case, non_upper_case_globals, dead_code)]

    use ::circuit_runtime::{CircuitBreaker as Real, circuit_breaker};

    type Outcome<T> = ::std::result::Result<T, ::circuit_runtime::CircuitError>;

    const BREAKER: usize = 1;
    const __CIRCUIT_BREAKERS: usize = 2;
    static __CIRCUIT_MAX_KEYS: usize = 3;
    const __CIRCUIT_CONFIG: usize = 4;
    static __CIRCUIT_BREAKER: usize = 5;

    struct LazyBreaker;
    struct Result;
    struct Config;
    struct CircuitBreaker;
    struct CircuitError;
    struct Key;
    struct Keyed;
    trait Other {}
    trait Display {}

    enum Of {
        Ok,
        Err,
    }

    // Traits with methods of the same names, for every type.
    trait StrKey {
        fn breaker_of(&self, of: usize) -> usize {
            of
        }
    }

    impl<T: ?Sized> StrKey for T {}

    trait DisplayKey {
        fn verdict(&self, of: usize) -> usize {
            of
        }

        fn build(&self, of: usize) -> usize {
            of
        }
    }

    impl<T: ?Sized> DisplayKey for T {}

    fn guard() -> usize {
        1
    }

    fn admit() -> usize {
        1
    }

    fn key_of(_: &str) -> usize {
        1
    }

    fn rejected<T>(_: T) -> usize {
        1
    }

    fn sum() -> usize {
        let all =
            (Of::Ok, Of::Err, LazyBreaker, Result, Config, CircuitBreaker, CircuitError, Key, Keyed);
        all.breaker_of(BREAKER)
            + __CIRCUIT_BREAKERS
            + __CIRCUIT_MAX_KEYS
            + __CIRCUIT_CONFIG
            + __CIRCUIT_BREAKER
            + guard()
            + admit()
            + key_of("")
            + rejected(7)
    }

    #[circuit_breaker(
        key = host,
        max_keys = 7,
        fallback = |error| if error.is_open() {
            ::core::result::Result::Ok(sum())
        } else {
            ::core::result::Result::Err(error)
        }
    )]
    pub(super) async fn keyed(host: &str) -> Outcome<usize> {
        use Of::*;
        let _here = (Ok, Err);
        ::core::result::Result::Ok(sum() + host.len())
    }

    #[circuit_breaker(breaker = breaker, fallback = ::core::result::Result::Ok(sum()))]
    pub(super) async fn own(breaker: &Real) -> Outcome<usize> {
        const Ok: usize = 1;
        ::core::result::Result::Ok(sum() + breaker.name().len() + Ok)
    }

    // In user code, each name is the user's own.
    #[circuit_breaker(key = BREAKER + __CIRCUIT_MAX_KEYS.verdict(0), name = "of constants")]
    pub(super) async fn of_constants() -> Outcome<usize> {
        ::core::result::Result::Ok(BREAKER)
    }
}

/// Arguments and locals with the names of the expansion.
#[circuit_breaker(key = __circuit_error, fallback = |__circuit_permit| {
    let _same = __circuit_permit;
    Ok(__circuit_error + __circuit_result + __circuit_admitted)
}, failure_if = |__circuit_result| __circuit_result.is_timeout() && __circuit_error > 1)]
async fn generated(
    __circuit_error: u32,
    __circuit_result: u32,
    __circuit_admitted: u32,
) -> Result<u32, CircuitError> {
    Ok(__circuit_error + __circuit_result + __circuit_admitted)
}

#[circuit_breaker(breaker = __circuit_breaker.as_ref().clone())]
async fn generated_breaker(
    __circuit_breaker: Box<::circuit_runtime::CircuitBreaker>,
) -> Result<u32, CircuitError> {
    Ok(u32::from(__circuit_breaker.snapshot().succeeded == 0))
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

    assert_eq!(all_of_them::keyed("a").await, Ok(20));
    assert_eq!(all_of_them::of_constants().await, Ok(1));
    assert_eq!(generated(1, 2, 3).await, Ok(6));
    let config = ::circuit_runtime::Config::builder().build().expect("a config");
    let breaker = ::circuit_runtime::CircuitBreaker::new("own", config);
    assert_eq!(all_of_them::own(&breaker).await, Ok(23));
    assert_eq!(generated_breaker(Box::new(breaker)).await, Ok(0));
}

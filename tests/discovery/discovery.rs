//! A program finds its annotated functions and those of a library before any of them is called.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    reason = "a test that cannot go on fails, and functions that are never called are declared"
)]

use circuit_runtime::{CircuitBreaker, CircuitError, Declared, State, circuit_breaker, registry};

const FILE: &str = file!();

/// Returns the declared functions called `name`.
fn named(name: &str) -> Vec<Declared> {
    let declared = registry::declared().into_iter();
    declared.filter(|function| function.name == name).collect()
}

/// Returns the only declared function called `name`.
fn only(name: &str) -> Declared {
    let mut named = named(name);
    assert_eq!(named.len(), 1, "{named:?}");
    named.remove(0)
}

const LINE: u32 = line!() + 2;

#[circuit_breaker(max_failures = 2, reset = "10s")]
async fn private() -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(name = "generic")]
async fn generic<T>(value: T) -> Result<T, CircuitError> {
    Ok(value)
}

#[circuit_breaker(breaker = breaker)]
async fn own_breaker(breaker: &CircuitBreaker) -> Result<(), CircuitError> {
    Ok(())
}

#[circuit_breaker(name = "returned")]
fn returned() -> impl Future<Output = Result<(), CircuitError>> {
    async move { Ok(()) }
}

#[circuit_breaker(name = "keyed", key = host, max_keys = 2)]
async fn keyed(host: &str) -> Result<usize, CircuitError> {
    Ok(host.len())
}

#[cfg(any())]
#[circuit_breaker(name = "configured out")]
async fn configured_out() -> Result<(), CircuitError> {
    Ok(())
}

struct Client<T>(T);

impl<T> Client<T> {
    #[circuit_breaker(name = "method")]
    async fn method(&mut self) -> Result<&T, CircuitError> {
        Ok(&self.0)
    }
}

trait Provided {
    #[circuit_breaker]
    async fn provided(&self) -> Result<(), CircuitError> {
        Ok(())
    }
}

impl Provided for u8 {}
impl Provided for u16 {}

const BOXED_LINE: u32 = line!() + 5;

#[async_trait::async_trait]
trait Boxed {
    /// Calls nothing.
    #[circuit_breaker(name = "boxed")]
    async fn boxed(&self) -> Result<(), CircuitError> {
        Ok(())
    }
}

struct First;
struct Second;

impl First {
    #[circuit_breaker]
    async fn twice() -> Result<(), CircuitError> {
        Ok(())
    }
}

impl Second {
    #[circuit_breaker]
    async fn twice() -> Result<(), CircuitError> {
        Ok(())
    }
}

const MACRO_LINE: u32 = line!() + 1;
library::functions!(by_a_macro);

#[test]
fn every_annotated_function_of_both_crates_is_declared_in_the_order_of_names() {
    library::linked();
    let declared = registry::declared();
    let names: Vec<_> = declared.iter().map(|function| &*function.name).collect();
    // Neither `own_breaker`, which has no breaker of its own, nor what is configured out.
    let expected = [
        "boxed",
        "discovery::by_a_macro",
        "discovery::private",
        "discovery::provided",
        "discovery::twice",
        "discovery::twice",
        "generic",
        "keyed",
        "library generic",
        "library::private",
        "library::provided",
        "library::unused::method",
        "method",
        "returned",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_function_is_declared_with_the_place_of_its_attribute() {
    let private = only("discovery::private");
    assert_eq!((private.file, private.line), (FILE, LINE));
    let boxed = only("boxed");
    assert_eq!((boxed.file, boxed.line), (FILE, BOXED_LINE));
    let by_a_macro = only("discovery::by_a_macro");
    assert_eq!((by_a_macro.file, by_a_macro.line), (FILE, MACRO_LINE));
    let of_the_library = only("library generic");
    assert!(of_the_library.file.ends_with("library.rs"));
    let shown = format!("{private:?}");
    let expected =
        format!("Declared {{ name: \"discovery::private\", file: {FILE:?}, line: {LINE}, .. }}");
    assert_eq!(shown, expected);
}

#[test]
fn functions_that_share_a_name_are_duplicates() {
    let duplicates = registry::duplicates();
    let [first, second] = &*duplicates else {
        panic!("{duplicates:?}")
    };
    assert_eq!(
        (&*first.name, &*second.name),
        ("discovery::twice", "discovery::twice")
    );
    assert!(first.line < second.line);
    first.breaker().unwrap().force_open();
    assert_eq!(second.breaker().unwrap().state(), State::Closed);
}

#[test]
fn a_listed_function_has_no_breaker_until_it_is_asked_for() {
    let returned = only("returned");
    assert!(registry::find("returned").is_none());
    let breaker = returned.breaker().unwrap();
    assert_eq!(breaker.name(), "returned");
    assert_eq!(breaker.snapshot().succeeded, 0);
    let [listed] = &*registry::find_all("returned") else {
        panic!("one breaker, however often it is asked for")
    };
    breaker.force_open();
    assert_eq!(listed.state(), State::Open);
    assert_eq!(returned.breaker().unwrap().state(), State::Open);
}

#[tokio::test]
async fn a_function_is_held_open_before_its_first_call() {
    let breaker = only("discovery::private").breaker().unwrap();
    assert_eq!(breaker.config().max_failures(), Some(2));
    breaker.force_open();
    assert!(private().await.unwrap_err().is_open());
    breaker.reset();
    assert_eq!(private().await, Ok(()));
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.rejected, snapshot.succeeded), (1, 1));
}

#[tokio::test]
async fn all_instances_of_a_generic_function_share_the_declared_breaker() {
    let breaker = only("generic").breaker().unwrap();
    assert_eq!(generic(1_u8).await, Ok(1));
    assert_eq!(generic("a").await, Ok("a"));
    assert_eq!(breaker.snapshot().succeeded, 2);
}

#[tokio::test]
async fn a_function_of_a_library_is_held_open_before_its_first_call() {
    only("library generic").breaker().unwrap().force_open();
    assert!(library::generic(1).await.unwrap_err().is_open());
}

#[tokio::test]
async fn one_key_is_held_open_before_its_first_call() {
    let function = only("keyed");
    assert!(function.breaker().is_none());
    let breakers = function.breakers().unwrap();
    assert!(breakers.all().is_empty());
    breakers.get("down").force_open();
    for key in ["a", "b", "c"] {
        assert_eq!(keyed(key).await, Ok(1));
    }
    assert!(keyed("down").await.unwrap_err().is_open());
    assert_eq!(
        breakers.all().len(),
        2,
        "the function's `max_keys` is in force"
    );
    assert_eq!(
        registry::find("keyed[down]").unwrap().snapshot().rejected,
        1
    );
}

#[test]
fn a_function_with_one_breaker_has_none_for_keys() {
    assert!(only("method").breakers().is_none());
}

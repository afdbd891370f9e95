//! The attribute `#[circuit_breaker]` of [`circuit-runtime`], which re-exports it: depend on that
//! crate, not on this.
//!
//! [`circuit-runtime`]: https://docs.rs/circuit-runtime

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod errors;
mod expand;
mod function;
mod generate;
mod options;
mod spans;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Wraps an `async fn` in a circuit breaker.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitError, circuit_breaker};
///
/// #[derive(Debug, thiserror::Error)]
/// enum QuoteError {
///     #[error("not a number")]
///     Malformed(#[from] std::num::ParseFloatError),
///     #[error(transparent)]
///     Circuit(#[from] CircuitError),
/// }
///
/// #[circuit_breaker(max_failures = 5, window = "10s", reset = "30s", timeout = "2s")]
/// async fn quote(symbol: &str) -> Result<f64, QuoteError> {
///     let answer = ask(symbol).await;
///     Ok(answer.parse()?)
/// }
/// #
/// # async fn ask(symbol: &str) -> String {
/// #     format!("{}.5", symbol.len())
/// # }
/// #
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), QuoteError> {
/// #     assert_eq!(quote("ACME").await?, 4.5);
/// #     Ok(())
/// # }
/// ```
///
/// While the circuit is closed, calls run and their failures are counted. At `max_failures` it
/// opens: for as long as `reset`, the body does not run, and each call returns
/// [`CircuitError::Open`] immediately. Then one call, the probe, is admitted. Its success closes
/// the circuit, its failure reopens it. [Other rules](#when-it-opens) open the circuit at a share
/// of calls that failed or were slow.
///
/// Every `Err` is a failure, unless `failure_if`, `ignore_if` or `classify`
/// [says otherwise](#what-counts-as-a-failure). A panic is a failure, too, and keeps unwinding. So
/// is a call that exceeds its `timeout`. A call that its caller drops is neither failure nor
/// success.
///
/// # One breaker for one function
///
/// There is one breaker per annotated function. It is shared by all instances, all type arguments
/// and, for the default method of a trait, all implementors. Two hosts behind one `&self` method
/// open one circuit. To give each its own, write a [`key`](#one-breaker-for-each-key) or a
/// [`breaker`](#a-breaker-of-your-own).
///
/// The breaker is created by the first call.
///
/// In a recursive function, each level counts as a call, and the inner call of a probe is rejected,
/// so that the circuit cannot close again: annotate a wrapper around it instead.
///
/// # Options
///
/// | option | value | default | meaning |
/// |---|---|---|---|
/// | `max_failures` | integer of at least 1 | 5, when there is neither `failure_rate` nor `slow_call` | opens at this many failures: within `window`, or in a row when there is no `window` |
/// | `window` | duration, or an integer from 1 to 65 536 | none | which calls count: those of this span of time up to now, or this many of the latest |
/// | `failure_rate` | above `0.0`, up to `1.0`, or `"50%"` | none | opens when at least this share of the calls in `window` failed; needs `window` |
/// | `slow_call` | duration | none | a call that takes longer is slow, whether or not it succeeds; needs `window` |
/// | `slow_rate` | like `failure_rate` | 1 | opens when at least this share of the calls in `window` was slow; needs `slow_call` |
/// | `min_calls` | integer of at least 1 | 20, or all of `window` when those are fewer | the two rates are not evaluated on fewer calls |
/// | `reset` | duration | `"30s"` | how long the circuit stays open |
/// | `max_reset` | duration of at least `reset` | none | each failed probe doubles the wait, up to this, with `jitter` on top; a recovery starts again from `reset` |
/// | `jitter` | `0.0` to `1.0`, or `"10%"` | 0 | adds up to this share to each wait, at random, so that instances do not probe at the same time |
/// | `probes` | integer of at least 1 | 1 | after the wait, this many calls are admitted, and all must succeed |
/// | `timeout` | duration | none | a call that takes longer is dropped, counts as a failure, and returns [`CircuitError::Timeout`]; needs a tokio runtime with timers, or returns [`CircuitError::NoRuntime`] |
/// | `ramp` | duration | none | after a recovery, a growing share of the calls is admitted over this time, a tenth at first |
/// | `failure_if` | closure or path, `fn(&E) -> bool` | every `Err` | an `Err` for which it is false counts as a success: the service answered |
/// | `ignore_if` | closure or path, `fn(&E) -> bool` | none | an `Err` for which it is true is not counted: it is neither failure nor success |
/// | `retry_after` | closure or path, `fn(&E) -> Option<Duration>` | none | an `Err` for which it is `Some(wait)` is a failure, and opens the circuit at once, for this long |
/// | `classify` | closure or path, `fn(&Result<T, E>) -> Verdict` | none | says what each result means, an `Ok`, too; not beside the three options above |
/// | `fallback` | a `Result`, or `\|error\| ..` that returns one | none | the result of a rejected call; it can use the arguments and `.await` |
/// | `or_else` | `\|error\| ..` that returns a `Result` | none | the result in place of every `Err`: a rejection, a timeout or the body's own; it can use arguments that are shared references or `Copy`, and `.await`; not beside `fallback` |
/// | `error` | closure or path, `fn(CircuitError) -> E` | `E::from` | makes the function's own error of a rejection or a timeout |
/// | `key` | expression over the arguments, a string or `Display` | none | one breaker for each value, created on first use; beside `breaker`, one of those |
/// | `max_keys` | integer of at least 1 | 10 000 | bound on the breakers of a `key`; beyond it, idle ones are evicted, busy ones never |
/// | `breaker` | a [`CircuitBreaker`], or beside `key` a [`CircuitBreakers`], or a reference to one | none | uses this breaker, or these; only `key`, `fallback`, `or_else`, `error`, `classify`, `failure_if`, `ignore_if`, `retry_after` and `crate` can be written beside it |
/// | `name` | string | `crate::module::function` | the name in errors and in the registry |
/// | `crate` | path | `::circuit_runtime` | the path of the runtime, if it is renamed or re-exported |
///
/// All options can be omitted: `#[circuit_breaker]` alone opens after five consecutive failures.
/// The default name does not include the type: if two methods in a module share a name, set `name`
/// on one. With the feature `discovery`, `registry::duplicates()` finds such methods.
///
/// A duration is a sequence of integers with a unit, one of `us`, `ms`, `s`, `m`, `h` and `d`, the
/// largest first: `"250ms"`, `"1m30s"`. Numbers and durations can also be constant expressions:
///
/// ```
/// # use circuit_runtime::circuit_breaker;
/// # use std::time::Duration;
/// # struct Shop;
/// const LIMIT: u32 = 5;
///
/// # impl Shop {
/// #[circuit_breaker(max_failures = LIMIT, reset = Duration::from_secs(30))]
/// async fn charge(&self, cents: u64) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
///     // ..
/// #   let _ = cents;
///     Ok(())
/// }
/// # }
/// ```
///
/// A count is a `u32`, a share an `f64` and a duration a `Duration`; a `window` that is a `u32` is
/// a number of calls. The breaker is created outside of the function, so a constant cannot name
/// `Self` or a type parameter. A limit that is known at run time only, such as `limit()` of a
/// function that is no `const fn`, or a `LazyLock`, belongs to a breaker that is made at run time:
/// see `breaker`.
///
/// An invalid value is a compile error, even that of a constant expression. So is an invalid
/// combination of options, such as a `failure_rate` without a `window`.
///
/// # What counts as a failure
///
/// By default, every `Err` is a failure. But "no such symbol" is an answer: it shows that the
/// exchange is up. An error raised before the exchange was called says nothing about it:
///
/// ```
/// # use circuit_runtime::{CircuitError, circuit_breaker};
/// # #[derive(Debug, thiserror::Error)]
/// # enum QuoteError {
/// #     #[error("the exchange is down")]
/// #     Down,
/// #     #[error("no such symbol")]
/// #     UnknownSymbol,
/// #     #[error("no access token")]
/// #     NoToken,
/// #     #[error(transparent)]
/// #     Circuit(#[from] CircuitError),
/// # }
/// impl QuoteError {
///     fn is_outage(&self) -> bool {
///         !matches!(self, Self::UnknownSymbol)
///     }
/// }
///
/// #[circuit_breaker(
///     failure_if = |error| error.is_outage(),
///     ignore_if = |error| matches!(error, QuoteError::NoToken),
/// )]
/// async fn quote(symbol: &str) -> Result<f64, QuoteError> {
///     // ..
/// #   match symbol {
/// #       "" => Err(QuoteError::UnknownSymbol),
/// #       "?" => Err(QuoteError::NoToken),
/// #       _ => Err(QuoteError::Down),
/// #   }
/// }
/// #
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// #     for symbol in ["", "?", "?", "ACME", "ACME", "ACME"] {
/// #         assert!(quote(symbol).await.is_err());
/// #     }
/// #     let made = circuit_runtime::registry::all();
/// #     let mut totals = made.iter().map(|breaker| breaker.snapshot());
/// #     assert!(totals.any(|totals| {
/// #         (totals.succeeded, totals.ignored, totals.failed) == (1, 2, 3)
/// #     }));
/// # }
/// ```
///
/// Both options take a closure or the path of a function, such as `QuoteError::is_outage`, which is
/// called with the `Err` that the body returns. `ignore_if` is evaluated first; `failure_if` sees
/// only errors that it does not ignore. Neither sees a panic, a timeout or a rejected call. If a
/// predicate panics, the call counts as cancelled. The function's result is not changed. A closure
/// that takes its argument for the whole result, as in `matches!(result, Ok(..))`, is refused,
/// unless the error type itself is written as a `Result`, or as an alias whose name ends so.
///
/// A service that says when to come back, as by the header `Retry-After`, is left alone for that
/// long: where `retry_after` returns `Some(wait)`, the circuit opens at once, whatever its limits,
/// for `wait` and the `jitter`, but at most for `max_reset`, or for one hour without it. It is
/// evaluated after `ignore_if` and before `failure_if`; the first that decides, decides.
///
/// `classify` sees the whole result, and returns a [`Verdict`] on it:
///
/// ```
/// # use circuit_runtime::{CircuitError, Verdict, circuit_breaker, registry};
/// #[circuit_breaker(max_failures = 2, name = "pages", classify = |result| match result {
///     Ok(500..) | Err(_) => Verdict::Failure,
///     Ok(_) => Verdict::Success, // a 404, too: the service works
/// })]
/// async fn status(path: &str) -> Result<u16, CircuitError> {
///     // ..
/// #   Ok(if path.is_empty() { 404 } else { 503 })
/// }
/// #
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// #     for (path, expected) in [("", 404), ("/", 503), ("/", 503)] {
/// #         assert_eq!(status(path).await.unwrap(), expected);
/// #     }
/// #     assert!(status("").await.is_err());
/// #     assert_eq!(registry::find("pages").unwrap().snapshot().failed, 2);
/// # }
/// ```
///
/// A predicate is part of the function, so it can name `Self` and type parameters, and arguments
/// that are shared references or `Copy`. Any other argument is moved into the body, so that
/// `failure_if = |error| error.is_outage_of(&host)` needs a `host: &str`, not a `String`.
///
/// # In place of a rejected call
///
/// A `fallback` is evaluated in place of the body, and only if the circuit rejects the call. A
/// failure or a timeout of the body is returned as it is. A `fallback` is either an expression or a
/// closure that takes the [`CircuitError`]. It is part of the function: it can `.await`, use `?`,
/// `return`, and move an argument that the body moves, too.
///
/// ```
/// # use circuit_runtime::{CircuitError, circuit_breaker};
/// # type Error = Box<dyn std::error::Error + Send + Sync>;
/// # async fn cached(symbol: &str) -> Option<f64> { (symbol == "ACME").then_some(12.5) }
/// #[circuit_breaker(
///     max_failures = 1,
///     fallback = |error| cached(&symbol).await.ok_or(error.into()),
/// )]
/// async fn quote(symbol: String) -> Result<f64, Error> {
///     // ..
/// #   Err(symbol.into())
/// }
/// #
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// #     assert!(quote("ACME".to_owned()).await.is_err());
/// #     assert_eq!(quote("ACME".to_owned()).await.unwrap(), 12.5);
/// #     assert!(quote("?".to_owned()).await.unwrap_err().is::<CircuitError>());
/// # }
/// ```
///
/// # In place of every error
///
/// `or_else` is evaluated in place of every `Err` that the call would return: that of a rejection,
/// of a timeout, or of the body itself. It is a closure that takes the function's own error, and it
/// changes nothing of what was counted. Like a `fallback`, it is part of the function, and can
/// `.await`, use `?` and `return`:
///
/// ```
/// # use circuit_runtime::{CircuitError, circuit_breaker};
/// # type Error = Box<dyn std::error::Error + Send + Sync>;
/// # async fn stored(symbol: &str) -> Option<f64> { (symbol == "ACME").then_some(12.5) }
/// #[circuit_breaker(max_failures = 1, or_else = |error| stored(symbol).await.ok_or(error))]
/// async fn quote(symbol: &str) -> Result<f64, Error> {
///     // ..
/// #   Err(symbol.into())
/// }
/// #
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// #     assert_eq!(quote("ACME").await.unwrap(), 12.5);
/// #     assert_eq!(quote("ACME").await.unwrap(), 12.5);
/// #     assert!(quote("?").await.unwrap_err().is::<CircuitError>());
/// # }
/// ```
///
/// It runs once the body has ended and has dropped its arguments, so it can use those that are
/// shared references or `Copy`, and others that the body does not name. No `timeout` ends it.
///
/// # An error type of another crate
///
/// A rejected call returns an `Err`, as does one that times out. By default its error is made by
/// `From<CircuitError>`: that of `anyhow::Error`, of `Box<dyn Error + Send + Sync>`, or of an enum
/// with a `#[from] CircuitError` variant. `error` makes it of any other type:
///
/// ```
/// # use circuit_runtime::circuit_breaker;
/// #[circuit_breaker(max_failures = 1, error = |circuit_error| (503, circuit_error.to_string()))]
/// async fn page(path: &str) -> Result<String, (u16, String)> {
///     // ..
/// #   Err((500, path.to_owned()))
/// }
/// #
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// #     assert_eq!(page("/").await.unwrap_err().0, 500);
/// #     assert_eq!(page("/").await.unwrap_err().0, 503);
/// # }
/// ```
///
/// It is a closure or the path of a function, such as `io::Error::other`, and can use the same
/// arguments as a predicate. A function with a `fallback`, and neither `timeout` nor `breaker`,
/// needs no conversion: the fallback takes the only `CircuitError` that there is.
///
/// # One breaker for each key
///
/// With a `key`, each of its values has a breaker of its own, called `name[key]`:
///
/// ```
/// # use circuit_runtime::circuit_breaker;
/// # type Error = Box<dyn std::error::Error + Send + Sync>;
/// #[circuit_breaker(max_failures = 1, key = host)]
/// async fn page(host: &str, path: &str) -> Result<String, Error> {
///     // ..
/// #   let _ = path;
/// #   Err(host.into())
/// }
/// #
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// #     for host in ["a", "b", "a", "b"] {
/// #         assert!(page(host, "/").await.is_err());
/// #     }
/// #     let made = circuit_runtime::registry::all();
/// #     let mut made = made.iter().map(|breaker| {
/// #         (breaker.name().ends_with("::page[b]"), breaker.snapshot())
/// #     });
/// #     assert!(made.any(|(found, totals)| found && (totals.failed, totals.rejected) == (1, 1)));
/// # }
/// ```
///
/// The `key` is evaluated at each call, before the body, and can `.await` and use `?`. A string is
/// looked up as it is, any other type that implements `Display` by its text: a number, an address,
/// `format!("{region}/{host}")`. The lookup takes no lock. When there are more than `max_keys`
/// breakers, closed ones without a call in flight are evicted, those that were not used recently
/// first, and those with a failure or slow call that counts last. A breaker that has opened is kept
/// for its wait and another `reset`, and one with a call in flight in any case, even if there are
/// then more than `max_keys`. A key of more than 256 bytes is kept and shown as its beginning and a
/// hash of the rest. If callers can make up keys that fail, bound their rate.
///
/// # A breaker of your own
///
/// A `breaker` is one that you have created, with its own rules and name. Several functions can
/// share it, and each instance can have its own:
///
/// ```
/// use circuit_runtime::{CircuitBreaker, CircuitError, Config, circuit_breaker};
///
/// struct Client {
///     breaker: CircuitBreaker,
/// }
///
/// impl Client {
///     #[circuit_breaker(breaker = self.breaker)]
///     async fn page(&self, path: &str) -> Result<String, CircuitError> {
///         // ..
/// #       Ok(path.to_owned())
///     }
/// }
/// #
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// #     let client = Client { breaker: CircuitBreaker::new("pages", Config::default()) };
/// #     assert_eq!(client.page("/").await.unwrap(), "/");
/// #     assert_eq!(client.breaker.snapshot().succeeded, 1);
/// # }
/// ```
///
/// The expression is evaluated at each call. The breaker's own `timeout` applies. A call borrows a
/// breaker that is a field, an element or a static, if it is reached through shared references.
/// Otherwise, as with `&mut self` or a function that returns the breaker, the call holds a handle
/// of its own.
///
/// # Breakers of your own, one for each key
///
/// Beside a `key`, `breaker` is a [`CircuitBreakers`]: one breaker for each key, with rules and a
/// bound that are known only when the program runs. Instances that have their own share no breaker,
/// even for the same key:
///
/// ```
/// use circuit_runtime::{CircuitBreakers, CircuitError, Config, circuit_breaker};
///
/// struct Client {
///     upstreams: CircuitBreakers,
/// }
///
/// impl Client {
///     fn new(config: Config) -> Self {
///         Self { upstreams: CircuitBreakers::new("pages", config).max_keys(1_000) }
///     }
///
///     #[circuit_breaker(breaker = self.upstreams, key = host)]
///     async fn page(&self, host: &str, path: &str) -> Result<String, CircuitError> {
///         // ..
/// #       Ok(format!("{path} of {host}"))
///     }
/// }
/// #
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// #     let clients = [Config::default(), Config::default()].map(Client::new);
/// #     clients[0].upstreams.get("a").force_open();
/// #     assert!(clients[0].page("a", "/").await.is_err());
/// #     assert_eq!(clients[1].page("a", "/").await.unwrap(), "/ of a");
/// #     assert_eq!(clients[0].page("b", "/").await.unwrap(), "/ of b");
/// # }
/// ```
///
/// Both expressions are evaluated at each call, the `key` first. The call holds a handle to the
/// breaker of its key.
///
/// # When it opens
///
/// Each rule stands alone: the first that is met opens the circuit. Rejected calls do not count.
/// The [guide] explains which rules suit which service.
///
/// `failure_rate` opens the circuit when at least this share of the calls in `window` failed:
///
/// ```
/// # use circuit_runtime::circuit_breaker;
/// #[circuit_breaker(window = "10s", failure_rate = "50%", min_calls = 10)]
/// async fn quote(symbol: &str) -> Result<f64, Box<dyn std::error::Error + Send + Sync>> {
///     // ..
/// #   Ok(symbol.parse()?)
/// }
/// #
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// #     assert_eq!(quote("4.5").await?, 4.5);
/// #     let made = circuit_runtime::registry::all();
/// #     let mut configs = made.iter().map(|breaker| breaker.config());
/// #     assert!(configs.any(|config| {
/// #         config.failure_rate() == Some(0.5) && config.max_failures().is_none()
/// #     }));
/// #     Ok(())
/// # }
/// ```
///
/// The rate is not evaluated on fewer than `min_calls` calls, so that the first failure of a quiet
/// hour is not one of 100 %. With a `failure_rate` or a `slow_call`, a number of failures opens the
/// circuit only if `max_failures` is set, too.
///
/// `slow_call` is for a service that responds, but too late. A call that takes longer is slow,
/// whether or not it succeeds. A call that is still running after that time is slow already: there
/// is no timer, so the next call detects it. Unlike `timeout`, `slow_call` does not end the call.
/// At a share of `slow_rate` the circuit opens. For failures, set another rule beside it:
///
/// ```
/// # use circuit_runtime::circuit_breaker;
/// #[circuit_breaker(
///     window = "1m",
///     failure_rate = 0.5,
///     slow_call = "2s",
///     slow_rate = 0.8,
///     timeout = "10s"
/// )]
/// async fn quote(symbol: &str) -> Result<f64, Box<dyn std::error::Error + Send + Sync>> {
///     // ..
/// #   Ok(symbol.parse()?)
/// }
/// #
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// #     assert_eq!(quote("4.5").await?, 4.5);
/// #     let made = circuit_runtime::registry::all();
/// #     let mut configs = made.iter().map(|breaker| breaker.config());
/// #     assert!(configs.any(|config| {
/// #         config.slow_rate() == Some(0.8) && config.min_calls() == 20
/// #     }));
/// #     Ok(())
/// # }
/// ```
///
/// A `window` that is an integer counts the last calls, however long ago they were. This one opens
/// at ten failures among the last hundred calls, and when all of them were slow:
///
/// ```
/// # use circuit_runtime::circuit_breaker;
/// #[circuit_breaker(window = 100, max_failures = 10, slow_call = "500ms", min_calls = 100)]
/// async fn quote(symbol: &str) -> Result<f64, Box<dyn std::error::Error + Send + Sync>> {
///     // ..
/// #   Ok(symbol.parse()?)
/// }
/// #
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// #     assert_eq!(quote("4.5").await?, 4.5);
/// #     let made = circuit_runtime::registry::all();
/// #     let mut configs = made.iter().map(|breaker| breaker.config());
/// #     assert!(configs.any(|config| {
/// #         config.last_calls() == Some(100) && config.slow_rate() == Some(1.0)
/// #     }));
/// #     Ok(())
/// # }
/// ```
///
/// # How it closes
///
/// After `reset` the circuit is half-open. It admits `probes` calls and rejects all others. When
/// all of the probes have succeeded it closes; the first that fails reopens it:
///
/// ```
/// # use circuit_runtime::circuit_breaker;
/// #[circuit_breaker(reset = "5s", max_reset = "5m", jitter = "10%", probes = 3)]
/// async fn quote(symbol: &str) -> Result<f64, Box<dyn std::error::Error + Send + Sync>> {
///     // ..
/// #   Ok(symbol.parse()?)
/// }
/// #
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// #     assert_eq!(quote("4.5").await?, 4.5);
/// #     let made = circuit_runtime::registry::all();
/// #     let mut configs = made.iter().map(|breaker| breaker.config());
/// #     assert!(configs.any(|config| config.probes() == 3));
/// #     Ok(())
/// # }
/// ```
///
/// Here the circuit stays open for 5 seconds at first, then for 10, 20 and so on up to 5 minutes,
/// each time up to a tenth longer.
///
/// # The function
///
/// Works on any `async fn` that returns a `Result`: free functions, methods with any receiver,
/// generic functions, trait methods and their implementations. The signature stays as it is. A
/// rejected call returns the function's own error type, which must therefore implement
/// `From<CircuitError>`, as `anyhow::Error`, `Box<dyn Error + Send + Sync>` and the enum above do,
/// unless [`error` makes it](#an-error-type-of-another-crate).
///
/// A function that is not `async` can return the future of an `async move` block, which must be its
/// last expression: as `impl Future<Output = Result<..>>` or, boxed by `Box::pin` or `.boxed()`, as
/// `BoxFuture<'_, Result<..>>`. The block is guarded. The statements before it run when the
/// function is called, even if the circuit is open. A `breaker` of such a function is evaluated in
/// the block, which borrows what it names. For a future that borrows nothing of `self`, as a tower
/// service returns, write `let breaker = self.breaker.clone();` before the block, and
/// `breaker = breaker`:
///
/// ```
/// # use circuit_runtime::{CircuitError, circuit_breaker};
/// #[circuit_breaker(max_failures = 5)]
/// fn page(path: &str) -> impl Future<Output = Result<String, CircuitError>> + Send + use<> {
///     let path = path.to_owned();
///     async move {
///         // ..
/// #       tokio::task::yield_now().await;
///         Ok(path)
///     }
/// }
/// #
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// #     assert_eq!(page("/").await.unwrap(), "/");
/// # }
/// ```
///
/// Arguments are dropped as without the attribute: in reverse order of their declaration, whether
/// the body uses them or not, and before the call is counted. An argument that follows a pattern
/// like `Order { id, .. }`, which moves one part and leaves others, is stored once more for this.
/// Only these are dropped last:
///
/// - an argument that only a predicate, `error` or `or_else` names, as these are called when the
///   body has ended;
/// - what `Order { id, .. }` leaves, if a `key`, a `breaker` or a predicate names `id`, and an
///   `Order` with a destructor of its own in `Order { id }`, which copies `id`;
/// - beside another attribute macro, which may use the names of the signature: what a pattern
///   leaves, and an unused `_`, `_order` or `#[expect(unused_variables)] order`. `#[instrument]`
///   drops such arguments last itself.
///
/// Write this attribute above others: below `#[tokio::test]` or `#[tokio::main]` there is no
/// `async fn` left to wrap. Under `#[async_trait]`, annotate the methods; there a `fallback`, a
/// `key`, a `breaker`, a predicate, an `error` and an `or_else` can use `self` and the arguments
/// that are plain names, but not those that a pattern destructures.
///
/// # Errors
///
/// The annotated function returns its own errors, and one made of a [`CircuitError`]: of
/// [`CircuitError::Open`] if the circuit rejects the call and there is no `fallback`, of
/// [`CircuitError::Timeout`] if the call exceeds its `timeout`, and of [`CircuitError::NoRuntime`]
/// if there is no timer to measure it with. An `or_else` takes the place of all of them.
///
/// # Cancel safety
///
/// A future that is dropped before it completes counts its call as cancelled: neither as a failure
/// nor as a success. A probe that is dropped gives its slot to the next call.
///
/// # Tests
///
/// With the feature `test-util` of `circuit-runtime`, every breaker follows tokio's clock, which a
/// test can pause. Tests that call the same function share its breaker: let them take turns, and
/// start each with `registry::find(name)` and, if the breaker exists already, `reset()`.
///
/// [`CircuitError`]: https://docs.rs/circuit-runtime/latest/circuit_runtime/enum.CircuitError.html
/// [guide]: https://docs.rs/circuit-runtime/latest/circuit_runtime/guide/rules/index.html
/// [`CircuitBreaker`]: https://docs.rs/circuit-runtime/latest/circuit_runtime/struct.CircuitBreaker.html
/// [`CircuitBreakers`]: https://docs.rs/circuit-runtime/latest/circuit_runtime/struct.CircuitBreakers.html
/// [`CircuitError::NoRuntime`]: https://docs.rs/circuit-runtime/latest/circuit_runtime/enum.CircuitError.html#variant.NoRuntime
/// [`CircuitError::Open`]: https://docs.rs/circuit-runtime/latest/circuit_runtime/enum.CircuitError.html#variant.Open
/// [`CircuitError::Timeout`]: https://docs.rs/circuit-runtime/latest/circuit_runtime/enum.CircuitError.html#variant.Timeout
/// [`Verdict`]: https://docs.rs/circuit-runtime/latest/circuit_runtime/enum.Verdict.html
#[proc_macro_attribute]
pub fn circuit_breaker(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::circuit_breaker(options.into(), &item.into()).into()
}

//! Settings that do not do what they seem to.
//!
//! - **Too few calls for `min_calls`.** A rate is not evaluated on fewer calls, however many of
//!   them fail. With `window = "10s"`, the default of 20 needs two calls a second. The shorter the
//!   window, the more traffic it needs: a window of 100 ms needs two hundred calls a second.
//! - **Slow calls are fewer calls.** A caller that waits 1.5 s for each call makes six of them in
//!   ten seconds, and 20 are never reached. With `slow_call`, use a window of calls, or a window of
//!   time long enough for `min_calls` slow calls.
//! - **A window of calls on a rarely called service.** With `window = 100` and one call an hour, a
//!   failure counts for four days. Use a window of time, or consecutive failures.
//! - **`slow_call` without a rule on failures.** `max_failures` defaults to 5 only if neither
//!   `failure_rate` nor `slow_call` is set. With `slow_call` alone, a service that fails quickly
//!   never opens the circuit.
//! - **`slow_call` above `timeout`.** A call is dropped at its `timeout`, before it is slow, and
//!   the rule is never met. With a `slow_call` below `timeout`, a call that times out is both slow
//!   and a failure.
//! - **A body that blocks.** A body that blocks its thread past its `timeout` cannot be dropped,
//!   and counts as the result that it returns. `slow_call` sees that it took too long. The timeout
//!   is measured from the moment at which the call first has to wait; with `call_with`, from its
//!   start.
//! - **Another executor's `block_on` within a tokio task.** There, a loop of rejections spins
//!   forever once the task's cooperative budget is used up, as tokio's own operations do.
//! - **A `?` while a permit is held.** It drops the permit, and the call counts as cancelled:
//!   errors that are returned this way never open the circuit. Settle the permit before you return
//!   the error.
//! - **A timeout around the call.** `tokio::time::timeout(limit, quote())` drops the call, which is
//!   then not counted, except as slow while it was overdue. The same happens in a `select!`, and in
//!   a server whose client disconnects. Use the option `timeout`, and a shorter one than that of
//!   your callers.
//! - **An annotated function that calls another.** A rejection by the inner circuit is an `Err` of
//!   the outer function, and so a failure. If it says nothing about the outer service, ignore it:
//!   `ignore_if = |error| matches!(error, MyError::Circuit(_))`.
//! - **An error response in an `Ok`.** Many HTTP clients return `Ok` for a status of 500, which
//!   counts as a success. Use `classify`, or turn it into an `Err` inside the function.
//! - **An ignored probe.** It proves nothing: the circuit stays half-open, and the next call is the
//!   probe. Ignore only errors raised before the service was called, because any number of such
//!   calls may then run.
//! - **A slow probe.** A probe only has to succeed, however late. With a `timeout`, a probe that
//!   takes longer fails.
//! - **A recursive function** counts each level as a call, and the inner call of its probe is
//!   rejected. Annotate a wrapper around it instead.
//!
//! # Beside other attributes
//!
//! - **`#[cached]`.** Write `#[circuit_breaker]` first. Below it, an answer from the cache is a
//!   call through the circuit, too, and counts as a success.
//! - **`#[mockall::automock]`.** Annotate the method of the implementation, not that of the trait,
//!   whose attributes are copied to the mock.
//! - **`#[async_trait]`.** Annotate the methods inside the `impl` or trait, below that attribute.
//!   There, a `fallback`, a `key`, a `breaker`, a predicate, an `error` and an `or_else` can use
//!   `self` and arguments that are plain names, but not the parts of an argument that is a pattern.
//! - **A function that is not `async`** borrows what its `breaker` names until its future ends.
//!   Where the future must be `'static`, as that of a tower service, write
//!   `let breaker = self.breaker.clone();` before the block, and `breaker = breaker`.
//!
//! # Examples
//!
//! A `?` while a permit is held: the error is not counted as a failure.
//!
//! ```
//! use circuit_runtime::{CircuitBreaker, Config};
//! use std::error::Error;
//!
//! fn status(breaker: &CircuitBreaker, answer: &str) -> Result<u16, Box<dyn Error>> {
//!     let permit = breaker.try_acquire()?;
//!     let status = answer.parse()?; // drops the permit
//!     permit.success();
//!     Ok(status)
//! }
//!
//! let breaker = CircuitBreaker::new("pages", Config::default());
//! assert!(status(&breaker, "no number").is_err());
//! let totals = breaker.snapshot();
//! assert_eq!((totals.failed, totals.cancelled), (0, 1));
//! ```

//! Choosing the rules: which options to take for which service.
//!
//! Every rule stands alone: the first that is met opens the circuit. Rejected calls count for none of
//! them. Nor do calls that their caller dropped, except that they count as slow while they hang. The setters
//! of [`Config::builder`] are called like the options of the attribute, but for one: `window = 100` is
//! `last_calls(100)` there.
//!
//! | the service | the rule |
//! |---|---|
//! | [steady](#a-steady-service) | `window = "30s", failure_rate = 0.5` |
//! | [seldom called](#a-service-that-is-seldom-called) | `max_failures = 3` |
//! | [very busy](#a-very-busy-service) | `window = "10s", failure_rate = 0.2, min_calls = 100` |
//! | [slow](#a-slow-service) | `window = "1m", failure_rate = 0.5, slow_call = "2s", slow_rate = 0.5, timeout = "10s"` |
//! | called in bursts | `window = 100, failure_rate = 0.5` |
//! | one that comes back slowly | one of these, and `probes = 3` |
//! | one whose errors are often answers | one of these, and `failure_if = MyError::is_outage` |
//! | many behind one function, such as hosts | one of these, and `key = host` |
//! | [called by a fleet](#a-fleet) | one of these, and `max_reset = "10m", jitter = 0.5` |
//!
//! # A steady service
//!
//! It gets calls all the time, and now and then one fails. Take a share of the calls: it means the same
//! when traffic grows or shrinks by day. The window should hold several times `min_calls`, which is 20
//! unless written. Where the calls come in bursts, `window = 100` for the last hundred calls does not
//! run empty in between.
#![cfg_attr(
    feature = "macros",
    doc = r#"
```
use circuit_runtime::{CircuitError, circuit_breaker};

#[derive(Debug, thiserror::Error)]
enum QuoteError {
    #[error("the exchange is down")]
    Down,
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

#[circuit_breaker(window = "30s", failure_rate = 0.5)]
async fn quote(exchange_is_up: bool) -> Result<f64, QuoteError> {
    if exchange_is_up { Ok(12.5) } else { Err(QuoteError::Down) }
}

# #[tokio::main(flavor = "current_thread")]
# async fn main() {
for _ in 0..15 {
    assert!(quote(true).await.is_ok());
}
// The last of these is the fifteenth failure of thirty calls: half of them.
for _ in 0..15 {
    assert!(matches!(quote(false).await, Err(QuoteError::Down)));
}
assert!(matches!(quote(true).await, Err(QuoteError::Circuit(_))));
# }
```
"#
)]
//!
//! # A service that is seldom called
//!
//! A few calls an hour have no share worth the name. Take a number of failures without a window: they
//! count in a row, however long ago, and a success ends the row. If a success in between shall not end
//! it, add a long window: `max_failures = 3, window = "1h"`.
//!
//! ```
//! use circuit_runtime::{CircuitBreaker, Config, State};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let invoices = CircuitBreaker::new("invoices", Config::builder().max_failures(3).build()?);
//! invoices.try_acquire()?.failure();
//! invoices.try_acquire()?.failure();
//! invoices.try_acquire()?.success(); // ends the row
//! invoices.try_acquire()?.failure();
//! invoices.try_acquire()?.failure();
//! assert_eq!(invoices.state(), State::Closed);
//! invoices.try_acquire()?.failure();
//! assert_eq!(invoices.state(), State::Open);
//! # Ok(())
//! # }
//! ```
//!
//! # A very busy service
//!
//! Of ten thousand calls to a service that is well, a few fail: any small number of failures would open
//! the circuit. Take a share, and a larger `min_calls`, as chance does less to a share of many calls. A
//! window of time takes the same memory for any number of calls.
//!
//! ```
//! use circuit_runtime::{CircuitBreaker, Config, State};
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let window = Config::builder().window(Duration::from_secs(10));
//! let share = window.failure_rate(0.2).min_calls(100).build()?;
//! let number = window.max_failures(5).build()?;
//!
//! let [by_share, by_number] = [share, number].map(|rules| CircuitBreaker::new("search", rules));
//! for breaker in [&by_share, &by_number] {
//!     for _ in 0..9_995 {
//!         breaker.try_acquire()?.success();
//!     }
//!     for _ in 0..5 {
//!         breaker.try_acquire()?.failure();
//!     }
//! }
//! assert_eq!(by_number.state(), State::Open); // for one call in two thousand
//! assert_eq!(by_share.state(), State::Closed);
//! # Ok(())
//! # }
//! ```
//!
//! # A slow service
//!
//! It answers, but so late that its callers pile up. `slow_call` says how long an answer may take and
//! `slow_rate` which share of the calls may take longer; 1.0, unless written, is all of them. A call
//! that still hangs past `slow_call` is slow already, however long ago it began: whoever calls next, or
//! ends a call with a result, finds it.
//! Add a rule on failures, which these two do not count, and a `timeout` well above `slow_call`.
//!
#![cfg_attr(
    feature = "test-util",
    doc = r#"
```
use circuit_runtime::{CircuitBreaker, Config, State};
use std::time::Duration;

# #[tokio::main(flavor = "current_thread", start_paused = true)]
# async fn main() -> Result<(), Box<dyn std::error::Error>> {
let rules = Config::builder()
    .window(Duration::from_secs(60))
    .failure_rate(0.5)
    .slow_call(Duration::from_secs(2))
    .slow_rate(0.5)
    .timeout(Duration::from_secs(10));
let reports = CircuitBreaker::new("reports", rules.build()?);

let hanging: Vec<_> = (0..20).map(|_| reports.try_acquire()).collect::<Result<_, _>>()?;
tokio::time::advance(Duration::from_secs(3)).await; // time is paused in this test
assert_eq!(reports.state(), State::Closed);

// None of the twenty has ended. The next call finds that they hang, and is rejected.
assert!(reports.try_acquire().is_err());
assert_eq!(reports.state(), State::Open);
# drop(hanging);
# Ok(())
# }
```
"#
)]
//!
//! # A fleet
//!
//! Each instance has a breaker of its own, which knows only the instance's own calls: choose `min_calls`
//! for the traffic of one. All of them open at about the same time, and without `jitter` all probe at
//! about the same time, too. `max_reset` has them ask ever more seldom while the service is down; the
//! jitter comes on top of it. Leave `probes` small, as each instance sends so many.
//!
//! ```
//! use circuit_runtime::{CircuitBreaker, Config};
//! use std::collections::HashSet;
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let rules = Config::builder()
//!     .max_failures(1)
//!     .reset(Duration::from_secs(30))
//!     .max_reset(Duration::from_secs(600))
//!     .jitter(0.5)
//!     .build()?;
//!
//! let fleet: Vec<_> = (0..100).map(|_| CircuitBreaker::new("stock", rules)).collect();
//! let mut waits = HashSet::new();
//! for instance in &fleet {
//!     instance.try_acquire()?.failure();
//!     let wait = instance.snapshot().retry_after.unwrap_or_default();
//!     assert!(wait <= Duration::from_secs(45));
//!     waits.insert(wait.as_secs());
//! }
//! assert!(waits.len() > 3); // the probes come in different seconds
//! # Ok(())
//! # }
//! ```
//!
//! # Pitfalls
//!
//! - **Too few calls for `min_calls`.** A rate is not judged on fewer calls, however many of them fail.
//!   With `window = "10s"` the default of 20 needs two calls a second. The shorter the window, the more
//!   traffic it needs: one of 100 ms, two hundred calls a second.
//! - **Slow calls are fewer calls.** A caller that waits 1.5 s for each makes six in ten seconds, and 20
//!   are never reached. With `slow_call`, take a window of calls, or one of time that holds `min_calls`
//!   slow ones.
//! - **A window of calls on a quiet service.** With `window = 100` and one call an hour, a failure
//!   counts for four days. Take a span of time, or failures in a row.
//! - **`slow_call` without a rule on failures.** `max_failures` is 5 only when there is neither
//!   `failure_rate` nor `slow_call`. With `slow_call` alone, a service that fails quickly never opens
//!   the circuit.
//! - **`slow_call` above `timeout`.** A call is dropped at its `timeout`, before it is slow, and the rule
//!   is never met. With a `slow_call` below it, a call that times out is both slow and a failure.
//! - **A timeout around the call.** `tokio::time::timeout(limit, quote())` drops the call, which is then
//!   no evidence, except that it counted as slow while it hung. A `select!` does the same, and a server whose
//!   client hangs up. Use the option `timeout`, with less time than your callers have.
//! - **A protected function that calls another.** A rejection by the inner circuit is an `Err` of the outer
//!   function, and so a failure. If it says nothing about the outer service, leave it out:
//!   `ignore_if = |error| matches!(error, MyError::Circuit(_))`.
//! - **An answer that says "error" in an `Ok`.** Many HTTP clients return `Ok` for a status of 500, and that is
//!   a success. Make it an `Err` inside of the function, where a circuit can see it.
//! - **An ignored probe.** It proves nothing: the circuit stays half-open, and the next call is the probe.
//!   Ignore errors from before the service was asked, as any number of such calls may run then.
//! - **A slow probe.** A probe need only succeed, however late. With a `timeout`, one that takes longer
//!   fails.
//!
//! # What each rule costs
//!
//! | rule | exactness | memory | a success |
//! |---|---|---|---|
//! | failures in a row | exact | 64 bytes | one load; a success that ends a row takes a lock |
//! | failures in a span of time | exact for `max_failures` up to 1 000; above, to 1/100 of the span | 8 bytes for each of `max_failures` up to 1 000; above, 1.6 KiB | nothing |
//! | failures or rates of the last N calls | exact | N bits from the first failure on, N more from the first slow call on; and lines | counted in the thread's line |
//! | rates over a span of time | to 1/10 of the span | about 1 KiB; and lines | as above, and a look at the clock |
//! | slow calls, beside one of the last two | a call's time to 1/10 of `slow_call`; one that hangs is found up to 1/7 late | 0.5 KiB; and the same lines | counted at its start and at its end, with a look at the clock each |
//! | `probes` | a lease lasts for `reset`; with more than 64 probes up to 1/64 less | 16 bytes for each, 1 KiB at most | nothing |
//!
//! Rules that are given together add up. A line is 64 bytes: each thread counts in one of its own, those
//! above the 63rd share one, and all together are 4.1 KiB at most. Rates and slow calls have a success
//! take a lock now and then: when time moves the window on, and while a rate is reached on fewer calls
//! than `min_calls`. The clock is on Linux a coarse and cheap one, unless the window is shorter than 2 s
//! or `slow_call` than 200 ms. When several results come at the same moment, the last may be judged
//! only with the next one.
//!
//! Most of the memory is taken on first need; none of it grows with the number of calls. A breaker's
//! evidence stays below 16 KiB, but for a window of more than 45 000 calls with both failed and slow ones
//! in it: 65 536 calls take up to 21 KiB.
//!
//! [`Config::builder`]: crate::Config::builder

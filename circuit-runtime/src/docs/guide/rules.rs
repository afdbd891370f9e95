//! Choosing rules: which options suit which service.
//!
//! Each rule stands alone: the first that is met opens the circuit. Rejected calls count for none
//! of them. Nor do calls that are dropped by their callers, except that they count as slow while
//! they are overdue. The methods of [`Config::builder`] are named like the attribute's options,
//! except that `window = 100` is `last_calls(100)`.
//!
//! | service | options |
//! |---|---|
//! | [steady](#a-steady-service) | `window = "30s", failure_rate = 0.5` |
//! | [rarely called](#a-rarely-called-service) | `max_failures = 3` |
//! | [very busy](#a-very-busy-service) | `window = "10s", failure_rate = 0.2, min_calls = 100` |
//! | [slow](#a-slow-service) | `window = "1m", failure_rate = 0.5, slow_call = "2s", slow_rate = 0.5, timeout = "10s"` |
//! | called in bursts | `window = 100, failure_rate = 0.5` |
//! | slow to recover | any of these, and `probes = 3` |
//! | [overrun when it recovers](#a-service-that-is-overrun-when-it-recovers) | any of these, and `ramp = "1m"` |
//! | whose errors are often answers | any of these, and `failure_if = MyError::is_outage` |
//! | [that says when to come back](#a-service-that-says-when-to-come-back) | any of these, and `retry_after = MyError::retry_after` |
//! | [many behind one function](super::keys), such as hosts | any of these, and `key = host` |
//! | many, with [rules that the program computes](super::keys#rules-that-the-program-computes) | `breaker = self.upstreams, key = host` |
//! | whose limits change while the program runs | any of these, and [a file](super::files) |
//! | [called by many processes](super::fleets#without-a-store) | any of these, and `max_reset = "10m", jitter = 0.5` |
//!
//! # A steady service
//!
//! It receives calls all the time, and one of them fails now and then. Use a rate: it means the
//! same when traffic grows or shrinks over the day. The window should hold several times as many
//! calls as `min_calls`, which is 20 by default. If the calls come in bursts, use the last hundred
//! calls, `window = 100`: such a window does not empty between bursts.
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
//! # A rarely called service
//!
//! With a few calls an hour, a rate means little. Use `max_failures` without a window: it counts
//! consecutive failures, however old, and a success resets the count. If a success should not reset
//! it, add a long window: `max_failures = 3, window = "1h"`.
//!
//! ```
//! use circuit_runtime::{CircuitBreaker, Config, State};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let invoices = CircuitBreaker::new("invoices", Config::builder().max_failures(3).build()?);
//! invoices.try_acquire()?.failure();
//! invoices.try_acquire()?.failure();
//! invoices.try_acquire()?.success(); // resets the count
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
//! Even a healthy service fails a few of ten thousand calls, so any small absolute limit would open
//! the circuit. Use a rate with a larger `min_calls`: a rate over many calls varies less. A window
//! of time takes the same memory for any number of calls.
//!
//! ```
//! use circuit_runtime::{CircuitBreaker, Config, State};
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let window = Config::builder().window(Duration::from_secs(10));
//! let rate = window.failure_rate(0.2).min_calls(100).build()?;
//! let limit = window.max_failures(5).build()?;
//!
//! let [by_rate, by_limit] = [rate, limit].map(|config| CircuitBreaker::new("search", config));
//! for breaker in [&by_rate, &by_limit] {
//!     for _ in 0..9_995 {
//!         breaker.try_acquire()?.success();
//!     }
//!     for _ in 0..5 {
//!         breaker.try_acquire()?.failure();
//!     }
//! }
//! assert_eq!(by_limit.state(), State::Open); // one call in two thousand has failed
//! assert_eq!(by_rate.state(), State::Closed);
//! # Ok(())
//! # }
//! ```
//!
//! # A slow service
//!
//! It responds, but so slowly that callers pile up. `slow_call` sets how long a call may take, and
//! `slow_rate` the share of slow calls that opens the circuit; the default, 1.0, is all of them. A
//! call that is still in flight after `slow_call` is overdue and counts as slow already, however
//! long ago it started. There is no timer: the next call that starts, or ends with a result,
//! detects it. Neither option counts failures, so add a rule that does, and a `timeout` well above
//! `slow_call`.
//!
#![cfg_attr(
    feature = "test-util",
    doc = r#"
```
use circuit_runtime::{CircuitBreaker, Config, State};
use std::time::Duration;

# #[tokio::main(flavor = "current_thread", start_paused = true)]
# async fn main() -> Result<(), Box<dyn std::error::Error>> {
let config = Config::builder()
    .window(Duration::from_secs(60))
    .failure_rate(0.5)
    .slow_call(Duration::from_secs(2))
    .slow_rate(0.5)
    .timeout(Duration::from_secs(10));
let reports = CircuitBreaker::new("reports", config.build()?);

let in_flight: Vec<_> = (0..20).map(|_| reports.try_acquire()).collect::<Result<_, _>>()?;
tokio::time::advance(Duration::from_secs(3)).await; // time is paused in this test
assert_eq!(reports.state(), State::Closed);

// None of the twenty has ended. The next call finds that they are overdue, and is rejected.
assert!(reports.try_acquire().is_err());
assert_eq!(reports.state(), State::Open);
# drop(in_flight);
# Ok(())
# }
```
"#
)]
//!
//! # A service that is overrun when it recovers
//!
//! Its caches are empty, and all callers return at once. With `ramp = "1m"`, the circuit admits a
//! tenth of the calls after a successful probe, then evenly more, and closes after a minute. Other
//! calls are rejected with a `retry_after` of a tenth of the ramp, and are not counted. All rules
//! apply meanwhile: the circuit reopens if one is met, as after a failed probe. However few calls
//! there are, the first is admitted, and another whenever none was admitted for a tenth of the
//! ramp.
//!
#![cfg_attr(
    feature = "test-util",
    doc = r#"
```
use circuit_runtime::{CircuitBreaker, Config, State};
use std::time::Duration;

# #[tokio::main(flavor = "current_thread", start_paused = true)]
# async fn main() -> Result<(), Box<dyn std::error::Error>> {
let config = Config::builder().max_failures(1).ramp(Duration::from_secs(60));
let search = CircuitBreaker::new("search", config.build()?);
search.try_acquire()?.failure();

tokio::time::advance(Duration::from_secs(30)).await; // time is paused in this test
search.try_acquire()?.success(); // the probe
assert_eq!(search.state(), State::HalfOpen);

tokio::time::advance(Duration::from_secs(30)).await;
let admitted = (0..100).filter(|_| search.try_acquire().is_ok()).count();
assert!((49..=51).contains(&admitted)); // half of the ramp has passed

tokio::time::advance(Duration::from_secs(30)).await;
assert_eq!(search.state(), State::Closed);
# Ok(())
# }
```
"#
)]
//!
//! # A service that says when to come back
//!
//! A response of 429 or 503 may carry the header `Retry-After`. Put its value into the error, and
//! return it from `retry_after`: the circuit opens at once, for as long as the service asked and
//! the `jitter`, but at most for `max_reset`, or for one hour without it. A probe with such a
//! response reopens the circuit for that time. An error without such a value counts as usual. Where
//! the response is an `Ok`, let `classify` look at it and return
//! [`Verdict::Unavailable`](crate::Verdict::Unavailable).
//!
//! ```
//! use circuit_runtime::{CallError, CircuitBreaker, Config};
//! use std::time::Duration;
//!
//! /// A response other than 200, and its header `Retry-After`.
//! #[derive(Debug)]
//! struct Refused {
//!     status: u16,
//!     retry_after: Option<Duration>,
//! }
//!
//! async fn search() -> Result<String, Refused> {
//!     // ..
//! #   Err(Refused { status: 429, retry_after: Some(Duration::from_secs(5)) })
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let breaker = CircuitBreaker::new("search", Config::default());
//! let call = breaker.call(search()).retry_after(|refused| refused.retry_after);
//! assert!(matches!(call.await, Err(CallError::Inner(Refused { status: 429, .. }))));
//!
//! let rejection = breaker.try_acquire().unwrap_err();
//! assert_eq!(rejection.retry_after_secs(), Some(5));
//! # }
//! ```
//!
//! [`Config::builder`]: crate::Config::builder

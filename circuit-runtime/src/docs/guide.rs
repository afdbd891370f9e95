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
//! | many behind one function, such as hosts | any of these, and `key = host` |
//! | many, with [rules that the program computes](#many-services) | `breaker = self.upstreams, key = host` |
//! | whose limits change while the program runs | any of these, and [a file](#rules-from-a-file) |
//! | [called by many instances](#many-instances) | any of these, and `max_reset = "10m", jitter = 0.5` |
//!
//! # A steady service
//!
//! It receives calls all the time, and one of them fails now and then. Use a rate: it means the
//! same when traffic grows or shrinks over the day. The window should hold several times
//! `min_calls`, which is 20 by default. If the calls come in bursts, use the last hundred calls,
//! `window = 100`: such a window does not empty between bursts.
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
//! there are, the first is admitted, and one whenever none was for a tenth of the ramp.
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
//! return it from `retry_after`: the circuit opens at once, for as long as the service asked, with
//! `jitter` on top and up to `max_reset`, or one hour without it. A probe with such a response
//! reopens the circuit for that time. An error without such a value counts as usual. Where the
//! response is an `Ok`, let `classify` look at it and return
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
//! # Many services
//!
//! If one function calls many hosts, tenants or shards, a single breaker would stop calls to all of
//! them when one is down. Write `key = host`: each value has a breaker, all with the rules in the
//! attribute, and all instances share them. If the program computes the rules, if two clients must
//! not share what they know of a host, or if several functions should, create a
//! [`CircuitBreakers`](crate::CircuitBreakers) and write `breaker = self.upstreams, key = host`.
//! Its rules and its bound are then values:
//!
//! ```
//! use circuit_runtime::{CircuitBreakers, Config, State};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let max_failures = 3;
//! let config = Config::builder().max_failures(max_failures).build()?; // computed
//! let upstreams = CircuitBreakers::new("upstreams", config).max_keys(1_000);
//!
//! for _ in 0..max_failures {
//!     upstreams.get("a.example").try_acquire()?.failure();
//! }
//! assert_eq!(upstreams.get("a.example").state(), State::Open);
//! assert_eq!(upstreams.get("b.example").state(), State::Closed);
//! # Ok(())
//! # }
//! ```
//!
//! # Many instances
//!
//! When many instances of a program call one service, each has a breaker of its own, which sees
//! only the calls of its instance: choose `min_calls` for the traffic of one instance. All of them
//! open at about the same time and, without `jitter`, probe at about the same time, too.
//! `max_reset` makes them probe less and less often while the service is down; jitter is added on
//! top of it. Keep `probes` small, because every instance sends that many. Instances that share
//! what they know through a store, by [`remote`](crate::remote), open together, and one of them
//! probes for all.
//!
//! ```
//! use circuit_runtime::{CircuitBreaker, Config};
//! use std::collections::HashSet;
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::builder()
//!     .max_failures(1)
//!     .reset(Duration::from_secs(30))
//!     .max_reset(Duration::from_secs(600))
//!     .jitter(0.5)
//!     .build()?;
//!
//! let instances: Vec<_> = (0..100).map(|_| CircuitBreaker::new("stock", config)).collect();
//! let mut waits = HashSet::new();
//! for instance in &instances {
//!     instance.try_acquire()?.failure();
//!     let wait = instance.snapshot().retry_after.unwrap_or_default();
//!     assert!(wait <= Duration::from_secs(45));
//!     waits.insert(wait.as_secs());
//! }
//! assert!(waits.len() > 3); // the probes are spread over several seconds
//! # Ok(())
//! # }
//! ```
//!
//! # Many keys
//!
//! With a `key`, `max_keys` bounds the memory. Beyond it, each new key evicts breakers without a
//! call in flight that are closed, or have been half-open for as long as another `reset` without a
//! probe. One that is open, or held by an operator, is never evicted. One that a
//! [file](#rules-from-a-file) holds is, as the next breaker of its key is held, too. So there are
//! at most `max_keys` breakers, not counting those in use and those that opened no longer ago than
//! their wait and another `reset`. The work for each new key is bounded, too, however many breakers
//! there are to evict.
//!
//! Breakers with a failure or slow call that counts are evicted last. So what is known of a host
//! that fails now and then is not displaced by any number of keys that work, made-up ones included.
//! Only keys that fail can displace it, about `max_keys` of them.
//!
//! However long a key is, at most 256 bytes of it are kept: its beginning, and a hash of the rest
//! under a secret of the process. So two long keys that differ have two breakers, and no caller
//! can craft two that share one.
//!
//! # Retries
//!
//! A retry inside the annotated function is part of the call: all attempts together are one
//! failure, and the `timeout` is for all of them. Use it for errors that pass in milliseconds. A
//! retry outside makes a call of each attempt: each is counted, and the circuit may open between
//! two of them. From then on an attempt is a rejection, which costs the service nothing.
//!
//! Never retry a rejection, for which `is_open()` is true, before its `retry_after()`: until then
//! every attempt is rejected. Without a `retry_after()`, an operator holds the circuit open: do not
//! retry. With the crate `backon`:
#![cfg_attr(
    feature = "macros",
    doc = r#"
```
use backon::{ExponentialBuilder, Retryable};
use circuit_runtime::{CircuitError, circuit_breaker};
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
enum QuoteError {
    #[error("the exchange is down")]
    Down,
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

#[circuit_breaker(max_failures = 5, reset = "100ms")]
async fn quote() -> Result<f64, QuoteError> {
    // ..
#   static REQUESTS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
#   let request = REQUESTS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
#   assert!(request < 7, "a rejection makes no request");
#   if request < 5 { return Err(QuoteError::Down) }
    Ok(12.5)
}

/// Returns the delay before the next attempt, which is not before the circuit may admit it; `None`
/// to give up.
fn delay(error: &QuoteError, backoff: Option<Duration>) -> Option<Duration> {
    match error {
        QuoteError::Circuit(error) if error.is_open() => Some(backoff?.max(error.retry_after()?)),
        _ => backoff,
    }
}

# #[tokio::main(flavor = "current_thread")]
# async fn main() -> Result<(), QuoteError> {
let backoff = ExponentialBuilder::default()
    .with_min_delay(Duration::from_millis(1))
    .with_max_times(10);
let price = quote.retry(backoff).adjust(delay).await?;
assert_eq!(price, 12.5);
# Ok(())
# }
```
"#
)]
//!
//! A service that retries, called by another that retries, multiplies the attempts. Retry in one
//! layer only, and let the layers above see the rejection.
//!
//! # What to watch
//!
//! Each change of a circuit is an event: for `tracing`, for listeners and receivers
//! ([`registry::on_change`](crate::registry::on_change),
//! [`registry::changes`](crate::registry::changes)) and in
//! [`registry::history`](crate::registry::history). What changes neither the state nor the hold is
//! no event: [`open_for`](crate::CircuitBreaker::open_for) on an open circuit, for example, changes
//! only its wait.
//!
//! | change | what it means |
//! |---|---|
//! | closed to open | An alarm, once it lasts. The `cause` is the rule that was met, `window` the evidence. The circuit has already reacted, and an outage of seconds ends by itself: alert on a circuit that stays open for minutes; count its short half-open phases as open. |
//! | half-open to open | The service is still down. It repeats with every failed probe, and needs no new alarm. |
//! | open to half-open | A probe is admitted. `rejected` says how many calls the last wait spared the service; for the whole outage, see the rise of [`Snapshot::rejected`](crate::Snapshot::rejected) or of `circuit_breaker_rejected_total`. |
//! | half-open to closed | The end of the outage. With a `ramp`, this is the end of the ramp, [`RampOver`](crate::Cause::RampOver): the success of the probes changes nothing yet, as the circuit stays half-open. |
//! | [`Unavailable`](crate::Cause::Unavailable) | The service asked to be left alone. If it does so often, it receives too many calls. |
//! | [`ForcedOpen`](crate::Cause::ForcedOpen), [`ForcedClosed`](crate::Cause::ForcedClosed) | An operator's order. An alarm if it is forgotten: alert on a hold that lasts for hours. |
//! | [`Withheld`](crate::Cause::Withheld) | The circuit is held closed, and would have opened. See [a dry run](#a-dry-run). |
//! | [`Fleet`](crate::Cause::Fleet) | The verdict of a fleet, applied through [`remote`](crate::remote). The process where the evidence was found has reported it, too. |
//!
//! **Flapping.** A circuit that opens and closes several times within minutes is worse than one
//! that stays open, because each time callers wait for failures again. The service fails under load
//! and recovers without it: add a [`ramp`](#a-service-that-is-overrun-when-it-recovers), more
//! `probes`, or a longer `reset`. Or its limits are so low that an everyday failure meets them: use
//! a rate, and a larger `min_calls`. Or the probes reach an operation that works while others fail.
//! To detect it, count the changes to closed: [`Snapshot::opened`](crate::Snapshot::opened)
//! counts each failed probe, too.
//!
//! **A half-open circuit.** Time alone makes an open circuit half-open, and only a call can close
//! it. If none comes, [`state`](crate::CircuitBreaker::state) says half-open for hours, and no
//! change is reported, because no call has found out anything: the service may be up or down. This
//! is normal for a rarely called service, and for a key that is used no more. Where it is not, the
//! calls have gone elsewhere: to a fallback further up, or to another instance. The next call is
//! the probe.
//!
//! **Rejected calls.** A steady rate of rejections without an open circuit is a half-open one, or a
//! ramp. Rejections of a circuit that is held open continue until the order ends.
//!
//! **Health checks.** Let a health check show each circuit's state, since when it holds, the hold
//! and [`Snapshot::last_change`](crate::Snapshot::last_change), and let it stay healthy. An open
//! circuit says that *another* service is down, for all instances alike. If the check failed for
//! it, all of them would be restarted, or receive no more traffic, and what works without the other
//! service would fail, too. An instance without traffic makes no call that could close its circuit.
//!
//! # The log
//!
//! With the feature `tracing`, each change is one event with the target `circuit_breaker`:
//!
//! | message | level | [`Cause`](crate::Cause) |
//! |---|---|---|
//! | `circuit opened` | WARN | `max_failures`, `failure_rate`, `slow_rate`, `unavailable`, `probe_failed`, `tripped`, `fleet` |
//! | `circuit half-open` | INFO | `wait_over`, `fleet` |
//! | `circuit closed` | INFO | `probes_succeeded`, `ramp_over`, `fleet` |
//! | `circuit forced open` | WARN | `forced_open` |
//! | `circuit forced closed` | WARN | `forced_closed` |
//! | `circuit reset` | WARN; INFO if an order ends by itself, or a key is evicted | `reset` |
//! | `circuit opening withheld` | INFO | `withheld` |
//!
//! One event is no change: `circuit overrides left out`, at the level WARN, if the overrides in
//! force are invalid for a circuit that has just been created, with the feature `serde`. Its fields
//! are `breaker`, `option` and `error`.
//!
//! A field is absent if it does not apply:
//!
//! | field | meaning |
//! |---|---|
//! | `breaker` | the name, without the key |
//! | `key` | the key |
//! | `from`, `to` | the state before and after: `closed`, `open` or `half-open` |
//! | `cause` | the cause, as above |
//! | `failures` | the failures that counted when a rule was met |
//! | `calls` | the calls in the window, if a rule counts calls |
//! | `slow` | the slow calls among them, if a rule counts those; calls in flight included |
//! | `retry_after_ms` | the wait until the circuit is half-open or its order ends, in milliseconds |
//! | `rejected` | the calls rejected while the circuit was open, when that ends |
//!
//! # A dry run
//!
//! A circuit that is held closed rejects no call, but still evaluates its rules. Hold it with
//! [`force_closed`](crate::CircuitBreaker::force_closed), and watch
//! [`Snapshot::withheld`](crate::Snapshot::withheld): how often it would have opened. When the
//! number is as you expect, release it with [`reset`](crate::CircuitBreaker::reset).
//!
//! # Rules from a file
//!
//! With the feature `serde`, `registry::apply` sets options by the names of circuits, as a file has
//! them: when the program starts, and again when the file has changed.
//!
//! | belongs in code | belongs in a file |
//! |---|---|
//! | which errors are failures: `failure_if`, `ignore_if`, `classify`, `retry_after` | limits: `max_failures`, `window`, `failure_rate`, `slow_call`, `slow_rate`, `min_calls` |
//! | what is returned instead: `fallback`, `or_else`, `error` | waits: `reset`, `max_reset`, `jitter`, `probes`, `ramp` |
//! | which calls share a circuit, and its `name`: `key`, `max_keys`, `breaker` | how long a `timeout` is |
//! | the fact that there is a `timeout` | `hold`, to admit every call, or to reject all |
//!
//! The options in code depend on the types of the program, and the compiler checks them. The
//! numbers in a file depend on the traffic, and are changed by people who watch it. Write good ones
//! in the attribute, too: they are in force wherever the file says nothing, and without any file.
//!
//! - **A timeout.** The future of an annotated function without a `timeout` has no room for a
//!   timer. Write a long one in the attribute, `timeout = "1h"`, if a file may set a shorter one.
//! - **A reload** is up to the program: on a signal, on a request, or when the file has changed.
//!   Read it, apply it, and log the result, which says what has changed and which names match no
//!   circuit. If the file has a mistake, log that. The rules stay as they are.
//! - **Kept:** totals, orders, the history and calls in flight, each with its timeout. Counted
//!   results stay unless the kind or the length of `window` changes; a limit below their number
//!   opens the circuit with the next failure. An open circuit follows a new `reset`.
//! - **An added rule.** In a window of time, the failures that a rate has counted also count
//!   towards a `max_failures` that is added, exact to a tenth of the window. A rate that is added
//!   there begins without calls: those before were not counted.
//! - **Removed:** an option that the file no longer sets has the value of the program again. A
//!   circuit that the file no longer holds is released, as by
//!   [`reset`](crate::CircuitBreaker::reset).
//! - **A hold.** `hold = "closed"` is an off switch: the circuit rejects no call. It still counts
//!   in [`Snapshot::withheld`](crate::Snapshot::withheld) how often it would have opened. The
//!   opposite, `hold = "open"`, rejects every call, from the first one on. An order that is given
//!   by hand takes precedence over the file, and stays when the hold is removed. After a `reset` by
//!   hand, the file holds the circuit again when it is applied the next time.
//! - **An order that ends.** After an order with a time, such as
//!   [`force_open_for`](crate::CircuitBreaker::force_open_for), the circuit is not held: the file's
//!   hold returns when the file is applied again.
//! - **Half a file.** An empty file, or one that is read while it is written, sets the rules back
//!   that it does not contain. Write it aside, then rename it.
//! - **Unsetting.** A file can set an option, but not remove one of the program. It can replace a
//!   default: a `failure_rate` under `"*"` takes the place of the default of `max_failures`, but
//!   not of a `max_failures` in the attribute.
//! - **New rules from code.** [`reconfigure`](crate::CircuitBreaker::reconfigure) replaces the
//!   rules of the program, and removes the file's options until the file is applied again: they
//!   then go over the new rules.
//! - **A later circuit.** If the options of the file are invalid for a circuit that is created
//!   later, all of them are left out there, with a warning in the log. A hold applies nevertheless.
//!   Without the feature `tracing`, there is no sign of it but
//!   [`CircuitBreaker::config`](crate::CircuitBreaker::config).
//! - **Several patterns.** Of those with as many characters besides `*`, the first in alphabetical
//!   order wins.
//! - **YAML** takes `*` for the beginning of an alias: quote it, `"*":`.
//! - **The environment.** `figment` reads the names of variables in lower case, and few shells
//!   allow `::` in them: give a circuit that is set there a `name` in lower case without `::`.
//! - **Names.** The breaker of an annotated function exists from its first call on. Until then, its
//!   name is among those that match no circuit, and a mistake in its options is a warning in the
//!   log at that call. The feature `discovery` reports both when the file is applied.
#![cfg_attr(
    feature = "serde",
    doc = r#"
```standalone_crate
use circuit_runtime::{CircuitBreaker, Config, State, registry};

# fn main() -> Result<(), Box<dyn std::error::Error>> {
let search = CircuitBreaker::new("search", Config::default());
for _ in 0..4 {
    search.try_acquire()?.failure();
}

let file = r"
    [circuits.search]
    max_failures = 3
";
let applied = registry::apply(toml::from_str(file)?)?;
assert_eq!(applied.to_string(), "search: max_failures 5 -> 3\n");

assert_eq!(search.state(), State::Closed);
search.try_acquire()?.failure();
assert_eq!(search.state(), State::Open);

let mistake = toml::from_str("[circuits.search]\nmax_reset = '1s'")?;
let error = registry::apply(mistake).unwrap_err();
assert_eq!((error.circuit(), error.option()), ("search", Some("max_reset")));
# Ok(())
# }
```
"#
)]
//!
//! # Pitfalls
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
//!   and counts as the result that it returns. `slow_call` sees that it took too long.
//! - **Another executor's `block_on` within a tokio task.** There, a loop of rejections spins
//!   forever once the task's cooperative budget is used up, as tokio's own operations do.
//! - **A `?` while a permit is held.** It drops the permit, and the call counts as cancelled:
//!   errors that leave this way never open the circuit. Settle the permit before you return the
//!   error.
//! - **A timeout around the call.** `tokio::time::timeout(limit, quote())` drops the call, which is
//!   then not counted, except as slow while it was overdue. The same happens in a `select!`, and in
//!   a server whose client disconnects. Use the option `timeout`, and less time than your callers
//!   have.
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
//!
//! # What each rule costs
//!
//! | rule | exactness | memory | a success |
//! |---|---|---|---|
//! | consecutive failures | exact | 64 bytes | one load; a success that resets the count takes a lock |
//! | failures in a window of time | exact for `max_failures` up to 1 000; above, to 1/100 of the window | 8 bytes for each of `max_failures` up to 1 000; above, 1.6 KiB | nothing |
//! | failures or rates of the last N calls | exact | 0.4 KiB; N bits from the first failure on, N more from the first slow call on; and stripes | counted on the thread's stripe |
//! | rates over a window of time | to 1/10 of the window | 0.7 KiB; and stripes | as above, and a clock reading |
//! | slow calls, beside one of the last two | a call's duration to 1/10 of `slow_call`; an overdue call is detected up to 1/7 late | 0.5 KiB; and the same stripes | counted at its start and at its end, with a clock reading each |
//! | `probes` | a lease lasts for `reset` or `timeout`, whichever is longer; with more than 64 probes, up to 1/64 less | 16 bytes for each, at most 1 KiB | nothing |
//!
//! These are the sizes of a busy breaker. Until a thousand of its calls have succeeded, or one has
//! failed, a breaker takes the same under every rule: 136 bytes, and its name with 16 more. One of
//! a `key` has a share of the map, too: with a name of 30 bytes, about 240 bytes in all, and less
//! than 256. A few calls in flight at once do not change that: up to 127 in each of two groups, if
//! the calls of a group start within the same seventh of `slow_call`. A call that takes longer than
//! `slow_call` has the same effect as a failure here, and so has the first call after an order,
//! such as `reset`.
//!
//! The costs of several rules add up. A stripe is a cache line of 64 bytes in which one thread
//! counts; threads beyond the 63rd share one, and all stripes together take at most 4.1 KiB. Under
//! rates and slow calls, a success takes a lock now and then: when time moves the window on, and
//! while a rate is exceeded on fewer calls than `min_calls`. On Linux, the clock is a coarse and
//! cheap one, unless the window is shorter than 2 s or `slow_call` than 200 ms. When several
//! results arrive at the same moment, the last of them may be evaluated only with the next one.
//!
//! Most of the memory is allocated on first need, and none of it grows with the number of calls.
//! The evidence of a breaker takes at most 16 KiB, except in a window of more than 45 000 calls
//! that holds both failed and slow ones: 65 536 calls take up to 21 KiB.
//!
//! [`Config::builder`]: crate::Config::builder

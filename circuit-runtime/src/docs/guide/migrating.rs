//! The words of other libraries.
//!
//! The attribute knows the names that other libraries give its options: if you write one of them,
//! the compile error suggests the name here.
//!
//! Some things are the same everywhere here, and may differ from what you are used to:
//!
//! - A half-open circuit admits `probes` calls, one by default, and rejects all others until they
//!   have ended. All of them have to succeed.
//! - A result counts only in the state in which its call was admitted. Late failures do not open a
//!   circuit that has recovered.
//! - A panic is a failure, and a dropped call is neither failure nor success.
//! - Names of circuits are shown in errors, in the log and in metrics. The default is the path of
//!   the function.
//!
//! # failsafe
//!
//! Words of version 1.3.
//!
//! | failsafe | here |
//! |---|---|
//! | `Config::new().failure_policy(..).build()` | options of the attribute, or `Config::builder()` and [`CircuitBreaker::new`](crate::CircuitBreaker::new) |
//! | `consecutive_failures(5, backoff)` | `max_failures = 5` |
//! | `success_rate_over_time_window(0.8, 20, window, backoff)` | `failure_rate = 0.2, min_calls = 20, window = "30s"`; the share that failed, of the calls in a window instead of a moving average |
//! | `policy.or_else(other)` | both options: each rule stands alone. Beside a `window`, `max_failures` counts the failures in it, and no longer those in a row: with a rate, leave it out, or set it above what a healthy service reaches |
//! | `backoff::constant(wait)` | `reset = "30s"` |
//! | `backoff::exponential(start, max)` | `reset`, and `max_reset` for the bound |
//! | `equal_jittered`, `full_jittered` | `jitter = 0.5`; it adds to the wait, and never shortens it |
//! | `breaker.call(\|\| ..)` | [`call_blocking`](crate::CircuitBreaker::call_blocking) |
//! | `futures::CircuitBreaker::call(future)` | the attribute, or [`call`](crate::CircuitBreaker::call) |
//! | `call_with(predicate, ..)` | `failure_if`, on the attribute or on the call |
//! | `Error::Inner`, `Error::Rejected` | [`CallError::Inner`](crate::CallError::Inner), [`CallError::Circuit`](crate::CallError::Circuit) |
//! | `is_call_permitted()` | [`would_reject().is_none()`](crate::CircuitBreaker::would_reject) |
//! | `on_success()`, `on_error()` of a `StateMachine` | a permit: [`try_acquire`](crate::CircuitBreaker::try_acquire), then `success()` or `failure()` |
//! | `Instrument` | [`on_change`](crate::CircuitBreaker::on_change) and [`telemetry`](super::telemetry) |
//!
//! # recloser
//!
//! Words of version 1.4.
//!
//! | recloser | here |
//! |---|---|
//! | `error_rate(0.5)`, `error_rate_closed` | `failure_rate = 0.5` |
//! | `closed_len(100)` | `window = 100, min_calls = 100` |
//! | `half_open_len(10)`, `error_rate_half_open` | `probes = 10`; all of them have to succeed |
//! | `open_wait(wait)` | `reset = "30s"` |
//! | `open_wait_strategy(..)` | `max_reset` and `jitter` |
//! | `Recloser::call(\|\| ..)` | [`call_blocking`](crate::CircuitBreaker::call_blocking) |
//! | `AsyncRecloser::call(future)` | the attribute, or [`call`](crate::CircuitBreaker::call) |
//! | `call_with(predicate, ..)` | `failure_if`, on the attribute or on the call |
//! | `Error::Inner`, `Error::Rejected` | [`CallError::Inner`](crate::CallError::Inner), [`CallError::Circuit`](crate::CallError::Circuit) |
//!
//! # tower-resilience
//!
//! Words of tower-resilience-circuitbreaker 0.14. The layer itself is that of the crate
//! `circuit-tower`.
//!
//! | tower-resilience | here |
//! |---|---|
//! | `failure_rate_threshold(0.5)` | `failure_rate = 0.5` |
//! | `consecutive_failures(5)` | `max_failures = 5` |
//! | `sliding_window_type`, `sliding_window_size(100)` | `window = 100` |
//! | `sliding_window_duration(duration)` | `window = "10s"` |
//! | `minimum_number_of_calls(20)` | `min_calls = 20`, the default |
//! | `slow_call_duration_threshold`, `slow_call_rate_threshold` | `slow_call`, `slow_rate` |
//! | `wait_duration_in_open(wait)` | `reset = "30s"` |
//! | `permitted_calls_in_half_open(3)` | `probes = 3` |
//! | `failure_classifier(..)`, `classify_response(..)` | `classify`, on the attribute, on the call or on the layer |
//! | `name("..")` | the name of the breaker |
//! | `build_with_handle()` | a clone of the [`CircuitBreaker`](crate::CircuitBreaker) that the layer was given |
//! | `handle.force_open()`, `force_closed()`, `reset()` | the same methods, without `.await` |
//! | `manual_mode()` | [`force_closed`](crate::CircuitBreaker::force_closed), and `force_open` by hand |
//! | `backpressure()` | none: a rejection comes at once, and a [retry](super::retries) waits for `retry_after()` |
//! | `with_fallback(..)` | `respond(..)` of the layer, or `fallback` of the attribute |
//! | `CircuitBreakerError::OpenCircuit`, `Inner` | [`CallError::Circuit`](crate::CallError::Circuit), [`CallError::Inner`](crate::CallError::Inner) |
//! | `on_state_transition(..)` | [`on_change`](crate::CircuitBreaker::on_change) |
//! | `on_call_permitted`, `on_success`, `on_failure` and the like | no event for each call; the totals of a [`Snapshot`](crate::Snapshot), and metrics |
//!
//! # resilience4j
//!
//! Words of version 2, with its defaults where they differ.
//!
//! | resilience4j | here |
//! |---|---|
//! | `@CircuitBreaker(name, fallbackMethod)` | `#[circuit_breaker(name = "..", fallback = ..)]`; `or_else` to replace the errors of the method, too |
//! | `failureRateThreshold`, 50 | `failure_rate = "50%"` |
//! | `slidingWindowType`, `slidingWindowSize`, the last 100 calls | `window = 100`, or a span of time: `window = "10s"` |
//! | `minimumNumberOfCalls`, 100 | `min_calls`, 20 |
//! | `slowCallDurationThreshold`, `slowCallRateThreshold` | `slow_call`, `slow_rate` |
//! | `waitDurationInOpenState`, 60 s | `reset`, 30 s |
//! | `waitIntervalFunctionInOpenState` | `max_reset` and `jitter` |
//! | `permittedNumberOfCallsInHalfOpenState`, 10 | `probes`, 1; all of them have to succeed |
//! | `maxWaitDurationInHalfOpenState` | none: a probe loses its slot after `reset`, or after `timeout` if that is longer |
//! | `automaticTransitionFromOpenToHalfOpenEnabled` | always: by time alone, without a thread |
//! | `recordExceptions`, `recordFailurePredicate` | `failure_if` |
//! | `ignoreExceptions`, `ignoreExceptionPredicate` | `ignore_if` |
//! | `recordResultPredicate` | `classify` |
//! | `CallNotPermittedException` | [`CircuitError::Open`](crate::CircuitError::Open) |
//! | `TimeLimiter` | `timeout` |
//! | `CircuitBreakerRegistry` | [`registry`](crate::registry); a `key` for one breaker per value |
//! | properties in `application.yml` | [`files`](super::files) |
//! | `FORCED_OPEN` | [`force_open`](crate::CircuitBreaker::force_open) |
//! | `DISABLED`, `METRICS_ONLY` | [`force_closed`](crate::CircuitBreaker::force_closed), which counts how often the circuit would have opened |
//! | `getEventPublisher().onStateTransition(..)` | [`on_change`](crate::CircuitBreaker::on_change), [`registry::changes`](crate::registry::changes) |
//! | `getMetrics()` | [`snapshot`](crate::CircuitBreaker::snapshot) |
//! | `Bulkhead`, `RateLimiter`, `Retry` | not here; see [`retries`](super::retries) for where a retry belongs |
//!
//! This configuration
//!
//! ```yaml
//! resilience4j.circuitbreaker.instances.quotes:
//!   slidingWindowType: TIME_BASED
//!   slidingWindowSize: 30
//!   minimumNumberOfCalls: 20
//!   failureRateThreshold: 50
//!   waitDurationInOpenState: 10s
//!   permittedNumberOfCallsInHalfOpenState: 3
//! ```
//!
//! becomes
#![cfg_attr(
    feature = "macros",
    doc = r#"
```
use circuit_runtime::{CircuitError, circuit_breaker};

#[circuit_breaker(
    name = "quotes",
    window = "30s",
    min_calls = 20,
    failure_rate = "50%",
    reset = "10s",
    probes = 3,
)]
async fn quote(symbol: &str) -> Result<f64, CircuitError> {
    // A real program would call the exchange here.
    Ok(f64::from(u8::try_from(symbol.len()).unwrap_or(u8::MAX)))
}
#
# #[tokio::main(flavor = "current_thread")]
# async fn main() {
#     assert!(quote("ACME").await.is_ok());
#     let breaker = circuit_runtime::registry::find("quotes").unwrap();
#     assert_eq!((breaker.config().probes(), breaker.config().min_calls()), (3, 20));
# }
```
"#
)]

//! The log, listeners and receivers, and metrics.
//!
//! Each change of a circuit is an event: for `tracing`, for listeners and receivers, and in
//! [`registry::history`](crate::registry::history). A call that changes nothing pays nothing for
//! any of this. An order that changes neither the state nor the hold is no event:
//! [`open_for`](crate::CircuitBreaker::open_for) on an open circuit, for example, changes only its
//! wait. [`operating`](super::operating#what-a-change-means) says which changes are alarms.
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
//! The message of each kind of change is constant, so that it can be counted. A call that changes
//! nothing logs nothing, whether it is admitted or rejected, and no text of a call's error is
//! logged. With `tracing-subscriber` as it is, the log of an outage reads as follows. It is part of
//! what the repository's `examples/logged.rs` prints:
#![doc = r#"
```text
2026-11-27T11:21:40.137748Z  WARN circuit_breaker: circuit opened breaker="shop::quote" key="NYSE" from=closed to=open cause="max_failures" failures=3 retry_after_ms=200
2026-11-27T11:21:40.338918Z  INFO circuit_breaker: circuit half-open breaker="shop::quote" key="NYSE" from=open to=half-open cause="wait_over" rejected=1
2026-11-27T11:21:40.339019Z  INFO circuit_breaker: circuit closed breaker="shop::quote" key="NYSE" from=half-open to=closed cause="probes_succeeded"
```
"#]
//!
//! - **`env-filter`.** With this feature of `tracing-subscriber`, only errors are logged unless the
//!   variable `RUST_LOG` says otherwise: `RUST_LOG=circuit_breaker=info` logs these events.
//! - **The crate `log`.** Turn on the feature `log` of `tracing`, and add a listener: without a
//!   subscriber of `tracing`, changes are logged only while somebody listens.
//!   `registry::on_change(|_| ()).forget()` is enough.
//! - **Without `tracing`.** The feature is on by default;
//!   `default-features = false, features = ["macros"]` has no `tracing` in its tree.
//!
//! # Listeners and receivers
//!
//! ```
//! use circuit_runtime::{CircuitBreaker, Config, State, registry};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() {
//!     // A listener runs on the thread of the call that caused the change. It should be quick.
//!     let alarm = registry::on_change(|change| {
//!         if change.to == State::Open {
//!             eprintln!("{} is open: {}", change.breaker, change.cause);
//!         }
//!     });
//!
//!     // A receiver is for what takes longer, such as a message to people.
//!     let mut changes = registry::changes();
//!     let messages = tokio::spawn(async move {
//!         match changes.recv().await {
//!             Ok(change) => {
//!                 println!("{} was {} for {:.1?}", change.breaker, change.from, change.since);
//!             }
//!             Err(lagged) => println!("{lagged}"), // the number of changes that were missed
//!         }
//!     });
//!
//!     let breaker = CircuitBreaker::new("payments", Config::default());
//!     breaker.trip();
//!     let _ = messages.await;
//!     drop(alarm); // ends the subscription; `alarm.forget()` would keep it forever
//!
//!     // For a health check, or for a look at the recent past.
//!     assert!(breaker.snapshot().last_change.is_some());
//!     for change in registry::history() {
//!         println!("{}: {} to {}", change.breaker, change.from, change.to);
//!     }
//! }
//! ```
//!
//! For one breaker, changes arrive in the order in which they happened, each once.
//! [`CircuitBreaker::on_change`](crate::CircuitBreaker::on_change) listens to one breaker alone. A
//! listener may call any breaker. One that panics affects no call. `registry::history()` keeps the
//! latest 256 changes of all breakers.
//!
//! Some changes are reported later than they happen, because there is no timer:
//!
//! - A half-open state is reported with its first probe, not when the wait is over. A circuit
//!   without calls reports nothing, although its `state()` is half-open.
//! - The end of a ramp, or of an order that has a time, is reported with the next call. Until then,
//!   `state()` is closed, and `Snapshot::last_change` still says what came before.
//!
//! # Metrics
//!
//! - [`export::prometheus`](crate::export::prometheus) writes the metrics of all breakers to a
//!   `String`, in Prometheus's text format; send it as
//!   [`CONTENT_TYPE`](crate::export::CONTENT_TYPE).
//! - With the feature `metrics`, `export::metrics()` publishes them to the recorder of the crate
//!   `metrics`: call it before each scrape, or every few seconds.
//! - The crate `circuit-opentelemetry` registers them as instruments of OpenTelemetry.
//!
//! The table [`Metric`](crate::export::Metric) has all metrics; the main ones are:
//!
//! | metric | meaning |
//! |---|---|
//! | `circuit_breaker_state` | 1 for the current one of `state="closed"`, `"half-open"` and `"open"` |
//! | `circuit_breaker_calls_total` | the calls that ran, by `outcome`: success, failure, timeout, panic, ignored, cancelled |
//! | `circuit_breaker_rejected_total` | the calls that were rejected |
//! | `circuit_breaker_opened_total` | how often the circuit opened, reopenings included |
//! | `circuit_breaker_held` | 1 for the state in which an order holds the circuit, `hold="closed"` or `"open"` |
//! | `circuit_breaker_failure_ratio` | the share of failures in the window |
//!
//! The keys of one function are exported as one: their numbers are added up, and the worst of their
//! states is shown. `export::Prometheus::new().keys(top)` gives the `top` keys in the worst state
//! series of their own. The module [`export`](crate::export) explains this and the labels, and has
//! a handler for a server. The repository's `examples/metrics/` has a Grafana dashboard and alert
//! rules.

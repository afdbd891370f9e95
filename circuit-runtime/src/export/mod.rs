//! The numbers of all breakers, for metrics.
//!
//! They are read when they are exported, and a call pays nothing for it. [`prometheus`] writes them
//! as text, without a dependency; [`metrics()`](self#the-crate-metrics) hands them to the recorder
//! of the crate `metrics`; [`Samples`] are for an exporter of another format. The names are those
//! of the table at [`Metric`], whatever the exporter.
//!
//! # Examples
//!
//! A handler of axum, or of any other server, returns the text to Prometheus:
//!
//! ```
//! use circuit_runtime::{CircuitBreaker, Config, export};
//!
//! /// Responds with a header and a body.
//! async fn metrics() -> ([(&'static str, &'static str); 1], String) {
//!     let mut text = String::new();
//!     let _ = export::prometheus(&mut text); // to a `String`, it does not fail
//!     ([("content-type", export::CONTENT_TYPE)], text)
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let breaker = CircuitBreaker::new("payments", Config::default());
//! breaker.trip();
//!
//! // axum::Router::new().route("/metrics", axum::routing::get(metrics))
//! let (_, text) = metrics().await;
//! assert!(text.contains(r#"circuit_breaker_state{breaker="payments",state="open"} 1"#));
//! assert!(text.contains(r#"circuit_breaker_opened_total{breaker="payments"} 1"#));
//! # }
//! ```
//!
//! # Labels
//!
//! - `breaker` is the name without its key, [`Name::function`](crate::Name::function).
//! - `outcome` is `success`, `failure`, `timeout`, `panic`, `ignored` or `cancelled`. Each call
//!   that was admitted and has ended has exactly one, so they add up to the calls. So `failure`
//!   excludes timeouts and panics, which [`Snapshot::failed`](crate::Snapshot::failed) includes.
//! - `state` is `closed`, `half-open` or `open`, and `hold` is `closed` or `open`: the state in
//!   which an order holds the circuit. There is always a series of each.
//! - `key` is present only on request: see [`Prometheus::keys`].
//!
//! # Several breakers of one name
//!
//! The breakers of the keys of one function are exported as one, and so are breakers that share a
//! name. Counts are added up, as are the calls in the windows, on which the ratios are based.
//! `circuit_breaker_state`, `circuit_breaker_held` and `circuit_breaker_state_seconds` show the
//! worst: open, then half-open, then closed; and of several in that state, the longest time. A
//! ratio is absent while the calls in all windows together are fewer than the least `min_calls`.
//!
//! # Before the first call
//!
//! An annotated function is exported from its first call on or, with the feature `discovery`, from
//! the start: an export then creates the breakers of all annotated functions of the program.
//!
//! # Counters
//!
//! No counter falls when a key is evicted: its totals are kept in those of its function. While keys
//! are being evicted, a count may lag behind until the next export.
//!
//! Nor does a counter fall when one of several breakers of a name is dropped: its totals stay in
//! those of the name. With the last [`CircuitBreaker`](crate::CircuitBreaker) or
//! [`CircuitBreakers`](crate::CircuitBreakers) of a name, its series end, and those of a later one
//! of that name begin at zero. Prometheus takes that for the restart of a process.
//!
//! # The crate `metrics`
//!
//! With the feature `metrics`, `export::metrics()` publishes the same numbers to whatever recorder
//! is installed.

mod aggregate;
#[cfg(feature = "metrics")]
mod facade;
mod groups;
mod metric;
mod prometheus;
mod sample;
mod samples;
mod top_keys;

pub use self::metric::{Kind, Metric};
pub use self::prometheus::Prometheus;
pub use self::sample::{Sample, Value};
pub use self::samples::Samples;

use std::fmt;

/// The content type of the text format of Prometheus, version 0.0.4, which is UTF-8.
///
/// Prometheus 3 and later refuse a response without a content type.
///
/// # Examples
///
/// ```
/// use circuit_runtime::export;
///
/// let header = format!("content-type: {}", export::CONTENT_TYPE);
/// assert_eq!(header, "content-type: text/plain; version=0.0.4; charset=utf-8");
/// ```
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes the metrics of all breakers in use in the text format of Prometheus, version 0.0.4.
///
/// Serve it with the content type [`CONTENT_TYPE`]. No two series have the same labels, whatever
/// the names of the breakers. Zero bytes in names are written as `U+FFFD`.
///
/// # Errors
///
/// Returns the error of `out`. A `String` has none.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreaker, Config, export};
///
/// let breaker = CircuitBreaker::new("payments", Config::default());
/// breaker.try_acquire()?.success();
///
/// let mut text = String::new();
/// export::prometheus(&mut text)?;
/// let calls = r#"circuit_breaker_calls_total{breaker="payments",outcome="success"} 1"#;
/// assert!(text.contains(calls));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn prometheus(out: &mut impl fmt::Write) -> fmt::Result {
    self::prometheus::write(&Samples::now(), out)
}

/// Publishes the metrics of all breakers in use to the recorder of the crate `metrics`.
///
/// Call it before each scrape, or from a timer. Counts are absolute: a recorder that is installed
/// after the first call loses nothing. A ratio that is absent is published as not a number, because
/// a gauge cannot be taken back; so the gauges of a breaker that was dropped keep their last
/// values, unless the recorder forgets what is no longer updated. So do its counters; and when a
/// later breaker of that name begins at zero, a recorder that keeps the greatest value, as most do,
/// shows no calls until there are more than before. Keep a breaker of each name in use.
///
/// If the recorder panics, the panic is reported by the panic hook, the sample is lost, and the
/// others are still published.
///
/// # Examples
///
/// ```
/// use circuit_runtime::export;
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// tokio::spawn(async {
///     loop {
///         export::metrics();
///         tokio::time::sleep(Duration::from_secs(10)).await;
///     }
/// });
/// # }
/// ```
#[cfg(feature = "metrics")]
#[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
pub fn metrics() {
    facade::record(&Samples::now());
}

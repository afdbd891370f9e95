//! The text format of Prometheus.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::groups::{self, Keys};
use super::metric::Metric;
use super::sample::{Sample, Value};
use super::samples::{Samples, Series};
use super::top_keys::TopKeys;

/// An exporter in the text format of Prometheus, with series for single keys.
///
/// Without [`keys`](Self::keys), [`prometheus`](super::prometheus) does the same.
///
/// # Examples
///
/// ```
/// use circuit_runtime::export::Prometheus;
/// use circuit_runtime::{CircuitBreakers, Config};
/// use std::sync::LazyLock;
///
/// static PROMETHEUS: LazyLock<Prometheus> = LazyLock::new(|| Prometheus::new().keys(1));
///
/// let hosts = CircuitBreakers::new("hosts", Config::default());
/// hosts.get("a.example").trip();
/// hosts.get("b.example").try_acquire()?.success();
///
/// let mut text = String::new();
/// PROMETHEUS.write(&mut text)?;
/// let state = r#"circuit_breaker_state{breaker="hosts",key="a.example",state="open"} 1"#;
/// assert!(text.contains(state));
/// let calls = r#"circuit_breaker_calls_total{breaker="hosts",key="other",outcome="success"} 1"#;
/// assert!(text.contains(calls));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Prometheus {
    keys: Option<usize>,
    /// By the name of the function.
    top_keys: Mutex<BTreeMap<String, TopKeys>>,
}

impl Prometheus {
    /// Creates an exporter that adds up the keys of a function.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::export::Prometheus;
    /// use circuit_runtime::{CircuitBreakers, Config};
    ///
    /// let hosts = CircuitBreakers::new("hosts", Config::default());
    /// for host in ["a.example", "b.example"] {
    ///     hosts.get(host).try_acquire()?.success();
    /// }
    ///
    /// let mut text = String::new();
    /// Prometheus::new().write(&mut text)?;
    /// let calls = r#"circuit_breaker_calls_total{breaker="hosts",outcome="success"} 2"#;
    /// assert!(text.contains(calls));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Exports `top` keys of each function in series of their own, with the label `key`. All others
    /// are added up as `key="other"`, a key called `other` included.
    ///
    /// The keys in the worst state are chosen and, among those, the ones with the most failures and
    /// rejections. The choice may change with each export, and the series of a key ends and begins
    /// anew with it. A call stays in the series in which it was first exported, whatever becomes of
    /// its key, so no counter falls. Added up over all series, ended ones included, the increases
    /// are those of the function without keys.
    ///
    /// So use one exporter for all exports of one scraper, and another for each further scraper. A
    /// scraper that misses an export, or whose writer fails, misses the latest calls of the series
    /// that end with the next one.
    ///
    /// The number of series is bounded, even if callers can make up keys.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::export::Prometheus;
    /// use circuit_runtime::{CircuitBreakers, Config};
    ///
    /// let hosts = CircuitBreakers::new("hosts", Config::default());
    /// for host in ["a.example", "b.example", "c.example"] {
    ///     hosts.get(host).try_acquire()?.success();
    /// }
    /// hosts.get("b.example").trip(); // now the worst of the three
    ///
    /// let mut text = String::new();
    /// Prometheus::new().keys(1).write(&mut text)?;
    /// let opened = r#"circuit_breaker_opened_total{breaker="hosts",key="b.example"} 1"#;
    /// assert!(text.contains(opened));
    /// let others = r#"breaker_calls_total{breaker="hosts",key="other",outcome="success"} 2"#;
    /// assert!(text.contains(others));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn keys(self, top: usize) -> Self {
        Self {
            keys: Some(top),
            ..self
        }
    }

    /// Writes the metrics of all breakers in use.
    ///
    /// # Errors
    ///
    /// Returns the error of `out`. A `String` has none.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::export::Prometheus;
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    ///
    /// let mut text = String::new();
    /// Prometheus::new().write(&mut text)?;
    /// assert!(text.contains(r#"circuit_breaker_state{breaker="payments",state="closed"} 1"#));
    /// # drop(breaker);
    /// # Ok::<(), std::fmt::Error>(())
    /// ```
    pub fn write(&self, out: &mut impl fmt::Write) -> fmt::Result {
        let samples = match self.keys {
            Some(top) => self.samples_by_key(top),
            None => Samples::now(),
        };
        write(&samples, out)
    }

    fn samples_by_key(&self, top: usize) -> Samples {
        // Dropped after the lock is released.
        let mut kept = Vec::new();
        // Poisoning is harmless: no user code runs under the lock.
        let mut top_keys = self.top_keys.lock().unwrap_or_else(PoisonError::into_inner);
        let groups = groups::read_all(Keys::Apart, &mut kept);
        top_keys.retain(|name, _| groups.contains_key(name));
        let mut series = Vec::new();
        for (breaker, group) in groups {
            if group.open_keys.is_some() {
                let top_keys = top_keys.entry(breaker.clone()).or_default();
                series.extend(top_keys.series(&breaker, &group, top));
            } else {
                series.push(Series::new(breaker, &group));
            }
        }
        Samples::from_series(series)
    }
}

/// Writes the samples as text, by metric.
pub(super) fn write(samples: &Samples, out: &mut impl fmt::Write) -> fmt::Result {
    for &metric in Metric::ALL {
        writeln!(out, "# HELP {} {}", metric.name(), metric.help())?;
        writeln!(out, "# TYPE {} {}", metric.name(), metric.kind())?;
        let mut samples = samples.for_metric(metric);
        samples.try_for_each(|sample| write_sample(metric, &sample, out))?;
    }
    Ok(())
}

fn write_sample(metric: Metric, sample: &Sample<'_>, out: &mut impl fmt::Write) -> fmt::Result {
    out.write_str(metric.name())?;
    for (index, (label, value)) in sample.labels().enumerate() {
        out.write_str(if index == 0 { "{" } else { "," })?;
        out.write_str(label)?;
        out.write_str("=\"")?;
        write_escaped(value, out)?;
        out.write_char('"')?;
    }
    match sample.value() {
        Value::Count(count) => writeln!(out, "}} {count}"),
        Value::Gauge(gauge) => writeln!(out, "}} {gauge}"),
    }
}

/// Escapes the value of a label: a backslash, a quote and the end of a line.
fn write_escaped(value: &str, out: &mut impl fmt::Write) -> fmt::Result {
    let mut rest = value;
    while let Some(at) = rest.find(['\\', '"', '\n']) {
        let (plain, escaped) = rest.split_at(at);
        out.write_str(plain)?;
        out.write_str(match escaped.as_bytes().first() {
            Some(b'\n') => "\\n",
            Some(b'"') => "\\\"",
            _ => "\\\\",
        })?;
        rest = escaped.get(1..).unwrap_or_default();
    }
    out.write_str(rest)
}

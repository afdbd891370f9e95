//! All series with their values, at one moment.

use super::aggregate::Aggregate;
use super::groups::{self, Group};
use super::metric::Metric;
use crate::state::State;

/// The values of all metrics at one moment, for an exporter of another format.
///
/// [`prometheus`](super::prometheus) writes them as text. No two samples of a metric have the same
/// labels.
///
/// # Examples
///
/// ```
/// use circuit_runtime::export::{Metric, Samples};
/// use circuit_runtime::{CircuitBreaker, Config};
///
/// let breaker = CircuitBreaker::new("payments", Config::default());
/// breaker.try_acquire()?.success();
///
/// let samples = Samples::now();
/// let calls = samples.of(Metric::Calls).find(|calls| {
///     calls.labels().eq([("breaker", "payments"), ("outcome", "success")])
/// });
/// assert_eq!(calls.unwrap().value().as_f64(), 1.0);
/// # Ok::<(), circuit_runtime::CircuitError>(())
/// ```
#[derive(Debug)]
pub struct Samples {
    series: Vec<Series>,
}

/// The circuits behind one set of labels.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) breaker: String,
    pub(super) key: Option<String>,
    /// `None` if all but `open_keys` is exported by key.
    pub(super) aggregate: Option<Aggregate>,
    /// `None` without keys, and for a single one.
    pub(super) open_keys: Option<u64>,
}

/// One series with its value.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'s> {
    breaker: &'s str,
    key: Option<&'s str>,
    label: Option<(&'static str, &'static str)>,
    value: Value,
}

/// The value of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// The value of a counter.
    Count(u64),
    /// The value of a gauge.
    Gauge(f64),
}

impl Samples {
    /// Reads all breakers in use.
    ///
    /// Each is read by itself: a lock is held over one at a time, and a window's only while its
    /// counts are copied.
    #[must_use]
    pub fn now() -> Self {
        let groups = groups::read_all(false, &mut Vec::new()).into_iter();
        let series = groups.map(|(breaker, group)| Series::new(breaker, &group));
        Self::from_series(series.collect())
    }

    pub(super) fn from_series(series: Vec<Series>) -> Self {
        Self { series }
    }

    /// Returns the samples of a metric, ordered by the names of the breakers.
    pub fn of(&self, metric: Metric) -> impl Iterator<Item = Sample<'_>> {
        self.with_absent(metric)
            .filter(|sample| !sample.is_absent())
    }

    /// Returns the samples of a metric, absent ratios included.
    pub(super) fn with_absent(&self, metric: Metric) -> impl Iterator<Item = Sample<'_>> {
        self.series.iter().flat_map(move |series| series.of(metric))
    }
}

impl Series {
    /// Creates the series of a group, with its keys added up.
    pub(super) fn new(breaker: String, group: &Group) -> Self {
        Self {
            breaker,
            key: None,
            aggregate: Some(group.all),
            open_keys: group.open_keys,
        }
    }

    /// Returns the samples of a metric.
    fn of(&self, metric: Metric) -> impl Iterator<Item = Sample<'_>> {
        let sample = |label, value| Sample {
            breaker: &self.breaker,
            key: self.key.as_deref(),
            label,
            value,
        };
        let values = match (metric, &self.aggregate) {
            (Metric::OpenKeys, _) => gauge(self.open_keys.map(as_f64)),
            (_, Some(aggregate)) => values(aggregate, metric),
            (_, None) => Vec::new(),
        };
        values
            .into_iter()
            .map(move |(label, value)| sample(label, value))
    }
}

/// The label of a sample besides `breaker` and `key`, and its value.
type Labelled = (Option<(&'static str, &'static str)>, Value);

/// Returns the values of a metric of some circuits, but not of their keys.
fn values(aggregate: &Aggregate, metric: Metric) -> Vec<Labelled> {
    let totals = aggregate.totals;
    let count = |count| vec![(None, Value::Count(count))];
    let is = |label, it, value| (Some((label, it)), Value::Gauge(f64::from(u8::from(value))));
    match metric {
        Metric::Calls => {
            let outcome = |it, count| (Some(("outcome", it)), Value::Count(count));
            vec![
                outcome("success", totals.succeeded),
                outcome("failure", totals.failed),
                outcome("timeout", totals.timed_out),
                outcome("panic", totals.panicked),
                outcome("ignored", totals.ignored),
                outcome("cancelled", totals.cancelled),
            ]
        }
        Metric::Rejected => count(totals.rejected),
        Metric::SlowCalls => count(totals.slow),
        Metric::Opened => count(totals.opened),
        Metric::Withheld => count(totals.withheld),
        Metric::State => {
            let is = |name, state| is("state", name, aggregate.state() == state);
            vec![
                is("closed", State::Closed),
                is("half-open", State::HalfOpen),
                is("open", State::Open),
            ]
        }
        Metric::Held => {
            let is = |name, state| is("hold", name, aggregate.hold() == Some(state));
            vec![is("closed", State::Closed), is("open", State::Open)]
        }
        Metric::FailureRatio => gauge(aggregate.failure_ratio()),
        Metric::SlowRatio => gauge(aggregate.slow_ratio()),
        Metric::WindowCalls => gauge(aggregate.window_calls().map(as_f64)),
        Metric::StateSeconds => gauge(aggregate.state_for().map(|it| it.as_secs_f64())),
        Metric::OpenKeys => Vec::new(),
    }
}

fn gauge(value: Option<f64>) -> Vec<Labelled> {
    let value = value.map(|value| (None, Value::Gauge(value)));
    value.into_iter().collect()
}

impl<'s> Sample<'s> {
    /// Returns the labels: `breaker`, `key` if the series is of a key, and the metric's own.
    pub fn labels(&self) -> impl Iterator<Item = (&'static str, &'s str)> + use<'s> {
        let key = self.key.map(|key| ("key", key));
        [("breaker", self.breaker)]
            .into_iter()
            .chain(key)
            .chain(self.label)
    }

    /// Returns the value.
    #[must_use]
    pub fn value(&self) -> Value {
        self.value
    }

    fn is_absent(&self) -> bool {
        matches!(self.value, Value::Gauge(gauge) if gauge.is_nan())
    }
}

impl Value {
    /// Returns the value as a floating-point number.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Count(count) => as_f64(count),
            Self::Gauge(gauge) => gauge,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

//! All series with their values.

use super::aggregate::Aggregate;
use super::groups::{self, Group, Keys};
use super::metric::Metric;
use super::sample::{Sample, Value, as_f64};
use crate::state::State;

/// The values of all metrics, for an exporter of another format.
///
/// [`prometheus`](super::prometheus) writes them as text. The breakers are read one after the
/// other. No two samples of a metric have the same labels.
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
/// let calls = samples.for_metric(Metric::Calls).find(|calls| {
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

impl Samples {
    /// Reads all breakers in use.
    ///
    /// They are read one after the other: no lock is held over more than one, and that of a window
    /// only while its counts are copied.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::export::{Metric, Samples};
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// let before = Samples::now();
    /// breaker.try_acquire()?.success();
    ///
    /// // A later call does not change samples that were read.
    /// let mut calls = before.for_metric(Metric::Calls);
    /// assert!(calls.all(|sample| sample.value().as_f64() == 0.0));
    /// # Ok::<(), circuit_runtime::CircuitError>(())
    /// ```
    #[must_use]
    pub fn now() -> Self {
        let groups = groups::read_all(Keys::AddedUp, &mut Vec::new()).into_iter();
        let series = groups.map(|(breaker, group)| Series::new(breaker, &group));
        Self::from_series(series.collect())
    }

    pub(super) fn from_series(series: Vec<Series>) -> Self {
        Self { series }
    }

    /// Returns the samples of a metric, ordered by the names of the breakers.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::export::{Metric, Samples};
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breakers = ["b", "a"].map(|name| CircuitBreaker::new(name, Config::default()));
    ///
    /// let samples = Samples::now();
    /// let rejected = samples.for_metric(Metric::Rejected);
    /// let names: Vec<_> = rejected.filter_map(|sample| Some(sample.labels().next()?.1)).collect();
    /// assert!(names.contains(&"a") && names.is_sorted());
    /// # drop(breakers);
    /// ```
    pub fn for_metric(&self, metric: Metric) -> impl Iterator<Item = Sample<'_>> {
        self.with_absent(metric)
            .filter(|sample| !sample.is_absent())
    }

    /// Returns the samples of a metric, absent ratios included.
    pub(super) fn with_absent(&self, metric: Metric) -> impl Iterator<Item = Sample<'_>> {
        self.series
            .iter()
            .flat_map(move |series| series.for_metric(metric))
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
    fn for_metric(&self, metric: Metric) -> impl Iterator<Item = Sample<'_>> {
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
            let states = [State::Closed, State::HalfOpen, State::Open].into_iter();
            let actual = aggregate.state();
            states
                .map(|state| is("state", state.as_str(), state == actual))
                .collect()
        }
        Metric::Held => {
            let holds = [State::Closed, State::Open].into_iter();
            let actual = aggregate.hold();
            holds
                .map(|hold| is("hold", hold.as_str(), Some(hold) == actual))
                .collect()
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

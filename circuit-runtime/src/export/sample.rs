//! One series with its value.

/// A series with its value.
///
/// # Examples
///
/// ```
/// use circuit_runtime::export::{Metric, Samples};
/// use circuit_runtime::{CircuitBreaker, Config};
///
/// let breaker = CircuitBreaker::new("payments", Config::default());
/// breaker.trip();
///
/// for sample in Samples::now().for_metric(Metric::State) {
///     let labels = sample.labels().map(|(name, value)| format!("{name}={value}"));
///     let labels: Vec<_> = labels.collect();
///     println!("{}: {}", labels.join(", "), sample.value().as_f64());
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Sample<'s> {
    pub(super) breaker: &'s str,
    pub(super) key: Option<&'s str>,
    /// The label of the metric itself.
    pub(super) label: Option<(&'static str, &'static str)>,
    pub(super) value: Value,
}

/// The value of a series.
///
/// # Examples
///
/// ```
/// use circuit_runtime::export::{Metric, Samples, Value};
/// use circuit_runtime::{CircuitBreaker, Config};
///
/// let breaker = CircuitBreaker::new("payments", Config::default());
/// breaker.trip();
///
/// let samples = Samples::now();
/// let mut opened = samples.for_metric(Metric::Opened);
/// let payments = opened.find(|sample| sample.labels().eq([("breaker", "payments")]));
/// assert_eq!(payments.unwrap().value(), Value::Count(1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// The value of a counter.
    Count(u64),
    /// The value of a gauge.
    Gauge(f64),
}

impl<'s> Sample<'s> {
    /// Returns the labels: `breaker`, `key` if the series is of a key, and the metric's own.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::export::{Metric, Samples};
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    ///
    /// let samples = Samples::now();
    /// let mut held = samples.for_metric(Metric::Held);
    /// assert!(held.any(|sample| {
    ///     sample.labels().eq([("breaker", "payments"), ("hold", "closed")])
    /// }));
    /// # drop(breaker);
    /// ```
    pub fn labels(&self) -> impl Iterator<Item = (&'static str, &'s str)> + use<'s> {
        let key = self.key.map(|key| ("key", key));
        [("breaker", self.breaker)]
            .into_iter()
            .chain(key)
            .chain(self.label)
    }

    /// Returns the value.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::export::{Metric, Samples, Value};
    /// use circuit_runtime::{CircuitBreaker, Config};
    ///
    /// let breaker = CircuitBreaker::new("payments", Config::default());
    /// breaker.force_closed();
    ///
    /// let samples = Samples::now();
    /// let held = samples.for_metric(Metric::Held).find(|sample| {
    ///     sample.labels().eq([("breaker", "payments"), ("hold", "closed")])
    /// });
    /// assert_eq!(held.unwrap().value(), Value::Gauge(1.0));
    /// ```
    #[must_use]
    pub fn value(&self) -> Value {
        self.value
    }

    pub(super) fn is_absent(&self) -> bool {
        matches!(self.value, Value::Gauge(gauge) if gauge.is_nan())
    }
}

impl Value {
    /// Returns the value as a floating-point number.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::export::Value;
    ///
    /// assert_eq!(Value::Count(3).as_f64(), 3.0);
    /// assert_eq!(Value::Gauge(0.5).as_f64(), 0.5);
    /// ```
    #[must_use]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Count(count) => as_f64(count),
            Self::Gauge(gauge) => gauge,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
pub(super) fn as_f64(count: u64) -> f64 {
    count as f64
}

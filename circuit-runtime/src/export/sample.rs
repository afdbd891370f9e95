//! One series with its value.

/// A series with its value.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'s> {
    pub(super) breaker: &'s str,
    pub(super) key: Option<&'s str>,
    /// The label of the metric itself.
    pub(super) label: Option<(&'static str, &'static str)>,
    pub(super) value: Value,
}

/// The value of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// The value of a counter.
    Count(u64),
    /// The value of a gauge.
    Gauge(f64),
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

    pub(super) fn is_absent(&self) -> bool {
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
pub(super) fn as_f64(count: u64) -> f64 {
    count as f64
}

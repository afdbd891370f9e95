//! The facade of the crate `metrics`.

use ::metrics::{Label, counter, describe_counter, describe_gauge, gauge};

use super::metric::{Kind, Metric};
use super::samples::{Sample, Samples, Value};
use crate::events::contain;

/// Records all samples.
pub(super) fn record(samples: &Samples) {
    for &metric in Metric::ALL {
        // Every time: the recorder may have been installed since.
        contain(|| match metric.kind() {
            Kind::Counter => describe_counter!(metric.name(), metric.help()),
            Kind::Gauge => describe_gauge!(metric.name(), metric.help()),
        });
        // A gauge cannot be taken back, so a ratio that is absent is not a number.
        for sample in samples.with_absent(metric) {
            contain(|| record_sample(metric, &sample));
        }
    }
}

fn record_sample(metric: Metric, sample: &Sample<'_>) {
    let labels = sample.labels();
    let labels: Vec<_> = labels
        .map(|(label, value)| Label::new(label, value.to_owned()))
        .collect();
    match sample.value() {
        Value::Count(count) => counter!(metric.name(), labels).absolute(count),
        Value::Gauge(value) => gauge!(metric.name(), labels).set(value),
    }
}

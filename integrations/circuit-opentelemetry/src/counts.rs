//! Counts as a reader of the SDK has to be told them: none falls while its series goes on.

use std::collections::BTreeMap;

use circuit_runtime::export::{Kind, Metric, Sample, Samples, Value};

/// The counts of one reading.
///
/// Once the last breaker of a name is dropped, a later one of that name counts from zero. If both
/// fall between two readings, the series seems to go on, and the SDK would subtract the higher
/// count from the lower. So what was counted before is added. A series that is missing in a reading
/// has ended: the SDK forgets it, too.
#[derive(Debug, Default)]
pub(crate) struct Counts(BTreeMap<Series, Count>);

type Series = (Metric, Vec<(&'static str, String)>);

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    /// The counts of the breakers in use.
    read: u64,
    /// The counts of those before them.
    before: u64,
}

impl Counts {
    /// Returns the counts of the samples that are read after these counts.
    pub(crate) fn next(&self, samples: &Samples) -> Self {
        let mut next = BTreeMap::new();
        let counters = Metric::ALL.iter().copied();
        for metric in counters.filter(|it| it.kind() == Kind::Counter) {
            for sample in samples.for_metric(metric) {
                if let Value::Count(read) = sample.value() {
                    let series = series(metric, &sample);
                    let last = self.0.get(&series).copied().unwrap_or_default();
                    next.insert(series, last.next(read));
                }
            }
        }
        Self(next)
    }

    /// Returns the count of a sample from which these counts were made.
    pub(crate) fn get(&self, metric: Metric, sample: &Sample<'_>) -> Option<u64> {
        let count = self.0.get(&series(metric, sample))?;
        Some(count.read.saturating_add(count.before))
    }
}

impl Count {
    fn next(self, read: u64) -> Self {
        let before = if read < self.read {
            self.before.saturating_add(self.read)
        } else {
            self.before
        };
        Self { read, before }
    }
}

fn series(metric: Metric, sample: &Sample<'_>) -> Series {
    let labels = sample.labels();
    let labels = labels.map(|(label, value)| (label, value.to_owned()));
    (metric, labels.collect())
}

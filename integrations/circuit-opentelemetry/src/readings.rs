//! One reading of the breakers for all callbacks of a collection.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use circuit_runtime::export::{Metric, Samples};

/// The latest reading, shared by the callbacks of one collection.
///
/// The API has no callback for several instruments, and does not tell a callback which collection
/// it is called for. But a collection calls the callbacks one after the other, each once. So one
/// that is called again, or on another thread, belongs to another collection, and reads anew.
#[derive(Debug, Default)]
pub(crate) struct Readings {
    latest: Mutex<Option<Reading>>,
}

#[derive(Debug)]
struct Reading {
    samples: Arc<Samples>,
    /// The thread that collects.
    thread: ThreadId,
    /// The metrics whose callbacks have not been called since.
    unobserved: BTreeSet<Metric>,
}

impl Readings {
    /// Returns the samples for the callback of a metric.
    pub(crate) fn samples(&self, metric: Metric) -> Arc<Samples> {
        let thread = thread::current().id();
        let latest = self
            .lock()
            .as_mut()
            .and_then(|it| it.observe(metric, thread));
        // No lock is held here: reading takes locks of its own, and drops breakers that ended.
        latest.unwrap_or_else(|| {
            let reading = Reading::new(metric, thread);
            let samples = Arc::clone(&reading.samples);
            *self.lock() = Some(reading);
            samples
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Reading>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reading {
    /// Reads all breakers, for a metric first.
    fn new(metric: Metric, thread: ThreadId) -> Self {
        let others = Metric::ALL.iter().copied().filter(|&it| it != metric);
        Self {
            samples: Arc::new(Samples::now()),
            thread,
            unobserved: others.collect(),
        }
    }

    /// Returns the samples, unless they belong to another collection.
    fn observe(&mut self, metric: Metric, thread: ThreadId) -> Option<Arc<Samples>> {
        let is_same = self.thread == thread && self.unobserved.remove(&metric);
        is_same.then(|| Arc::clone(&self.samples))
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test that cannot go on fails"
    )]

    use super::*;

    fn is_one(readings: &[Arc<Samples>]) -> bool {
        readings.windows(2).all(|two| Arc::ptr_eq(&two[0], &two[1]))
    }

    #[test]
    fn a_collection_reads_once_and_the_next_one_reads_anew() {
        let readings = Readings::default();
        let collect = || Metric::ALL.iter().map(|&it| readings.samples(it));
        let first: Vec<_> = collect().collect();
        let second: Vec<_> = collect().collect();
        assert!(is_one(&first) && is_one(&second));
        assert!(!Arc::ptr_eq(&first[0], &second[0]));
    }

    #[test]
    fn a_collection_of_some_instruments_reads_once_and_the_next_one_reads_anew() {
        let readings = Readings::default();
        // The others are dropped by a view.
        let some = [Metric::State, Metric::Opened, Metric::OpenKeys];
        let first = some.map(|it| readings.samples(it));
        let second = some.map(|it| readings.samples(it));
        assert!(is_one(&first) && is_one(&second));
        assert!(!Arc::ptr_eq(&first[0], &second[0]));
    }

    #[test]
    fn a_collection_that_ended_early_leaves_nothing_to_the_next() {
        let readings = Readings::default();
        let first = readings.samples(Metric::Calls);
        let second = [Metric::Calls, Metric::Rejected].map(|it| readings.samples(it));
        assert!(is_one(&second) && !Arc::ptr_eq(&first, &second[0]));
    }

    #[test]
    fn a_collection_on_another_thread_reads_for_itself() {
        let readings = Readings::default();
        let calls = readings.samples(Metric::Calls);
        thread::scope(|scope| {
            let other = scope.spawn(|| readings.samples(Metric::Rejected)).join();
            assert!(!Arc::ptr_eq(&calls, &other.unwrap()));
        });
        let rejected = readings.samples(Metric::Rejected);
        assert!(!Arc::ptr_eq(&calls, &rejected));
    }
}

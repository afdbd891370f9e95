//! One reading of the breakers for all callbacks of a collection.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use circuit_runtime::export::{Metric, Samples};

use super::counts::Counts;

/// The threads whose latest readings are kept. A periodic reader of the SDK collects on a thread of
/// its own.
const THREADS: usize = 8;

/// The latest reading of each thread, shared by the callbacks of one collection.
///
/// The API has no callback for several instruments, and does not tell a callback which collection
/// it is called for. But a collection calls the callbacks one after the other, each once. So one
/// that is called again, or on another thread, belongs to another collection, and reads anew.
#[derive(Debug, Default)]
pub(crate) struct Readings {
    latest: Mutex<HashMap<ThreadId, Latest>>,
}

/// The breakers at one moment, as a reader of the SDK is told of them.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) samples: Samples,
    pub(crate) counts: Counts,
}

#[derive(Debug)]
struct Latest {
    reading: Arc<Reading>,
    /// Later readings have a higher one.
    number: u64,
    /// The metrics whose callbacks have not been called since.
    unobserved: BTreeSet<Metric>,
}

impl Readings {
    /// Returns the reading for the callback of a metric.
    pub(crate) fn reading(&self, metric: Metric) -> Arc<Reading> {
        let thread = thread::current().id();
        let current = self
            .lock()
            .get_mut(&thread)
            .and_then(|it| it.observe(metric));
        current.unwrap_or_else(|| self.read(thread, metric))
    }

    /// Reads all breakers, for a metric first.
    fn read(&self, thread: ThreadId, metric: Metric) -> Arc<Reading> {
        let before = self.before(thread);
        // No lock is held here: reading takes locks of its own, and drops breakers that ended.
        let samples = Samples::now();
        let counts = match &before {
            Some(before) => before.counts.next(&samples),
            None => Counts::default().next(&samples),
        };
        let reading = Arc::new(Reading { samples, counts });
        let mut latest = self.lock();
        let numbers = latest.values().map(|it| it.number);
        let number = numbers.max().map_or(0, |last| last.saturating_add(1));
        latest.insert(thread, Latest::new(Arc::clone(&reading), number, metric));
        if latest.len() > THREADS {
            let oldest = latest.iter().min_by_key(|(_, it)| it.number);
            let oldest = oldest.map(|(&thread, _)| thread);
            oldest.and_then(|thread| latest.remove(&thread));
        }
        drop(latest);
        reading
    }

    /// Returns the last reading of the thread or, before its first, of any.
    fn before(&self, thread: ThreadId) -> Option<Arc<Reading>> {
        let latest = self.lock();
        let last = || latest.values().max_by_key(|it| it.number);
        let before = latest.get(&thread).or_else(last)?;
        Some(Arc::clone(&before.reading))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ThreadId, Latest>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Latest {
    fn new(reading: Arc<Reading>, number: u64, metric: Metric) -> Self {
        let others = Metric::ALL.iter().copied().filter(|&it| it != metric);
        Self {
            reading,
            number,
            unobserved: others.collect(),
        }
    }

    /// Returns the reading, unless it belongs to another collection.
    fn observe(&mut self, metric: Metric) -> Option<Arc<Reading>> {
        let is_same = self.unobserved.remove(&metric);
        is_same.then(|| Arc::clone(&self.reading))
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test that cannot go on fails"
    )]

    use std::sync::mpsc;

    use circuit_runtime::{CircuitBreaker, Config};

    use super::*;

    fn is_one(readings: &[Arc<Reading>]) -> bool {
        readings.windows(2).all(|two| Arc::ptr_eq(&two[0], &two[1]))
    }

    #[test]
    fn a_collection_reads_once_and_the_next_one_reads_anew() {
        let readings = Readings::default();
        let collect = || Metric::ALL.iter().map(|&it| readings.reading(it));
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
        let first = some.map(|it| readings.reading(it));
        let second = some.map(|it| readings.reading(it));
        assert!(is_one(&first) && is_one(&second));
        assert!(!Arc::ptr_eq(&first[0], &second[0]));
    }

    #[test]
    fn a_collection_that_ended_early_leaves_nothing_to_the_next() {
        let readings = Readings::default();
        let first = readings.reading(Metric::Calls);
        let second = [Metric::Calls, Metric::Rejected].map(|it| readings.reading(it));
        assert!(is_one(&second) && !Arc::ptr_eq(&first, &second[0]));
    }

    #[test]
    fn a_collection_on_another_thread_reads_for_itself() {
        let readings = Readings::default();
        let calls = readings.reading(Metric::Calls);
        thread::scope(|scope| {
            let other = scope.spawn(|| readings.reading(Metric::Rejected)).join();
            assert!(!Arc::ptr_eq(&calls, &other.unwrap()));
        });
        let rejected = readings.reading(Metric::Rejected);
        assert!(
            Arc::ptr_eq(&calls, &rejected),
            "and leaves that of this one"
        );
    }

    /// Returns the calls of a breaker that succeeded, as a new reading of this thread has them.
    fn successes(readings: &Readings, name: &str) -> Option<u64> {
        let reading = readings.reading(Metric::Calls);
        let labels = [("breaker", name), ("outcome", "success")];
        let mut calls = reading.samples.for_metric(Metric::Calls);
        let calls = calls.find(|it| it.labels().eq(labels))?;
        reading.counts.get(Metric::Calls, &calls)
    }

    fn called(name: &'static str, calls: usize) -> CircuitBreaker {
        let breaker = CircuitBreaker::new(name, Config::default());
        (0..calls).for_each(|_| breaker.try_acquire().unwrap().success());
        breaker
    }

    #[test]
    fn a_name_that_is_used_anew_goes_on_for_the_threads_that_did_not_miss_it() {
        let readings = Readings::default();
        let name = "read by two";
        let (ask, asked) = mpsc::channel();
        let (answer, answers) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| {
                for () in asked {
                    answer.send(successes(&readings, name)).unwrap();
                }
            });
            let elsewhere = || {
                ask.send(()).unwrap();
                answers.recv().unwrap()
            };
            let first = called(name, 10);
            assert_eq!(
                (elsewhere(), successes(&readings, name)),
                (Some(10), Some(10))
            );
            drop(first);
            assert_eq!(elsewhere(), None);
            let second = called(name, 3);
            assert_eq!(
                (elsewhere(), successes(&readings, name)),
                (Some(3), Some(13))
            );
            drop(second);
            let _third = called(name, 1);
            assert_eq!(
                (elsewhere(), successes(&readings, name)),
                (Some(4), Some(14))
            );
            drop(ask);
        });
    }

    #[test]
    fn the_readings_of_few_threads_are_kept() {
        let readings = Readings::default();
        for _ in 0..3 * THREADS {
            thread::scope(|scope| _ = scope.spawn(|| readings.reading(Metric::Calls)));
        }
        assert_eq!(readings.lock().len(), THREADS);
    }
}

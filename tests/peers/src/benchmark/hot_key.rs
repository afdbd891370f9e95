//! One hot key, called by more and more threads.

use std::hint::black_box;
use std::time::Duration;

use circuit_runtime::circuit_breaker;

use crate::answer::{Down, Failure, observed_at_once};
use crate::measure::{batch, few_tries, together};
use crate::row::{OURS, Row, Rule, Scenario, Work, repeated};
use crate::samples::Samples;

/// The numbers of threads.
pub(crate) const THREADS: [usize; 5] = [1, 2, 4, 8, 16];

const HOST: &str = "host-7.example";

#[circuit_breaker(max_failures = 5, window = "10s", key = host)]
async fn answering(host: &str) -> Result<u32, Failure> {
    Ok(black_box(7))
}

/// The limit is out of reach.
#[circuit_breaker(max_failures = 4_000_000_000, window = "10s", key = host)]
async fn failing(host: &str) -> Result<u32, Failure> {
    Err(black_box(Down).into())
}

/// One way of calling it.
pub(crate) struct HotKey {
    pub(crate) row: &'static Row,
    batch: u64,
    /// The nanoseconds of a call on each thread, by the number of threads.
    pub(crate) nanos: [Samples; THREADS.len()],
    /// The calls of all threads in a second, by the number of threads.
    pub(crate) rates: [Samples; THREADS.len()],
}

pub(crate) fn all() -> Vec<HotKey> {
    let is_rejection = |result: &Result<u32, Failure>| matches!(result, Err(Failure::Circuit(_)));
    vec![
        HotKey::new(
            "attribute, success",
            repeated(move || observed_at_once(answering(black_box(HOST)), is_rejection)),
        ),
        HotKey::new(
            "attribute, failure",
            repeated(move || observed_at_once(failing(black_box(HOST)), is_rejection)),
        ),
    ]
}

impl HotKey {
    fn new(setting: &'static str, work: Work) -> Self {
        let row = Row::new(Scenario::Keys, OURS, setting, Rule::FailuresInTime, work);
        let row: &'static Row = Box::leak(Box::new(row));
        Self {
            row,
            batch: batch(&row.work),
            nanos: Default::default(),
            rates: Default::default(),
        }
    }

    /// Threads that do not all run at once get as long for each as one alone.
    pub(crate) fn round(&mut self, round: usize, length: Duration) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let samples = self.nanos.iter_mut().zip(&mut self.rates);
        for (threads, (nanos, rates)) in THREADS.into_iter().zip(samples) {
            let at_once = threads <= cores;
            let measured = few_tries(|| {
                let turns = u32::try_from(threads.div_ceil(cores)).unwrap_or(u32::MAX);
                let together = together(self.row, round, threads, self.batch, length * turns);
                (together.overlapped || !at_once).then_some(together)
            });
            if let Some(measured) = measured {
                rates.add(measured.per_second);
                if at_once {
                    nanos.add(measured.nanos);
                }
            }
        }
    }
}

//! The times of the slowest calls when two threads share a breaker.

use std::hint::black_box;
use std::time::Instant;

use crate::measure::{few_tries, in_context, on_threads, overlapped};
use crate::row::{Row, Rule, Scenario};
use crate::samples::Samples;

/// Calls of each thread in a round: enough for twenty of them to be the slowest thousandth.
const CALLS: usize = 20_000;

pub(crate) struct Tail {
    pub(crate) row: &'static Row,
    pub(crate) median: Samples,
    pub(crate) p99: Samples,
    pub(crate) p999: Samples,
}

impl Tail {
    pub(crate) fn new(row: &'static Row) -> Self {
        Self {
            row,
            median: Samples::default(),
            p99: Samples::default(),
            p999: Samples::default(),
        }
    }

    /// Measures a round, which counts if both threads ran all the time.
    pub(crate) fn round(&mut self) {
        let Some(mut nanos) = few_tries(|| lap(self.row)) else {
            return;
        };
        nanos.sort_unstable();
        let at = |thousandth: usize| nanos.get(nanos.len() * thousandth / 1_000);
        for (samples, thousandth) in [
            (&mut self.median, 500),
            (&mut self.p99, 990),
            (&mut self.p999, 999),
        ] {
            samples.add(at(thousandth).map_or(f64::NAN, |&nanos| nanos.into()));
        }
    }
}

/// Returns the time of every call; `None` if the two threads did not run concurrently.
fn lap(row: &'static Row) -> Option<Vec<u32>> {
    let laps = on_threads(2, move |barrier| {
        in_context(row.context, move || {
            let mut nanos = Vec::with_capacity(CALLS);
            (row.work)(1_000);
            barrier.wait();
            let started = Instant::now();
            if let Some(timed) = &row.timed {
                timed(&mut nanos);
            }
            (started, Instant::now(), nanos)
        })
    });
    let spans = laps.iter().map(|&(start, end, _)| (start, end));
    overlapped(spans).then(|| laps.into_iter().flat_map(|(_, _, nanos)| nanos).collect())
}

/// A row without a call.
pub(crate) fn nothing() -> Row {
    let mut row = Row::new(
        Scenario::Limit,
        "",
        "two clock readings",
        Rule::None,
        Box::new(|_| ()),
    );
    row.timed = Some(Box::new(|nanos| {
        while nanos.len() < nanos.capacity() {
            let before = Instant::now();
            black_box(());
            let took = before.elapsed().as_nanos();
            nanos.push(u32::try_from(took).unwrap_or(u32::MAX));
        }
    }));
    row
}

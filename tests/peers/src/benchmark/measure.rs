//! Measures one row once: on one thread, or on several concurrently.

use std::hint::{black_box, spin_loop};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::task::unconstrained;

use crate::row::{Context, Row, Work};
use crate::samples::{Samples, nanos_of};

/// The approximate time of the calls between two clock readings.
const BATCH: Duration = Duration::from_micros(20);

/// The calls of one thread.
pub(crate) struct Lap {
    pub(crate) started: Instant,
    pub(crate) ended: Instant,
    calls: u64,
    /// The time of each batch.
    batches: Samples,
}

/// The calls of several concurrent threads.
pub(crate) struct Together {
    /// The time of one call on one thread.
    pub(crate) nanos: f64,
    /// The calls of all threads in a second.
    pub(crate) per_second: f64,
    /// All threads ran all the time.
    pub(crate) overlapped: bool,
}

/// Returns the number of calls in a batch.
pub(crate) fn batch(work: &Work) -> u64 {
    work(1_000);
    let mut calls = 16;
    loop {
        let started = Instant::now();
        work(calls);
        let took = started.elapsed();
        if took >= BATCH / 2 {
            let fitting = nanos_of(BATCH) / nanos_of(took) * whole(calls);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a rough count"
            )]
            return (fitting as u64).max(1);
        }
        calls *= 2;
    }
}

/// Runs `act` with the stack some steps further down, so that the rounds of a process differ in its
/// placement. The placement of the heap stays the same, so a row can still differ between
/// processes: one of another library once took four times its usual cost throughout a run.
#[inline(never)]
fn shifted<R>(steps: usize, act: impl FnOnce() -> R) -> R {
    let room = [0_u8; 208];
    black_box(&room);
    let result = if steps == 0 {
        act()
    } else {
        let act: Box<dyn FnOnce() -> R + '_> = Box::new(act);
        shifted(steps - 1, act)
    };
    black_box(&room);
    result
}

/// Returns the nanoseconds of a call on one thread: the median of the batches, as some are
/// disturbed by other programs.
pub(crate) fn alone(row: &'static Row, round: usize, batch: u64, length: Duration) -> f64 {
    let lap = in_context(row.context, move || {
        (row.work)(batch);
        shifted(round, || lap(&row.work, batch, length))
    });
    lap.batches.median() / whole(batch)
}

pub(crate) fn together(
    row: &'static Row,
    round: usize,
    threads: usize,
    batch: u64,
    length: Duration,
) -> Together {
    let laps = on_threads(threads, move |barrier| {
        in_context(row.context, move || {
            (row.work)(batch);
            barrier.wait();
            shifted(round, || lap(&row.work, batch, length))
        })
    });
    let calls: u64 = laps.iter().map(|lap| lap.calls).sum();
    let nanos: f64 = laps
        .iter()
        .map(|lap| nanos_of(lap.ended - lap.started))
        .sum();
    let wall = laps
        .iter()
        .map(|lap| lap.ended)
        .max()
        .zip(laps.iter().map(|lap| lap.started).min());
    let wall = wall.map_or(f64::NAN, |(end, start)| nanos_of(end - start));
    let preempted = laps
        .iter()
        .any(|lap| lap.batches.greatest() > nanos_of(length) / 10.0);
    Together {
        nanos: nanos / whole(calls),
        per_second: whole(calls) / wall * 1e9,
        overlapped: !preempted && overlapped(laps.iter().map(|lap| (lap.started, lap.ended))),
    }
}

/// Returns whether nine tenths of the time is common to all spans.
pub(crate) fn overlapped(spans: impl Iterator<Item = (Instant, Instant)> + Clone) -> bool {
    let started = spans.clone().map(|(start, _)| start);
    let ended = spans.map(|(_, end)| end);
    match (
        started.clone().min(),
        started.max(),
        ended.clone().min(),
        ended.max(),
    ) {
        (Some(first), Some(last), Some(soonest), Some(latest)) => {
            let common = soonest.saturating_duration_since(last);
            common >= (latest - first).mul_f64(0.9)
        }
        _ => false,
    }
}

/// Tries until `act` returns a result, at most a few times.
pub(crate) fn few_tries<T>(mut act: impl FnMut() -> Option<T>) -> Option<T> {
    (0..5).find_map(|_| act())
}

/// Starts all threads at the same time.
pub(crate) struct Barrier {
    threads: usize,
    arrived: AtomicUsize,
}

impl Barrier {
    pub(crate) fn wait(&self) {
        self.wait_for(self.threads);
    }

    /// Waits for the second time.
    pub(crate) fn wait_again(&self) {
        self.wait_for(2 * self.threads);
    }

    fn wait_for(&self, all: usize) {
        self.arrived.fetch_add(1, Ordering::AcqRel);
        while self.arrived.load(Ordering::Acquire) < all {
            if self.threads > 2 {
                thread::yield_now();
            } else {
                spin_loop();
            }
        }
    }
}

pub(crate) fn on_threads<R: Send + 'static>(
    threads: usize,
    act: impl Fn(Arc<Barrier>) -> R + Clone + Send + 'static,
) -> Vec<R> {
    let barrier = Arc::new(Barrier {
        threads,
        arrived: AtomicUsize::new(0),
    });
    let running: Vec<_> = (0..threads)
        .map(|_| {
            let (act, barrier) = (act.clone(), Arc::clone(&barrier));
            thread::spawn(move || act(barrier))
        })
        .collect();
    let joined = running
        .into_iter()
        .map(|thread| thread.join().expect("no call panics"));
    joined.collect()
}

/// Runs `act` in the context of a row's calls. A task has no budget there: rejections would use it
/// up and then wait, without a chance to let other tasks run.
pub(crate) fn in_context<R: Send + 'static>(
    context: Context,
    act: impl FnOnce() -> R + Send + 'static,
) -> R {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder
        .enable_time()
        .build()
        .expect("a runtime of the thread");
    match context {
        Context::Task => runtime
            .block_on(async { tokio::spawn(unconstrained(async { act() })).await })
            .expect("no call panics"),
        Context::Entered => {
            let _entered = runtime.enter();
            act()
        }
    }
}

fn lap(work: &Work, batch: u64, length: Duration) -> Lap {
    let started = Instant::now();
    let mut lap = Lap {
        started,
        ended: started,
        calls: 0,
        batches: Samples::default(),
    };
    while lap.ended - started < length {
        work(batch);
        let now = Instant::now();
        lap.batches.add(nanos_of(now - lap.ended));
        lap.ended = now;
        lap.calls += batch;
    }
    lap
}

#[expect(clippy::cast_precision_loss, reason = "counts of a few milliseconds")]
pub(crate) fn whole(count: u64) -> f64 {
    count as f64
}

//! The cost of the least that a breaker could do, on this machine and with the libraries
//! underneath.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::answer::{Failure, at_once};
use crate::ours;
use crate::row::{Mark, Row, Rule, Scenario, Work, repeated};

/// Alone in its cache line and the adjacent one.
#[derive(Default)]
#[repr(align(128))]
struct Lines(AtomicU64);

static SHARED: Lines = Lines(AtomicU64::new(0));
static LOCK: Mutex<u64> = Mutex::new(0);

/// The least that a breaker must do to count its calls: read the state, and add to the stripe of
/// the thread, selected by its slot.
struct Least {
    state: AtomicU64,
    stripes: [Lines; 64],
}

static LEAST: Least = Least {
    state: AtomicU64::new(0),
    stripes: [const { Lines(AtomicU64::new(0)) }; 64],
};

impl Least {
    fn success(&self) -> bool {
        let is_closed = self.state.load(Ordering::Acquire) == 0;
        if is_closed {
            match self.stripes.get(SLOT.get()) {
                Some(Lines(count)) => {
                    count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                }
                None => Self::take_slot(),
            }
        }
        is_closed
    }

    /// There are never more threads than slots at the same time.
    #[cold]
    fn take_slot() {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        SLOT.set(NEXT.fetch_add(1, Ordering::Relaxed) % LEAST.stripes.len());
    }
}

thread_local! {
    static SLOT: Cell<usize> = const { Cell::new(usize::MAX) };
    static OWN: Lines = const { Lines(AtomicU64::new(0)) };
    static PLAIN: Cell<u64> = const { Cell::new(0) };
}

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("empty loop", repeated(|| ())),
        row(
            "relaxed load",
            repeated(|| black_box(&SHARED.0).load(Ordering::Relaxed)),
        ),
        row(
            "plain addition, one per thread",
            repeated(|| PLAIN.with(|count| black_box(count).set(count.get() + 1))),
        ),
        row(
            "relaxed fetch_add, one per thread (F)",
            repeated(|| OWN.with(|Lines(count)| black_box(count).fetch_add(1, Ordering::Relaxed))),
        )
        .marked(Mark::FetchAdd),
        row(
            "relaxed fetch_add, one for all",
            repeated(|| black_box(&SHARED.0).fetch_add(1, Ordering::Relaxed)),
        ),
        row(
            "std Mutex, one for all",
            repeated(|| {
                if let Ok(mut count) = black_box(&LOCK).lock() {
                    *count += 1;
                }
            }),
        )
        .marked(Mark::Mutex),
        row(
            "the least: the state read, the call counted",
            repeated(|| black_box(&LEAST).success()),
        )
        .marked(Mark::Least),
        row(
            "the least, and the coarse clock",
            repeated(|| {
                black_box(coarse());
                black_box(&LEAST).success()
            }),
        )
        .marked(Mark::LeastAndClock),
        row("Instant::now (I)", repeated(Instant::now)).marked(Mark::Now),
        row("coarse clock", repeated(coarse)),
        row(
            "plain async fn",
            repeated(|| at_once(ours::plain(black_box(7)))),
        ),
        row("tokio timeout around it", repeated(|| at_once(timeout()))).marked(Mark::TokioTimeout),
        row(
            "tokio timeout around it, in no task",
            repeated(|| at_once(timeout())),
        )
        .entered(),
    ]
}

fn row(setting: &'static str, work: Work) -> Row {
    Row::new(Scenario::Limit, "", setting, Rule::None, work)
}

async fn timeout() -> Option<Result<u32, Failure>> {
    let call = ours::plain(black_box(7));
    tokio::time::timeout(Duration::from_secs(2), call)
        .await
        .ok()
}

#[cfg(target_os = "linux")]
fn coarse() -> rustix::time::Timespec {
    rustix::time::clock_gettime(rustix::time::ClockId::MonotonicCoarse)
}

/// There is none on this system.
#[cfg(not(target_os = "linux"))]
fn coarse() -> Instant {
    Instant::now()
}

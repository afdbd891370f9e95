//! What the machine and the libraries below take for the least that a breaker could do.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::answer::{Failure, at_once};
use crate::ours;
use crate::row::{Mark, Row, Rule, Scenario, Work, repeated};

/// Alone in its cache lines, the one beside it included.
#[derive(Default)]
#[repr(align(128))]
struct Lines(AtomicU64);

static SHARED: Lines = Lines(AtomicU64::new(0));
static LOCK: Mutex<u64> = Mutex::new(0);

thread_local! {
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
            "plain addition, one place a thread",
            repeated(|| PLAIN.with(|count| black_box(count).set(count.get() + 1))),
        ),
        row(
            "relaxed fetch_add, one place a thread (F)",
            repeated(|| OWN.with(|Lines(count)| black_box(count).fetch_add(1, Ordering::Relaxed))),
        )
        .marked(Mark::FetchAdd),
        row(
            "relaxed fetch_add, one place for all",
            repeated(|| black_box(&SHARED.0).fetch_add(1, Ordering::Relaxed)),
        ),
        row(
            "std Mutex, one for all",
            repeated(|| {
                if let Ok(mut count) = black_box(&LOCK).lock() {
                    *count += 1;
                }
            }),
        ),
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

/// There is none.
#[cfg(not(target_os = "linux"))]
fn coarse() -> Instant {
    Instant::now()
}

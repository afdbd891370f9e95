//! The time of a call, closed and open, its allocations and the size of its future.

use std::hint::black_box;
use std::sync::atomic::Ordering;
use std::time::Instant;

use tower::Service;

use crate::scenarios::allocations;
use crate::subject::{FAILURES, Inner, Subject, call};

/// The calls of a round.
const CALLS: u32 = 200_000;

/// The measurements of one layer.
pub(crate) struct Measured {
    pub(crate) closed: f64,
    pub(crate) open: f64,
    pub(crate) allocations: u64,
    /// The bytes of the future, boxes included.
    pub(crate) size: usize,
}

/// Returns the nanoseconds of a call: poll for readiness, call, poll.
fn nanos<S: Service<(), Response = ()>>(service: &mut S) -> f64 {
    let started = Instant::now();
    for _ in 0..CALLS {
        black_box(call(black_box(service)));
    }
    let nanos = started.elapsed().as_secs_f64() * 1e9;
    nanos / f64::from(CALLS)
}

/// Measures one round.
pub(crate) fn measure<S: Subject>() -> Measured {
    let closed = nanos(&mut S::new().layer(Inner::default()));
    let subject = S::new();
    let inner = Inner::default();
    let mut service = subject.layer(inner.clone());
    inner.shared.fails.store(true, Ordering::Relaxed);
    for _ in 0..FAILURES {
        call(&mut service);
    }
    let open = nanos_while_open(&mut service);
    Measured {
        closed,
        open,
        allocations: allocations::<S>(&mut S::new().layer(Inner::default())),
        size: size_of::<<S::Service as Service<()>>::Future>(),
    }
}

/// Fewer calls, as a circuit does not stay open.
fn nanos_while_open<S: Service<(), Response = ()>>(service: &mut S) -> f64 {
    const OPEN_CALLS: u32 = 10_000;
    let started = Instant::now();
    for _ in 0..OPEN_CALLS {
        black_box(call(black_box(service)));
    }
    started.elapsed().as_secs_f64() * 1e9 / f64::from(OPEN_CALLS)
}

/// Returns the median of some rounds.
pub(crate) fn median(mut rounds: Vec<f64>) -> f64 {
    rounds.sort_by(f64::total_cmp);
    rounds.get(rounds.len() / 2).copied().unwrap_or_default()
}

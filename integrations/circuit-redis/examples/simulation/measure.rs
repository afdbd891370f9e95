//! The measurements of a run, in tenths of a second.

use crate::scenario::{BEGIN, END, INSTANCES, LAST, TIMEOUT};
use crate::service::Service;

/// The length of a slice, in milliseconds.
pub(crate) const SLICE: u64 = 100;

/// The slices of a second.
const SECOND: usize = 10;

/// The share of a second's calls from which on the second counts as recovered, if so many are
/// answered. Without an outage, more are.
const SERVED: f64 = 0.99;

/// The counts of one slice.
#[derive(Clone, Copy, Default)]
pub(crate) struct Slice {
    /// Calls that were wanted.
    pub(crate) calls: u32,
    /// Requests that reached the service.
    pub(crate) requests: u32,
    /// Calls that were answered, by when they began.
    pub(crate) answered: u32,
    /// Requests without an answer, by when they began.
    pub(crate) failed: u32,
    /// Calls that were rejected although the service would have answered.
    pub(crate) rejected_in_vain: u32,
}

/// The counts of a run.
pub(crate) struct Counts {
    slices: Vec<Slice>,
    is_open: Vec<bool>,
    open: usize,
    /// When the last of the circuits had opened first.
    all_open_at: Option<u64>,
}

/// The results of a run.
pub(crate) struct Outcome {
    /// The requests in each slice over what the service can answer.
    pub(crate) load: Vec<f64>,
    /// The share of calls that are answered before the outage.
    pub(crate) served_before: f64,
    /// Calls in the outage before the first of them can have failed.
    pub(crate) unforeseen: u32,
    /// Requests without an answer that began during the outage.
    pub(crate) failed: u32,
    /// Calls rejected during the outage although the service would have answered.
    pub(crate) rejected_in_vain: u32,
    /// Milliseconds from the begin of the outage until all circuits have opened.
    pub(crate) all_open: Option<u64>,
    /// The greatest load in a slice after the outage.
    pub(crate) herd: f64,
    /// Requests without an answer that began after the outage.
    pub(crate) failed_after: u32,
    /// Milliseconds from the end of the outage until calls are served again.
    pub(crate) recovery: Option<u64>,
}

impl Counts {
    pub(crate) fn new() -> Self {
        let slices = usize::try_from(LAST / SLICE).unwrap_or_default();
        Self {
            slices: vec![Slice::default(); slices],
            is_open: vec![false; INSTANCES],
            open: 0,
            all_open_at: None,
        }
    }

    /// Returns the counts of the slice that `now` is in; `None` after the end.
    pub(crate) fn slice(&mut self, now: u64) -> Option<&mut Slice> {
        self.slices.get_mut(usize::try_from(now / SLICE).ok()?)
    }

    /// Notes whether the circuit of a process is open.
    pub(crate) fn note_open(&mut self, instance: usize, is_open: bool, now: u64) {
        let Some(noted) = self.is_open.get_mut(instance) else {
            return;
        };
        if *noted != is_open {
            *noted = is_open;
            self.open = if is_open {
                self.open.saturating_add(1)
            } else {
                self.open.saturating_sub(1)
            };
        }
        if self.open == INSTANCES && self.all_open_at.is_none() {
            self.all_open_at = Some(now);
        }
    }

    /// Sums up the run.
    pub(crate) fn outcome(self, service: &Service) -> Outcome {
        let at = |millis: u64| usize::try_from(millis / SLICE).unwrap_or_default();
        let (begin, end) = (at(BEGIN), at(END));
        let before = self.slices.get(..begin).unwrap_or_default();
        let outage = self.slices.get(begin..end).unwrap_or_default();
        let after = self.slices.get(end..).unwrap_or_default();
        let sum =
            |slices: &[Slice], count: fn(&Slice) -> u32| slices.iter().map(count).sum::<u32>();
        let share = |slices: &[Slice]| {
            let calls = sum(slices, |slice| slice.calls).max(1);
            f64::from(sum(slices, |slice| slice.answered)) / f64::from(calls)
        };
        let load = (0_u64..).zip(&self.slices).map(|(index, slice)| {
            f64::from(slice.requests) / service.capacity(index.saturating_mul(SLICE), SLICE)
        });
        let load: Vec<f64> = load.collect();
        let herd = load.iter().skip(end).copied().fold(0.0, f64::max);
        let mut seconds = after.chunks(SECOND);
        let unserved = seconds.rposition(|second| share(second) < SERVED);
        let recovery = unserved.map_or(Some(0), |second| {
            let seconds = u64::try_from(second).ok()?.saturating_add(1);
            // Not before the end of the run.
            let recovery = seconds.saturating_mul(1_000);
            (END.saturating_add(recovery) < LAST).then_some(recovery)
        });
        Outcome {
            served_before: share(before),
            unforeseen: sum(outage.get(..at(TIMEOUT)).unwrap_or_default(), |slice| {
                slice.calls
            }),
            failed: sum(outage, |slice| slice.failed),
            rejected_in_vain: sum(outage, |slice| slice.rejected_in_vain),
            all_open: self.all_open_at.map(|at| at.saturating_sub(BEGIN)),
            herd,
            failed_after: sum(after, |slice| slice.failed),
            recovery,
            load,
        }
    }
}

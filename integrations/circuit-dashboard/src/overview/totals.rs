//! The totals of several breakers.

use circuit_runtime::{Snapshot, WindowCounts};
use serde_json::{Map, Value};

/// The names of the totals, in the order of a snapshot.
const NAMES: [&str; 10] = [
    "succeeded",
    "failed",
    "timed_out",
    "panicked",
    "slow",
    "ignored",
    "cancelled",
    "rejected",
    "opened",
    "withheld",
];

/// The sums of the totals of several breakers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    fields: [u64; NAMES.len()],
    window: Option<Window>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Window {
    calls: Option<u64>,
    failed: u64,
    slow: Option<u64>,
}

impl Totals {
    pub(super) fn add(&mut self, snapshot: &Snapshot) {
        let totals = [
            snapshot.succeeded,
            snapshot.failed,
            snapshot.timed_out,
            snapshot.panicked,
            snapshot.slow,
            snapshot.ignored,
            snapshot.cancelled,
            snapshot.rejected,
            snapshot.opened,
            snapshot.withheld,
        ];
        for (sum, total) in self.fields.iter_mut().zip(totals) {
            *sum = sum.wrapping_add(total);
        }
        if let Some(counts) = &snapshot.window {
            self.window.get_or_insert_default().add(counts);
        }
    }

    pub(super) fn write(&self, json: &mut Map<String, Value>) {
        for (name, total) in NAMES.into_iter().zip(self.fields) {
            json.insert(name.to_owned(), total.into());
        }
        let window = self.window.map(|window| {
            serde_json::json!({
                "calls": window.calls,
                "failed": window.failed,
                "slow": window.slow,
            })
        });
        json.insert("window".to_owned(), window.into());
    }
}

impl Window {
    fn add(&mut self, counts: &WindowCounts) {
        let plus = |sum: Option<u64>, more: Option<u64>| match (sum, more) {
            (None, None) => None,
            (sum, more) => Some(sum.unwrap_or(0).saturating_add(more.unwrap_or(0))),
        };
        self.calls = plus(self.calls, counts.calls);
        self.failed = self.failed.saturating_add(counts.failed);
        self.slow = plus(self.slow, counts.slow);
    }
}

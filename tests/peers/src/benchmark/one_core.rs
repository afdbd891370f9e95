//! The time of a failure that finds the breaker in use by a thread that is not running, as the two
//! have one core.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::measure::in_context;
use crate::row::{Mark, Row, Scenario};

/// Calls of a round.
const CALLS: u32 = 200;

/// One line of the table.
pub(crate) struct OneCore {
    pub(crate) row: &'static Row,
    pub(crate) other: Other,
    /// The time of a call, in all rounds, sorted.
    nanos: Vec<u32>,
}

/// The priority of the thread that does nothing but fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Other {
    Equal,
    Lower,
}

impl Other {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Equal => "equal priority",
            Self::Lower => "lower priority",
        }
    }
}

impl OneCore {
    /// The lines of a row: two, if it is a lock or takes one of ours, and if threads can be kept to
    /// a core.
    pub(crate) fn for_row(row: &'static Row) -> impl Iterator<Item = Self> {
        let fails = row.is_ours() && row.scenario == Scenario::Failure;
        let waits = fails || row.mark == Some(Mark::Mutex);
        let is_measured = cfg!(target_os = "linux") && waits;
        let others = [Other::Equal, Other::Lower].into_iter();
        others.filter(move |_| is_measured).map(move |other| Self {
            row,
            other,
            nanos: Vec::new(),
        })
    }

    /// The nanoseconds that so many thousandths of the calls do not exceed.
    pub(crate) fn nanos(&self, thousandth: usize) -> f64 {
        let at = self.nanos.get(self.nanos.len() * thousandth / 1_000);
        at.map_or(f64::NAN, |&nanos| nanos.into())
    }

    pub(crate) fn calls(&self) -> usize {
        self.nanos.len()
    }

    pub(crate) fn round(&mut self) {
        let (row, other) = (self.row, self.other);
        let stop = AtomicBool::new(false);
        let nanos = thread::scope(|scope| {
            scope.spawn(|| {
                share_core(other);
                while !stop.load(Ordering::Relaxed) {
                    (row.work)(50);
                }
            });
            let waking = scope.spawn(|| {
                share_core(Other::Equal);
                let nanos: Vec<u32> = in_context(row.context, move || {
                    (0..CALLS).map(|call| once(row, call)).collect()
                });
                stop.store(true, Ordering::Relaxed);
                nanos
            });
            waking.join().expect("no call panics")
        });
        self.nanos.extend(nanos);
        self.nanos.sort_unstable();
    }
}

/// Sleeps, each time for longer or shorter, so that the other thread is somewhere else; then calls
/// once.
fn once(row: &Row, call: u32) -> u32 {
    thread::sleep(Duration::from_micros(100 + u64::from(call * 7_919 % 200)));
    let before = Instant::now();
    (row.work)(1);
    u32::try_from(before.elapsed().as_nanos()).unwrap_or(u32::MAX)
}

/// Keeps the calling thread on the first core that the process may use.
#[cfg(target_os = "linux")]
fn share_core(priority: Other) {
    use rustix::process::setpriority_process;
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let usable = sched_getaffinity(None).expect("the cores of the process");
    let first = (0..CpuSet::MAX_CPU).find(|&core| usable.is_set(core));
    let mut only = CpuSet::new();
    only.set(first.unwrap_or(0));
    sched_setaffinity(None, &only).expect("a thread may keep to a core");
    if priority == Other::Lower {
        // On Linux, the priority is that of the thread.
        setpriority_process(None, 19).expect("a thread may lower its priority");
    }
}

#[cfg(not(target_os = "linux"))]
fn share_core(_priority: Other) {}

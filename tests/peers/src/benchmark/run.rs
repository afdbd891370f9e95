//! Measures all rows, round by round, so that a disturbance affects all rows alike.

use std::time::{Duration, Instant};

use crate::hot_key::{self, HotKey};
use crate::keyed;
use crate::limits;
use crate::measure::{alone, batch, few_tries, together};
use crate::memory;
use crate::one_core::OneCore;
use crate::ours;
use crate::peers;
use crate::row::{Mark, Row, Scenario};
use crate::runtime::{self, Runtimes, Tasks};
use crate::samples::Samples;
use crate::tail::{self, Tail};
use crate::window::{self, Filled};

/// The extent of the measurements.
pub(crate) struct Extent {
    pub(crate) rounds: usize,
    on_one: Duration,
    on_two: Duration,
    on_sixteen: Duration,
    in_tasks: Duration,
}

pub(crate) const FULL: Extent = Extent {
    rounds: 15,
    on_one: Duration::from_millis(4),
    on_two: Duration::from_millis(5),
    on_sixteen: Duration::from_millis(50),
    in_tasks: Duration::from_millis(10),
};

pub(crate) const QUICK: Extent = Extent {
    rounds: 3,
    on_one: Duration::from_millis(2),
    on_two: Duration::from_millis(4),
    on_sixteen: Duration::from_millis(20),
    in_tasks: Duration::from_millis(5),
};

/// A row and its figures.
pub(crate) struct Figures {
    pub(crate) row: &'static Row,
    batch: u64,
    pub(crate) allocations: f64,
    pub(crate) bytes: f64,
    /// The nanoseconds of a call on one thread.
    pub(crate) one: Samples,
    /// The nanoseconds of a call on each of two threads.
    pub(crate) two: Samples,
    /// The calls of all threads in a second.
    pub(crate) two_rate: Samples,
    pub(crate) sixteen_rate: Samples,
}

pub(crate) struct Measured {
    pub(crate) rounds: usize,
    pub(crate) took: Duration,
    pub(crate) figures: Vec<Figures>,
    pub(crate) tasks: Vec<Tasks>,
    pub(crate) hot_keys: Vec<HotKey>,
    pub(crate) tails: Vec<Tail>,
    pub(crate) on_one_core: Vec<OneCore>,
    pub(crate) filled: Vec<Filled>,
    pub(crate) sizes: Vec<memory::Size>,
    pub(crate) held: Vec<memory::Held>,
    pub(crate) futures: (usize, usize),
}

impl Measured {
    pub(crate) fn for_scenario(&self, scenario: Scenario) -> impl Iterator<Item = &Figures> {
        self.figures
            .iter()
            .filter(move |figures| figures.row.scenario == scenario)
    }

    pub(crate) fn marked(&self, mark: Mark) -> Option<&Figures> {
        self.figures
            .iter()
            .find(|figures| figures.row.mark == Some(mark))
    }

    /// Returns the nanoseconds of F: one uncontended relaxed `fetch_add`.
    pub(crate) fn addition(&self) -> f64 {
        self.marked(Mark::FetchAdd)
            .map_or(f64::NAN, |figures| figures.one.median())
    }

    /// Returns the nanoseconds of I: one `Instant::now()`.
    pub(crate) fn clock(&self) -> f64 {
        self.marked(Mark::Now)
            .map_or(f64::NAN, |figures| figures.one.median())
    }
}

impl Figures {
    fn new(row: Row) -> Self {
        let row: &'static Row = Box::leak(Box::new(row));
        let (batch, (allocations, bytes)) = crate::measure::in_context(row.context, move || {
            (batch(&row.work), memory::per_call(&row.work))
        });
        Self {
            row,
            batch,
            allocations,
            bytes,
            one: Samples::default(),
            two: Samples::default(),
            two_rate: Samples::default(),
            sixteen_rate: Samples::default(),
        }
    }

    fn round(&mut self, round: usize, extent: &Extent) {
        self.one
            .add(alone(self.row, round, self.batch, extent.on_one));
        let two = few_tries(|| {
            let two = together(self.row, round, 2, self.batch, extent.on_two);
            two.overlapped.then_some(two)
        });
        if let Some(two) = two {
            self.two.add(two.nanos);
            self.two_rate.add(two.per_second);
        }
        let sixteen = together(self.row, round, 16, self.batch, extent.on_sixteen);
        self.sixteen_rate.add(sixteen.per_second);
    }
}

pub(crate) fn run(extent: &Extent) -> Measured {
    let started = Instant::now();
    let rows = [limits::rows(), ours::rows(), peers::rows(), keyed::rows()];
    let figures: Vec<_> = rows.into_iter().flatten().map(Figures::new).collect();
    let readings: &'static Row = Box::leak(Box::new(tail::nothing()));
    let timed = figures
        .iter()
        .map(|figures| figures.row)
        .filter(|row| row.timed.is_some());
    let tails = [readings].into_iter().chain(timed).map(Tail::new).collect();
    let on_one_core = figures
        .iter()
        .map(|figures| figures.row)
        .flat_map(OneCore::for_row)
        .collect();
    let mut measured = Measured {
        rounds: extent.rounds,
        took: Duration::ZERO,
        figures,
        tasks: runtime::all(),
        hot_keys: hot_key::all(),
        tails,
        on_one_core,
        filled: window::all(),
        sizes: [memory::Size::ours()]
            .into_iter()
            .chain(peers::sizes())
            .collect(),
        held: memory::held(),
        futures: memory::futures(),
    };
    let runtimes = Runtimes::new();
    for round in 1..=extent.rounds {
        eprintln!(
            "round {round} of {}, {:.0?}",
            extent.rounds,
            started.elapsed()
        );
        measured
            .figures
            .iter_mut()
            .for_each(|figures| figures.round(round, extent));
        measured
            .tasks
            .iter_mut()
            .for_each(|tasks| tasks.round(&runtimes, extent.in_tasks));
        measured
            .hot_keys
            .iter_mut()
            .for_each(|hot_key| hot_key.round(round, extent.on_two));
        measured.tails.iter_mut().for_each(Tail::round);
        measured.on_one_core.iter_mut().for_each(OneCore::round);
        measured.filled.iter_mut().for_each(Filled::round);
    }
    measured.took = started.elapsed();
    measured
}

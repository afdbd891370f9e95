//! The time line of one circuit: one monotonic time, out of the clocks of many runtimes.
//!
//! A paused clock stands still, or is days ahead of another one. The time line therefore measures
//! each runtime by its own clock, and adds up what they show: when a call comes from a runtime that
//! the circuit has not seen yet, or that is behind the others, time goes on from where it was.

use tokio::runtime::Id;

/// How many runtimes are remembered. More than use one circuit at the same time; a runtime that
/// was forgotten meanwhile is a new one.
const RUNTIMES: usize = 64;

/// Clocks read at one moment, in microseconds since the same origin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// `None` outside of any runtime.
    pub(super) runtime: Option<Id>,
    /// The time that the runtime's clock shows.
    pub(super) shown: i64,
    /// The time that the system's clock shows.
    pub(super) real: i64,
}

/// The time that has passed for one circuit. Never runs backwards.
#[derive(Debug)]
pub(super) struct TimeLine {
    /// The latest moment that it has shown.
    latest: u64,
    /// The time of the system when it did.
    real: i64,
    /// Oldest first, by their last use.
    runtimes: Vec<Origin>,
}

/// The moment on a runtime's clock at which the time line would have begun.
#[derive(Clone, Copy, Debug)]
struct Origin {
    runtime: Option<Id>,
    shown: i64,
}

impl TimeLine {
    pub(super) fn begin(reading: Reading) -> Self {
        Self {
            latest: 0,
            real: reading.real,
            runtimes: Vec::new(),
        }
    }

    /// Goes on to the moment of `reading`, and returns it.
    pub(super) fn go_on(&mut self, reading: Reading) -> u64 {
        let now = self.at(reading);
        (self.latest, self.real) = (now, reading.real);
        self.add(reading, now);
        now
    }

    /// Returns the moment of `reading`.
    pub(super) fn at(&self, reading: Reading) -> u64 {
        let origin = self
            .index(reading.runtime)
            .and_then(|index| self.runtimes.get(index));
        match origin.and_then(|origin| since(reading.shown, origin.shown)) {
            Some(now) if now >= self.latest => now,
            // New, or behind: only real time is known to have passed since the last reading.
            // Threads and runtimes that take turns without a paused clock thus see it pass.
            _ => {
                let passed = since(reading.real, self.real).unwrap_or(0);
                self.latest.saturating_add(passed)
            }
        }
    }

    /// Goes on to `moment` at least, at which the clock that was read last stands from now on.
    pub(super) fn reach(&mut self, moment: u64) {
        let ahead = moment.saturating_sub(self.latest);
        if ahead > 0 {
            self.latest = moment;
            if let Some(last) = self.runtimes.last_mut() {
                last.shown = last.shown.saturating_sub_unsigned(ahead);
            }
        }
    }

    fn index(&self, runtime: Option<Id>) -> Option<usize> {
        let is_same = |origin: &Origin| origin.runtime == runtime;
        self.runtimes.iter().rposition(is_same)
    }

    fn add(&mut self, reading: Reading, now: u64) {
        if let Some(index) = self.index(reading.runtime) {
            self.runtimes.remove(index);
        } else if self.runtimes.len() == RUNTIMES {
            self.runtimes.remove(0);
        }
        self.runtimes.push(Origin {
            runtime: reading.runtime,
            shown: reading.shown.saturating_sub_unsigned(now),
        });
    }
}

/// The microseconds from `earlier` to `later`; `None` if `later` is the earlier one.
fn since(later: i64, earlier: i64) -> Option<u64> {
    (later >= earlier).then(|| later.abs_diff(earlier))
}

#[cfg(test)]
mod tests {
    use super::{RUNTIMES, Reading, TimeLine};
    use tokio::runtime::{Builder, Id};

    const HOUR: i64 = 3_600_000_000;

    /// Returns the names of as many runtimes, which are alive at the same time.
    fn ids(count: usize) -> Vec<Id> {
        let new = |_| Builder::new_current_thread().build().unwrap();
        let runtimes: Vec<_> = (0..count).map(new).collect();
        let id = |runtime: &tokio::runtime::Runtime| runtime.handle().id();
        runtimes.iter().map(id).collect()
    }

    fn paused(runtime: Id, shown: i64, real: i64) -> Reading {
        Reading {
            runtime: Some(runtime),
            shown,
            real,
        }
    }

    fn show(time_line: &mut TimeLine, reading: Reading) -> i64 {
        time_line.go_on(reading).try_into().unwrap()
    }

    /// Returns a reading of a clock that was never paused.
    fn real(runtime: Option<Id>, real: i64) -> Reading {
        Reading {
            runtime,
            shown: real,
            real,
        }
    }

    #[test]
    fn a_runtime_goes_on_by_its_own_clock() {
        let ids = ids(1);
        let mut time_line = TimeLine::begin(paused(ids[0], -7, 0));
        let shown = [-7, -7, 0, 1, HOUR, 1_000 * HOUR];
        for (real, shown) in (0..).zip(shown) {
            let now = show(&mut time_line, paused(ids[0], shown, real));
            assert_eq!(now, shown + 7);
        }
    }

    #[test]
    fn threads_and_runtimes_on_the_real_clock_agree() {
        let ids = ids(2);
        let mut time_line = TimeLine::begin(real(None, 5));
        let runtimes = [None, Some(ids[0]), Some(ids[1])];
        for moment in 5..10_000 {
            let runtime = runtimes[usize::try_from(moment * 7 % 11 % 3).unwrap()];
            let now = show(&mut time_line, real(runtime, moment * moment));
            assert_eq!(now, moment * moment - 5);
        }
    }

    #[test]
    fn a_runtime_that_is_behind_goes_on_from_the_latest_moment() {
        let ids = ids(2);
        let mut time_line = TimeLine::begin(paused(ids[0], 0, 0));
        assert_eq!(show(&mut time_line, paused(ids[0], 0, 0)), 0);
        assert_eq!(show(&mut time_line, paused(ids[1], 0, 0)), 0);
        assert_eq!(
            show(&mut time_line, paused(ids[1], 50 * HOUR, 3)),
            50 * HOUR
        );
        // Three microseconds by the system's clock, as its own says nothing about it.
        assert_eq!(show(&mut time_line, paused(ids[0], 0, 6)), 50 * HOUR + 3);
        assert_eq!(show(&mut time_line, paused(ids[0], HOUR, 7)), 51 * HOUR + 3);
    }

    #[test]
    fn a_time_line_that_is_only_looked_at_stays_where_it_is() {
        let ids = ids(2);
        let mut time_line = TimeLine::begin(paused(ids[0], 0, 0));
        assert_eq!(show(&mut time_line, paused(ids[0], 0, 0)), 0);
        assert_eq!(time_line.at(paused(ids[0], HOUR, 0)), HOUR.unsigned_abs());
        for shown in [0, HOUR] {
            assert_eq!(time_line.at(paused(ids[1], shown, 3)), 3);
        }
        assert_eq!(show(&mut time_line, paused(ids[0], 1, 0)), 1);
    }

    #[test]
    fn a_transition_ahead_of_a_clock_takes_it_along() {
        let ids = ids(1);
        let mut time_line = TimeLine::begin(paused(ids[0], 0, 0));
        assert_eq!(show(&mut time_line, paused(ids[0], 0, 0)), 0);
        for turn in 1..100 {
            time_line.reach(turn.try_into().unwrap());
            assert_eq!(show(&mut time_line, paused(ids[0], 0, 0)), turn);
        }
        time_line.reach(5);
        assert_eq!(show(&mut time_line, paused(ids[0], HOUR, 0)), HOUR + 99);
    }

    #[test]
    fn runtimes_that_are_gone_are_forgotten() {
        let ids = ids(3 * RUNTIMES);
        let mut time_line = TimeLine::begin(paused(ids[0], 0, 0));
        for (&id, hours) in ids.iter().zip(0..) {
            for shown in [-HOUR, 0] {
                let now = show(&mut time_line, paused(id, shown, 0));
                assert_eq!(now, hours * HOUR + shown + HOUR);
            }
            assert!(time_line.runtimes.len() <= RUNTIMES);
        }
        assert_eq!(time_line.runtimes.capacity(), RUNTIMES);
    }
}

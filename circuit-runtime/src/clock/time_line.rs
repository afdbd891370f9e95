//! The time line of one circuit: one monotonic time, out of the clocks of many runtimes.
//!
//! A paused clock moves only when a test advances it, so an advance is time that passes for every
//! circuit that the test uses. A time line therefore adds up how far the clocks of its runtimes
//! have moved, each from its own previous reading, and never compares one clock with another:
//!
//! - The clocks of all runtimes that use the circuit are read together, whichever of them asks. So
//!   an advance counts for all that happened before it, on any thread, and for nothing later.
//! - A runtime that asks for the first time is counted from the previous reading of the circuit, if
//!   its clock was known by then: it had asked for another circuit, or had created one.
//! - Otherwise, only the lead of its clock over the system's is known. It is counted as if it had
//!   shown the system's time at the previous reading, with an [`allowance`] for the time that it
//!   stood still before.
//! - Runtimes whose clock was never paused, and threads outside of any, share the system's clock.
//!   It counts from the previous reading of the circuit, and only when one of them asks: the time
//!   that a test takes does not show on a paused clock.

use std::collections::HashMap;

use tokio::runtime::Id;

/// The most runtimes that are read while another asks. Room for all of them is allocated at once,
/// so that no call allocates when a runtime is created elsewhere.
pub(super) const MAX_OTHERS: usize = 32;

/// The [`allowance`] is this part of an unknown clock's lead, as a divisor.
const ALLOWED_PART: u64 = 16;

/// The longest allowance, in microseconds.
const MAX_ALLOWANCE: u64 = 750_000;

/// The most that a running clock may seem to move against the system's, in microseconds: the two
/// are not read at once.
const JITTER: u64 = 20;

/// Clocks read at one moment, in microseconds since the same origin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// `None` outside of any runtime.
    pub(super) runtime: Option<Id>,
    /// The time that the runtime's clock shows.
    pub(super) shown: i64,
    /// The time that the system's clock shows.
    pub(super) real: i64,
    /// The two differ, so that the runtime's clock must have been paused.
    pub(super) was_paused: bool,
}

/// The time that has passed for one circuit. Never runs backwards.
#[derive(Debug)]
pub(super) struct TimeLine {
    now: u64,
    /// The time of the system at the last reading.
    real: i64,
    /// The clocks of the runtimes that use the circuit, as far as they are counted.
    used: HashMap<Id, Reading>,
    /// The time that the clocks of other runtimes showed at the last reading.
    unused: Vec<(Id, i64)>,
}

impl TimeLine {
    pub(super) fn begin(reading: Reading) -> Self {
        let used = reading.runtime.map(|runtime| (runtime, reading));
        Self {
            now: 0,
            real: reading.real,
            used: used.into_iter().collect(),
            unused: Vec::with_capacity(MAX_OTHERS),
        }
    }

    /// Advances to the moment of `reading`, and by the time that has passed for `others`, the
    /// runtimes whose clocks can be read.
    pub(super) fn advance(
        &mut self,
        reading: Reading,
        others: impl IntoIterator<Item = Reading>,
    ) -> u64 {
        let own = self.passed(reading);
        self.unused.clear();
        let passed = others
            .into_iter()
            .map(|other| self.passed_meanwhile(other))
            .fold(own, u64::saturating_add);
        if let Some(runtime) = reading.runtime {
            let last = self.used.get(&runtime);
            let was_paused = reading.was_paused || last.is_some_and(|last| last.was_paused);
            let counted = Reading {
                was_paused,
                ..reading
            };
            self.used.insert(runtime, counted);
        }
        self.real = reading.real;
        self.now = self.now.saturating_add(passed);
        self.now
    }

    /// Returns the moment of `reading`, without advancing.
    pub(super) fn at(&self, reading: Reading) -> u64 {
        self.now.saturating_add(self.passed(reading))
    }

    /// Advances to `moment` at least: all later moments are shifted by as much.
    pub(super) fn reach(&mut self, moment: u64) {
        self.now = self.now.max(moment);
    }

    /// Returns the time that has passed for the runtime that asks.
    fn passed(&self, reading: Reading) -> u64 {
        let last = reading.runtime.and_then(|id| self.used.get(&id));
        if !reading.was_paused && last.is_none_or(|last| !last.was_paused) {
            return since(reading.real, self.real);
        }
        let known = last.map(|last| last.shown);
        if let Some(shown) = known.or_else(|| self.unused_at(reading.runtime)) {
            return since(reading.shown, shown);
        }
        let latest = reading.shown.max(reading.real);
        since(latest, self.real).saturating_add(allowance(reading))
    }

    /// Counts the time that has passed for a runtime while another one asks, and returns it.
    fn passed_meanwhile(&mut self, reading: Reading) -> u64 {
        let Some(runtime) = reading.runtime else {
            return 0;
        };
        let Some(last) = self.used.get_mut(&runtime) else {
            self.unused.push((runtime, reading.shown));
            return 0;
        };
        let was_paused = last.was_paused || reading.was_paused;
        let passed = since(reading.shown, last.shown);
        if !was_paused {
            *last = reading;
            return 0;
        }
        // One that a test has resumed counts when it asks, as one that was never paused.
        if passed.abs_diff(since(reading.real, last.real)) <= JITTER {
            return 0;
        }
        *last = Reading {
            was_paused,
            ..reading
        };
        passed
    }

    fn unused_at(&self, runtime: Option<Id>) -> Option<i64> {
        let mut unused = self.unused.iter();
        let (_, shown) = unused.find(|(unused, _)| Some(*unused) == runtime)?;
        Some(*shown)
    }
}

/// Returns the time for which an unknown clock that was advanced may have stood still before.
///
/// A test creates its runtime, and soon after has a thread open a circuit: in between, only real
/// time has passed. A circuit that recovers later than it should fails such a test, and one that
/// recovers as much earlier does not.
fn allowance(reading: Reading) -> u64 {
    let lead = since(reading.shown, reading.real);
    (lead / ALLOWED_PART).min(MAX_ALLOWANCE)
}

/// Returns the microseconds from `earlier` to `later`; zero if `later` is the earlier one.
fn since(later: i64, earlier: i64) -> u64 {
    if later >= earlier {
        later.abs_diff(earlier)
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::{ALLOWED_PART, JITTER, MAX_ALLOWANCE, Reading, TimeLine};
    use tokio::runtime::{Builder, Id};

    const HOUR: i64 = 3_600_000_000;
    const NOBODY: [Reading; 0] = [];

    /// Returns the names of as many runtimes, which are alive at the same time.
    fn ids<const COUNT: usize>() -> [Id; COUNT] {
        let new = |()| Builder::new_current_thread().build().unwrap();
        let runtimes = [(); COUNT].map(new);
        runtimes.each_ref().map(|runtime| runtime.handle().id())
    }

    /// Returns a reading of a clock that was paused at some time.
    fn paused(runtime: Id, shown: i64, real: i64) -> Reading {
        Reading {
            runtime: Some(runtime),
            shown,
            real,
            was_paused: true,
        }
    }

    /// Returns a reading of a clock that was never paused.
    fn real(runtime: Option<Id>, real: i64) -> Reading {
        Reading {
            runtime,
            shown: real,
            real,
            was_paused: false,
        }
    }

    fn show(
        time_line: &mut TimeLine,
        reading: Reading,
        others: impl IntoIterator<Item = Reading>,
    ) -> i64 {
        time_line.advance(reading, others).try_into().unwrap()
    }

    #[test]
    fn a_runtime_goes_on_by_its_own_clock() {
        let [id] = ids();
        let mut time_line = TimeLine::begin(paused(id, -7, 0));
        let shown = [-7, -7, 0, 1, HOUR, 1_000 * HOUR];
        for (real, shown) in (0..).zip(shown) {
            let now = show(&mut time_line, paused(id, shown, real), NOBODY);
            assert_eq!(now, shown + 7);
        }
    }

    #[test]
    fn a_time_line_that_is_only_looked_at_stays_where_it_is() {
        let [id, other] = ids();
        let mut time_line = TimeLine::begin(paused(id, 0, 0));
        assert_eq!(show(&mut time_line, paused(id, 0, 0), NOBODY), 0);
        assert_eq!(time_line.at(paused(id, HOUR, 0)), HOUR.unsigned_abs());
        assert_eq!(time_line.at(real(Some(other), 3)), 3);
        assert_eq!(show(&mut time_line, paused(id, 1, 0), NOBODY), 1);
    }

    #[test]
    fn threads_and_runtimes_on_the_real_clock_agree() {
        let ids: [_; 2] = ids();
        let mut time_line = TimeLine::begin(real(None, 5));
        let runtimes = [None, Some(ids[0]), Some(ids[1])];
        for moment in 5..10_000 {
            let [reader, others @ ..] =
                [0, 1, 2].map(|n| runtimes[usize::try_from((moment * 7 % 11 + n) % 3).unwrap()]);
            let others = others.map(|other| real(other, moment * moment));
            let now = show(&mut time_line, real(reader, moment * moment), others);
            assert_eq!(now, moment * moment - 5);
        }
    }

    #[test]
    fn the_clocks_of_all_runtimes_add_up() {
        let [first, second] = ids();
        let mut time_line = TimeLine::begin(paused(first, 0, 1_000));
        let mut show = |reading| show(&mut time_line, reading, NOBODY);
        // Behind the system's clock, so that it may have been paused long before.
        assert_eq!(show(paused(second, 500, 1_000)), 0);
        assert_eq!(show(paused(second, 50 * HOUR + 500, 1_003)), 50 * HOUR);
        assert_eq!(show(paused(first, 0, 1_006)), 50 * HOUR);
        assert_eq!(show(paused(first, HOUR, 1_007)), 51 * HOUR);
        assert_eq!(show(paused(second, 51 * HOUR + 500, 1_007)), 52 * HOUR);
    }

    #[test]
    fn real_time_that_threads_take_delays_no_paused_clock() {
        let [id] = ids();
        let mut time_line = TimeLine::begin(paused(id, 0, 0));
        let mut show = |reading| show(&mut time_line, reading, NOBODY);
        assert_eq!(show(real(None, 90)), 90, "a thread opens the circuit");
        assert_eq!(show(paused(id, HOUR, 200)), HOUR + 90);
        assert_eq!(show(real(None, 300)), HOUR + 190, "since the last reading");
    }

    /// The thread learns at once that a test has moved its clock, and the test does not count it
    /// again.
    #[test]
    fn an_advance_counts_before_all_that_comes_after_it() {
        let [id] = ids();
        let mut time_line = TimeLine::begin(paused(id, 0, 0));
        let mut show = |reading, others: &[Reading]| {
            let others = others.iter().copied();
            show(&mut time_line, reading, others)
        };
        assert_eq!(show(real(None, 5), &[paused(id, HOUR, 5)]), HOUR + 5);
        assert_eq!(show(paused(id, HOUR, 9), &[]), HOUR + 5);
        assert_eq!(show(real(None, 10), &[paused(id, HOUR, 10)]), HOUR + 6);
    }

    #[test]
    fn a_known_runtime_counts_from_the_previous_reading_of_the_circuit() {
        let [user, known] = ids();
        let mut time_line = TimeLine::begin(paused(user, 0, 0));
        let mut show = |reading, other| show(&mut time_line, reading, [other]);
        let advanced = paused(known, 100 * HOUR, 1);
        assert_eq!(show(paused(user, 0, 1), advanced), 0, "it uses others");
        let advanced = paused(known, 101 * HOUR, 2);
        assert_eq!(show(advanced, paused(user, 0, 2)), HOUR);
    }

    #[test]
    fn an_unknown_runtime_counts_by_its_lead_and_an_allowance() {
        let [user, unknown] = ids();
        let first_shown_by = |shown, real| {
            let mut time_line = TimeLine::begin(paused(user, 0, 0));
            show(&mut time_line, paused(unknown, shown, real), NOBODY)
        };
        assert_eq!(first_shown_by(-70, 50), 50, "as the system's clock");
        let most = MAX_ALLOWANCE.cast_signed();
        // It stood still for 50, or for 50 before that.
        assert_eq!(first_shown_by(HOUR + 50, 100), HOUR + 50 + most);
        let part = 3_200 / ALLOWED_PART.cast_signed();
        assert_eq!(first_shown_by(3_200, 0), 3_200 + part);
    }

    #[test]
    fn a_runtime_that_is_paused_later_goes_on_by_its_own_clock() {
        let [id] = ids();
        let mut time_line = TimeLine::begin(real(Some(id), 0));
        assert_eq!(show(&mut time_line, real(Some(id), 10), NOBODY), 10);
        let advanced = paused(id, HOUR + 20, 30);
        assert_eq!(show(&mut time_line, advanced, NOBODY), HOUR + 20);
        // By chance, its clock shows the real time.
        let now = show(&mut time_line, real(Some(id), HOUR + 25), NOBODY);
        assert_eq!(now, HOUR + 25);
    }

    #[test]
    fn a_clock_that_a_test_has_resumed_moves_no_other() {
        let [user, resumed] = ids();
        let mut time_line = TimeLine::begin(paused(resumed, HOUR, 0));
        assert_eq!(show(&mut time_line, paused(user, 0, 0), NOBODY), 0);
        for real in 1..1_000 {
            let jitter = real % JITTER.cast_signed();
            let running = paused(resumed, HOUR + real * 100 + jitter, real * 100);
            let now = show(&mut time_line, paused(user, 0, real * 100), [running]);
            assert_eq!(now, 0);
        }
        let running = paused(resumed, HOUR + 100_000, 100_000);
        let now = show(&mut time_line, running, [paused(user, 0, 100_000)]);
        assert_eq!(now, 100_000);
    }

    #[test]
    fn a_transition_ahead_of_a_clock_takes_it_along() {
        let [id] = ids();
        let mut time_line = TimeLine::begin(paused(id, 0, 0));
        assert_eq!(show(&mut time_line, paused(id, 0, 0), NOBODY), 0);
        for turn in 1..100 {
            time_line.reach(turn.try_into().unwrap());
            assert_eq!(show(&mut time_line, paused(id, 0, 0), NOBODY), turn);
        }
        time_line.reach(5);
        let now = show(&mut time_line, paused(id, HOUR, 0), NOBODY);
        assert_eq!(now, HOUR + 99);
    }

    #[test]
    fn no_number_of_runtimes_has_one_forgotten() {
        let ids: [_; 300] = ids();
        let mut time_line = TimeLine::begin(paused(ids[0], 0, 0));
        for &id in &ids {
            assert_eq!(show(&mut time_line, paused(id, 0, 0), NOBODY), 0);
        }
        for (&id, hours) in ids.iter().zip(1..) {
            let now = show(&mut time_line, paused(id, HOUR, 0), NOBODY);
            assert_eq!(now, hours * HOUR);
        }
    }
}

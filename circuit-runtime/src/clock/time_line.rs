//! The time line of one circuit: one monotonic time, out of the clocks of many runtimes.
//!
//! A paused clock moves only when a test advances it, so an advance is time that passes for every
//! circuit that the test uses. A time line therefore adds up how far the clocks of its runtimes
//! have moved, each from its own previous reading, and never compares one clock with another:
//!
//! - The clocks of all runtimes that use the circuit are read together, whichever of them asks. So
//!   an advance counts for all that happened before it, on any thread, and for nothing later. While
//!   one runtime uses the circuit, as in most tests, no other clock is read.
//! - A runtime that asks for the first time is counted from the last transition of the circuit:
//!   before each, the clocks of all known runtimes are noted that do not use it. A runtime is known
//!   once it has asked for any circuit, or has created one.
//! - If it was not known by then, it is counted from when it was, and by the lead that its clock
//!   then had over the system's: as if it had shown the system's time at the previous reading of
//!   the circuit, with an [`allowance`] for the time that it stood still before.
//! - Runtimes whose clock was never paused, and threads outside of any, share the system's clock.
//!   It counts from the previous reading of the circuit, and only when one of them asks: the time
//!   that a test takes does not show on a paused clock.
//!
//! An advance in a runtime that has not used the circuit yet is thus taken to follow all calls
//! since the last transition. It shortens no wait, but evidence of these calls may be found
//! expired.

use std::collections::HashMap;

use tokio::runtime::Id;

/// The most clocks that are noted at a transition. Room for all of them is allocated at once, so
/// that no call allocates when a runtime is created elsewhere.
pub(super) const MAX_NOTED: usize = 64;

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

/// The clock of a runtime, which can be read while another one asks.
pub(super) trait Clock {
    fn runtime(&self) -> Id;

    /// Returns what it showed when the runtime became known.
    fn first(&self) -> Reading;

    /// Reads the clock; `None` while this is not possible.
    fn read(&self) -> Option<Reading>;

    /// Returns the time that it shows, which costs less than a reading.
    fn shown(&self) -> Option<i64>;
}

/// The time that has passed for one circuit. Never runs backwards.
#[derive(Debug)]
pub(super) struct TimeLine {
    now: u64,
    /// The reading of the runtime that asked last.
    last: Reading,
    /// The clocks of the other runtimes that use the circuit, as far as they are counted.
    others: HashMap<Id, Reading>,
    /// The time that the clocks of runtimes without a use of the circuit showed before its last
    /// transition.
    noted: Vec<(Id, i64)>,
}

impl TimeLine {
    /// Begins with the first reading.
    pub(super) fn new(reading: Reading, known: &[impl Clock]) -> Self {
        let mut time_line = Self {
            now: 0,
            last: reading,
            others: HashMap::new(),
            noted: Vec::with_capacity(MAX_NOTED),
        };
        time_line.note(known);
        time_line
    }

    /// Advances to the moment of `reading`, and by the time that has passed for other runtimes that
    /// use the circuit, if they are among the `known` ones.
    pub(super) fn advance(&mut self, reading: Reading, known: &[impl Clock]) -> u64 {
        let last = self.take_last(reading.runtime);
        let passed = match last {
            None if reading.was_paused => self.passed_before_first_use(reading, known),
            last => self.passed(reading, last),
        };
        self.last = reading.after(last);
        self.now = self.now.saturating_add(passed);
        if !self.others.is_empty() {
            for clock in known {
                self.advance_by(clock);
            }
        }
        self.now
    }

    /// Returns the moment of `reading`, without advancing. It is for a look: the runtime does not
    /// use the circuit by it, and only the system's clock counts if it never has.
    pub(super) fn at(&self, reading: Reading) -> u64 {
        let last = if reading.runtime == self.last.runtime {
            Some(&self.last)
        } else {
            reading.runtime.and_then(|id| self.others.get(&id))
        };
        let passed = match last {
            None => since(reading.real, self.last.real),
            last => self.passed(reading, last.copied()),
        };
        self.now.saturating_add(passed)
    }

    /// Advances to `moment` at least: all later moments are shifted by as much.
    pub(super) fn reach(&mut self, moment: u64) {
        self.now = self.now.max(moment);
    }

    /// Notes the clocks of the runtimes that do not use the circuit.
    pub(super) fn note(&mut self, known: &[impl Clock]) {
        let Self { last, others, .. } = self;
        let is_unused = |id| last.runtime != Some(id) && !others.contains_key(&id);
        let unused = known.iter().filter(|clock| is_unused(clock.runtime()));
        let noted = unused.filter_map(|clock| Some((clock.runtime(), clock.shown()?)));
        self.noted.clear();
        self.noted.extend(noted);
    }

    /// Returns the last reading of `runtime`, which is from now on the one that asked last.
    fn take_last(&mut self, runtime: Option<Id>) -> Option<Reading> {
        if runtime == self.last.runtime {
            return Some(self.last);
        }
        if let Some(id) = self.last.runtime {
            self.others.insert(id, self.last);
        }
        self.others.remove(&runtime?)
    }

    /// Returns the time that has passed for the runtime that asks, after its `last` reading.
    fn passed(&self, reading: Reading, last: Option<Reading>) -> u64 {
        match last {
            Some(last) if last.was_paused || reading.was_paused => since(reading.shown, last.shown),
            _ => since(reading.real, self.last.real),
        }
    }

    /// Returns the time that has passed for a runtime that asks for the first time.
    fn passed_before_first_use(&self, reading: Reading, known: &[impl Clock]) -> u64 {
        let is_own = |id| Some(id) == reading.runtime;
        if let Some((_, shown)) = self.noted.iter().find(|(id, _)| is_own(*id)) {
            return since(reading.shown, *shown);
        }
        let own = known.iter().find(|clock| is_own(clock.runtime()));
        let first = own.map_or(reading, Clock::first);
        since(first.shown.max(first.real), self.last.real)
            .saturating_add(allowance(first))
            .saturating_add(since(reading.shown, first.shown))
    }

    /// Counts the time that has passed for another runtime, if it uses the circuit.
    fn advance_by(&mut self, clock: &impl Clock) {
        let Some(last) = self.others.get_mut(&clock.runtime()) else {
            return;
        };
        let Some(reading) = clock.read() else {
            return;
        };
        let reading = reading.after(Some(*last));
        let passed = since(reading.shown, last.shown);
        // One that a test has resumed counts when it asks, as one that was never paused.
        if reading.was_paused && passed.abs_diff(since(reading.real, last.real)) <= JITTER {
            return;
        }
        *last = reading;
        if reading.was_paused {
            self.now = self.now.saturating_add(passed);
        }
    }
}

impl Reading {
    /// Returns this reading of a clock that showed `last` before.
    fn after(self, last: Option<Self>) -> Self {
        let was_paused = self.was_paused || last.is_some_and(|last| last.was_paused);
        Self { was_paused, ..self }
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
    use super::{ALLOWED_PART, Clock, JITTER, MAX_ALLOWANCE, Reading, TimeLine};
    use std::cell::Cell;
    use tokio::runtime::{Builder, Id};

    const HOUR: i64 = 3_600_000_000;
    const NO_OTHER: [Reading; 0] = [];

    impl Clock for Reading {
        fn runtime(&self) -> Id {
            self.runtime.unwrap()
        }

        fn first(&self) -> Reading {
            *self
        }

        fn read(&self) -> Option<Reading> {
            Some(*self)
        }

        fn shown(&self) -> Option<i64> {
            Some(self.shown)
        }
    }

    fn new(reading: Reading) -> TimeLine {
        TimeLine::new(reading, &NO_OTHER)
    }

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

    fn show(time_line: &mut TimeLine, reading: Reading, known: impl AsRef<[Reading]>) -> i64 {
        let now = time_line.advance(reading, known.as_ref());
        now.try_into().unwrap()
    }

    #[test]
    fn a_runtime_goes_on_by_its_own_clock() {
        let [id] = ids();
        let mut time_line = new(paused(id, -7, 0));
        let shown = [-7, -7, 0, 1, HOUR, 1_000 * HOUR];
        for (real, shown) in (0..).zip(shown) {
            let now = show(&mut time_line, paused(id, shown, real), NO_OTHER);
            assert_eq!(now, shown + 7);
        }
    }

    #[test]
    fn a_time_line_that_is_only_looked_at_stays_where_it_is() {
        let [id, other] = ids();
        let mut time_line = new(paused(id, 0, 0));
        assert_eq!(show(&mut time_line, paused(id, 0, 0), NO_OTHER), 0);
        assert_eq!(time_line.at(paused(id, HOUR, 0)), HOUR.unsigned_abs());
        for shown in [0, HOUR] {
            assert_eq!(time_line.at(paused(other, shown, 3)), 3, "not used there");
        }
        assert_eq!(show(&mut time_line, paused(id, 1, 0), NO_OTHER), 1);
    }

    #[test]
    fn threads_and_runtimes_on_the_real_clock_agree() {
        let ids: [_; 2] = ids();
        let mut time_line = new(real(None, 5));
        let runtimes = [None, Some(ids[0]), Some(ids[1])];
        for moment in 5..10_000 {
            let [reader, others @ ..] =
                [0, 1, 2].map(|n| runtimes[usize::try_from((moment * 7 % 11 + n) % 3).unwrap()]);
            let others = others.into_iter().flatten();
            let others: Vec<_> = others.map(|id| real(Some(id), moment * moment)).collect();
            let now = show(&mut time_line, real(reader, moment * moment), others);
            assert_eq!(now, moment * moment - 5);
        }
    }

    #[test]
    fn the_clocks_of_all_runtimes_add_up() {
        let [first, second] = ids();
        let mut time_line = new(paused(first, 0, 1_000));
        let mut show = |reading| show(&mut time_line, reading, NO_OTHER);
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
        let mut time_line = new(paused(id, 0, 0));
        let mut show = |reading| show(&mut time_line, reading, NO_OTHER);
        assert_eq!(show(real(None, 90)), 90, "a thread opens the circuit");
        assert_eq!(show(paused(id, HOUR, 200)), HOUR + 90);
        assert_eq!(show(real(None, 300)), HOUR + 190, "since the last reading");
    }

    /// The thread learns at once that a test has moved its clock, and the test does not count it
    /// again.
    #[test]
    fn an_advance_counts_before_all_that_comes_after_it() {
        let [id] = ids();
        let mut time_line = new(paused(id, 0, 0));
        let mut show = |reading, known: &[Reading]| show(&mut time_line, reading, known);
        assert_eq!(show(real(None, 5), &[paused(id, HOUR, 5)]), HOUR + 5);
        assert_eq!(show(paused(id, HOUR, 9), &[]), HOUR + 5);
        assert_eq!(show(real(None, 10), &[paused(id, HOUR, 10)]), HOUR + 6);
    }

    /// A thread reads the clock in between, but changes nothing.
    #[test]
    fn a_known_runtime_counts_from_the_last_transition() {
        let [user, known] = ids();
        let mut time_line = new(paused(user, 0, 0));
        time_line.note(&[paused(known, 100 * HOUR, 1)]);
        let advanced = paused(known, 101 * HOUR, 2);
        assert_eq!(show(&mut time_line, real(None, 2), [advanced]), 2);
        let advanced = paused(known, 102 * HOUR, 3);
        assert_eq!(show(&mut time_line, advanced, NO_OTHER), 2 * HOUR + 2);
    }

    #[test]
    fn a_runtime_known_since_the_last_transition_counts_from_then() {
        struct Known {
            first: Reading,
        }

        impl Clock for Known {
            fn runtime(&self) -> Id {
                self.first.runtime()
            }

            fn first(&self) -> Reading {
                self.first
            }

            fn read(&self) -> Option<Reading> {
                None
            }

            fn shown(&self) -> Option<i64> {
                None
            }
        }

        let [user, known] = ids();
        let first_shown_by = |first, reading| {
            let mut time_line = new(paused(user, 0, 100));
            time_line.advance(reading, &[Known { first }])
        };
        let hour = HOUR.unsigned_abs();
        // Its clock had stood still, which cannot be known, or was advanced before.
        let now = first_shown_by(paused(known, 20, 150), paused(known, HOUR + 20, 200));
        assert_eq!(now, 50 + hour);
        let first = paused(known, HOUR + 100, 150);
        let now = first_shown_by(first, paused(known, 2 * HOUR + 100, 200));
        assert_eq!(now, 2 * hour + MAX_ALLOWANCE);
    }

    /// Neither with its readings nor while others become known.
    #[test]
    fn one_runtime_reads_no_other_clock_until_a_transition() {
        struct Counted<'c> {
            clock: Reading,
            readings: &'c Cell<u32>,
        }

        impl Clock for Counted<'_> {
            fn runtime(&self) -> Id {
                self.clock.runtime()
            }

            fn first(&self) -> Reading {
                self.clock
            }

            fn read(&self) -> Option<Reading> {
                self.readings.set(self.readings.get() + 1);
                Some(self.clock)
            }

            fn shown(&self) -> Option<i64> {
                Some(self.read()?.shown)
            }
        }

        let [user, other] = ids();
        let readings = Cell::new(0);
        let known = [user, other].map(|id| Counted {
            clock: paused(id, 0, 0),
            readings: &readings,
        });
        let mut time_line = TimeLine::new(paused(user, 0, 0), &known);
        assert_eq!(readings.take(), 1, "to begin with");
        for shown in 0..100 {
            time_line.advance(paused(user, shown, 0), &known);
        }
        assert_eq!(readings.take(), 0);
        time_line.note(&known);
        assert_eq!(readings.take(), 1);
        time_line.advance(paused(other, 0, 0), &known);
        assert_eq!(readings.take(), 1, "that of the user");
    }

    #[test]
    fn an_unknown_runtime_counts_by_its_lead_and_an_allowance() {
        let [user, unknown] = ids();
        let first_shown_by = |shown, real| {
            let mut time_line = new(paused(user, 0, 0));
            show(&mut time_line, paused(unknown, shown, real), NO_OTHER)
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
        let mut time_line = new(real(Some(id), 0));
        assert_eq!(show(&mut time_line, real(Some(id), 10), NO_OTHER), 10);
        let advanced = paused(id, HOUR + 20, 30);
        assert_eq!(show(&mut time_line, advanced, NO_OTHER), HOUR + 20);
        // By chance, its clock shows the real time.
        let now = show(&mut time_line, real(Some(id), HOUR + 25), NO_OTHER);
        assert_eq!(now, HOUR + 25);
    }

    #[test]
    fn a_clock_that_a_test_has_resumed_moves_no_other() {
        let [user, resumed] = ids();
        let mut time_line = new(paused(resumed, HOUR, 0));
        assert_eq!(show(&mut time_line, paused(user, 0, 0), NO_OTHER), 0);
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
        let mut time_line = new(paused(id, 0, 0));
        assert_eq!(show(&mut time_line, paused(id, 0, 0), NO_OTHER), 0);
        for turn in 1..100 {
            time_line.reach(turn.try_into().unwrap());
            assert_eq!(show(&mut time_line, paused(id, 0, 0), NO_OTHER), turn);
        }
        time_line.reach(5);
        let now = show(&mut time_line, paused(id, HOUR, 0), NO_OTHER);
        assert_eq!(now, HOUR + 99);
    }

    #[test]
    fn no_number_of_runtimes_has_one_forgotten() {
        let ids: [_; 300] = ids();
        let mut time_line = new(paused(ids[0], 0, 0));
        for &id in &ids {
            assert_eq!(show(&mut time_line, paused(id, 0, 0), NO_OTHER), 0);
        }
        for (&id, hours) in ids.iter().zip(1..) {
            let now = show(&mut time_line, paused(id, HOUR, 0), NO_OTHER);
            assert_eq!(now, hours * HOUR);
        }
    }
}

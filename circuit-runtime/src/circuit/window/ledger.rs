//! The calls that count towards a rate, or towards any limit on the last calls.

use super::compact::{Compact, Kind};
use super::full::FullLedger;
use super::limits::{ReachedLimit, Tally};
use crate::circuit::policy::Limits;
use crate::circuit::state::Generation;
use crate::circuit::ticket::Start;
use crate::clock::{Instant, Span};
use crate::config::Config;
use crate::sync::OnceBox;

/// The calls that count towards limits on their number or their share.
///
/// Begins with a [`Compact`] part, so that an idle breaker is small. The first call that does not
/// fit there, because it failed, was slow or is one of many, moves everything to a
/// [`FullLedger`].
pub(crate) struct Ledger {
    compact: Compact,
    full: OnceBox<FullLedger>,
}

impl Ledger {
    /// Creates the ledger for the rules that need one, if there are any.
    pub(super) fn new(config: &Config) -> Option<Self> {
        let has_rate = config.failure_rate().is_some() || config.slow_call().is_some();
        let kind = match (config.window(), config.last_calls()) {
            (Some(_), _) if has_rate => Kind::InSpan,
            (_, Some(_)) => Kind::Last,
            _ => return None,
        };
        Some(Self {
            compact: Compact::new(kind),
            full: OnceBox::default(),
        })
    }

    /// Admits a call whose duration is measured, on the fast path; `None` if
    /// [`admit_slow`](Self::admit_slow) has to judge.
    #[inline]
    pub(super) fn admit(
        &self,
        limits: &Limits,
        generation: Generation,
        clock: impl Fn(Span) -> Instant,
    ) -> Option<Start> {
        let now = clock(limits.clock_error());
        match self.full.get() {
            Some(full) => full.admit(generation, now),
            None => self.admit_compact(limits, generation, now),
        }
    }

    /// Admits a call while all calls may have been fast successes.
    #[inline(never)]
    fn admit_compact(
        &self,
        limits: &Limits,
        generation: Generation,
        now: Instant,
    ) -> Option<Start> {
        if generation.is_first() {
            self.compact.start(limits.slow_call(), now)
        } else {
            None
        }
    }

    /// Judges the calls so far, and admits one more unless calls in flight turn out to be overdue
    /// and reach a limit.
    pub(super) fn admit_slow(
        &self,
        limits: &Limits,
        generation: Generation,
        clock: impl Fn(Span) -> Instant,
    ) -> Result<Start, ReachedLimit> {
        self.full(limits, generation)
            .admit_slow(limits, generation, clock)
    }

    /// Returns whether a failed or slow call of `generation` still counts.
    pub(super) fn has_evidence(
        &self,
        limits: &Limits,
        generation: Generation,
        now: impl Fn() -> Instant,
    ) -> bool {
        let full = self.full.get();
        full.is_some_and(|full| full.has_evidence(limits, generation, now))
    }

    /// Adds up the calls of `generation` that count at `now`.
    pub(super) fn tally(&self, limits: &Limits, generation: Generation, now: Instant) -> Tally {
        match self.full.get() {
            Some(full) => full.tally(limits, generation, now),
            None => self.tally_compact(limits, generation, now),
        }
    }

    /// Adds up the same calls after one more failure, which is not recorded.
    pub(super) fn tally_with_failure(
        &self,
        limits: &Limits,
        generation: Generation,
        now: Instant,
    ) -> Tally {
        self.full(limits, generation)
            .tally_with_failure(limits, generation, now)
    }

    /// Returns how many calls were slow, since the start.
    pub(super) fn slow_calls(&self) -> u64 {
        self.full.get().map_or(0, FullLedger::slow_calls)
    }

    /// Adds a slow call that is not counted towards a limit.
    pub(super) fn add_to_slow_calls(&self, limits: &Limits, generation: Generation) {
        self.full(limits, generation).add_to_slow_calls();
    }

    fn tally_compact(&self, limits: &Limits, generation: Generation, now: Instant) -> Tally {
        let contents = self.compact.contents();
        match (contents, self.full.get()) {
            (Some(contents), _) if generation.is_first() => contents.tally(limits, now),
            // Moved meanwhile.
            (None, Some(full)) => full.tally(limits, generation, now),
            _ => Tally::default(),
        }
    }

    /// Records a success; returns the limit that is reached, if any.
    #[inline]
    pub(super) fn success(
        &self,
        limits: &Limits,
        generation: Generation,
        start: Start,
        clock: impl Fn(Span) -> Instant,
    ) -> Option<ReachedLimit> {
        let now = limits.now(&clock);
        match self.full.get() {
            Some(full) => full.success(limits, generation, start, now, clock),
            None => self.success_compact(limits, generation, start, now, clock),
        }
    }

    /// Records a success while all calls may have been fast successes.
    #[inline(never)]
    fn success_compact(
        &self,
        limits: &Limits,
        generation: Generation,
        start: Start,
        now: Instant,
        clock: impl Fn(Span) -> Instant,
    ) -> Option<ReachedLimit> {
        let is_fast = generation.is_first() && !limits.is_slow(start, now);
        let has_ended =
            is_fast && (start == Start::NONE || self.compact.end(limits.slow_call(), start, now));
        if has_ended && self.compact.add_success(limits.window(), now) {
            return None;
        }
        // A call that is no longer in flight was fast enough.
        let start = if has_ended { Start::NONE } else { start };
        self.full(limits, generation)
            .success_slow(limits, generation, start, clock)
    }

    /// Records a failure; returns the limit that is reached, if any.
    #[inline(never)]
    pub(super) fn failure(
        &self,
        limits: &Limits,
        generation: Generation,
        start: Start,
        clock: impl Fn(Span) -> Instant,
    ) -> Option<ReachedLimit> {
        self.full(limits, generation)
            .failure(limits, generation, start, clock)
    }

    /// Records the end of a call that is neither success nor failure.
    pub(super) fn inconclusive(
        &self,
        limits: &Limits,
        generation: Generation,
        start: Start,
        clock: impl Fn(Span) -> Instant,
    ) {
        let is_timed = start != Start::NONE;
        let is_compact = is_timed && self.full.get().is_none();
        let now = Instant::from_micros(0); // whether others are overdue is not of interest
        if is_timed && !(is_compact && self.compact.end(limits.slow_call(), start, now)) {
            self.full(limits, generation)
                .inconclusive(limits, generation, start, clock);
        }
    }

    /// Returns the full ledger, to which the first call that needs it moves everything.
    #[inline]
    fn full(&self, limits: &Limits, generation: Generation) -> &FullLedger {
        match self.full.get() {
            Some(full) => full,
            None => self.make_full(limits, generation),
        }
    }

    #[cold]
    #[inline(never)]
    fn make_full(&self, limits: &Limits, generation: Generation) -> &FullLedger {
        // Allocated before the lock is taken.
        let full = Box::new(FullLedger::new(self.compact.kind(), limits));
        self.compact.move_to(|moved| {
            // Once the first generation is over, its calls no longer count.
            if generation.is_first() {
                full.take(limits, generation, moved);
            }
            // Does not fail, as everything is moved only once.
            let _ = self.full.set(full);
        });
        self.full
            .get_or_init(|| Box::new(FullLedger::new(self.compact.kind(), limits)))
    }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::{Ledger, ReachedLimit, Start};
    use crate::circuit::policy::Limits;
    use crate::circuit::state::Generation;
    use crate::clock::{Instant, Span};
    use crate::config::{Config, ConfigBuilder};
    use std::cell::{Cell, RefCell};
    use std::time::Duration;

    const WINDOW: Duration = Duration::from_secs(10);

    #[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    fn new(config: ConfigBuilder) -> (Ledger, Limits) {
        let config = config.build().unwrap();
        (Ledger::new(&config).unwrap(), Limits::new(&config))
    }

    fn second(second: u64) -> Instant {
        Instant::from_micros(second * 1_000_000)
    }

    /// Returns a clock that shows these moments, one for each reading, and then the last one.
    fn readings<const N: usize>(seconds: [u64; N]) -> impl Fn(Span) -> Instant {
        let left = RefCell::new(seconds.into_iter());
        let shown = Cell::new(0);
        move |_| {
            let next = left.borrow_mut().next();
            shown.set(next.unwrap_or(shown.get()));
            second(shown.get())
        }
    }

    /// Returns a clock that shows an hour more at each reading.
    fn hours() -> impl Fn(Span) -> Instant {
        let next = Cell::new(0);
        move |_| second(3_600 * next.replace(next.get() + 1))
    }

    /// A thread that is preempted after reading the clock must not open the circuit with calls that
    /// no longer count, and is counted when it is judged.
    #[test]
    fn a_late_thread_does_not_open_the_circuit() {
        let config = Config::builder().failure_rate(0.5).min_calls(2);
        let (ledger, limits) = new(config.window(WINDOW));
        let fail = |at| ledger.failure(&limits, Generation::FIRST, Start::NONE, readings([at]));
        assert_eq!(fail(100), None);
        let late = readings([101, 3_700]);
        let succeeded = ledger.success(&limits, Generation::FIRST, Start::NONE, late);
        assert_eq!(succeeded, None, "the failure is long past");
        assert_eq!(fail(3_709), Some(ReachedLimit::FailureRate), "one of two");
    }

    #[test]
    fn a_failure_that_reaches_a_rate_by_itself_does_so_whenever_it_is_judged() {
        for window in [Duration::from_micros(1), Duration::from_millis(1), WINDOW] {
            let config = Config::builder().failure_rate(1.0).min_calls(1);
            let (ledger, limits) = new(config.window(window));
            let reached = ledger.failure(&limits, Generation::FIRST, Start::NONE, hours());
            assert_eq!(reached, Some(ReachedLimit::FailureRate), "{window:?}");
        }
    }

    #[test]
    fn a_slow_call_that_reaches_a_rate_by_itself_does_so_whenever_it_is_judged() {
        for window in [Duration::from_micros(1), Duration::from_millis(1), WINDOW] {
            let config = Config::builder().slow_call(window).min_calls(1);
            let (ledger, limits) = new(config.window(window));
            let clock = hours();
            let start = ledger.admit_slow(&limits, Generation::FIRST, &clock);
            let reached = ledger.success(&limits, Generation::FIRST, start.unwrap(), &clock);
            assert_eq!(reached, Some(ReachedLimit::SlowRate), "{window:?}");
        }
    }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle, feature = "test-util"))))]
mod stress {
    use super::Ledger;
    use crate::circuit::policy::Limits;
    use crate::circuit::state::{Generation, Word};
    use crate::circuit::ticket::Start;
    use crate::clock::accurate_to;
    use crate::config::Config;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;
    use std::time::Duration;

    const THREADS: usize = 80;
    const CALLS_EACH: usize = 510;

    /// Returns the first generations.
    fn generations(count: usize) -> Vec<Generation> {
        let next = |word: &Word| Some(word.after_reset(crate::clock::now()));
        let words = std::iter::successors(Some(Word::FIRST), next);
        words.take(count).map(Word::generation).collect()
    }

    /// More threads than slots, on the real clock, with calls that end on other threads than they
    /// started on, some of them late, and some after their generation.
    #[test]
    fn under_contention_each_call_of_a_generation_is_counted_and_none_stays_in_flight() {
        for (slow_call, count) in [1, 7, 50, 1_000, 1_000_000]
            .into_iter()
            .flat_map(|slow_call| [(slow_call, 1), (slow_call, 3)])
        {
            let config = Config::builder()
                .slow_call(Duration::from_micros(slow_call))
                .min_calls(u32::MAX)
                .window(Duration::from_secs(3_600));
            let config = config.build().unwrap();
            let (ledger, limits) = (Ledger::new(&config).unwrap(), Limits::new(&config));
            let generations = generations(count);
            let last = generations[count - 1];
            let ended = AtomicU64::new(0);
            let moved: Mutex<Vec<(Generation, Start)>> = Mutex::default();
            let end = |(generation, start): (Generation, Start), how: usize| {
                match how % 4 {
                    0 | 1 => ledger.success(&limits, generation, start, accurate_to),
                    2 => ledger.failure(&limits, generation, start, accurate_to),
                    _ => {
                        ledger.inconclusive(&limits, generation, start, accurate_to);
                        return;
                    }
                };
                if generation == last {
                    ended.fetch_add(1, Ordering::Relaxed);
                }
            };
            thread::scope(|scope| {
                for thread in 0..THREADS {
                    let (ledger, limits) = (&ledger, &limits);
                    let (generations, moved, end) = (&generations, &moved, &end);
                    scope.spawn(move || {
                        for call in 0..CALLS_EACH {
                            let generation = generations[count * call / CALLS_EACH];
                            let start = ledger.admit(limits, generation, accurate_to);
                            let start = start.unwrap_or_else(|| {
                                let admitted = ledger.admit_slow(limits, generation, accurate_to);
                                admitted.unwrap()
                            });
                            let other = {
                                let mut moved = moved.lock().unwrap();
                                let calls = moved.len();
                                if calls < 50 {
                                    moved.push((generation, start));
                                    None
                                } else {
                                    let index = (call * 31 + thread * 17) % calls;
                                    let other = &mut moved[index];
                                    Some(std::mem::replace(other, (generation, start)))
                                }
                            };
                            if let Some(other) = other {
                                end(other, call + thread);
                            }
                        }
                    });
                }
            });
            let rest = std::mem::take(&mut *moved.lock().unwrap());
            for call in rest {
                end(call, 1);
            }
            let full = ledger.full(&limits, last);
            assert_eq!(full.in_flight(last), 0);
            assert_eq!(full.calls(last), ended.load(Ordering::Relaxed));
        }
    }
}

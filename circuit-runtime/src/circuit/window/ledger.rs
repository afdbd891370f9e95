//! The calls that count towards a rate, or towards any limit on the last calls.

use super::compact::{Compact, Contents};
use super::counting::Counting;
use super::full::FullLedger;
use super::tally::{EarlierFailures, ReachedLimit, Recorded, Tally};
use crate::circuit::limits::{Counted, Limits};
use crate::circuit::policy::Policy;
use crate::circuit::state::Generation;
use crate::circuit::ticket::Start;
use crate::clock::{Instant, Span};
use crate::sync::once_box::OnceBox;
use crate::window_counts::WindowCounts;

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
    /// Creates an empty ledger, for a window that counts these calls.
    pub(super) fn new(counted: Counted, is_suspended: bool) -> Self {
        Self {
            compact: Compact::new(counted, is_suspended),
            full: OnceBox::default(),
        }
    }

    /// Returns the work that the window needs of each call.
    #[inline]
    pub(super) fn counting(&self) -> &Counting {
        self.compact.counting()
    }

    /// Admits a call whose duration is measured, on the fast path; `None` if
    /// [`admit_slow`](Self::admit_slow) has to judge.
    #[inline]
    pub(super) fn admit(
        &self,
        policy: &Policy,
        generation: Generation,
        clock: impl Fn(Span) -> Instant,
    ) -> Option<Start> {
        // The rules may have changed since they asked to time calls: then they need no exact clock.
        let now = match policy.clock_error() {
            Span::INDEFINITE => clock(Span::MIN),
            error => clock(error),
        };
        match self.full.get() {
            Some(full) => full.admit(generation, now),
            None => self.admit_compact(policy, generation, now),
        }
    }

    /// Admits a call while all calls may have been fast successes.
    #[inline(never)]
    fn admit_compact(
        &self,
        policy: &Policy,
        generation: Generation,
        now: Instant,
    ) -> Option<Start> {
        if generation.is_first() {
            self.compact.start(policy.slow_call(), now)
        } else {
            None
        }
    }

    /// Judges the calls so far, and admits one more unless calls in flight turn out to be overdue
    /// and reach a limit.
    pub(super) fn admit_slow(
        &self,
        policy: &Policy,
        generation: Generation,
        clock: impl Fn(Span) -> Instant,
    ) -> Result<Start, ReachedLimit> {
        self.full(policy, generation)
            .admit_slow(policy, generation, clock)
    }

    /// Returns whether a failed or slow call of `generation` still counts.
    pub(super) fn has_evidence(&self, generation: Generation, now: impl Fn() -> Instant) -> bool {
        let full = self.full.get();
        full.is_some_and(|full| full.has_evidence(generation, now()))
    }

    /// Returns the calls of `generation` that count at `now`, and how many of the slow ones are in
    /// flight.
    pub(super) fn counts(
        &self,
        policy: &Policy,
        generation: Generation,
        now: Instant,
    ) -> (WindowCounts, u64) {
        match self.full.get() {
            Some(full) => full.counts(generation, now),
            None => self.counts_compact(policy, generation, now),
        }
    }

    /// Returns the calls that counted when a limit was reached in `generation`.
    pub(super) fn reached(&self, generation: Generation) -> Option<WindowCounts> {
        self.full.get()?.reached(generation)
    }

    /// Returns the same calls after one more failure, which is not recorded.
    pub(super) fn counts_with_failure(
        &self,
        policy: &Policy,
        generation: Generation,
        now: Instant,
    ) -> WindowCounts {
        let full = self.full(policy, generation);
        full.counts_with_failure(generation, now)
    }

    /// Returns how many calls were slow, since the start.
    pub(super) fn slow_calls(&self) -> u64 {
        self.full.get().map_or(0, FullLedger::slow_calls)
    }

    /// Adds a slow call that is not counted towards a limit.
    pub(super) fn add_to_slow_calls(&self, policy: &Policy, generation: Generation) {
        self.full(policy, generation).add_to_slow_calls();
    }

    fn counts_compact(
        &self,
        policy: &Policy,
        generation: Generation,
        now: Instant,
    ) -> (WindowCounts, u64) {
        let contents = self.compact.contents();
        let limits = policy.limits();
        let tally = match (contents, self.full.get()) {
            (Some(contents), _) if generation.is_first() => contents.tally(&limits, now),
            // Moved meanwhile.
            (None, Some(full)) => return full.counts(generation, now),
            _ => Tally::default(),
        };
        (tally.counts(&limits), tally.overdue)
    }

    /// Records a success; returns the limit that is reached, if any.
    #[inline]
    pub(super) fn success(
        &self,
        policy: &Policy,
        generation: Generation,
        start: Start,
        clock: impl Fn(Span) -> Instant,
    ) -> Option<ReachedLimit> {
        let now = policy.now(&clock);
        match self.full.get() {
            Some(full) => full.success(policy, generation, start, now, clock),
            None => self.success_compact(policy, generation, start, now, clock),
        }
    }

    /// Records a success while all calls may have been fast successes.
    #[inline(never)]
    fn success_compact(
        &self,
        policy: &Policy,
        generation: Generation,
        start: Start,
        now: Instant,
        clock: impl Fn(Span) -> Instant,
    ) -> Option<ReachedLimit> {
        let is_fast = generation.is_first() && !policy.is_slow(start, now);
        // If `slow_call` changes in between, the word that counts this call as in flight is marked
        // as moved before, and the call ends in the full ledger.
        let has_ended = is_fast && self.compact.end_success(policy.slow_call(), start, now);
        if has_ended && self.compact.add_success(policy, now) {
            return None;
        }
        // A call that is no longer in flight was fast enough.
        let start = if has_ended { Start::NONE } else { start };
        self.full(policy, generation)
            .success_slow(policy, generation, start, clock)
    }

    /// Records a failure.
    #[inline(never)]
    pub(super) fn failure(
        &self,
        policy: &Policy,
        generation: Generation,
        start: Start,
        clock: impl Fn(Span) -> Instant,
    ) -> Recorded {
        self.full(policy, generation)
            .failure(policy, generation, start, clock)
    }

    /// Records the end of a call that is neither success nor failure.
    pub(super) fn inconclusive(
        &self,
        policy: &Policy,
        generation: Generation,
        start: Start,
        clock: impl Fn(Span) -> Instant,
    ) {
        let is_timed = start != Start::NONE;
        let is_compact = is_timed && self.full.get().is_none();
        // A moment at which no other call is overdue: it does not matter here.
        let now = Instant::from_micros(0);
        if is_timed && !(is_compact && self.compact.end(policy.slow_call(), start, now)) {
            self.full(policy, generation)
                .inconclusive(policy, generation, start, clock);
        }
    }

    /// Returns the full ledger, to which the first call that needs it moves everything.
    #[inline]
    fn full(&self, policy: &Policy, generation: Generation) -> &FullLedger {
        match self.full.get() {
            Some(full) => full,
            None => self.make_full(policy, generation),
        }
    }

    #[cold]
    #[inline(never)]
    fn make_full(&self, policy: &Policy, generation: Generation) -> &FullLedger {
        // Allocated before the lock is taken.
        let full = Box::new(FullLedger::new(&policy.limits()));
        self.compact
            .move_to(|moved| self.set_full(policy, generation, moved, full));
        // Set by now.
        self.full
            .get_or_init(|| Box::new(FullLedger::new(&policy.limits())))
    }

    /// Sets the full ledger, under the lock of the compact part: so limits that change meanwhile
    /// are either found here or adopted after.
    fn set_full(
        &self,
        policy: &Policy,
        generation: Generation,
        moved: Option<Contents>,
        full: Box<FullLedger>,
    ) {
        if self.full.get().is_some() {
            return;
        }
        full.adopt(&policy.limits());
        // Once the first generation is over, its calls no longer count.
        if let Some(moved) = moved.filter(|_| generation.is_first()) {
            full.take(policy.slow_call(), generation, moved);
        }
        // Does not fail: it is set under the lock alone.
        let _ = self.full.set(full);
    }

    /// Prepares for a change of the window's length, of `slow_call` or of what is counted.
    pub(super) fn suspend(&self, policy: &Policy, generation: Generation, keeps_successes: bool) {
        self.compact.suspend(keeps_successes, |moved| {
            let full = Box::new(FullLedger::new(&policy.limits()));
            self.set_full(policy, generation, Some(moved), full);
        });
    }

    /// Judges by new limits from now on. Returns the failures so far, if a limit on their number in
    /// the same span is added or removed.
    pub(super) fn adopt(&self, limits: &Limits, now: Instant) -> Option<EarlierFailures> {
        self.compact.resume(now, || self.full.get().is_some());
        self.full.get()?.adopt(limits)
    }

    /// Returns whether calls may be in flight that were timed.
    pub(super) fn has_timed_calls(&self) -> bool {
        self.full.get().is_some_and(FullLedger::has_timed_calls)
    }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::{Ledger, ReachedLimit, Start};
    use crate::circuit::limits::Counted;
    use crate::circuit::owner::Owner;
    use crate::circuit::policy::Policy;
    use crate::circuit::state::Generation;
    use crate::clock::{Instant, Span};
    use crate::config::{Config, ConfigBuilder};
    use std::cell::{Cell, RefCell};
    use std::time::Duration;

    const WINDOW: Duration = Duration::from_secs(10);

    #[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    fn new(config: ConfigBuilder) -> (Ledger, Policy) {
        let config = config.build().unwrap();
        (
            Ledger::new(Counted::Calls, false),
            Policy::new(config, Owner::Breaker),
        )
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
        let (ledger, policy) = new(config.window(WINDOW));
        let fail = |at| {
            let clock = readings([at]);
            ledger
                .failure(&policy, Generation::FIRST, Start::NONE, clock)
                .reached
        };
        assert_eq!(fail(100), None);
        let late = readings([101, 3_700]);
        let succeeded = ledger.success(&policy, Generation::FIRST, Start::NONE, late);
        assert_eq!(succeeded, None, "the failure is long past");
        assert_eq!(fail(3_709), Some(ReachedLimit::FailureRate), "one of two");
    }

    #[test]
    fn a_failure_that_reaches_a_rate_by_itself_does_so_whenever_it_is_judged() {
        for window in [Duration::from_micros(1), Duration::from_millis(1), WINDOW] {
            let config = Config::builder().failure_rate(1.0).min_calls(1);
            let (ledger, policy) = new(config.window(window));
            let recorded = ledger.failure(&policy, Generation::FIRST, Start::NONE, hours());
            assert_eq!(
                recorded.reached,
                Some(ReachedLimit::FailureRate),
                "{window:?}"
            );
        }
    }

    #[test]
    fn a_slow_call_that_reaches_a_rate_by_itself_does_so_whenever_it_is_judged() {
        for window in [Duration::from_micros(1), Duration::from_millis(1), WINDOW] {
            let config = Config::builder().slow_call(window).min_calls(1);
            let (ledger, policy) = new(config.window(window));
            let clock = hours();
            let start = ledger.admit_slow(&policy, Generation::FIRST, &clock);
            let reached = ledger.success(&policy, Generation::FIRST, start.unwrap(), &clock);
            assert_eq!(reached, Some(ReachedLimit::SlowRate), "{window:?}");
        }
    }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle, feature = "test-util"))))]
mod stress {
    use super::Ledger;
    use crate::circuit::limits::Counted;
    use crate::circuit::owner::Owner;
    use crate::circuit::policy::Policy;
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
            let (ledger, policy) = (
                Ledger::new(Counted::Calls, false),
                Policy::new(config, Owner::Breaker),
            );
            let generations = generations(count);
            let last = generations[count - 1];
            let ended = AtomicU64::new(0);
            let moved: Mutex<Vec<(Generation, Start)>> = Mutex::default();
            let end = |(generation, start): (Generation, Start), how: usize| {
                match how % 4 {
                    0 | 1 => ledger.success(&policy, generation, start, accurate_to),
                    2 => {
                        ledger
                            .failure(&policy, generation, start, accurate_to)
                            .reached
                    }
                    _ => {
                        ledger.inconclusive(&policy, generation, start, accurate_to);
                        return;
                    }
                };
                if generation == last {
                    ended.fetch_add(1, Ordering::Relaxed);
                }
            };
            thread::scope(|scope| {
                for thread in 0..THREADS {
                    let (ledger, policy) = (&ledger, &policy);
                    let (generations, moved, end) = (&generations, &moved, &end);
                    scope.spawn(move || {
                        for call in 0..CALLS_EACH {
                            let generation = generations[count * call / CALLS_EACH];
                            let start = ledger.admit(policy, generation, accurate_to);
                            let start = start.unwrap_or_else(|| {
                                let admitted = ledger.admit_slow(policy, generation, accurate_to);
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
            let full = ledger.full(&policy, last);
            assert_eq!(full.in_flight(last), 0);
            assert_eq!(full.calls(last), ended.load(Ordering::Relaxed));
        }
    }
}

//! The calls that count towards a rate, or towards any limit on the last calls.

use super::in_flight::{InFlight, Sum};
use super::last_calls::LastCalls;
use super::limits::{ReachedLimit, Standing, Tally};
use super::overdue::Overdue;
use super::rates::Rates;
use crate::circuit::evidence::Evidence;
use crate::circuit::policy::Limits;
use crate::circuit::state::Generation;
use crate::circuit::ticket::{GROUP_BITS, Start};
use crate::clock::{Instant, Span};
use crate::config::Config;
use crate::sync::lock::Lock;
use crate::sync::striped::CachePadded;
use crate::sync::{AtomicU64, OnceBox, Ordering};

/// The calls that count towards limits on their number or their share.
///
/// A fast success is counted on the thread's own stripe and does not evaluate the limits, with
/// three exceptions: time has reached a point where it changes the tally by itself, the success may
/// be the call that was missing for a rate, or the evidence belongs to an earlier generation. One
/// word, which all threads read and few write, tells whether one of these holds. Such calls, and
/// all that failed or were slow, are judged under a lock, one at a time. Their cost depends on
/// the number of threads that call, not on the number of calls.
///
/// Under the lock the clock is read again: a thread may be preempted between an earlier reading and
/// the lock, and a call that is counted at one moment must not be judged at another.
pub(crate) struct Ledger {
    kind: Kind,
    fast_path: FastPath,
    in_flight: InFlight,
    /// Allocated by the first call that leaves the fast path.
    locked: OnceBox<CachePadded<Lock<Evidence<Locked>>>>,
}

/// Which calls count.
#[derive(Clone, Copy)]
enum Kind {
    /// Those of a span of time.
    InSpan,
    /// As many of the last as this.
    Last(u32),
}

/// The state behind the lock.
struct Locked {
    calls: Calls,
    /// `None` where no call is timed.
    overdue: Option<Overdue>,
}

enum Calls {
    InSpan(Rates),
    Last(LastCalls),
}

impl Ledger {
    /// Creates the ledger for the rules that need one, if there are any.
    pub(super) fn new(config: &Config) -> Option<Self> {
        let has_rate = config.failure_rate().is_some() || config.slow_call().is_some();
        let kind = match (config.window(), config.last_calls()) {
            (Some(_), _) if has_rate => Kind::InSpan,
            (_, Some(calls)) => Kind::Last(calls),
            _ => return None,
        };
        Some(Self {
            kind,
            fast_path: FastPath::default(),
            in_flight: InFlight::default(),
            locked: OnceBox::default(),
        })
    }

    /// Admits a call on the fast path; `None` if [`admit_slow`](Self::admit_slow) has to judge.
    #[inline]
    pub(super) fn admit(
        &self,
        limits: &Limits,
        generation: Generation,
        clock: impl Fn(Span) -> Instant,
    ) -> Option<Start> {
        if limits.slow_call() == Span::INDEFINITE {
            return Some(Start::NONE);
        }
        self.admit_timed(limits, generation, clock)
    }

    /// Admits a call whose duration is measured.
    #[inline(never)]
    fn admit_timed(
        &self,
        limits: &Limits,
        generation: Generation,
        clock: impl Fn(Span) -> Instant,
    ) -> Option<Start> {
        let now = clock(limits.clock_error());
        let group = self.fast_path.group_at(now)?;
        let start = Start::new(now, group);
        let still_fast = || self.fast_path.group_at(now) == Some(group);
        let counted = self.in_flight.start(generation, start, still_fast);
        counted.then_some(start)
    }

    /// Judges the calls so far, and admits one more unless calls in flight turn out to be overdue
    /// and reach a limit.
    pub(super) fn admit_slow(
        &self,
        limits: &Limits,
        generation: Generation,
        clock: impl Fn(Span) -> Instant,
    ) -> Result<Start, ReachedLimit> {
        let admitted = self.with_lock(limits, generation, |locked| {
            let now = now(limits, clock);
            let sum = self.in_flight.sum(generation);
            locked.advance(limits, now, &sum);
            if let Some(limit) = self.judge(limits, locked, sum.fast_successes) {
                return Err(limit);
            }
            let start = Start::new(now, locked.group());
            self.in_flight.start(generation, start, || true);
            Ok(start)
        });
        // The generation is over: admit the call, but do not time it.
        admitted.unwrap_or(Ok(Start::NONE))
    }

    /// Returns whether a failed or slow call of `generation` still counts.
    pub(super) fn has_evidence(
        &self,
        limits: &Limits,
        generation: Generation,
        now: impl FnOnce() -> Instant,
    ) -> bool {
        let Some(CachePadded(locked)) = self.locked.get() else {
            return false;
        };
        let fast_successes = self.in_flight.sum(generation).fast_successes;
        let now = now();
        locked.with(|evidence| {
            evidence.get(generation).is_some_and(|locked| {
                let is_overdue = locked.overdue.as_ref().is_some_and(|o| o.calls() > 0);
                is_overdue
                    || match &locked.calls {
                        Calls::InSpan(rates) => rates.has_evidence(limits.window(), now),
                        Calls::Last(last_calls) => last_calls.has_evidence(fast_successes),
                    }
            })
        })
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
        let now = now(limits, &clock);
        let slow = is_slow(limits, start, now);
        let is_fast = || self.fast_path.group_at(now).is_some();
        if !slow && is_fast() && self.add_fast_success(generation, start, is_fast) {
            return None;
        }
        self.record_slow(limits, generation, start, false, clock)
    }

    /// Records a failure; returns the limit that is reached, if any.
    pub(super) fn failure(
        &self,
        limits: &Limits,
        generation: Generation,
        start: Start,
        clock: impl Fn(Span) -> Instant,
    ) -> Option<ReachedLimit> {
        self.record_slow(limits, generation, start, true, clock)
    }

    /// Records the end of a call that is neither success nor failure.
    pub(super) fn inconclusive(
        &self,
        limits: &Limits,
        generation: Generation,
        start: Start,
        clock: impl Fn(Span) -> Instant,
    ) {
        if start != Start::NONE {
            let slow = is_slow(limits, start, now(limits, clock));
            if slow || !self.in_flight.end(generation, start) {
                self.with_lock(limits, generation, |locked| {
                    self.end(locked, generation, start, slow);
                });
            }
        }
    }

    /// Counts a fast success; returns whether it could.
    #[inline]
    fn add_fast_success(
        &self,
        generation: Generation,
        start: Start,
        still_fast: impl FnOnce() -> bool,
    ) -> bool {
        if start == Start::NONE {
            self.in_flight.add_fast_success(generation, still_fast)
        } else {
            self.in_flight
                .end_fast_success(generation, start, still_fast)
        }
    }

    /// Records a call and judges it.
    #[inline(never)]
    fn record_slow(
        &self,
        limits: &Limits,
        generation: Generation,
        start: Start,
        failed: bool,
        clock: impl Fn(Span) -> Instant,
    ) -> Option<ReachedLimit> {
        let reached = self.with_lock(limits, generation, |locked| {
            let now = now(limits, clock);
            let slow = is_slow(limits, start, now);
            let mut sum = self.in_flight.sum(generation);
            locked.advance(limits, now, &sum);
            if failed || slow {
                locked.calls.add(failed, slow);
                self.end(locked, generation, start, slow);
            } else {
                self.add_fast_success(generation, start, || true);
                sum.fast_successes = sum.fast_successes.saturating_add(1);
            }
            self.judge(limits, locked, sum.fast_successes)
        });
        reached.flatten()
    }

    /// Records that a call is no longer in flight.
    fn end(&self, locked: &mut Locked, generation: Generation, start: Start, slow: bool) {
        if let Some(overdue) = &mut locked.overdue {
            if !(slow && overdue.end(start)) {
                self.in_flight.end(generation, start);
            }
        }
    }

    /// Returns the limit that is reached with `fast_successes` in all, if any, and sets until when
    /// calls may take the fast path.
    fn judge(
        &self,
        limits: &Limits,
        locked: &mut Locked,
        fast_successes: u64,
    ) -> Option<ReachedLimit> {
        let (reached, fast_until) = match locked.standing(limits, fast_successes) {
            Standing::Below => (None, locked.changes_at(limits)),
            Standing::Near => (None, Instant::from_micros(0)),
            Standing::Reached(limit) => (Some(limit), Instant::from_micros(0)),
        };
        self.fast_path.set(fast_until, locked.group());
        reached
    }

    /// Runs `section` under the lock, on the evidence of `generation`; `None` if that has ended.
    fn with_lock<R>(
        &self,
        limits: &Limits,
        generation: Generation,
        section: impl FnOnce(&mut Locked) -> R,
    ) -> Option<R> {
        let CachePadded(locked) = self.locked.get_or_init(|| {
            let locked = Locked::new(self.kind, limits);
            Box::new(CachePadded(Lock::new(Evidence::new(locked))))
        });
        locked.with(|evidence| {
            let locked = evidence.for_generation(generation, |locked| {
                locked.clear();
                // Before any stripe belongs to the new generation.
                self.fast_path.set(Instant::from_micros(0), 0);
            })?;
            self.in_flight.begin(generation);
            Some(section(locked))
        })
    }
}

/// Reads the clock as exactly as the limits require, if time changes anything.
#[inline]
fn now(limits: &Limits, clock: impl FnOnce(Span) -> Instant) -> Instant {
    match limits.clock_error() {
        Span::INDEFINITE => Instant::from_micros(0),
        error => clock(error),
    }
}

/// Returns whether a call that ends `now` took longer than `slow_call`.
#[inline]
fn is_slow(limits: &Limits, start: Start, now: Instant) -> bool {
    start != Start::NONE && now.since(start.moment()) > limits.slow_call()
}

impl Locked {
    fn new(kind: Kind, limits: &Limits) -> Self {
        Self {
            calls: match kind {
                Kind::InSpan => Calls::InSpan(Rates::new(limits.window())),
                Kind::Last(calls) => Calls::Last(LastCalls::new(calls)),
            },
            overdue: (limits.slow_call() != Span::INDEFINITE).then(Overdue::new),
        }
    }

    fn clear(&mut self) {
        self.calls.clear();
        if let Some(overdue) = &mut self.overdue {
            overdue.clear();
        }
    }

    /// Advances to `now`, by when the calls of the fast path add up to `sum`.
    fn advance(&mut self, limits: &Limits, now: Instant, sum: &Sum) {
        match &mut self.calls {
            Calls::InSpan(rates) => rates.advance(limits.window(), now, sum.fast_successes),
            Calls::Last(last_calls) => last_calls.advance(sum.fast_successes),
        }
        if let Some(overdue) = &mut self.overdue {
            overdue.advance(limits.slow_call(), now, sum);
        }
    }

    /// Judges the calls that count, with `fast_successes` in all.
    fn standing(&mut self, limits: &Limits, fast_successes: u64) -> Standing {
        let tally = self.tally(fast_successes);
        match self.calls {
            // The number of failures in a span is counted by `Failures`, to the failure.
            Calls::InSpan(_) => tally.standing_on_rates(limits),
            Calls::Last(_) => tally.standing(limits),
        }
    }

    /// Adds up the calls that count, with `fast_successes` in all.
    fn tally(&mut self, fast_successes: u64) -> Tally {
        let mut tally = match &mut self.calls {
            Calls::InSpan(rates) => rates.tally(fast_successes),
            Calls::Last(last_calls) => {
                last_calls.advance(fast_successes);
                last_calls.tally()
            }
        };
        tally.overdue = self.overdue.as_ref().map_or(0, Overdue::calls);
        tally
    }

    /// Returns the group of calls that start now.
    fn group(&self) -> usize {
        self.overdue.as_ref().map_or(0, Overdue::group)
    }

    /// Returns when time alone changes something next.
    fn changes_at(&self, limits: &Limits) -> Instant {
        let overdue = self.overdue.as_ref();
        let overdue = overdue.map(|overdue| overdue.changes_at(limits.slow_call()));
        let calls = match &self.calls {
            Calls::InSpan(rates) => Some(rates.changes_at(limits.window())),
            Calls::Last(_) => None,
        };
        let first = overdue.into_iter().chain(calls).min();
        first.unwrap_or(FastPath::FOREVER)
    }
}

impl Calls {
    fn clear(&mut self) {
        match self {
            Self::InSpan(rates) => rates.clear(),
            Self::Last(last_calls) => last_calls.clear(),
        }
    }

    /// Adds a call that failed or was slow.
    fn add(&mut self, failed: bool, slow: bool) {
        match self {
            Self::InSpan(rates) => rates.add(failed, slow),
            Self::Last(last_calls) => last_calls.add(failed, slow),
        }
    }
}

/// Until when fast successes can skip the lock, packed with the current group.
#[derive(Default)]
struct FastPath(AtomicU64);

impl FastPath {
    /// Later than every moment.
    const FOREVER: Instant = Instant::from_micros(u64::MAX >> GROUP_BITS);

    /// Returns the group of a call that starts `now`, if it can skip the lock.
    #[inline]
    fn group_at(&self, now: Instant) -> Option<usize> {
        // Relaxed: a call that needs to know more takes the lock. A thread that misses the latest
        // value counts its call unjudged, and the next call that ends judges it.
        let bits = self.0.load(Ordering::Relaxed);
        let group = bits & ((1 << GROUP_BITS) - 1);
        (now.as_micros() < bits >> GROUP_BITS).then_some(group as usize)
    }

    /// Called under the lock.
    fn set(&self, until: Instant, group: usize) {
        let until = until.min(Self::FOREVER).as_micros();
        let bits = until << GROUP_BITS | group as u64;
        // Relaxed: as above.
        self.0.store(bits, Ordering::Relaxed);
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
#[expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]
mod stress {
    use super::{CachePadded, Ledger, Locked};
    use crate::circuit::evidence::Evidence;
    use crate::circuit::policy::Limits;
    use crate::circuit::state::{Generation, Trigger, Word, transition};
    use crate::circuit::ticket::Start;
    use crate::clock::accurate_to;
    use crate::config::Config;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;
    use std::time::Duration;

    const THREADS: usize = 80;
    const CALLS_EACH: usize = 510;

    /// Returns consecutive generations.
    fn generations(count: usize) -> Vec<Generation> {
        let mut word = Word::FIRST;
        (0..count)
            .map(|_| {
                (word, _) = transition(word, Trigger::Reset, crate::clock::now());
                word.generation()
            })
            .collect()
    }

    /// Runs `section` on the evidence of `generation`, which must be the current one.
    fn with_current<R>(
        ledger: &Ledger,
        generation: Generation,
        section: impl FnOnce(&mut Locked) -> R,
    ) -> R {
        let CachePadded(locked) = ledger.locked.get().unwrap();
        locked.with(|evidence: &mut Evidence<Locked>| {
            let locked = evidence.for_generation(generation, |_| panic!("a new generation"));
            section(locked.unwrap())
        })
    }

    /// Returns how many calls the ledger takes for in flight, overdue or not.
    fn in_flight(ledger: &Ledger, generation: Generation) -> i64 {
        with_current(ledger, generation, |locked| {
            let sum = ledger.in_flight.sum(generation);
            locked.overdue.as_ref().unwrap().in_flight(&sum)
        })
    }

    /// More threads than slots, on the real clock, with calls that end on other threads than they
    /// started on, some of them late, and some after their generation.
    #[test]
    fn under_contention_each_call_of_a_generation_is_counted_and_none_stays_in_flight() {
        for slow_call in [1, 7, 50, 1_000, 1_000_000] {
            let config = Config::builder()
                .slow_call(Duration::from_micros(slow_call))
                .min_calls(u32::MAX)
                .window(Duration::from_secs(3_600));
            let config = config.build().unwrap();
            let (ledger, limits) = (Ledger::new(&config).unwrap(), Limits::new(&config));
            let generations = generations(3);
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
                if generation == generations[2] {
                    ended.fetch_add(1, Ordering::Relaxed);
                }
            };
            thread::scope(|scope| {
                for thread in 0..THREADS {
                    let (ledger, limits) = (&ledger, &limits);
                    let (generations, moved, end) = (&generations, &moved, &end);
                    scope.spawn(move || {
                        for call in 0..CALLS_EACH {
                            let generation = generations[3 * call / CALLS_EACH];
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
            assert_eq!(in_flight(&ledger, generations[2]), 0);
            let counted = with_current(&ledger, generations[2], |locked| {
                let sum = ledger.in_flight.sum(generations[2]);
                locked.tally(sum.fast_successes).calls
            });
            assert_eq!(counted, ended.load(Ordering::Relaxed));
        }
    }
}

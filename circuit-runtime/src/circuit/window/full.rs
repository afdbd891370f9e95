//! The evidence of a circuit that has had many calls, or failures.

use super::calls::Calls;
use super::compact::Contents;
use super::fast_path::{FastPath, NO_GROUP};
use super::in_flight::{InFlight, Sum};
use super::overdue::Overdue;
use super::tally::{EarlierFailures, ReachedLimit, Recorded, Standing, Tally};
use crate::circuit::evidence::Evidence;
use crate::circuit::limits::Limits;
use crate::circuit::policy::Policy;
use crate::circuit::state::Generation;
use crate::circuit::ticket::Start;
use crate::clock::{Instant, Span};
use crate::sync::lock::Lock;
use crate::sync::striped::CachePadded;
use crate::sync::{AtomicU64, Ordering};
use crate::window_counts::WindowCounts;

/// The calls that count towards limits on their number or their share, without a bound.
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
pub(super) struct FullLedger {
    fast_path: FastPath,
    in_flight: InFlight,
    /// Away from the fields that every call reads.
    locked: CachePadded<Lock<Evidence<Locked>>>,
    /// The slow calls of all generations.
    slow_calls: AtomicU64,
}

/// The state behind the lock.
struct Locked {
    limits: Limits,
    /// The limits need all calls counted.
    counts_calls: bool,
    /// The limits have a number of failures in a span of time, which [`Failures`] counts.
    ///
    /// [`Failures`]: super::failures::Failures
    counts_in_span: bool,
    /// How often the failures so far have been handed over to [`Failures`].
    handovers: u32,
    calls: Calls,
    /// `None` where no call was ever timed.
    overdue: Option<Overdue>,
    /// The calls that counted when a limit was reached in this generation.
    reached: Option<WindowCounts>,
}

impl FullLedger {
    /// Creates an empty ledger.
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            fast_path: FastPath::default(),
            in_flight: InFlight::default(),
            locked: CachePadded(Lock::new(Evidence::new(Locked::new(limits)))),
            slow_calls: AtomicU64::new(0),
        }
    }

    /// Takes the calls of `generation` that were counted in a compact ledger so far. No other
    /// thread uses this one yet.
    pub(super) fn take(&self, slow_call: Span, generation: Generation, moved: Contents) {
        self.with_lock(generation, |locked| {
            match &mut locked.calls {
                Calls::InSpan(rates) => rates.take(moved.successes()),
                Calls::Last(last_calls) => last_calls.take(moved.total()),
            }
            if let Some(overdue) = &mut locked.overdue {
                for (latest, calls) in moved.in_flight(slow_call) {
                    overdue.add_group(slow_call, latest);
                    self.in_flight.add(generation, latest, calls);
                }
            }
        });
    }

    /// Judges by new limits from now on, the next call first. Returns the failures so far, if a
    /// limit on their number in the same span is added or removed.
    pub(super) fn adopt(&self, limits: &Limits) -> Option<EarlierFailures> {
        self.locked.0.with(|evidence| {
            let generation = evidence.generation();
            let sum = self.in_flight.sum(generation);
            let locked = evidence.latest();
            let earlier = locked.earlier_failures(generation, limits);
            locked.adopt(limits, sum.fast_successes);
            self.fast_path.set(Instant::from_micros(0), locked.group());
            earlier
        })
    }

    /// Returns whether calls may be in flight that are timed.
    pub(super) fn has_timed_calls(&self) -> bool {
        self.locked
            .0
            .with(|evidence| evidence.latest().overdue.is_some())
    }

    /// Admits a call that starts `now` on the fast path; `None` if
    /// [`admit_slow`](Self::admit_slow) has to judge.
    #[inline]
    pub(super) fn admit(&self, generation: Generation, now: Instant) -> Option<Start> {
        let group = self.fast_path.group_at(now)?;
        if group == NO_GROUP {
            return None; // the rules have just changed, and time no calls
        }
        let start = Start::new(now, group);
        let still_fast = || self.fast_path.group_at(now) == Some(group);
        let counted = self.in_flight.start(generation, start, still_fast);
        counted.then_some(start)
    }

    /// Judges the calls so far, and admits one more unless calls in flight turn out to be overdue
    /// and reach a limit.
    pub(super) fn admit_slow(
        &self,
        policy: &Policy,
        generation: Generation,
        clock: impl Fn(Span) -> Instant,
    ) -> Result<Start, ReachedLimit> {
        let admitted = self.with_lock(generation, |locked| {
            let now = locked.now(policy, clock);
            let sum = self.in_flight.sum(generation);
            locked.advance(now, &sum);
            if let Some(limit) = self.judge(locked, sum.fast_successes) {
                return Err(limit);
            }
            if locked.limits.slow_call() == Span::INDEFINITE {
                return Ok(Start::NONE); // the rules have just changed
            }
            let start = Start::new(now, locked.group());
            self.in_flight.start(generation, start, || true);
            Ok(start)
        });
        // The generation is over: admit the call, but do not time it.
        admitted.unwrap_or(Ok(Start::NONE))
    }

    /// Returns whether a failed or slow call of `generation` still counts.
    pub(super) fn has_evidence(&self, generation: Generation, now: Instant) -> bool {
        let fast_successes = self.in_flight.sum(generation).fast_successes;
        self.locked.0.with(|evidence| {
            evidence.get(generation).is_some_and(|locked| {
                let is_overdue = locked.overdue.as_ref().is_some_and(|o| o.calls() > 0);
                let window = locked.limits.window();
                is_overdue || locked.calls.has_evidence(window, now, fast_successes)
            })
        })
    }

    /// Adds up the calls of `generation` that count at `now`.
    pub(super) fn counts(&self, generation: Generation, now: Instant) -> (WindowCounts, u64) {
        let counts = self.with_lock(generation, |locked| {
            let sum = self.in_flight.sum(generation);
            locked.advance(now, &sum);
            let tally = locked.tally(sum.fast_successes);
            (tally.counts(&locked.limits), tally.overdue)
        });
        counts.unwrap_or_else(|| (self.empty_counts(), 0))
    }

    /// Returns the counts of a generation without calls.
    fn empty_counts(&self) -> WindowCounts {
        self.locked
            .0
            .with(|evidence| Tally::default().counts(&evidence.latest().limits))
    }

    /// Returns the calls that counted when a limit was reached in `generation`.
    pub(super) fn reached(&self, generation: Generation) -> Option<WindowCounts> {
        self.locked
            .0
            .with(|evidence| evidence.get(generation)?.reached)
    }

    /// Adds up the same calls after one more failure, which is not recorded.
    pub(super) fn counts_with_failure(&self, generation: Generation, now: Instant) -> WindowCounts {
        let counts = self.with_lock(generation, |locked| {
            let sum = self.in_flight.sum(generation);
            locked.advance(now, &sum);
            let tally = locked.tally(sum.fast_successes);
            let tally = locked.calls.with_failure(tally);
            tally.counts(&locked.limits)
        });
        counts.unwrap_or_else(|| self.empty_counts())
    }

    /// Returns how many calls were slow, since the start.
    pub(super) fn slow_calls(&self) -> u64 {
        self.slow_calls.load(Ordering::Relaxed)
    }

    /// Adds a slow call that is not counted towards a limit.
    pub(super) fn add_to_slow_calls(&self) {
        // Relaxed: readers want a number.
        self.slow_calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Records a success at `now`; returns the limit that is reached, if any.
    #[inline]
    pub(super) fn success(
        &self,
        policy: &Policy,
        generation: Generation,
        start: Start,
        now: Instant,
        clock: impl Fn(Span) -> Instant,
    ) -> Option<ReachedLimit> {
        let slow = policy.is_slow(start, now);
        let is_fast = || self.fast_path.group_at(now).is_some();
        if !slow && is_fast() && self.add_fast_success(generation, start, is_fast) {
            return None;
        }
        self.success_slow(policy, generation, start, clock)
    }

    /// Records a success that may not be fast.
    pub(super) fn success_slow(
        &self,
        policy: &Policy,
        generation: Generation,
        start: Start,
        clock: impl Fn(Span) -> Instant,
    ) -> Option<ReachedLimit> {
        self.record_slow(policy, generation, start, false, clock)
            .reached
    }

    /// Records a failure.
    pub(super) fn failure(
        &self,
        policy: &Policy,
        generation: Generation,
        start: Start,
        clock: impl Fn(Span) -> Instant,
    ) -> Recorded {
        self.record_slow(policy, generation, start, true, clock)
    }

    /// Records the end of a call that is neither success nor failure.
    pub(super) fn inconclusive(
        &self,
        policy: &Policy,
        generation: Generation,
        start: Start,
        clock: impl Fn(Span) -> Instant,
    ) {
        if start != Start::NONE {
            let slow = policy.is_slow(start, policy.now(clock));
            if slow || !self.in_flight.end(generation, start) {
                self.with_lock(generation, |locked| {
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
        policy: &Policy,
        generation: Generation,
        start: Start,
        failed: bool,
        clock: impl Fn(Span) -> Instant,
    ) -> Recorded {
        let (mut counts_in_span, mut handovers) = (false, 0);
        let reached = self.with_lock(generation, |locked| {
            (counts_in_span, handovers) = (locked.counts_in_span, locked.handovers);
            if failed && !locked.counts_calls {
                self.end(locked, generation, start, false);
                return Some(ReachedLimit::RulesChanged);
            }
            let now = locked.now(policy, clock);
            let slow = locked.limits.is_slow(start, now);
            if failed && locked.add_out_of_reach(now) {
                self.fast_path.set(locked.changes_at(), locked.group());
                return None;
            }
            let mut sum = self.in_flight.sum(generation);
            locked.advance(now, &sum);
            if failed || slow {
                locked.calls.add(failed, slow);
                // Relaxed: readers want a number.
                self.slow_calls.fetch_add(slow.into(), Ordering::Relaxed);
                self.end(locked, generation, start, slow);
            } else {
                self.add_fast_success(generation, start, || true);
                sum.fast_successes = sum.fast_successes.saturating_add(1);
            }
            self.judge(locked, sum.fast_successes)
        });
        Recorded {
            reached: reached.flatten(),
            counts_in_span,
            handovers,
        }
    }

    /// Records that a call is no longer in flight.
    fn end(&self, locked: &mut Locked, generation: Generation, start: Start, slow: bool) {
        if start == Start::NONE {
            return;
        }
        let overdue = locked.overdue.as_mut().filter(|_| slow);
        if !overdue.is_some_and(|overdue| overdue.end(start)) {
            self.in_flight.end(generation, start);
        }
    }

    /// Returns the limit that is reached with `fast_successes` in all, if any, and sets until when
    /// calls may take the fast path.
    fn judge(&self, locked: &mut Locked, fast_successes: u64) -> Option<ReachedLimit> {
        let tally = locked.tally(fast_successes);
        let (reached, fast_until) = match locked.standing(tally) {
            Standing::Below => (None, locked.changes_at()),
            Standing::Near => (None, Instant::from_micros(0)),
            Standing::Reached(limit) => {
                locked.reached = Some(tally.counts(&locked.limits));
                (Some(limit), Instant::from_micros(0))
            }
        };
        self.fast_path.set(fast_until, locked.group());
        reached
    }

    /// Runs `section` under the lock, on the evidence of `generation`; `None` if that has ended.
    fn with_lock<R>(
        &self,
        generation: Generation,
        section: impl FnOnce(&mut Locked) -> R,
    ) -> Option<R> {
        self.locked.0.with(|evidence| {
            let locked = evidence.for_generation(generation, |locked| {
                locked.clear();
                self.in_flight.clear();
                // Before any stripe belongs to the new generation.
                self.fast_path.set(Instant::from_micros(0), 0);
            })?;
            self.in_flight.begin(generation);
            Some(section(locked))
        })
    }
}

impl Locked {
    fn new(limits: &Limits) -> Self {
        Self {
            limits: *limits,
            counts_calls: limits.counted().is_calls(),
            counts_in_span: limits.counts_failures_in_span(),
            handovers: 0,
            calls: Calls::new(limits, 0),
            overdue: (limits.slow_call() != Span::INDEFINITE).then(Overdue::new),
            reached: None,
        }
    }

    /// Hands over the failures of `generation` so far, if a limit on their number in the same span
    /// is added or removed. Those that are still to be recorded by [`Failures`] are among them.
    ///
    /// [`Failures`]: super::failures::Failures
    fn earlier_failures(
        &mut self,
        generation: Generation,
        limits: &Limits,
    ) -> Option<EarlierFailures> {
        let is_handover = self.counts_calls
            && limits.window() == self.limits.window()
            && limits.counts_failures_in_span() != self.counts_in_span;
        let failures = is_handover.then(|| self.calls.failures(limits.window()))??;
        self.handovers = self.handovers.saturating_add(1);
        Some(EarlierFailures {
            generation,
            handovers: self.handovers,
            failures,
        })
    }

    /// Judges by new limits, with `fast_successes` in all so far. Keeps the calls if all are
    /// counted before and after, in the same window.
    fn adopt(&mut self, limits: &Limits, fast_successes: u64) {
        let before = std::mem::replace(&mut self.limits, *limits);
        self.counts_calls = limits.counted().is_calls();
        self.counts_in_span = limits.counts_failures_in_span();
        if !self.counts_calls || !limits.counts_same_calls(&before) {
            self.calls = Calls::new(limits, fast_successes);
        }
        if limits.slow_call() != before.slow_call() {
            // Kept even if no call is timed any more, for those in flight.
            self.overdue.get_or_insert_with(Overdue::new).reconsider();
        }
    }

    /// Reads the clock as exactly as both the limits here and the latest rules require.
    fn now(&self, policy: &Policy, clock: impl Fn(Span) -> Instant) -> Instant {
        let error = match policy.clock_error() {
            Span::INDEFINITE => self.limits.clock_error(),
            error => error,
        };
        match error {
            Span::INDEFINITE => Instant::from_micros(0),
            error => clock(error),
        }
    }

    fn clear(&mut self) {
        self.reached = None;
        self.calls.clear();
        if let Some(overdue) = &mut self.overdue {
            overdue.clear();
        }
    }

    /// Advances to `now`, when the calls of the fast path add up to `sum`.
    fn advance(&mut self, now: Instant, sum: &Sum) {
        let limits = &self.limits;
        match &mut self.calls {
            Calls::InSpan(rates) => rates.advance(limits.window(), now, sum.fast_successes),
            Calls::Last(last_calls) => last_calls.advance(sum.fast_successes),
        }
        if let Some(overdue) = &mut self.overdue {
            overdue.advance(limits.slow_call(), now, sum);
        }
    }

    /// Adds a failure if it reaches no limit even without the fast successes since they were last
    /// added up; returns `true` if it did. Then they need not be added up again.
    ///
    /// Among the last calls, a failure comes after all successes so far, and calls in flight may
    /// become overdue, so there is no such shortcut.
    fn add_out_of_reach(&mut self, now: Instant) -> bool {
        let Calls::InSpan(rates) = &mut self.calls else {
            return false;
        };
        let is_out_of_reach = self.overdue.is_none()
            && rates.is_latest(now)
            && rates.tally_with_failure().standing_on_rates(&self.limits) == Standing::Below;
        if is_out_of_reach {
            rates.add(true, false);
        }
        is_out_of_reach
    }

    /// Judges the calls that count.
    fn standing(&self, tally: Tally) -> Standing {
        match self.calls {
            // The number of failures in a span is counted by `Failures`, to the failure.
            Calls::InSpan(_) => tally.standing_on_rates(&self.limits),
            Calls::Last(_) => tally.standing(&self.limits),
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

    /// Returns the group of calls that start now; [`NO_GROUP`] where no call is timed.
    fn group(&self) -> usize {
        if self.limits.slow_call() == Span::INDEFINITE {
            return NO_GROUP;
        }
        self.overdue.as_ref().map_or(NO_GROUP, Overdue::group)
    }

    /// Returns when time alone changes something next.
    fn changes_at(&self) -> Instant {
        let overdue = self.overdue.as_ref();
        let overdue = overdue.map(|overdue| overdue.changes_at(self.limits.slow_call()));
        let first = overdue.into_iter().chain(self.calls.changes_at()).min();
        first.unwrap_or(FastPath::FOREVER)
    }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle, feature = "test-util"))))]
#[expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]
impl FullLedger {
    /// Runs `section` on the evidence of `generation`, which must be the current one.
    fn with_current<R>(&self, generation: Generation, section: impl FnOnce(&mut Locked) -> R) -> R {
        let CachePadded(locked) = &self.locked;
        locked.with(|evidence: &mut Evidence<Locked>| {
            let locked = evidence.for_generation(generation, |_| panic!("a new generation"));
            section(locked.unwrap())
        })
    }

    /// Returns how many calls are taken for in flight, overdue or not.
    pub(super) fn in_flight(&self, generation: Generation) -> i64 {
        self.with_current(generation, |locked| {
            let sum = self.in_flight.sum(generation);
            locked.overdue.as_ref().unwrap().in_flight(&sum)
        })
    }

    /// Returns how many calls are counted.
    pub(super) fn calls(&self, generation: Generation) -> u64 {
        self.with_current(generation, |locked| {
            let sum = self.in_flight.sum(generation);
            locked.tally(sum.fast_successes).calls
        })
    }
}

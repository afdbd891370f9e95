use super::in_flight::{Sum, Traffic};
use super::last_calls::LastCalls;
use super::limits::{Limits, Tally, Verdict};
use super::overdue::Hanging;
use super::rates::Rates;
use crate::circuit::evidence::Evidence;
use crate::circuit::state::Generation;
use crate::circuit::ticket::{GROUP_BITS, Start};
use crate::clock::{ClockSource, Instant, Span};
use crate::config::Config;
use crate::sync::lock::Lock;
use crate::sync::striped::CachePadded;
use crate::sync::{AtomicU64, OnceBox, Ordering};

/// The calls that count towards limits on their number or their share.
///
/// A call that is answered in time is counted where no other thread writes, and is not judged but in
/// three cases: time has gone on to where it changes the tally, a success may be the call that was
/// missing for a rate, or the evidence is of an earlier generation. One number, which all read and
/// few write, tells whether it is so. These calls and all others are judged under a lock, each by
/// itself; what they cost depends on the threads that call, and not on how many calls there are.
pub(crate) struct Ledger {
    size: Size,
    limits: Limits,
    /// A call that takes longer is slow.
    slow_call: Option<Span>,
    /// None where time changes nothing.
    watch: Option<ClockSource>,
    attention: Attention,
    traffic: Traffic,
    /// Made by the first call that needs attention.
    page: OnceBox<CachePadded<Lock<Evidence<Page>>>>,
}

/// Which calls count.
#[derive(Clone, Copy)]
enum Size {
    Span(Span),
    Calls(u32),
}

/// What is under the lock.
struct Page {
    calls: Calls,
    hanging: Option<Hanging>,
}

enum Calls {
    InSpan(Rates),
    Last(LastCalls),
}

/// How a call ended.
#[derive(Clone, Copy)]
struct End {
    failed: bool,
    slow: bool,
}

/// That the circuit must open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LimitReached;

impl Ledger {
    /// One for the rules that need it, if there are any.
    pub(super) fn new(config: &Config) -> Option<Self> {
        let slow_call = config.slow_call().map(Span::from_duration);
        let has_rate = config.failure_rate().is_some() || slow_call.is_some();
        let (size, limits) = match (
            config.window().map(Span::from_duration),
            config.last_calls(),
        ) {
            (Some(span), _) if has_rate => (Size::Span(span), Limits::on_rates(config)),
            (_, Some(calls)) => (Size::Calls(calls), Limits::on_all(config)),
            _ => return None,
        };
        Some(Self {
            size,
            limits,
            slow_call,
            watch: size.watch(slow_call),
            attention: Attention::default(),
            traffic: Traffic::default(),
            page: OnceBox::default(),
        })
    }

    /// Lets a call in, unless calls that hang reach a limit.
    #[inline]
    pub(super) fn admit(&self, generation: Generation) -> Result<Start, LimitReached> {
        if self.slow_call.is_none() {
            return Ok(Start::NONE);
        }
        self.start(generation)
    }

    /// Lets a call in whose time is measured, unless calls that hang reach a limit.
    #[inline(never)]
    fn start(&self, generation: Generation) -> Result<Start, LimitReached> {
        let now = self.now();
        if let Some(place) = self.attention.unneeded(now) {
            let start = Start::new(now, place);
            let still = || self.attention.unneeded(now) == Some(place);
            if self.traffic.started(generation, start, still) {
                return Ok(start);
            }
        }
        self.look(generation, now)
    }

    /// Counts a success; whether a limit is reached with it.
    #[inline]
    pub(super) fn success(&self, generation: Generation, start: Start) -> bool {
        let now = self.now();
        let slow = self.is_slow(start, now);
        let quiet = || self.attention.unneeded(now).is_some();
        if !slow && quiet() && self.answered_in_time(generation, start, quiet) {
            return false;
        }
        let end = End {
            failed: false,
            slow,
        };
        self.attend(generation, start, end, now)
    }

    /// Counts a failure; whether a limit is reached with it.
    pub(super) fn failure(&self, generation: Generation, start: Start) -> bool {
        let now = self.now();
        let slow = self.is_slow(start, now);
        let end = End { failed: true, slow };
        self.attend(generation, start, end, now)
    }

    /// Takes note that a call has ended which is no evidence.
    pub(super) fn no_evidence(&self, generation: Generation, start: Start) {
        if self.slow_call.is_some() {
            let slow = self.is_slow(start, self.now());
            if slow || !self.traffic.ended(generation, start) {
                self.on_page(generation, |page| {
                    self.ended(page, generation, start, slow);
                });
            }
        }
    }

    #[inline]
    fn now(&self) -> Instant {
        self.watch.map_or(Instant::from_micros(0), ClockSource::now)
    }

    #[inline]
    fn is_slow(&self, start: Start, now: Instant) -> bool {
        self.slow_call
            .is_some_and(|slow_call| now.since(start.moment()) > slow_call)
    }

    #[inline]
    fn answered_in_time(
        &self,
        generation: Generation,
        start: Start,
        still: impl FnOnce() -> bool,
    ) -> bool {
        if self.slow_call.is_some() {
            self.traffic.answered_in_time(generation, start, still)
        } else {
            self.traffic.answered(generation, still)
        }
    }

    /// Judges the calls so far, and lets one more in.
    #[cold]
    fn look(&self, generation: Generation, now: Instant) -> Result<Start, LimitReached> {
        let looked = self.on_page(generation, |page| {
            let sum = self.traffic.sum(generation);
            page.advance(now, &sum);
            if self.judge(page, generation, sum.answered) {
                return Err(LimitReached);
            }
            let start = Start::new(now, page.place());
            self.traffic.started(generation, start, || true);
            Ok(start)
        });
        // The call is of an earlier generation: it may run, and nobody asks how long it takes.
        looked.unwrap_or(Ok(Start::NONE))
    }

    /// Counts a call and judges it.
    #[inline(never)]
    fn attend(&self, generation: Generation, start: Start, end: End, now: Instant) -> bool {
        let attended = self.on_page(generation, |page| {
            let mut sum = self.traffic.sum(generation);
            page.advance(now, &sum);
            if end.failed || end.slow {
                page.calls.add(end);
                self.ended(page, generation, start, end.slow);
            } else {
                self.answered_in_time(generation, start, || true);
                sum.answered += 1;
            }
            self.judge(page, generation, sum.answered)
        });
        attended.unwrap_or(false)
    }

    /// Takes note that a call is no longer under way.
    fn ended(&self, page: &mut Page, generation: Generation, start: Start, slow: bool) {
        if let Some(hanging) = &mut page.hanging {
            if !(slow && hanging.end(start)) {
                self.traffic.ended(generation, start);
            }
        }
    }

    /// Whether a limit is reached, with so many calls that were answered in time. Says from when on
    /// others need attention.
    fn judge(&self, page: &mut Page, generation: Generation, answered: u64) -> bool {
        let mut verdict = self.limits.judge(page.tally(answered));
        if verdict == Verdict::Reached && self.watch.is_some() {
            // The time at which the call was counted may be long ago, if the system stopped this
            // thread since. What no longer counts must not open the circuit.
            let sum = self.traffic.sum(generation);
            page.advance(self.now(), &sum);
            verdict = self.limits.judge(page.tally(sum.answered));
        }
        let next = match verdict {
            Verdict::Below => page.changes_at(),
            Verdict::Near | Verdict::Reached => Instant::from_micros(0),
        };
        self.attention.set(next, page.place());
        verdict == Verdict::Reached
    }

    /// Opens the page at `generation`; `None` when that is over.
    fn on_page<R>(&self, generation: Generation, act: impl FnOnce(&mut Page) -> R) -> Option<R> {
        let CachePadded(page) = self.page.get_or_init(|| {
            let page = Page::new(self.size, self.slow_call);
            Box::new(CachePadded(Lock::new(Evidence::new(page))))
        });
        page.with(|page| {
            let page = page.of(generation, |page| {
                page.clear();
                // Before any line is of the new generation.
                self.attention.set(Instant::from_micros(0), 0);
            })?;
            self.traffic.begin(generation);
            Some(act(page))
        })
    }
}

impl Size {
    /// Off by less than a hundredth of the span, and than a tenth of what a call may take.
    fn watch(self, slow_call: Option<Span>) -> Option<ClockSource> {
        let for_calls = slow_call.map(|slow_call| slow_call.divided_by(10));
        let for_span = match self {
            Self::Span(span) => Some(span.divided_by(100)),
            Self::Calls(_) => None,
        };
        let error = for_calls.into_iter().chain(for_span).min()?;
        Some(ClockSource::for_accuracy(error))
    }
}

impl Page {
    fn new(size: Size, slow_call: Option<Span>) -> Self {
        Self {
            calls: match size {
                Size::Span(span) => Calls::InSpan(Rates::new(span)),
                Size::Calls(calls) => Calls::Last(LastCalls::new(calls)),
            },
            hanging: slow_call.map(Hanging::new),
        }
    }

    fn clear(&mut self) {
        self.calls.clear();
        if let Some(hanging) = &mut self.hanging {
            hanging.clear();
        }
    }

    fn advance(&mut self, now: Instant, sum: &Sum) {
        match &mut self.calls {
            Calls::InSpan(rates) => rates.advance(now, sum.answered),
            Calls::Last(last_calls) => last_calls.advance(sum.answered),
        }
        if let Some(hanging) = &mut self.hanging {
            hanging.advance(now, sum);
        }
    }

    fn tally(&mut self, answered: u64) -> Tally {
        let mut tally = match &mut self.calls {
            Calls::InSpan(rates) => rates.tally(answered),
            Calls::Last(last_calls) => {
                last_calls.advance(answered);
                last_calls.tally()
            }
        };
        tally.hanging = self.hanging.as_ref().map_or(0, Hanging::calls);
        tally
    }

    fn place(&self) -> usize {
        self.hanging.as_ref().map_or(0, Hanging::place)
    }

    /// When time alone changes something next.
    fn changes_at(&self) -> Instant {
        let hanging = self.hanging.as_ref().map(Hanging::changes_at);
        let calls = match &self.calls {
            Calls::InSpan(rates) => Some(rates.changes_at()),
            Calls::Last(_) => None,
        };
        let first = hanging.into_iter().chain(calls).min();
        first.unwrap_or(Attention::NEVER)
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
    fn add(&mut self, end: End) {
        match self {
            Self::InSpan(rates) => rates.add(end.failed, end.slow),
            Self::Last(last_calls) => last_calls.add(end.failed, end.slow),
        }
    }
}

/// From when on calls that are answered in time need attention, and where calls that start are under
/// way until then, as one number.
#[derive(Default)]
struct Attention(AtomicU64);

impl Attention {
    const NEVER: Instant = Instant::from_micros(u64::MAX >> GROUP_BITS);

    /// Where a call that starts `now` is under way, if it needs no attention.
    #[inline]
    fn unneeded(&self, now: Instant) -> Option<usize> {
        // Relaxed: who needs to know more takes the lock. A thread that misses the latest number
        // counts its call unjudged, and the next call that ends judges it.
        let bits = self.0.load(Ordering::Relaxed);
        let place = bits & ((1 << GROUP_BITS) - 1);
        (now.as_micros() < bits >> GROUP_BITS).then_some(place as usize)
    }

    /// Called under the lock.
    fn set(&self, next: Instant, place: usize) {
        let next = next.min(Self::NEVER).as_micros();
        let bits = next << GROUP_BITS | place as u64;
        self.0.store(bits, Ordering::Relaxed);
    }
}

#[cfg(all(test, not(circuit_loom)))]
mod tests {
    use super::{End, Ledger, Start};
    use crate::circuit::state::Generation;
    use crate::clock::{self, Instant, Span};
    use crate::config::Config;
    use std::time::Duration;

    /// A thread that the system stops after it has read the clock must not open the circuit with what
    /// no longer counts.
    #[test]
    fn a_thread_that_comes_late_opens_nothing() {
        let window = Duration::from_millis(2);
        let config = Config::builder()
            .failure_rate(1.0)
            .min_calls(2)
            .window(window);
        let ledger = Ledger::new(&config.build().unwrap()).unwrap();
        let fail_at = |now| {
            let end = End {
                failed: true,
                slow: false,
            };
            ledger.attend(Generation::FIRST, Start::NONE, end, now)
        };
        let read = clock::now();
        assert!(!fail_at(read));
        while clock::now() < read.plus(Span::from_duration(window)) {}
        assert!(!fail_at(read), "both are long ago");

        let now = Instant::from_micros(u64::MAX >> 8);
        assert!(!fail_at(now));
        assert!(fail_at(now), "both are of this moment");
    }
}

#[cfg(all(test, not(circuit_loom), not(feature = "test-util")))]
#[expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]
mod stress {
    use super::{CachePadded, Ledger, Page};
    use crate::circuit::evidence::Evidence;
    use crate::circuit::state::{Generation, Trigger, Word, transition};
    use crate::circuit::ticket::Start;
    use crate::config::Config;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;
    use std::time::Duration;

    const THREADS: usize = 80;
    const CALLS_EACH: usize = 510;

    /// Generations, one after the other.
    fn generations(count: usize) -> Vec<Generation> {
        let mut word = Word::FIRST;
        (0..count)
            .map(|_| {
                (word, _) = transition(word, Trigger::Reset, crate::clock::now());
                word.generation()
            })
            .collect()
    }

    /// How many calls the ledger takes for being under way, hanging or not.
    fn under_way(ledger: &Ledger, generation: Generation) -> i64 {
        let CachePadded(page) = ledger.page.get().unwrap();
        page.with(|page: &mut Evidence<Page>| {
            let page = page.of(generation, |_| panic!("a new page")).unwrap();
            let sum = ledger.traffic.sum(generation);
            page.hanging.as_ref().unwrap().under_way(&sum)
        })
    }

    /// More threads than have a number, on the real clock, with calls that end on other threads than
    /// they started, some of them late, and some after their generation.
    #[test]
    fn whatever_threads_do_all_calls_of_a_generation_are_counted_and_none_stays_under_way() {
        for slow_call in [1, 7, 50, 1_000, 1_000_000] {
            let config = Config::builder()
                .slow_call(Duration::from_micros(slow_call))
                .min_calls(u32::MAX)
                .window(Duration::from_secs(3_600));
            let ledger = Ledger::new(&config.build().unwrap()).unwrap();
            let generations = generations(3);
            let ended = AtomicU64::new(0);
            let moved: Mutex<Vec<(Generation, Start)>> = Mutex::default();
            let end = |(generation, start): (Generation, Start), how: usize| {
                match how % 4 {
                    0 | 1 => ledger.success(generation, start),
                    2 => ledger.failure(generation, start),
                    _ => {
                        ledger.no_evidence(generation, start);
                        return;
                    }
                };
                if generation == generations[2] {
                    ended.fetch_add(1, Ordering::Relaxed);
                }
            };
            thread::scope(|scope| {
                for thread in 0..THREADS {
                    let (generations, moved, end, ledger) = (&generations, &moved, &end, &ledger);
                    scope.spawn(move || {
                        for call in 0..CALLS_EACH {
                            let generation = generations[3 * call / CALLS_EACH];
                            let start = ledger.admit(generation).unwrap();
                            let other = {
                                let mut moved = moved.lock().unwrap();
                                let calls = moved.len();
                                if calls < 50 {
                                    moved.push((generation, start));
                                    None
                                } else {
                                    let place = (call * 31 + thread * 17) % calls;
                                    let other = &mut moved[place];
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
            assert_eq!(under_way(&ledger, generations[2]), 0);
            let counted = {
                let CachePadded(page) = ledger.page.get().unwrap();
                page.with(|page| {
                    let page = page.of(generations[2], |_| panic!("a new page")).unwrap();
                    let sum = ledger.traffic.sum(generations[2]);
                    page.tally(sum.answered).calls
                })
            };
            assert_eq!(counted, ended.load(Ordering::Relaxed));
        }
    }
}

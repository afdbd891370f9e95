use crate::circuit::state::Generation;
use crate::circuit::ticket::{GROUPS, Start};
use crate::clock::Instant;
use crate::sync::lock::Lock;
use crate::sync::striped::Striped;
use crate::sync::{AtomicU32, AtomicU64, OnceBox, Ordering};

/// The calls of a closed circuit that need no attention: those that are under way, and those that were
/// answered in time. Counted apart for each thread, in a cache line a thread, and in two more that
/// threads without a number share.
///
/// A line counts the calls of one generation: a call of another changes nothing. The first call of a
/// new one on each thread begins its line anew, under the lock of the page; so no call is counted
/// before the page is of its generation.
///
/// The two that threads share one of them begins, while the others go on: each that found a call to need
/// no attention asks once more when it has the lock, by `still`.
#[derive(Default)]
pub(super) struct Traffic {
    lines: Striped<Line>,
    shared: OnceBox<Lock<Line>>,
}

#[derive(Default)]
#[repr(align(64))]
struct Line {
    generation: AtomicU64,
    answered: AtomicU64,
    /// When the last of the calls under way was started here.
    latest_start: AtomicU64,
    /// The calls under way, in a place for each group: those that started here less those that ended
    /// here, which is below zero for many a thread.
    under_way: [AtomicU32; GROUPS],
}

/// What the lines of a generation add up to.
pub(super) struct Sum {
    pub(super) answered: u64,
    pub(super) latest_start: Instant,
    pub(super) under_way: [u32; GROUPS],
}

impl Traffic {
    /// Counts a call that was answered in time; whether it could.
    #[inline]
    pub(super) fn answered(&self, generation: Generation, still: impl FnOnce() -> bool) -> bool {
        self.count(generation, still, Line::answered)
    }

    /// Counts a call that was answered in time, and is no longer under way; whether it could.
    #[inline]
    pub(super) fn answered_in_time(
        &self,
        generation: Generation,
        start: Start,
        still: impl FnOnce() -> bool,
    ) -> bool {
        self.count(generation, still, |line| {
            // In this order: nobody must take it for two calls, one answered and one that hangs.
            line.ended(start);
            line.answered();
        })
    }

    /// Counts a call that is under way from now on; whether it could.
    #[inline]
    pub(super) fn started(
        &self,
        generation: Generation,
        start: Start,
        still: impl FnOnce() -> bool,
    ) -> bool {
        self.count(generation, still, |line| line.started(start))
    }

    /// Counts a call that is no longer under way; whether it could.
    pub(super) fn ended(&self, generation: Generation, start: Start) -> bool {
        self.count(generation, || true, |line| line.ended(start))
    }

    /// Makes a change if the thread's line is of this generation.
    #[expect(
        clippy::inline_always,
        reason = "a call of its own would cost a third of all that a success does"
    )]
    #[inline(always)]
    fn count(
        &self,
        generation: Generation,
        still: impl FnOnce() -> bool,
        change: impl Fn(&Line),
    ) -> bool {
        let counted = self.lines.with_own(|line| line.count(generation, &change));
        counted.unwrap_or_else(|| self.count_first(generation, still, change))
    }

    /// Counts what may be the first of the calling thread, or what it has no line for.
    #[inline(never)]
    fn count_first(
        &self,
        generation: Generation,
        still: impl FnOnce() -> bool,
        change: impl FnOnce(&Line),
    ) -> bool {
        match self.lines.make_own() {
            Some(line) => line.count(generation, change),
            None => self.with_shared(|line| still() && line.count(generation, change)),
        }
    }

    fn with_shared<R>(&self, act: impl FnOnce(&Line) -> R) -> R {
        self.shared.get_or_init(Box::default).with(|line| act(line))
    }

    /// Has the thread's line be of this generation, if it was of an earlier one. Lines begin one
    /// after the other, and none while they are added up.
    pub(super) fn begin(&self, generation: Generation) {
        match self.lines.make_own() {
            Some(line) => line.begin(generation),
            None => self.with_shared(|line| line.begin(generation)),
        }
    }

    /// Adds up what was counted in `generation`.
    pub(super) fn sum(&self, generation: Generation) -> Sum {
        let mut sum = Sum {
            answered: 0,
            latest_start: Instant::from_micros(0),
            under_way: [0; GROUPS],
        };
        for line in self.lines.iter() {
            line.add_to(&mut sum, generation);
        }
        if let Some(line) = self.shared.get() {
            line.with(|line| line.add_to(&mut sum, generation));
        }
        sum
    }
}

// Relaxed, unless said otherwise: each line has one writer at a time, and who adds up reads the lines one
// after the other. Calls that start or end meanwhile may be in or out.
impl Line {
    #[inline]
    fn count(&self, generation: Generation, change: impl FnOnce(&Self)) -> bool {
        let is_of = self.generation.load(Ordering::Relaxed) == generation.to_bits();
        if is_of {
            change(self);
        }
        is_of
    }

    fn begin(&self, generation: Generation) {
        if self.generation.load(Ordering::Relaxed) < generation.to_bits() {
            self.answered.store(0, Ordering::Relaxed);
            self.latest_start.store(0, Ordering::Relaxed);
            for calls in &self.under_way {
                calls.store(0, Ordering::Relaxed);
            }
            self.generation
                .store(generation.to_bits(), Ordering::Relaxed);
        }
    }

    #[inline]
    fn answered(&self) {
        let answered = self.answered.load(Ordering::Relaxed);
        // Release: who counts it as answered does not count it as under way.
        self.answered
            .store(answered.wrapping_add(1), Ordering::Release);
    }

    #[inline]
    fn started(&self, start: Start) {
        let moment = start.moment().as_micros();
        // Of threads that share the line, one may have read the clock before another, and come after.
        let latest_start = self.latest_start.load(Ordering::Relaxed);
        self.latest_start
            .store(latest_start.max(moment), Ordering::Relaxed);
        self.change_under_way(start, 1);
    }

    #[inline]
    fn ended(&self, start: Start) {
        self.change_under_way(start, 1_u32.wrapping_neg());
    }

    #[inline]
    fn change_under_way(&self, start: Start, change: u32) {
        if let Some(calls) = self.under_way.get(start.group()) {
            let changed = calls.load(Ordering::Relaxed).wrapping_add(change);
            // Release: who counts a call as under way knows its start.
            calls.store(changed, Ordering::Release);
        }
    }

    fn add_to(&self, sum: &mut Sum, generation: Generation) {
        if self.generation.load(Ordering::Relaxed) != generation.to_bits() {
            return;
        }
        sum.answered += self.answered.load(Ordering::Acquire);
        for (sum, calls) in sum.under_way.iter_mut().zip(&self.under_way) {
            *sum = sum.wrapping_add(calls.load(Ordering::Acquire));
        }
        let latest_start = Instant::from_micros(self.latest_start.load(Ordering::Relaxed));
        sum.latest_start = sum.latest_start.max(latest_start);
    }
}

#[cfg(all(test, not(circuit_loom)))]
mod tests {
    use super::Line;
    use crate::circuit::ticket::Start;
    use crate::clock::Instant;
    use crate::sync::Ordering;

    #[test]
    fn a_thread_that_comes_late_does_not_make_the_latest_start_earlier() {
        let line = Line::default();
        for micros in [100, 200, 150] {
            line.started(Start::new(Instant::from_micros(micros), 0));
        }
        assert_eq!(line.latest_start.load(Ordering::Relaxed), 200);
    }
}

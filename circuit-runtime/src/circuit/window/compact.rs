//! The evidence of a circuit that has had few calls and no failure.

use super::buckets::Tenths;
use super::counting::Counting;
use super::group_pair::GroupPair;
use super::recent_successes::{Older, RecentSuccesses};
use super::tally::Tally;
use crate::circuit::limits::{Counted, Limits};
use crate::circuit::policy::Policy;
use crate::circuit::ticket::Start;
use crate::clock::{Instant, Span};
use crate::sync::lock::with_lock_of;
use crate::sync::{AtomicU16, AtomicU64, Ordering};

/// The fast successes and the calls in flight of the first generation, in 32 bytes. Used as long as
/// there were few calls, all of them fast successes.
///
/// Every change is one compare-and-swap. A lock is taken when a success begins a tenth of the
/// window, and to move everything to the full ledger. The words are marked as moved by then, and
/// each thread that finds the mark counts in the full ledger.
pub(super) struct Compact {
    /// A [`RecentSuccesses`].
    successes: AtomicU64,
    /// A [`GroupPair`].
    in_flight: AtomicU64,
    /// The two words of [`Older`] successes, written under the lock.
    older: AtomicU64,
    oldest: AtomicU16,
    /// For the whole window, kept here because it takes no more room.
    counting: Counting,
}

/// Everything that was counted in a [`Compact`].
#[derive(Clone, Copy)]
pub(super) struct Contents {
    successes: RecentSuccesses,
    older: Older,
    in_flight: GroupPair,
}

impl Compact {
    /// Creates empty evidence, or evidence that is suspended.
    pub(super) fn new(counted: Counted, is_suspended: bool) -> Self {
        let word = |moved| AtomicU64::new(if is_suspended { moved } else { 0 });
        Self {
            successes: word(RecentSuccesses::MOVED),
            in_flight: word(GroupPair::MOVED),
            older: AtomicU64::new(0),
            oldest: AtomicU16::new(0),
            counting: Counting::new(counted),
        }
    }

    #[inline]
    pub(super) fn counting(&self) -> &Counting {
        &self.counting
    }

    /// Counts a fast success; returns whether there was room for it.
    pub(super) fn add_success(&self, policy: &Policy, now: Instant) -> bool {
        let Some(index) = RecentSuccesses::index_at(policy.window(), now) else {
            return false;
        };
        // Release: a thread that moves this success sees that the call is no longer in flight.
        // Relaxed on failure: the value is only a guess.
        let counted = self
            .successes
            .fetch_update(Ordering::Release, Ordering::Relaxed, |bits| {
                let recent = RecentSuccesses::from_bits(bits)?;
                let is_latest = !recent.is_before(index);
                is_latest
                    .then(|| recent.plus_one())?
                    .map(RecentSuccesses::to_bits)
            });
        counted.is_ok() || with_lock_of(self, || self.add_to_later(policy.window(), now))
    }

    /// Slow path: begins the tenth of `now` first, unless another thread has. Called under the
    /// lock, which orders the window's length and the evidence for it.
    fn add_to_later(&self, window: Span, now: Instant) -> bool {
        let Some(index) = RecentSuccesses::index_at(window, now) else {
            return false;
        };
        let older = self.older();
        let mut left = older;
        let counted = self
            .successes
            .fetch_update(Ordering::Release, Ordering::Relaxed, |bits| {
                let mut recent = RecentSuccesses::from_bits(bits)?;
                left = older;
                if recent.is_before(index) {
                    (recent, left) = recent.advanced(older, index);
                }
                recent.plus_one().map(RecentSuccesses::to_bits)
            });
        if counted.is_ok() {
            let (low, high) = left.to_words();
            // Relaxed: ordered by the lock.
            self.older.store(low, Ordering::Relaxed);
            self.oldest.store(high, Ordering::Relaxed);
        }
        counted.is_ok()
    }

    fn older(&self) -> Older {
        let low = self.older.load(Ordering::Relaxed);
        Older::from_words(low, self.oldest.load(Ordering::Relaxed))
    }

    /// Counts a call that is in flight from now on; `None` if there is no room for it, or if a call
    /// is overdue.
    pub(super) fn start(&self, slow_call: Span, now: Instant) -> Option<Start> {
        let mut started = None;
        // Relaxed: nothing else is read after it.
        let counted = self
            .in_flight
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |bits| {
                let (pair, start) = GroupPair::from_bits(bits)?.started(slow_call, now)?;
                started = Some(start);
                Some(pair.to_bits())
            });
        counted.ok().and(started)
    }

    /// Counts a call that is no longer in flight; returns `false` if it was not counted here, or if
    /// another one is overdue by `now`.
    pub(super) fn end(&self, slow_call: Span, start: Start, now: Instant) -> bool {
        // Relaxed: `add_success` orders what follows.
        let counted = self
            .in_flight
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |bits| {
                let pair = GroupPair::from_bits(bits)?.ended(slow_call, start)?;
                (!pair.is_overdue(slow_call, now)).then(|| pair.to_bits())
            });
        counted.is_ok()
    }

    /// Ends the flight of a success, as [`end`](Self::end) does. One that started while no call was
    /// timed is not counted here.
    pub(super) fn end_success(&self, slow_call: Span, start: Start, now: Instant) -> bool {
        if start != Start::NONE {
            return self.end(slow_call, start, now);
        }
        // Relaxed: a call that starts meanwhile is not overdue.
        let in_flight = GroupPair::from_bits(self.in_flight.load(Ordering::Relaxed));
        !in_flight.is_some_and(|pair| pair.is_overdue(slow_call, now))
    }

    /// Marks the words as moved and passes everything that was counted to `take`, unless that has
    /// happened before. Nothing is counted here from then on.
    pub(super) fn move_to(&self, take: impl FnOnce(Option<Contents>)) {
        with_lock_of(self, || take(self.take()));
    }

    /// Marks the words as moved and returns everything that was counted. Called under the lock.
    fn take(&self) -> Option<Contents> {
        // Acquire: pairs with the release in `add_success`. In this order, so that a call which
        // ends meanwhile is not moved both as a success and as in flight.
        let successes = self
            .successes
            .swap(RecentSuccesses::MOVED, Ordering::Acquire);
        let in_flight = self.in_flight.swap(GroupPair::MOVED, Ordering::Relaxed);
        Some(Contents {
            successes: RecentSuccesses::from_bits(successes)?,
            older: self.older(),
            // Suspended without any.
            in_flight: GroupPair::from_bits(in_flight).unwrap_or_default(),
        })
    }

    /// Stops counting here until [`resume`](Self::resume), as the length of the window or
    /// `slow_call` is about to change: a thread that has read the earlier value changes no word
    /// from then on. If there are calls in flight, everything is passed to `take`, and is moved for
    /// good. Otherwise the successes are kept if `keeps_successes`, and dropped if not.
    pub(super) fn suspend(&self, keeps_successes: bool, take: impl FnOnce(Contents)) {
        with_lock_of(self, || {
            // Relaxed: the compare-and-swap verifies it.
            let in_flight = self.in_flight.load(Ordering::Relaxed);
            let is_idle =
                |in_flight| GroupPair::from_bits(in_flight).is_some_and(GroupPair::is_empty);
            let suspended = is_idle(in_flight)
                // Relaxed: an idle word publishes nothing. The new rules are published after it.
                && self
                    .in_flight
                    .compare_exchange(
                        in_flight,
                        GroupPair::MOVED,
                        Ordering::Relaxed,
                        Ordering::Relaxed,
                    )
                    .is_ok();
            if !suspended {
                if let Some(contents) = self.take() {
                    take(contents);
                }
            } else if !keeps_successes {
                // Relaxed, and no swap: a success that is added before is dropped, too.
                self.successes
                    .store(RecentSuccesses::MOVED, Ordering::Relaxed);
            }
        });
    }

    /// Counts here again, unless `is_moved` says that everything has been moved for good.
    pub(super) fn resume(&self, now: Instant, is_moved: impl FnOnce() -> bool) {
        with_lock_of(self, || {
            if is_moved() {
                return;
            }
            // Relaxed here and below: the mark is written and removed under the lock alone.
            let in_flight = self.in_flight.load(Ordering::Relaxed);
            if in_flight == GroupPair::MOVED {
                // Differs from every earlier word, so a compare-and-swap from before fails.
                let empty = GroupPair::empty_at(now.plus(Span::MIN));
                self.in_flight.store(empty.to_bits(), Ordering::Relaxed);
            }
            let successes = self.successes.load(Ordering::Relaxed);
            if successes == RecentSuccesses::MOVED {
                self.older.store(0, Ordering::Relaxed);
                self.oldest.store(0, Ordering::Relaxed);
                // A thread that takes this for an earlier word begins its tenth under the lock.
                self.successes.store(0, Ordering::Relaxed);
            }
        });
    }

    /// Returns everything that was counted; `None` once it has been moved.
    pub(super) fn contents(&self) -> Option<Contents> {
        with_lock_of(self, || {
            // Acquire: pairs with the release in `add_success`, as above.
            let successes = self.successes.load(Ordering::Acquire);
            let in_flight = self.in_flight.load(Ordering::Relaxed);
            Some(Contents {
                successes: RecentSuccesses::from_bits(successes)?,
                older: self.older(),
                in_flight: GroupPair::from_bits(in_flight).unwrap_or_default(),
            })
        })
    }
}

impl Contents {
    /// Returns how many calls have succeeded.
    pub(super) const fn total(&self) -> u64 {
        self.successes.total()
    }

    /// Returns the successes that still count, by tenths of the window, oldest first.
    pub(super) fn successes(&self) -> impl Iterator<Item = (u64, u64)> {
        self.successes.by_index(self.older)
    }

    /// Returns the latest start and the number of calls of each group in flight, in order.
    pub(super) fn in_flight(&self, slow_call: Span) -> impl Iterator<Item = (Start, u32)> {
        self.in_flight.groups(slow_call)
    }

    /// Adds up the calls that count at `now`.
    pub(super) fn tally(&self, limits: &Limits, now: Instant) -> Tally {
        let calls = match limits.last_calls() {
            0 => {
                let tenths = Tenths::from_span(limits.window());
                let oldest = Tenths::oldest(tenths.index_at(now));
                let counted = self.successes().filter(|(index, _)| *index >= oldest);
                counted.map(|(_, calls)| calls).fold(0, u64::saturating_add)
            }
            last_calls => self.total().min(last_calls.into()),
        };
        let is_overdue = |start: &Start| now.since(start.moment()) > limits.slow_call();
        let overdue = self
            .in_flight(limits.slow_call())
            .filter(|(latest, _)| is_overdue(latest))
            .map(|(_, calls)| u64::from(calls))
            .fold(0, u64::saturating_add);
        Tally {
            calls,
            overdue,
            ..Tally::default()
        }
    }
}

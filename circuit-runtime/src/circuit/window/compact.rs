//! The evidence of a circuit that has had few calls and no failure.

use super::buckets::Tenths;
use super::group_pair::GroupPair;
use super::limits::Tally;
use super::recent_successes::{Older, RecentSuccesses};
use crate::circuit::policy::Limits;
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
    /// Kept here, where it takes no more room, and its niche tells a ledger from the other windows.
    kind: Kind,
}

/// Which calls count.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Those of a span of time.
    InSpan,
    /// The last ones, however long ago.
    Last,
}

/// Everything that was counted in a [`Compact`].
#[derive(Clone, Copy)]
pub(super) struct Contents {
    kind: Kind,
    successes: RecentSuccesses,
    older: Older,
    in_flight: GroupPair,
}

impl Compact {
    /// Creates empty evidence.
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            successes: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            older: AtomicU64::new(0),
            oldest: AtomicU16::new(0),
            kind,
        }
    }

    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    /// Counts a fast success; returns whether there was room for it.
    pub(super) fn add_success(&self, window: Span, now: Instant) -> bool {
        let Some(index) = RecentSuccesses::index_at(window, now) else {
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
        counted.is_ok() || with_lock_of(self, || self.add_to_later(index))
    }

    /// Slow path: begins the tenth at `index` first, unless another thread has. Called under the
    /// lock.
    fn add_to_later(&self, index: u64) -> bool {
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

    /// Marks the words as moved and passes everything that was counted to `take`, unless that has
    /// happened before. Nothing is counted here from then on.
    pub(super) fn move_to(&self, take: impl FnOnce(Contents)) {
        with_lock_of(self, || {
            // Acquire: pairs with the release in `add_success`. In this order, so that a call which
            // ends meanwhile is not moved both as a success and as in flight.
            let successes = self
                .successes
                .swap(RecentSuccesses::MOVED, Ordering::Acquire);
            let in_flight = self.in_flight.swap(GroupPair::MOVED, Ordering::Relaxed);
            let successes = RecentSuccesses::from_bits(successes);
            if let Some((successes, in_flight)) = successes.zip(GroupPair::from_bits(in_flight)) {
                take(Contents {
                    kind: self.kind,
                    successes,
                    older: self.older(),
                    in_flight,
                });
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
                kind: self.kind,
                successes: RecentSuccesses::from_bits(successes)?,
                older: self.older(),
                in_flight: GroupPair::from_bits(in_flight)?,
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
        let calls = match self.kind {
            Kind::InSpan => {
                let tenths = Tenths::from_span(limits.window());
                let oldest = Tenths::oldest(tenths.index_at(now));
                let counted = self.successes().filter(|(index, _)| *index >= oldest);
                counted.map(|(_, calls)| calls).fold(0, u64::saturating_add)
            }
            Kind::Last => self.total().min(limits.last_calls().into()),
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

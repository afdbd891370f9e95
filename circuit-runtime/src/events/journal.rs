//! The latest changes of all circuits, in order.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::change::StateChange;
use super::listeners::{self, Subscribed};

/// How many changes are kept.
const KEPT: usize = 256;

/// The latest changes of all circuits, numbered in their order.
///
/// A ring of fixed size, so that recording a change allocates nothing.
pub(super) struct Journal {
    ring: Mutex<Ring>,
    recorded: Notify,
}

struct Ring {
    changes: [Option<StateChange>; KEPT],
    /// The number of the next change: the number of changes so far.
    next: u64,
}

/// The result of reading on in the journal.
pub(super) enum Entry {
    Change(StateChange),
    /// The next changes, of this number, are no longer kept.
    Missed(u64),
    /// There is no further change yet.
    End,
}

/// The journal of the process. The lock is that of the standard library, in models, too: no section
/// does anything that they observe.
pub(super) static JOURNAL: Journal = Journal::new();

impl Journal {
    #[expect(
        clippy::large_stack_arrays,
        reason = "evaluated by the compiler, for a static"
    )]
    const fn new() -> Self {
        Self {
            ring: Mutex::new(Ring {
                changes: [const { None }; KEPT],
                next: 0,
            }),
            recorded: Notify::const_new(),
        }
    }

    /// Adds a change as the latest. Returns its number and the listeners to all circuits, which
    /// subscribe before a change or after it, in the order of the numbers.
    pub(super) fn record(&self, change: &StateChange) -> (u64, Option<Subscribed>) {
        let change = change.clone();
        let (number, displaced, listeners) = self.with_ring(|ring| {
            let number = ring.next;
            (number, ring.push(change), listeners::global_subscribed())
        });
        drop(displaced);
        (number, listeners)
    }

    /// Returns the changes that are kept, oldest first.
    pub(super) fn history(&self) -> Vec<StateChange> {
        self.with_ring(|ring| {
            let oldest = ring.oldest();
            let numbers = oldest..ring.next;
            numbers.filter_map(|number| ring.get(number)).collect()
        })
    }

    /// Returns the number that the next change will have.
    pub(super) fn next(&self) -> u64 {
        self.with_ring(|ring| ring.next)
    }

    /// Reads the change with this number. If it is no longer kept, moves on to the oldest.
    pub(super) fn read(&self, number: &mut u64) -> Entry {
        self.with_ring(|ring| {
            let missed = ring.oldest().saturating_sub(*number);
            if missed > 0 {
                *number = ring.oldest();
                return Entry::Missed(missed);
            }
            match ring.get(*number) {
                Some(change) => {
                    *number = number.wrapping_add(1);
                    Entry::Change(change)
                }
                None => Entry::End,
            }
        })
    }

    /// Wakes the receivers that wait for a change.
    pub(super) fn notify(&self) {
        self.recorded.notify_waiters();
    }

    /// Completes with the next call of [`notify`](Self::notify).
    pub(super) fn recorded(&self) -> Notified<'_> {
        self.recorded.notified()
    }

    fn with_ring<R>(&self, section: impl FnOnce(&mut Ring) -> R) -> R {
        // No section panics half-way, so poisoning is harmless.
        section(&mut self.ring.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Ring {
    /// Returns the number of the oldest change that is kept.
    fn oldest(&self) -> u64 {
        self.next.saturating_sub(KEPT as u64)
    }

    fn get(&self, number: u64) -> Option<StateChange> {
        if number >= self.next {
            return None;
        }
        self.changes.get(index(number))?.clone()
    }

    /// Adds a change; returns the one that it displaces.
    fn push(&mut self, change: StateChange) -> Option<StateChange> {
        let displaced = self.changes.get_mut(index(self.next))?.replace(change);
        self.next = self.next.wrapping_add(1);
        displaced
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "below the size of the ring"
)]
const fn index(number: u64) -> usize {
    number.rem_euclid(KEPT as u64) as usize
}

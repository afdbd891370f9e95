//! The delivery of changes to their listeners: one after the other, in the order of the journal.

use std::any::Any;
use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::mem::ManuallyDrop;
use std::sync::Arc;

use super::change::StateChange;
use super::journal::JOURNAL;
use super::listeners::{Listeners, Subscribed};
use super::panics::contain;
#[cfg(any(circuit_loom, circuit_shuttle))]
use crate::sync::checker;
use crate::sync::lock::Lock;

/// The changes of one circuit that have consumers. Part of what the lock of its transitions
/// protects.
#[derive(Default)]
pub(crate) struct Delivery {
    /// Created with the first change that has a consumer.
    queue: Option<Arc<Queue>>,
    /// Kept alive until the next change is delivered.
    kept: Option<Kept>,
}

/// An owner that is kept alive.
type Kept = Arc<dyn Any + Send + Sync>;

/// The changes of one circuit that wait until an earlier one is delivered. Changes in delivery keep
/// it alive, whatever becomes of the circuit.
#[derive(Default)]
struct Queue(Lock<Waiting>);

#[derive(Default)]
struct Waiting {
    changes: VecDeque<Addressed>,
    /// True while some thread has a change of this circuit to deliver. It also delivers those that
    /// follow.
    is_claimed: bool,
}

/// A change with its consumers: the listeners that were subscribed when it was recorded.
struct Addressed {
    /// The number of the change in the journal.
    number: u64,
    change: StateChange,
    /// To the circuit alone, and to all.
    listeners: [Option<Subscribed>; 2],
    /// Dropped once the change is delivered.
    kept: Option<Kept>,
}

/// The next change of a circuit, for the thread that has claimed the queue.
struct Due {
    next: Addressed,
    queue: Arc<Queue>,
}

/// A change that is recorded, for the thread that caused it.
#[must_use = "a change that is recorded must be delivered, without the lock"]
pub(crate) struct Record {
    /// `None` if it has no consumer, or if another change of the circuit is being delivered.
    due: Option<Due>,
}

/// The changes that a thread has to deliver once it has delivered the current one, one of each
/// circuit, by their numbers. `None` while it delivers nothing.
///
/// Without a destructor, so that a thread that is exiting still has it. Nothing leaks: it is `None`
/// whenever the thread delivers nothing.
type OfThread = ManuallyDrop<Cell<Option<BinaryHeap<Reverse<Due>>>>>;

#[cfg(not(any(circuit_loom, circuit_shuttle)))]
thread_local! {
    static OF_THREAD: OfThread = const { ManuallyDrop::new(Cell::new(None)) };
}

#[cfg(any(circuit_loom, circuit_shuttle))]
checker::thread_local! {
    static OF_THREAD: OfThread = ManuallyDrop::new(Cell::new(None));
}

impl Delivery {
    /// Keeps an owner alive until the next change is delivered; `None` ends that.
    pub(crate) fn keep(&mut self, owner: Option<Arc<impl Any + Send + Sync>>) {
        self.kept = owner.map(|owner| owner as Kept);
    }

    /// Records a change, under the lock of the transitions: so the journal has the order of the
    /// states. Allocates only for a change that has a consumer.
    pub(crate) fn record(&mut self, change: StateChange, own: Option<&Listeners>) -> Record {
        let kept = self.kept.take();
        let own = own.and_then(Listeners::subscribed);
        let (number, to_all) = JOURNAL.record(&change);
        let listeners = [own, to_all];
        if listeners.iter().all(Option::is_none) && !is_logged() {
            return Record { due: None };
        }
        let addressed = Addressed {
            number,
            change,
            listeners,
            kept,
        };
        let queue = self.queue.get_or_insert_default();
        let due = queue.claim(addressed).map(|next| Due {
            next,
            queue: Arc::clone(queue),
        });
        Record { due }
    }
}

impl Queue {
    /// Returns the change if it is to be delivered now, by the caller; or else keeps it for the
    /// thread that delivers those before.
    fn claim(&self, change: Addressed) -> Option<Addressed> {
        self.0.with(|waiting| {
            if waiting.is_claimed {
                waiting.changes.push_back(change);
                return None;
            }
            waiting.is_claimed = true;
            Some(change)
        })
    }

    /// Returns the next change for the thread that has claimed the queue. If there is none, the
    /// claim ends.
    fn next(&self) -> Option<Addressed> {
        self.0.with(|waiting| {
            let next = waiting.changes.pop_front();
            if next.is_none() {
                waiting.is_claimed = false;
                // Frees the queue, which may have grown while a listener blocked.
                waiting.changes = VecDeque::new();
            }
            next
        })
    }
}

impl Record {
    /// Delivers the change, and those that follow it meanwhile. Called without any lock.
    ///
    /// If a listener has caused the change, the thread delivers it later: not recursively, and
    /// after the changes that were recorded before.
    pub(crate) fn deliver(self) {
        // The wakers of receivers are user code, too.
        contain(|| JOURNAL.notify());
        let Some(due) = self.due else {
            return;
        };
        let mut next = begin(due);
        while let Some(Due {
            next: change,
            queue,
        }) = next
        {
            change.tell();
            let following = queue.next();
            next = following_or_end(following.map(|next| Due { next, queue }));
        }
    }
}

/// Returns the change if the calling thread can deliver it now. If the thread is delivering
/// another, it delivers this one later.
fn begin(due: Due) -> Option<Due> {
    let mut due = Some(due);
    // Without the queue of the thread, the change is delivered at once, within the current one.
    let _ = OF_THREAD.try_with(|of_thread| {
        let queued = match (of_thread.take(), due.take()) {
            (Some(mut queued), Some(due)) => {
                queued.push(Reverse(due));
                queued
            }
            (None, first) => {
                due = first;
                BinaryHeap::new()
            }
            (Some(queued), None) => queued,
        };
        of_thread.set(Some(queued));
    });
    due
}

/// Returns the earliest change that the calling thread still has to deliver, `following` included.
/// If there is none, its delivery ends.
fn following_or_end(following: Option<Due>) -> Option<Due> {
    let mut following = following;
    let _ = OF_THREAD.try_with(|of_thread| {
        let mut queued = of_thread.take().unwrap_or_default();
        queued.extend(following.take().map(Reverse));
        following = queued.pop().map(|Reverse(earliest)| earliest);
        of_thread.set(following.is_some().then_some(queued));
    });
    following
}

impl Addressed {
    /// Tells all consumers, and contains the panic of each.
    fn tell(self) {
        #[cfg(feature = "tracing")]
        contain(|| super::log::log(&self.change));
        for listeners in self.listeners.iter().flatten() {
            listeners.call(&self.change);
        }
        drop(self.kept);
    }
}

/// Returns whether a subscriber of the log may want a change.
fn is_logged() -> bool {
    #[cfg(feature = "tracing")]
    let is_logged = super::log::is_enabled();
    #[cfg(not(feature = "tracing"))]
    let is_logged = false;
    is_logged
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.next.number.cmp(&other.next.number)
    }
}

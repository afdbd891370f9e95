//! The waker of a receiver, which may be code of the user's.

use std::sync::Arc;
use std::task::{Wake, Waker};

use super::panics::contain;

/// Wakes the task of a receiver. If its waker panics, now or when it is dropped, the others that
/// are woken in turn are not affected.
pub(super) struct TaskWaker {
    /// `None` only while it is dropped.
    task: Option<Waker>,
}

impl TaskWaker {
    /// Returns the waker of a task: `last`, if it is that.
    pub(super) fn for_task(task: &Waker, last: &mut Option<Arc<Self>>) -> Waker {
        let is_for_task = |last: &Arc<Self>| {
            let waker = last.task.as_ref();
            waker.is_some_and(|waker| waker.will_wake(task))
        };
        let last = match last.take().filter(is_for_task) {
            Some(waker) => last.insert(waker),
            None => last.insert(Arc::new(Self {
                task: Some(task.clone()),
            })),
        };
        Waker::from(Arc::clone(last))
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(task) = &self.task {
            contain(|| task.wake_by_ref());
        }
    }
}

impl Drop for TaskWaker {
    fn drop(&mut self) {
        let task = self.task.take();
        contain(|| drop(task));
    }
}

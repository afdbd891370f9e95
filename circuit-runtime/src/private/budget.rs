//! The cooperative budget of a task.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::task::coop;

/// Takes a unit from the cooperative budget of the task, and waits while it is used up. A fallback
/// begins with it, so that a loop of rejected calls lets other tasks run.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct TakeBudget;

impl Future for TakeBudget {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        ready!(coop::poll_proceed(cx)).made_progress();
        Poll::Ready(())
    }
}

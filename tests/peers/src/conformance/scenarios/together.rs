//! Concurrent calls.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::thread;

use crate::adapter::{Failed, Library, Wish, Work};
use crate::threads::on_threads;
use crate::trial::{Call, Ending, Trial, Verdict, ensure};

const CALLS: usize = 8;

/// Work that ends once [`CALLS`] are in flight.
struct Meeting {
    inside: Arc<AtomicUsize>,
    counted: bool,
}

impl Future for Meeting {
    type Output = Result<(), Failed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.counted {
            self.counted = true;
            self.inside.fetch_add(1, Ordering::SeqCst);
        }
        if self.inside.load(Ordering::SeqCst) >= CALLS {
            return Poll::Ready(Ok(()));
        }
        thread::yield_now();
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// If they do not, this does not end.
pub(super) async fn concurrent_calls(library: &dyn Library) -> Verdict {
    let trial = Trial::new(library, Wish::Failures)?;
    let calls = trial.begin_many(CALLS);
    ensure(calls.iter().all(Call::started), "calls wait for each other")?;
    for call in calls {
        call.end(Ending::Success).await;
    }

    let inside = Arc::new(AtomicUsize::new(0));
    on_threads(
        &trial,
        CALLS,
        || {
            let counted = false;
            let inside = Arc::clone(&inside);
            Work::new(Meeting { inside, counted })
        },
        |_| (),
    );
    let inside = inside.load(Ordering::SeqCst);
    ensure(inside == CALLS, format!("{inside} of {CALLS} run"))
}

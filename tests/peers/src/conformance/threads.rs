//! Calls on real threads.

use std::hint;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::runtime::{Builder, Handle};
use tokio::task::unconstrained;

use crate::adapter::{Answer, Time, Work};
use crate::trial::Trial;

/// Calls from so many threads that begin together, and has each of them say what it got.
pub(crate) fn on_threads(
    trial: &Trial,
    threads: usize,
    work: impl Fn() -> Work + Sync,
    told: impl Fn(Answer) + Sync,
) {
    let begin = StartingLine::new(threads);
    let runtime = Handle::current();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let call = || {
                    begin.cross();
                    unconstrained(trial.breaker.call(work()))
                };
                told(match trial.time {
                    Time::Virtual => {
                        // The clock that is paused.
                        let _entered = runtime.enter();
                        wait_for(call())
                    }
                    Time::Real => match Builder::new_current_thread().enable_time().build() {
                        Ok(own) => own.block_on(async { call().await }),
                        Err(error) => panic!("no runtime: {error}"),
                    },
                });
            });
        }
    });
}

/// Where all cross as nearly at the same moment as they can.
struct StartingLine {
    missing: AtomicUsize,
}

impl StartingLine {
    fn new(threads: usize) -> Self {
        let missing = AtomicUsize::new(threads);
        Self { missing }
    }

    fn cross(&self) {
        self.missing.fetch_sub(1, Ordering::SeqCst);
        // Who sleeps comes late. With fewer processors than threads the others need to be let in.
        for turn in 1_u32.. {
            if self.missing.load(Ordering::SeqCst) == 0 {
                break;
            }
            if turn.is_multiple_of(200) {
                thread::yield_now();
            } else {
                hint::spin_loop();
            }
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn wait_for<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

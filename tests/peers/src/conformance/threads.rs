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

/// Makes one call on each of `threads` threads that start together, and passes on their answers.
pub(crate) fn on_threads(
    trial: &Trial,
    threads: usize,
    work: impl Fn() -> Work + Sync,
    report: impl Fn(Answer) + Sync,
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
                report(match trial.time {
                    Time::Virtual => {
                        // For the paused clock.
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

/// A barrier that spins, so that all threads pass it at nearly the same moment.
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
        // Spins, as a thread that sleeps is late. Yields at times, for threads without a processor.
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

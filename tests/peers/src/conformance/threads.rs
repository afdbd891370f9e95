//! Calls on real threads.

use std::pin::pin;
use std::sync::{Arc, Barrier};
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
    let begin = Barrier::new(threads);
    let runtime = Handle::current();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let call = || {
                    begin.wait();
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

//! Tokio's paused clock, advanced while a call runs or is recorded.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use tokio::runtime::Runtime;

/// Advances the clock of the current runtime at once.
pub(crate) fn elapse(time: Duration) {
    if !time.is_zero() {
        let mut cx = Context::from_waker(Waker::noop());
        let _ = pin!(tokio::time::advance(time)).poll(&mut cx);
    }
}

/// Runs `act` while another thread advances the clock of `runtime` by a microsecond again and
/// again, so that it moves within whatever reads it more than once.
pub(crate) fn with_moving_clock<R>(runtime: &Runtime, act: impl FnOnce() -> R) -> R {
    struct Stop<'s>(&'s AtomicBool);

    impl Drop for Stop<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    let stopped = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _entered = runtime.enter();
            while !stopped.load(Ordering::Relaxed) {
                elapse(Duration::from_micros(1));
            }
        });
        let _stop = Stop(&stopped);
        act()
    })
}

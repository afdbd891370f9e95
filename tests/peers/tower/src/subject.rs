//! A layer under test, and the service inside of it.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tower::Service;

/// How long a circuit stays open.
pub(crate) const RESET: Duration = Duration::from_millis(60);

/// The failures that open a circuit.
pub(crate) const FAILURES: usize = 5;

/// The error of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("failed")
    }
}

impl std::error::Error for Failed {}

/// The state that the clones of a service share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) fails: AtomicBool,
    pub(crate) hangs: AtomicBool,
    pub(crate) is_dead: AtomicBool,
    pub(crate) calls: AtomicUsize,
    pub(crate) unready_calls: AtomicUsize,
}

impl Shared {
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

/// A service that answers at once. A clone has yet to become ready.
#[derive(Debug, Default)]
pub(crate) struct Inner {
    pub(crate) shared: Arc<Shared>,
    is_ready: bool,
}

impl Clone for Inner {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            is_ready: false,
        }
    }
}

impl Service<()> for Inner {
    type Response = ();
    type Error = Failed;
    type Future = Ready<Result<(), Failed>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        if self.shared.is_dead.load(Ordering::Relaxed) {
            return Poll::Ready(Err(Failed));
        }
        if self.shared.hangs.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        self.shared.calls.fetch_add(1, Ordering::Relaxed);
        if !self.is_ready {
            self.shared.unready_calls.fetch_add(1, Ordering::Relaxed);
        }
        self.is_ready = false;
        if self.shared.fails.load(Ordering::Relaxed) {
            ready(Err(Failed))
        } else {
            ready(Ok(()))
        }
    }
}

/// A layer of a library, with its circuit closed.
pub(crate) trait Subject {
    type Service: Service<(), Response = ()> + Clone + 'static;

    const TITLE: &'static str;

    fn new() -> Self;

    /// Applies the layer.
    fn layer(&self, inner: Inner) -> Self::Service;

    /// Lets the wait of an open circuit pass.
    fn pass(&self) {
        std::thread::sleep(RESET + Duration::from_millis(5));
    }
}

pub(crate) fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// The end of a call, as its caller sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    Error,
    NotReady,
    ReadinessFailed,
    Pending,
}

/// Makes the service ready, calls it, and polls the call once.
pub(crate) fn call<S: Service<(), Response = ()>>(service: &mut S) -> Answer {
    match service.poll_ready(&mut context()) {
        Poll::Pending => return Answer::NotReady,
        Poll::Ready(Err(_)) => return Answer::ReadinessFailed,
        Poll::Ready(Ok(())) => {}
    }
    match std::pin::pin!(service.call(())).poll(&mut context()) {
        Poll::Ready(Ok(())) => Answer::Done,
        Poll::Ready(Err(_)) => Answer::Error,
        Poll::Pending => Answer::Pending,
    }
}

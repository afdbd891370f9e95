//! A future that is created when it is first polled.

use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

pin_project! {
    /// The future that `create` returns, created by the first poll.
    #[project = DeferredProjection]
    pub enum Deferred<C, F> {
        // `None` after `create` has panicked.
        Uncreated { create: Option<C> },
        Created { #[pin] future: F },
    }
}

impl<C, F> Deferred<C, F> {
    pub(crate) const fn new(create: C) -> Self {
        Self::Uncreated {
            create: Some(create),
        }
    }
}

impl<C, F> Future for Deferred<C, F>
where
    C: FnOnce() -> F,
    F: Future,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        if let DeferredProjection::Uncreated { create } = self.as_mut().project() {
            let Some(create) = create.take() else {
                return Poll::Pending;
            };
            let future = create();
            self.set(Self::Created { future });
        }
        match self.project() {
            DeferredProjection::Created { future } => future.poll(cx),
            DeferredProjection::Uncreated { .. } => Poll::Pending,
        }
    }
}

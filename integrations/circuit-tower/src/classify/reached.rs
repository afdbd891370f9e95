//! Errors and responses of layers that call no service.

use std::any::Any;
use std::error::Error;

use circuit_runtime::{CircuitError, Verdict};
use http::Extensions;
use tower::load_shed::error::Overloaded;

/// Returns `false` for the error of a layer that has not called the service.
#[cold]
pub(super) fn reached_service<E: 'static>(error: &E) -> bool {
    let error: &dyn Any = error;
    if let Some(error) = error.downcast_ref::<Box<dyn Error + Send + Sync>>() {
        let mut next: Option<&(dyn Error + 'static)> = Some(&**error);
        while let Some(error) = next {
            if is_rejection(error.downcast_ref()) || error.is::<Overloaded>() {
                return false;
            }
            next = error.source();
        }
        return true;
    }
    !is_rejection(error.downcast_ref()) && !error.is::<Overloaded>()
}

/// Returns the verdict on a response with these extensions: this one, unless a breaker inside has
/// answered instead of its service.
#[inline]
pub(super) fn verdict_if_reached(verdict: Verdict, extensions: &Extensions) -> Verdict {
    if verdict != Verdict::Success && is_rejection(extensions.get()) {
        return Verdict::Ignored;
    }
    verdict
}

fn is_rejection(error: Option<&CircuitError>) -> bool {
    error.is_some_and(|error| !error.is_timeout())
}

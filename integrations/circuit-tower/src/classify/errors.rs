//! Every error is a failure.

use circuit_runtime::Verdict;

use super::classifier::Classify;
use super::reached::reached_service;

/// Classifies every `Ok` as a success and every `Err` as a failure: the default.
///
/// Only what has reached the service is counted. The rejection of another circuit breaker inside
/// and the [`Overloaded`](tower::load_shed::error::Overloaded) of a load shed inside are ignored,
/// also where they are the [source](std::error::Error::source) of a boxed error.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreaker, Config, Verdict};
/// use circuit_tower::{BoxError, Classify, Errors};
///
/// let failed: Result<(), BoxError> = Err("connection refused".into());
/// assert_eq!(Errors.classify(&failed), Verdict::Failure);
///
/// let inside = CircuitBreaker::new("inside", Config::default());
/// inside.trip();
/// let rejected: Result<(), BoxError> = inside.try_acquire().map(drop).map_err(BoxError::from);
/// assert_eq!(Errors.classify(&rejected), Verdict::Ignored);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Errors;

impl<R, E: 'static> Classify<R, E> for Errors {
    fn classify(&self, result: &Result<R, E>) -> Verdict {
        match result {
            Ok(_) => Verdict::Success,
            Err(error) if reached_service(error) => Verdict::Failure,
            Err(_) => Verdict::Ignored,
        }
    }
}

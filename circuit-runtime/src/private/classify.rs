//! The classification of a result by the predicates of an attribute.

use std::ops::Deref;

use super::returned::Returned;
use crate::call::classify::Classified;
use crate::circuit::Outcome;

/// A value about to be classified. Accepts any type: [`rejected`](super::rejected) reports a type
/// that is not a `Result`, once.
pub struct Classifier<'r, R>(pub &'r R, pub NotAResult);

/// Begins a classification that applies predicates. It has the bound of
/// [`rejected`](super::rejected) and no argument of its own to report, so that a wrong type stays
/// one error, at one span. It is checked before the predicates: otherwise the compiler would also
/// report that the type of their argument is unknown.
#[inline]
#[must_use]
pub fn classifier<R: Returned>() -> fn(&R) -> Classifier<'_, R> {
    |result| Classifier(result, NotAResult)
}

impl<'r, T, E> Classifier<'r, Result<T, E>> {
    /// Ignores an `Err` for which `predicate` is true.
    #[inline]
    pub fn ignore_if(self, predicate: impl FnOnce(&E) -> bool) -> Classified<'r, E> {
        Classified::from_result(self.0).ignore_if(predicate)
    }

    /// Makes an `Err` for which `predicate` is false a success.
    #[inline]
    pub fn failure_if(self, predicate: impl FnOnce(&E) -> bool) -> Classified<'r, E> {
        Classified::from_result(self.0).failure_if(predicate)
    }

    /// Returns the outcome without predicates: every `Err` is a failure.
    #[inline]
    #[must_use]
    pub fn outcome(self) -> Outcome {
        Classified::from_result(self.0).outcome()
    }
}

impl<R> Deref for Classifier<'_, R> {
    type Target = NotAResult;

    fn deref(&self) -> &NotAResult {
        &self.1
    }
}

/// A value of any other type.
pub struct NotAResult;

impl NotAResult {
    /// Accepts whatever was written as a predicate.
    #[must_use]
    pub fn ignore_if<P>(&self, _: P) -> &Self {
        self
    }

    /// Accepts whatever was written as a predicate.
    #[must_use]
    pub fn failure_if<P>(&self, _: P) -> &Self {
        self
    }

    /// Returns the outcome of a call without a result.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        Outcome::Cancelled
    }
}

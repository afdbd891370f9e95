//! The classification of a result by the predicates of an attribute.

use std::ops::Deref;
use std::time::Duration;

use super::returned::{AnyResult, Returned};
use crate::call::Verdict;
use crate::call::classify::Classified;

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

/// Begins a classification where nothing is asked of the error type.
#[inline]
#[must_use]
pub fn any_classifier<R: AnyResult>() -> fn(&R) -> Classifier<'_, R> {
    |result| Classifier(result, NotAResult)
}

/// The functions that can be a predicate.
#[diagnostic::on_unimplemented(
    message = "a predicate borrows the error and returns a `bool`, `fn(&{E}) -> bool`; write `|error| ..`",
    label = "is of type `{Self}`"
)]
pub trait Predicate<E>: FnOnce(&E) -> bool {}

#[diagnostic::do_not_recommend]
impl<E, P: FnOnce(&E) -> bool> Predicate<E> for P {}

/// The functions that can be a `retry_after`.
#[diagnostic::on_unimplemented(
    message = "`retry_after` borrows the error and returns how long the service asks to be left alone, `fn(&{E}) -> Option<Duration>`; write `retry_after = |error| ..`",
    label = "is of type `{Self}`"
)]
pub trait Wait<E>: FnOnce(&E) -> Option<Duration> {}

#[diagnostic::do_not_recommend]
impl<E, W: FnOnce(&E) -> Option<Duration>> Wait<E> for W {}

/// The functions that can be a `classify`.
#[diagnostic::on_unimplemented(
    message = "`classify` borrows the result and returns a `Verdict`, `fn(&{R}) -> Verdict`; write `classify = |result| ..`",
    label = "is of type `{Self}`"
)]
pub trait Judge<R>: FnOnce(&R) -> Verdict {}

#[diagnostic::do_not_recommend]
impl<R, J: FnOnce(&R) -> Verdict> Judge<R> for J {}

impl<'r, T, E> Classifier<'r, Result<T, E>> {
    /// Ignores an `Err` for which `predicate` is true.
    #[inline]
    pub fn ignore_if(self, predicate: impl Predicate<E>) -> Classified<'r, E> {
        Classified::from_result(self.0).ignore_if(predicate)
    }

    /// Makes the service of an `Err` unavailable for as long as `wait` returns, if it returns a
    /// time.
    #[inline]
    pub fn retry_after(self, wait: impl Wait<E>) -> Classified<'r, E> {
        Classified::from_result(self.0).retry_after(wait)
    }

    /// Makes an `Err` for which `predicate` is false a success.
    #[inline]
    pub fn failure_if(self, predicate: impl Predicate<E>) -> Classified<'r, E> {
        Classified::from_result(self.0).failure_if(predicate)
    }

    /// Returns the verdict of `classify` on the whole result.
    #[inline]
    pub fn classify(self, classify: impl Judge<Result<T, E>>) -> Verdict {
        classify(self.0)
    }

    /// Returns the verdict without predicates: every `Err` is a failure.
    #[inline]
    pub fn verdict(self) -> Verdict {
        Classified::from_result(self.0).verdict()
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
    pub fn retry_after<W>(&self, _: W) -> &Self {
        self
    }

    /// Accepts whatever was written as a predicate.
    #[must_use]
    pub fn failure_if<P>(&self, _: P) -> &Self {
        self
    }

    /// Accepts whatever was written as a classification.
    pub fn classify<C>(&self, _: C) -> Verdict {
        self.verdict()
    }

    /// Returns the verdict on a call without a result.
    pub fn verdict(&self) -> Verdict {
        Verdict::Ignored
    }
}

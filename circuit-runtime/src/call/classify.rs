//! The classification of a call's result: success, failure or ignored.

use crate::circuit::Outcome;

/// A classified result.
#[must_use = "a classification does nothing until a permit is settled with its outcome"]
pub enum Classified<'r, E> {
    /// A success.
    Success,
    /// A failure, unless a predicate decides otherwise about this error.
    Failure(&'r E),
    /// Neither success nor failure.
    Ignored,
}

impl<'r, E> Classified<'r, E> {
    /// Classifies every `Err` as a failure.
    #[inline]
    pub(crate) const fn from_result<T>(result: &'r Result<T, E>) -> Self {
        match result {
            Ok(_) => Self::Success,
            Err(error) => Self::Failure(error),
        }
    }

    /// Ignores an `Err` for which `predicate` is true.
    #[inline]
    pub fn ignore_if(self, predicate: impl FnOnce(&E) -> bool) -> Self {
        match self {
            Self::Failure(error) if predicate(error) => Self::Ignored,
            other => other,
        }
    }

    /// Makes an `Err` for which `predicate` is false a success.
    #[inline]
    pub fn failure_if(self, predicate: impl FnOnce(&E) -> bool) -> Self {
        match self {
            Self::Failure(error) if !predicate(error) => Self::Success,
            other => other,
        }
    }

    /// Returns the outcome of a call with this result.
    #[inline]
    #[must_use]
    pub fn outcome(self) -> Outcome {
        match self {
            Self::Success => Outcome::Succeeded,
            Self::Failure(_) => Outcome::Failed,
            Self::Ignored => Outcome::Ignored,
        }
    }
}

/// Decides how a call with this result ended.
pub trait Classify<R> {
    /// Returns the outcome of a call with this result.
    fn classify(&mut self, result: &R) -> Outcome;
}

/// Classifies by predicates on the error; `()` where there is none.
pub struct Predicates<P = (), I = ()> {
    pub(super) failure_if: P,
    pub(super) ignore_if: I,
}

impl<T, E, P: Predicate<E>, I: Predicate<E>> Classify<Result<T, E>> for Predicates<P, I> {
    #[inline]
    fn classify(&mut self, result: &Result<T, E>) -> Outcome {
        Classified::from_result(result)
            .ignore_if(|error| self.ignore_if.test(error).unwrap_or(false))
            .failure_if(|error| self.failure_if.test(error).unwrap_or(true))
            .outcome()
    }
}

/// A predicate on the errors of a call, or `()` where there is none.
pub trait Predicate<E> {
    /// Tests `error`; `None` if there is no predicate.
    fn test(&mut self, error: &E) -> Option<bool>;
}

impl<E> Predicate<E> for () {
    #[inline]
    fn test(&mut self, _: &E) -> Option<bool> {
        None
    }
}

impl<E, P: FnMut(&E) -> bool> Predicate<E> for P {
    #[inline]
    fn test(&mut self, error: &E) -> Option<bool> {
        Some(self(error))
    }
}

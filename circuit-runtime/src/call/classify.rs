//! The classification of a call's result: success, failure, ignored or unavailable.

use std::time::Duration;

use super::verdict::Verdict;

/// A classified result.
#[must_use = "a classification does nothing until a call is settled with its verdict"]
pub enum Classified<'r, E> {
    /// A success.
    Success,
    /// A failure, unless a predicate decides otherwise about this error.
    Failure(&'r E),
    /// Neither success nor failure.
    Ignored,
    /// A failure by which the service asks not to be called for this long.
    Unavailable(Duration),
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

    /// Makes the service of an `Err` unavailable for as long as `wait` returns, if it returns a
    /// time.
    #[inline]
    pub fn retry_after(self, wait: impl FnOnce(&E) -> Option<Duration>) -> Self {
        match self {
            Self::Failure(error) => wait(error).map_or(Self::Failure(error), Self::Unavailable),
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

    /// Returns the verdict on a call with this result.
    #[inline]
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Success => Verdict::Success,
            Self::Failure(_) => Verdict::Failure,
            Self::Ignored => Verdict::Ignored,
            Self::Unavailable(wait) => Verdict::Unavailable(wait),
        }
    }
}

/// Decides what a result says about the service.
pub trait Classify<R> {
    /// Returns the verdict on a call with this result.
    fn classify(&mut self, result: &R) -> Verdict;
}

/// Classifies by predicates on the error; `()` where there is none.
pub struct Predicates<P = (), I = (), W = ()> {
    pub(super) failure_if: P,
    pub(super) ignore_if: I,
    pub(super) retry_after: W,
}

impl<T, E, P, I, W> Classify<Result<T, E>> for Predicates<P, I, W>
where
    P: Predicate<E, bool>,
    I: Predicate<E, bool>,
    W: Predicate<E, Option<Duration>>,
{
    #[inline]
    fn classify(&mut self, result: &Result<T, E>) -> Verdict {
        Classified::from_result(result)
            .ignore_if(|error| self.ignore_if.test(error).unwrap_or(false))
            .retry_after(|error| self.retry_after.test(error).flatten())
            .failure_if(|error| self.failure_if.test(error).unwrap_or(true))
            .verdict()
    }
}

/// A predicate on the errors of a call, or `()` where there is none.
pub trait Predicate<E, A> {
    /// Returns the answer about `error`; `None` if there is no predicate.
    fn test(&mut self, error: &E) -> Option<A>;
}

impl<E, A> Predicate<E, A> for () {
    #[inline]
    fn test(&mut self, _: &E) -> Option<A> {
        None
    }
}

impl<E, A, P: FnMut(&E) -> A> Predicate<E, A> for P {
    #[inline]
    fn test(&mut self, error: &E) -> Option<A> {
        Some(self(error))
    }
}

/// Classifies by the whole result.
pub struct ByResult<C>(pub(super) C);

impl<T, E, C> Classify<Result<T, E>> for ByResult<C>
where
    C: FnMut(&Result<T, E>) -> Verdict,
{
    #[inline]
    fn classify(&mut self, result: &Result<T, E>) -> Verdict {
        (self.0)(result)
    }
}

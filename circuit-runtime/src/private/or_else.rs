//! The result of a call, whose `Err` the option `or_else` replaces.

use std::ops::Deref;

use super::classify::NotAResult;
use super::returned::{AnyResult, Returned, never};

/// A result about to be split. Accepts any type: [`ended`] reports a type that is not a `Result`,
/// once.
pub struct Ended<R>(R, NotAResult);

/// Begins to split a result, with the bound of [`rejected`](super::rejected), which is reported at
/// the same span.
#[inline]
#[must_use]
pub fn ended<R: Returned>() -> fn(R) -> Ended<R> {
    |result| Ended(result, NotAResult)
}

/// Begins to split a result where nothing is asked of the error type.
#[inline]
#[must_use]
pub fn any_ended<R: AnyResult>() -> fn(R) -> Ended<R> {
    |result| Ended(result, NotAResult)
}

impl<T, E> Ended<Result<T, E>> {
    /// Returns the result itself if it is `Ok`, its error otherwise.
    #[inline]
    pub fn ok_or_error(self) -> Result<Result<T, E>, E> {
        self.0.map(Ok)
    }
}

impl<R> Deref for Ended<R> {
    type Target = NotAResult;

    fn deref(&self) -> &NotAResult {
        &self.1
    }
}

impl NotAResult {
    /// Accepts whatever is returned.
    pub fn ok_or_error<R, E>(&self) -> Result<R, E> {
        never()
    }
}

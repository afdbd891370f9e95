//! The result of a call that was rejected or timed out, made by the option `error`.

use std::marker::PhantomData;
use std::ops::Deref;

use super::classify::NotAResult;
use super::returned::{AnyResult, never};
use crate::error::CircuitError;

/// An error about to become a result. Accepts any type: [`rejection`] reports a type that is not a
/// `Result`, once.
pub struct Rejection<R> {
    error: CircuitError,
    otherwise: NotAResult,
    result: PhantomData<fn() -> R>,
}

/// Begins the conversion of an error. It has no argument of its own to report, so that a wrong type
/// stays one error, at one span.
#[inline]
#[must_use]
pub fn rejection<R: AnyResult>() -> fn(CircuitError) -> Rejection<R> {
    |error| Rejection {
        error,
        otherwise: NotAResult,
        result: PhantomData,
    }
}

/// The functions that can be an `error`.
#[diagnostic::on_unimplemented(
    message = "`error` makes the function's error of a `CircuitError`, `fn(CircuitError) -> {E}`; write `error = |circuit_error| ..`",
    label = "is of type `{Self}`"
)]
pub trait MakeError<E>: FnOnce(CircuitError) -> E {}

#[diagnostic::do_not_recommend]
impl<E, F: FnOnce(CircuitError) -> E> MakeError<E> for F {}

impl<T, E> Rejection<Result<T, E>> {
    /// Returns the error that `make` makes.
    #[inline]
    pub fn error(self, make: impl MakeError<E>) -> Result<T, E> {
        Err(make(self.error))
    }
}

impl<R> Deref for Rejection<R> {
    type Target = NotAResult;

    fn deref(&self) -> &NotAResult {
        &self.otherwise
    }
}

impl NotAResult {
    /// Accepts whatever was written as `error`.
    #[must_use]
    pub fn error<F, R>(&self, _: F) -> R {
        never()
    }
}

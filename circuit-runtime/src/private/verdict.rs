//! What a result says of the service, by the predicates of an attribute.

use std::ops::Deref;

use super::Returned;
use crate::call::permit::{Judgement, Permit};

/// A result that waits for its verdict. This takes any type: that a function must return a `Result`
/// is for [`rejected`](super::rejected) to say, once.
pub struct Verdict<'r, R>(pub &'r R, pub NoVerdict);

/// A verdict that predicates have a say in. This asks for the same as [`rejected`](super::rejected) and, as there is no
/// argument to blame, in the same place: a type that is wrong stays one error. As it comes first, the
/// compiler does not go on to complain that nobody knows what a predicate is shown.
#[inline]
#[must_use]
pub fn verdict<R: Returned>() -> fn(&R) -> Verdict<'_, R> {
    |result| Verdict(result, NoVerdict)
}

impl<'r, T, E> Verdict<'r, Result<T, E>> {
    /// An `Err` for which `predicate` is true is no evidence.
    #[inline]
    pub fn ignore_if(self, predicate: impl FnOnce(&E) -> bool) -> Judgement<'r, E> {
        Judgement::of(self.0).ignore_if(predicate)
    }

    /// An `Err` for which `predicate` is false is a success.
    #[inline]
    pub fn failure_if(self, predicate: impl FnOnce(&E) -> bool) -> Judgement<'r, E> {
        Judgement::of(self.0).failure_if(predicate)
    }

    /// Whether the service answered.
    #[inline]
    pub fn give(self, permit: Permit<'_>) {
        permit.judge(self.0);
    }
}

impl<R> Deref for Verdict<'_, R> {
    type Target = NoVerdict;

    fn deref(&self) -> &NoVerdict {
        &self.1
    }
}

/// What is not a `Result`.
pub struct NoVerdict;

impl NoVerdict {
    /// Takes whatever there is for a predicate.
    #[must_use]
    pub fn ignore_if<P>(&self, _: P) -> &Self {
        self
    }

    /// Takes whatever there is for a predicate.
    #[must_use]
    pub fn failure_if<P>(&self, _: P) -> &Self {
        self
    }

    /// Gives the permit back without a verdict.
    pub fn give(&self, permit: Permit<'_>) {
        drop(permit);
    }
}

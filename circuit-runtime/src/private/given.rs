//! The expression given as `breaker`: a breaker, or those of many keys, or a reference to them.

use std::ops::Deref;

use crate::breaker::CircuitBreaker;
use crate::breakers::CircuitBreakers;

/// Returns the breaker that is given without a key.
#[inline]
#[must_use]
pub fn borrowed<B: Given<Kind: Single> + ?Sized>(breaker: &B) -> &CircuitBreaker {
    breaker.given().single()
}

/// Clones the handle, where the body takes ownership of what the breaker is stored in.
#[inline]
#[must_use]
pub fn cloned<B: Given<Kind: Single> + ?Sized>(breaker: &B) -> CircuitBreaker {
    breaker.given().single().clone()
}

/// Returns the breakers that are given beside a key.
#[inline]
#[must_use]
pub fn keyed<B: Given<Kind: Keyed> + ?Sized>(breakers: &B) -> &CircuitBreakers {
    breakers.given().keyed()
}

/// The types that can be given: both kinds, and all types that dereference to one of them.
#[diagnostic::on_unimplemented(
    message = "`breaker` takes a `CircuitBreaker`, or beside `key` a `CircuitBreakers`, or a reference to one; write `breaker = self.breaker` or `breaker = self.upstreams, key = host`",
    label = "is of type `{Self}`",
    note = "an `Option` or a `Result` must be unwrapped first: `breaker = self.breaker.as_ref().ok_or(error)?`"
)]
pub trait Given {
    /// The type at the end of all references.
    type Kind: ?Sized;

    #[doc(hidden)]
    fn given(&self) -> &Self::Kind;
}

impl Given for CircuitBreaker {
    type Kind = Self;

    #[inline]
    fn given(&self) -> &Self {
        self
    }
}

impl Given for CircuitBreakers {
    type Kind = Self;

    #[inline]
    fn given(&self) -> &Self {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<D: Deref<Target: Given> + ?Sized> Given for D {
    type Kind = <D::Target as Given>::Kind;

    #[inline]
    fn given(&self) -> &Self::Kind {
        (**self).given()
    }
}

/// One breaker for all calls.
#[diagnostic::on_unimplemented(
    message = "a `CircuitBreakers` needs a `key`; add `key = host`, the argument that each of its breakers is for",
    label = "has a breaker for each key",
    note = "for one breaker that all calls share, give a `CircuitBreaker`"
)]
pub trait Single {
    #[doc(hidden)]
    fn single(&self) -> &CircuitBreaker;
}

impl Single for CircuitBreaker {
    #[inline]
    fn single(&self) -> &CircuitBreaker {
        self
    }
}

/// One breaker for each key.
#[diagnostic::on_unimplemented(
    message = "`breaker` beside `key` takes a `CircuitBreakers`; write `CircuitBreakers::new(name, config)` where this is made",
    label = "is one breaker for all keys",
    note = "for one breaker that all keys share, remove `key`"
)]
pub trait Keyed {
    #[doc(hidden)]
    fn keyed(&self) -> &CircuitBreakers;
}

impl Keyed for CircuitBreakers {
    #[inline]
    fn keyed(&self) -> &CircuitBreakers {
        self
    }
}

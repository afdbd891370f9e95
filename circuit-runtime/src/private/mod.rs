//! What the attribute's expansion names. No part of the public interface: it changes with the
//! attribute, whose version is pinned.

pub mod check;
pub mod key;
mod verdict;

use std::borrow::Borrow;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::call::Protected;
use crate::error::CircuitError;
use crate::permit::{Permit, Ticket};
use crate::timeout::{Bounded, Timed, Untimed};

pub use crate::breaker::CircuitBreaker;
pub use crate::config::Config;
pub use once_cell::sync::Lazy;
pub use verdict::{NoVerdict, Verdict, verdict};

/// Runs the body of a function that has no timeout.
#[inline]
pub fn guard<A, F, J, I>(
    admission: A,
    body: F,
    judge: J,
    instead: I,
) -> Guard<A::Breaker, Untimed<F>, J, I>
where
    A: Admission,
    F: Future,
    J: Fn(&F::Output, Permit<'_>),
    I: Fn(CircuitError) -> F::Output,
{
    Guard {
        protected: admission.to(Untimed::new(body)),
        judge,
        instead,
    }
}

/// Runs the body of a function that may have one.
#[inline]
pub fn guard_timed<A, F, J, I>(
    admission: A,
    body: F,
    judge: J,
    instead: I,
) -> Guard<A::Breaker, Timed<F>, J, I>
where
    A: Admission,
    F: Future,
    J: Fn(&F::Output, Permit<'_>),
    I: Fn(CircuitError) -> F::Output,
{
    Guard {
        protected: admission.to(Timed::new(body)),
        judge,
        instead,
    }
}

/// A breaker, or what is as good as a reference to one.
#[inline]
#[must_use]
pub fn borrowed(breaker: &CircuitBreaker) -> &CircuitBreaker {
    breaker
}

/// A handle of its own, where what `breaker` is in belongs to the body.
#[inline]
#[must_use]
pub fn cloned(breaker: &CircuitBreaker) -> CircuitBreaker {
    breaker.clone()
}

/// What a body is let in by: a breaker that is asked when the body is polled first, or one that has been
/// asked already.
pub trait Admission {
    /// The breaker, or a reference to it.
    type Breaker: Borrow<CircuitBreaker>;

    #[doc(hidden)]
    fn to<C>(self, call: C) -> Protected<Self::Breaker, C>;
}

impl Admission for &CircuitBreaker {
    type Breaker = Self;

    #[inline]
    fn to<C>(self, call: C) -> Protected<Self, C> {
        Protected::new(self, call)
    }
}

impl Admission for CircuitBreaker {
    type Breaker = Self;

    #[inline]
    fn to<C>(self, call: C) -> Protected<Self, C> {
        Protected::new(self, call)
    }
}

/// That a call was let in. It goes straight on to [`guard`], which gives its place back.
#[must_use]
pub struct Admitted<B> {
    breaker: B,
    ticket: Ticket,
}

impl<B: Borrow<CircuitBreaker>> Admission for Admitted<B> {
    type Breaker = B;

    #[inline]
    fn to<C>(self, call: C) -> Protected<B, C> {
        Protected::admitted(self.breaker, self.ticket, call)
    }
}

/// Asks a breaker ahead of the body, where something else can run in its place.
#[inline]
pub fn admit<B: Borrow<CircuitBreaker>>(breaker: B) -> Result<Admitted<B>, CircuitError> {
    match breaker.borrow().admit() {
        Ok(ticket) => Ok(Admitted { breaker, ticket }),
        Err(rejection) => Err(breaker.borrow().rejected(rejection)),
    }
}

pin_project! {
    /// The body of a function, run if the circuit lets it.
    pub struct Guard<B: Borrow<CircuitBreaker>, C, J, I> {
        #[pin]
        protected: Protected<B, C>,
        judge: J,
        instead: I,
    }
}

impl<B, C, J, I> Future for Guard<B, C, J, I>
where
    B: Borrow<CircuitBreaker>,
    C: Bounded,
    J: Fn(&C::Output, Permit<'_>),
    I: Fn(CircuitError) -> C::Output,
{
    type Output = C::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<C::Output> {
        let this = self.project();
        match ready!(this.protected.poll(cx, this.judge)) {
            Ok(result) => Poll::Ready(result),
            Err(error) => Poll::Ready((this.instead)(error)),
        }
    }
}

/// The result in place of one that the body did not come to. The one place where the return type is
/// held to what it must be able to do: a bound anywhere else would report it a second time.
#[inline]
#[must_use]
pub fn rejected<R: Returned>(error: CircuitError) -> R {
    R::rejected(error)
}

/// The value of a `return` that is never reached: it tells the compiler what the body returns before
/// it reads the body, so that coercions and messages are those of the function as written.
#[must_use]
pub fn never<R>() -> R {
    std::process::abort()
}

/// What an annotated function returns: a `Result` that can carry a rejected call.
#[diagnostic::on_unimplemented(
    message = "`#[circuit_breaker]` needs a function that returns a `Result`; write `-> Result<{Self}, YourError>`",
    label = "not a `Result`"
)]
pub trait Returned: Sized {
    #[doc(hidden)]
    fn rejected(error: CircuitError) -> Self;
}

impl<T, E: FromCircuit> Returned for Result<T, E> {
    #[inline]
    fn rejected(error: CircuitError) -> Self {
        Err(E::from_circuit(error))
    }
}

/// `From<CircuitError>`, under a name that can say what to do when it is missing.
#[diagnostic::on_unimplemented(
    message = "the error type `{Self}` cannot carry a rejected call; add a variant with `#[from] CircuitError`",
    label = "does not implement `From<CircuitError>`",
    note = "an error type of another crate needs an enum around it, and a type parameter `E` the bound `E: From<CircuitError>`"
)]
pub trait FromCircuit {
    #[doc(hidden)]
    fn from_circuit(error: CircuitError) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E: From<CircuitError>> FromCircuit for E {
    #[inline]
    fn from_circuit(error: CircuitError) -> Self {
        error.into()
    }
}

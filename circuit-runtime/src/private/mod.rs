//! What the attribute's expansion names. No part of the public interface: it changes with the
//! attribute, whose version is pinned.

pub mod check;
pub mod key;
mod verdict;

use std::borrow::Borrow;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::call::Permit;
use crate::call::guarded::Protection;
use crate::call::timeout::{Timer, Untimed};
use crate::circuit::ticket::Ticket;
use crate::error::CircuitError;

pub use crate::breaker::CircuitBreaker;
pub use crate::config::Config;
pub use once_cell::sync::Lazy;
pub use verdict::{NoVerdict, Verdict, verdict};

/// Runs the body of a function that has no timeout.
#[inline]
pub fn guard<A, F, J, I>(admission: A, body: F, judge: J, instead: I) -> Guard<A::Breaker, F, J, I>
where
    A: Admission,
    F: Future,
    J: Fn(&F::Output, Permit<'_>),
    I: Fn(CircuitError) -> F::Output,
{
    Guard {
        protection: admission.protect(Untimed),
        body,
        judge,
        instead,
    }
}

/// Runs the body of a function that may have one. An error is for others to convert, when the body is gone
/// with all that it holds.
#[inline]
pub fn guard_timed<A, F, J>(admission: A, body: F, judge: J) -> GuardTimed<A::Breaker, F, J>
where
    A: Admission,
    F: Future,
    J: Fn(&F::Output, Permit<'_>),
{
    GuardTimed {
        protection: admission.protect(Timer::new()),
        body,
        judge,
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
    fn protect<T>(self, timing: T) -> Protection<Self::Breaker, T>;
}

impl Admission for &CircuitBreaker {
    type Breaker = Self;

    #[inline]
    fn protect<T>(self, timing: T) -> Protection<Self, T> {
        Protection::new(self, timing)
    }
}

impl Admission for CircuitBreaker {
    type Breaker = Self;

    #[inline]
    fn protect<T>(self, timing: T) -> Protection<Self, T> {
        Protection::new(self, timing)
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
    fn protect<T>(self, timing: T) -> Protection<B, T> {
        Protection::admitted(self.breaker, self.ticket, timing)
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
    pub struct Guard<B: Borrow<CircuitBreaker>, F, J, I> {
        #[pin]
        protection: Protection<B, Untimed>,
        #[pin]
        body: F,
        judge: J,
        instead: I,
    }
}

impl<B, F, J, I> Future for Guard<B, F, J, I>
where
    B: Borrow<CircuitBreaker>,
    F: Future,
    J: Fn(&F::Output, Permit<'_>),
    I: Fn(CircuitError) -> F::Output,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let error = match ready!(this.protection.as_mut().begin()) {
            Err(error) => error,
            Ok(attempt) => {
                let panicked = attempt.panicked();
                let polled = this.body.poll(cx);
                panicked.did_not_happen();

                if let Poll::Ready(result) = polled {
                    (this.judge)(&result, attempt.permit());
                    return Poll::Ready(result);
                }
                ready!(this.protection.go_on(attempt, cx))
            }
        };
        Poll::Ready((this.instead)(error))
    }
}

pin_project! {
    /// The body of a function that may have to end before it has a result. It is dropped with this, which is
    /// as soon as this is ready.
    pub struct GuardTimed<B: Borrow<CircuitBreaker>, F, J> {
        #[pin]
        protection: Protection<B, Timer>,
        #[pin]
        body: F,
        judge: J,
    }
}

impl<B, F, J> Future for GuardTimed<B, F, J>
where
    B: Borrow<CircuitBreaker>,
    F: Future,
    J: Fn(&F::Output, Permit<'_>),
{
    type Output = Result<F::Output, CircuitError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let attempt = ready!(this.protection.as_mut().begin())?;
        let panicked = attempt.panicked();
        let polled = this.body.poll(cx);
        panicked.did_not_happen();

        if let Poll::Ready(result) = polled {
            (this.judge)(&result, attempt.permit());
            return Poll::Ready(Ok(result));
        }
        this.protection.go_on(attempt, cx).map(Err)
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

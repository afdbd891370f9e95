//! What the attribute's expansion names. No part of the public interface: it changes with the
//! attribute, whose version is pinned.

use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::breaker::CircuitBreaker;
use crate::call::Protected;
use crate::config::{Config, ConfigBuilder, ConfigError};
use crate::error::CircuitError;
use crate::permit::{Judgement, Permit};
use crate::timeout::{Bounded, Timed, Untimed};

pub use once_cell::sync::Lazy;

/// Runs the body of a function that has no timeout.
#[inline]
pub fn guard<F, J, I>(
    breaker: &CircuitBreaker,
    body: F,
    judge: J,
    instead: I,
) -> Guard<'_, Untimed<F>, J, I>
where
    F: Future,
    J: Fn(&F::Output, Permit<'_>),
    I: Fn(CircuitError) -> F::Output,
{
    Guard {
        protected: Protected::new(breaker, Untimed::new(body)),
        judge,
        instead,
    }
}

/// Runs the body of a function that has one.
#[inline]
pub fn guard_timed<F, J, I>(
    breaker: &CircuitBreaker,
    body: F,
    judge: J,
    instead: I,
) -> Guard<'_, Timed<F>, J, I>
where
    F: Future,
    J: Fn(&F::Output, Permit<'_>),
    I: Fn(CircuitError) -> F::Output,
{
    Guard {
        protected: Protected::new(breaker, Timed::new(body)),
        judge,
        instead,
    }
}

pin_project! {
    /// The body of a function, run if the circuit lets it.
    pub struct Guard<'b, C, J, I> {
        #[pin]
        protected: Protected<'b, C>,
        judge: J,
        instead: I,
    }
}

impl<C, J, I> Future for Guard<'_, C, J, I>
where
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

/// A result that waits for its verdict. This takes any type: that a function must return a `Result`
/// is for [`rejected`] to say, once.
pub struct Verdict<'r, R>(pub &'r R, pub NoVerdict);

/// A verdict that predicates have a say in. This asks for the same as [`rejected`] and, as there is no
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

/// The rules that an attribute states, or a compile error at the attribute.
#[must_use]
#[track_caller]
pub const fn valid(config: Result<Config, ConfigError>) -> Config {
    match config {
        Ok(config) => config,
        Err(error) => refuse(error),
    }
}

/// The rules as the attribute states them, one function for each option: a compile error where it is
/// called if that option must change.
pub mod check {
    use super::refuse;
    use crate::config::{ConfigBuilder, ConfigOption};

    macro_rules! check {
        ($($name:ident: $option:ident;)*) => {
            $(
                #[track_caller]
                pub const fn $name(config: ConfigBuilder) -> ConfigBuilder {
                    match config.error_at(ConfigOption::$option) {
                        None => config,
                        Some(error) => refuse(error),
                    }
                }
            )*
        };
    }

    check! {
        max_failures: MaxFailures;
        window: Window;
        failure_rate: FailureRate;
        slow_call: SlowCall;
        slow_rate: SlowRate;
        min_calls: MinCalls;
        reset: Reset;
        max_reset: MaxReset;
        jitter: Jitter;
        probes: Probes;
        timeout: Timeout;
    }
}

/// A `window` that is a constant expression: a span of time or a number of calls.
pub const fn window<T: WindowSize>(window: T) -> Window<T> {
    Window(window, NoWindow)
}

/// What a window can be measured in.
#[diagnostic::on_unimplemented(
    message = "`window` takes a span of time, a `Duration`, or a number of calls, a `u32`",
    label = "is of type `{Self}`"
)]
pub trait WindowSize: Copy {}

impl WindowSize for Duration {}
impl WindowSize for u32 {}

/// A window that waits to be set.
pub struct Window<T>(T, NoWindow);

impl Window<Duration> {
    /// Sets the window.
    pub const fn of(self, config: ConfigBuilder) -> ConfigBuilder {
        config.window(self.0)
    }
}

impl Window<u32> {
    /// Sets the window.
    pub const fn of(self, config: ConfigBuilder) -> ConfigBuilder {
        config.last_calls(self.0)
    }
}

impl<T> Deref for Window<T> {
    type Target = NoWindow;

    fn deref(&self) -> &NoWindow {
        &self.1
    }
}

/// What is no window. That is for [`window`] to say, once.
pub struct NoWindow;

impl NoWindow {
    /// Sets nothing.
    pub fn of(&self, config: ConfigBuilder) -> ConfigBuilder {
        config
    }
}

#[track_caller]
#[expect(
    clippy::panic,
    reason = "while a constant is evaluated, this is a compile error"
)]
const fn refuse(error: ConfigError) -> ! {
    panic!("{}", error.message())
}

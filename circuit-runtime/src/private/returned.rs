//! The return type of an annotated function.

use crate::error::CircuitError;

/// An annotated function's return type: a `Result` that can carry a rejected call.
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

/// An annotated function's return type: any `Result`, where nothing is asked of its error type.
#[diagnostic::on_unimplemented(
    message = "`#[circuit_breaker]` needs a function that returns a `Result`; write `-> Result<{Self}, YourError>`",
    label = "not a `Result`"
)]
pub trait AnyResult {}

impl<T, E> AnyResult for Result<T, E> {}

/// `From<CircuitError>`, under a name that can say what to do when it is missing.
#[diagnostic::on_unimplemented(
    message = "the error type `{Self}` cannot carry a rejected call; add a variant with `#[from] CircuitError`, or write `error = |circuit_error| ..`",
    label = "does not implement `From<CircuitError>`",
    note = "an error type of another crate needs `error`, or an enum around it, and a type parameter `E` needs `error`, or the bound `E: From<CircuitError>`"
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

/// Converts `error` into the function's return type. The only place that bounds the return type: a
/// second bound would report the same error twice.
#[inline]
#[must_use]
pub fn rejected<R: Returned>(error: CircuitError) -> R {
    R::rejected(error)
}

/// Stands for the value of a `return` that is never reached. It fixes the type of the body before
/// the compiler reads the body, so that coercions and messages are those of the function as
/// written.
#[must_use]
pub fn never<R>() -> R {
    std::process::abort()
}

//! The path given as `fallback`, which must be a result.

/// Returns the value of a `fallback` that is a path.
#[inline]
#[must_use]
pub fn instead<R, V: Instead<R>>(value: V) -> R {
    value.instead()
}

/// The only type that can be given: that of the function's result.
#[diagnostic::on_unimplemented(
    message = "`fallback` takes a result, and no function; write `fallback = |error| ..` or call it: `fallback = cached(symbol)`",
    label = "is of type `{Self}`",
    note = "the function returns `{R}`"
)]
pub trait Instead<R> {
    #[doc(hidden)]
    fn instead(self) -> R;
}

impl<R> Instead<R> for R {
    #[inline]
    fn instead(self) -> R {
        self
    }
}

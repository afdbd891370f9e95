//! Arguments that an option uses when the body has ended.

/// An argument that the body takes.
pub struct Taken<T>(pub T);

/// Checks that an argument which the body takes can be used afterwards.
#[inline]
pub fn after_body<T>(_: Taken<T>)
where
    Taken<T>: AfterBody<T>,
{
}

/// The arguments that the body copies.
///
/// With a parameter for the type: for a type that is not `Copy` itself, rustc would propose to
/// borrow the argument, as a reference is.
#[diagnostic::on_unimplemented(
    message = "the body takes this argument before the option uses it; make it a reference, such as `&str`, or something else that is `Copy`",
    label = "is of type `{T}`, which is not `Copy`"
)]
pub trait AfterBody<T> {}

#[diagnostic::do_not_recommend]
impl<T: Copy> AfterBody<T> for Taken<T> {}

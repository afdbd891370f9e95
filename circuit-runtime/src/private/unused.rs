//! Arguments that the body does not name.

/// An argument that the body does not name, and that is dropped with the body nevertheless.
pub struct Unused<T>(pub T);

// Method lookup prefers `Unused` to `Keep`. The long method name cannot be that of a trait which
// the user has implemented for every type.

impl<T: Copy> Unused<T> {
    /// Returns nothing: a value without a destructor need not be stored.
    #[inline]
    pub fn __circuit_kept(self) {}
}

/// Any other argument.
pub trait Keep {
    /// The type of the argument.
    type Argument;

    /// Returns the argument.
    fn __circuit_kept(self) -> Self::Argument;
}

impl<T> Keep for Unused<T> {
    type Argument = T;

    #[inline]
    fn __circuit_kept(self) -> T {
        self.0
    }
}

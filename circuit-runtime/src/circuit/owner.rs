//! The owner of the rules of a breaker.

/// The owner of a policy, which decides the changes that are possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A breaker that the program has created.
    Breaker,
    /// The breakers of many keys that the program has created.
    Breakers,
    /// The breaker of an annotated function.
    Function,
    /// The breakers of the keys of an annotated function.
    KeyedFunction,
}

impl Owner {
    /// Returns whether each call has room for a timer, even if there is no timeout.
    pub(super) fn has_room_for_timer(self) -> bool {
        match self {
            Self::Breaker | Self::Breakers => true,
            Self::Function | Self::KeyedFunction => false,
        }
    }
}

//! The number of members that must agree.

use crate::error::FleetError;

/// The number of live members that must have opened a circuit by themselves before it is open for
/// all of them.
///
/// A member below the quorum is open for itself alone: one bad node does not close the service to
/// the good ones.
///
/// # Examples
///
/// ```
/// use circuit_redis::{Fleet, Quorum};
///
/// let fleet = Fleet::builder("redis://127.0.0.1", "shop")
///     .share("shop::*")
///     .quorum(Quorum::Fraction(0.5))
///     .build()?;
/// # let _ = fleet;
/// # Ok::<(), circuit_redis::FleetError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Quorum {
    /// One member opens the circuit for all.
    Any,
    /// This many members, or all of them if there are fewer. Two by default.
    AtLeast(u32),
    /// This share of the live members, rounded up: above 0, and up to 1.
    Fraction(f64),
}

impl Quorum {
    pub(crate) fn check(self) -> Result<(), FleetError> {
        let is_valid = match self {
            Self::Any => true,
            Self::AtLeast(members) => members > 0,
            Self::Fraction(share) => share > 0.0 && share <= 1.0,
        };
        if is_valid {
            Ok(())
        } else {
            Err(FleetError::Quorum)
        }
    }

    /// Returns the two arguments of a script.
    pub(crate) fn arguments(self) -> [String; 2] {
        let (kind, value) = match self {
            Self::Any => ("any", "0".to_owned()),
            Self::AtLeast(members) => ("at-least", members.to_string()),
            Self::Fraction(share) => ("fraction", share.to_string()),
        };
        [kind.to_owned(), value]
    }
}

impl Default for Quorum {
    fn default() -> Self {
        Self::AtLeast(2)
    }
}

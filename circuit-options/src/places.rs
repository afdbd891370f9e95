//! The places where options are written.
//!
//! # Examples
//!
//! ```
//! use circuit_options::names::OptionName;
//! use circuit_options::places::Place;
//!
//! // The bound on keys is a matter of the code, not of a file.
//! assert!(Place::Attribute.takes(OptionName::MaxKeys));
//! assert!(!Place::Overrides.takes(OptionName::MaxKeys));
//! ```

use crate::kinds::ValueKind;
use crate::names::OptionName;

/// A place where options are written.
///
/// # Examples
///
/// ```
/// use circuit_options::names::OptionName;
/// use circuit_options::places::Place;
///
/// for place in [Place::Attribute, Place::Config, Place::Overrides] {
///     assert!(place.takes(OptionName::MaxFailures));
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `#[circuit_breaker(..)]`, which takes every option.
    Attribute,
    /// A `Config` in a file: the rules of one breaker.
    Config,
    /// `Overrides` in a file: the rules of circuits by their names, and `hold`.
    Overrides,
}

impl Place {
    /// Returns `true` if an option can be written here.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_options::names::OptionName;
    /// use circuit_options::places::Place;
    ///
    /// assert!(Place::Attribute.takes(OptionName::Fallback));
    /// assert!(!Place::Config.takes(OptionName::Fallback));
    /// ```
    #[must_use]
    pub fn takes(self, option: OptionName) -> bool {
        let is_rule = ValueKind::for_option(option).is_some() && option != OptionName::MaxKeys;
        self == Self::Attribute || is_rule
    }
}

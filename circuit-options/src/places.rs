//! The places where options are written.

use crate::kinds::ValueKind;
use crate::names::OptionName;

/// A place where options are written.
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

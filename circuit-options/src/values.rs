//! The values of options.
//!
//! # Examples
//!
//! ```
//! use circuit_options::values::Value;
//!
//! let half = Value::Share(0.5);
//! assert_eq!((half.share(), half.count()), (Some(0.5), None));
//! assert_eq!(half.to_string(), "0.5");
//! ```

use std::fmt;
use std::time::Duration;

use crate::durations;

/// The value of an option.
///
/// # Examples
///
/// ```
/// use circuit_options::values::Value;
/// use std::time::Duration;
///
/// assert_eq!(Value::Count(5).to_string(), "5");
/// assert_eq!(Value::Duration(Duration::from_secs(90)).to_string(), "90s");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A number: of failures, of calls, of keys.
    Count(u32),
    /// A span of time.
    Duration(Duration),
    /// A share of a whole.
    Share(f64),
}

impl Value {
    /// Returns the number, if it is one.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_options::values::Value;
    ///
    /// assert_eq!(Value::Count(5).count(), Some(5));
    /// assert_eq!(Value::Share(0.5).count(), None);
    /// ```
    #[must_use]
    pub const fn count(self) -> Option<u32> {
        match self {
            Self::Count(count) => Some(count),
            Self::Duration(_) | Self::Share(_) => None,
        }
    }

    /// Returns the span of time, if it is one.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_options::values::Value;
    /// use std::time::Duration;
    ///
    /// let second = Duration::from_secs(1);
    /// assert_eq!(Value::Duration(second).duration(), Some(second));
    /// assert_eq!(Value::Count(5).duration(), None);
    /// ```
    #[must_use]
    pub const fn duration(self) -> Option<Duration> {
        match self {
            Self::Duration(duration) => Some(duration),
            Self::Count(_) | Self::Share(_) => None,
        }
    }

    /// Returns the share, if it is one.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_options::values::Value;
    ///
    /// assert_eq!(Value::Share(0.5).share(), Some(0.5));
    /// assert_eq!(Value::Count(5).share(), None);
    /// ```
    #[must_use]
    pub const fn share(self) -> Option<f64> {
        match self {
            Self::Share(share) => Some(share),
            Self::Count(_) | Self::Duration(_) => None,
        }
    }
}

/// Writes a value as the attribute does, a duration without quotes.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Share(share) => write!(f, "{share}"),
            Self::Duration(duration) => match durations::format(*duration) {
                Some(text) => f.write_str(&text),
                None => write!(f, "{duration:?}"),
            },
        }
    }
}

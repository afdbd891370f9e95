//! The error of overrides that do not fit.

use circuit_options::names::OptionName;

use crate::config::serde::Subject;

/// The message for a circuit whose name is empty.
const UNNAMED: &str =
    "the name of a circuit must not be empty; write a name, or `*` for all circuits";

/// An override that does not fit the circuit that it is for.
///
/// The message names the circuit and the option, and says what to write instead.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{Config, Overrides};
///
/// let error = Overrides::new().options("payments", Config::builder().probes(0)).unwrap_err();
///
/// assert_eq!((error.circuit(), error.option()), ("payments", Some("probes")));
/// assert_eq!(
///     error.to_string(),
///     "circuit `payments`: `probes` must be at least 1; with 0 the circuit would never close \
///      again",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct OverridesError {
    circuit: String,
    option: Option<OptionName>,
    message: String,
}

impl OverridesError {
    /// Creates the error of a mistake in one option of a circuit.
    pub(crate) fn new(circuit: &str, option: OptionName, mistake: &str) -> Self {
        Self {
            circuit: circuit.to_owned(),
            option: Some(option),
            message: Subject::Circuit(circuit).message(option.as_str(), mistake),
        }
    }

    /// Creates the error of a circuit whose name is empty.
    pub(super) fn unnamed() -> Self {
        Self {
            circuit: String::new(),
            option: None,
            message: UNNAMED.to_owned(),
        }
    }

    /// Returns the name of the circuit, or the pattern if no circuit was looked at.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{Config, Overrides};
    ///
    /// let error = Overrides::new().options("shop::*", Config::builder().probes(0)).unwrap_err();
    /// assert_eq!(error.circuit(), "shop::*");
    /// ```
    #[must_use]
    pub fn circuit(&self) -> &str {
        &self.circuit
    }

    /// Returns the option that must change; `None` if the name of the circuit must.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{Config, Overrides};
    ///
    /// let error = Overrides::new().options("", Config::builder()).unwrap_err();
    /// assert_eq!(error.option(), None);
    /// ```
    #[must_use]
    pub fn option(&self) -> Option<&'static str> {
        self.option.map(OptionName::as_str)
    }
}

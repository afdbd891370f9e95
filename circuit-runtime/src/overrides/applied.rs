//! The effect of overrides.

use std::fmt;

use crate::config::Config;
use crate::name::Name;
use crate::state::State;

/// The effect of overrides: the rules that they have changed, and the parts without effect.
///
/// Returned by [`registry::apply`](crate::registry::apply). Displayed, it has a line for each
/// entry.
///
/// # Examples
///
/// ```standalone_crate
/// use circuit_runtime::{CircuitBreaker, Config, Overrides, registry};
///
/// let breaker = CircuitBreaker::new("payments", Config::default());
/// let overrides = Overrides::new()
///     .options("payments", Config::builder().max_failures(3))?
///     .hold_closed("paymnets")?;
///
/// let applied = registry::apply(overrides)?;
/// assert_eq!(breaker.config().max_failures(), Some(3));
/// assert_eq!(applied.changed[0].breaker, "payments");
/// assert_eq!(applied.unmatched, ["paymnets"]);
/// # Ok::<(), circuit_runtime::OverridesError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Applied {
    /// The breakers whose rules or hold have changed, in the order of their names.
    pub changed: Vec<ChangedRules>,
    /// The names and patterns that match no circuit, in their order. A circuit that is created
    /// later may match.
    pub unmatched: Vec<String>,
    /// The options that a pattern sets and a breaker cannot have: each is left out there.
    pub skipped: Vec<SkippedOption>,
}

/// The rules of a breaker before and after overrides were applied.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ChangedRules {
    /// The name of the breaker, or that of a function which has one for each key.
    pub breaker: Name,
    /// The configuration before.
    pub before: Config,
    /// The configuration from now on.
    pub after: Config,
    /// The state that earlier overrides held the breaker in; `None` if they did not.
    pub hold_before: Option<State>,
    /// The state that the overrides hold the breaker in; `None` if they do not.
    pub hold: Option<State>,
}

/// An option that a pattern sets, and a breaker cannot have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkippedOption {
    /// The name of the breaker, or that of a function which has one for each key.
    pub breaker: Name,
    /// The option, in the attribute's words.
    pub option: &'static str,
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for changed in &self.changed {
            writeln!(f, "{changed}")?;
        }
        for name in &self.unmatched {
            writeln!(f, "`{name}` matches no circuit")?;
        }
        for skipped in &self.skipped {
            writeln!(f, "{skipped}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ChangedRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before_each = ":";
        write!(f, "{}", self.breaker)?;
        for (option, before, after) in self.before.differences(&self.after) {
            write!(f, "{before_each} {option} {before} -> {after}")?;
            before_each = ",";
        }
        match self.hold {
            hold if hold == self.hold_before => Ok(()),
            Some(hold) => write!(f, "{before_each} held {hold}"),
            None => write!(f, "{before_each} released"),
        }
    }
}

impl fmt::Display for SkippedOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { breaker, option } = self;
        write!(
            f,
            "{breaker}: `{option}` is skipped, as it cannot be added at run time"
        )
    }
}

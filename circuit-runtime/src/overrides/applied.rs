//! The effect of overrides.

use std::collections::BTreeMap;
use std::fmt;

use circuit_options::suggest;

use crate::config::Config;
use crate::name::Name;
use crate::state::State;

/// How many names get a hint: each is compared with those of all functions.
const HINTED: usize = 20;

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
    /// The breakers whose rules, or whose hold in the overrides, have changed, in the order of
    /// their names.
    ///
    /// Overrides are compared with those before. So a breaker that was released by hand, and is
    /// held again by the same `hold`, is not among them.
    pub changed: Vec<ChangedRules>,
    /// The names and patterns that match no circuit, in their order. A circuit that is created
    /// later may match. Displayed, the first twenty have a hint at a name that is similar.
    pub unmatched: Vec<String>,
    /// The options that a pattern sets and a breaker cannot have: each is left out there.
    pub skipped: Vec<SkippedOption>,
    /// Hints at the names that may be meant by those that match no circuit.
    hints: BTreeMap<String, String>,
}

/// The rules of a breaker before and after overrides were applied.
///
/// # Examples
///
/// ```standalone_crate
/// use circuit_runtime::{CircuitBreaker, Config, Overrides, registry};
///
/// let breaker = CircuitBreaker::new("payments", Config::default());
/// let overrides = Overrides::new().options("payments", Config::builder().max_failures(3))?;
///
/// let applied = registry::apply(overrides)?;
/// let changed = &applied.changed[0];
/// assert_eq!(changed.before.max_failures(), Some(5));
/// assert_eq!(changed.after, breaker.config());
/// assert_eq!(changed.to_string(), "payments: max_failures 5 -> 3");
/// # Ok::<(), circuit_runtime::OverridesError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ChangedRules {
    /// The name of the breaker, or that of a function which has one for each key.
    pub breaker: Name,
    /// The configuration before.
    pub before: Config,
    /// The configuration from now on.
    pub after: Config,
    /// The `hold` of earlier overrides; `None` if they had none.
    pub hold_before: Option<State>,
    /// The `hold` of the overrides; `None` if they have none. An order that is given by hand goes
    /// before it: the [`snapshot`](crate::CircuitBreaker::snapshot) of a breaker tells what holds
    /// it.
    pub hold: Option<State>,
}

/// An option that a pattern sets, and a breaker cannot have.
#[cfg_attr(
    feature = "macros",
    doc = r#"
# Examples

A pattern sets a `timeout` for all functions, one of which has no room for a timer:

```standalone_crate
use circuit_runtime::{CircuitError, Config, Overrides, circuit_breaker, registry};
use std::time::Duration;

#[circuit_breaker(name = "quote")]
async fn quote() -> Result<f64, CircuitError> {
    Ok(12.5)
}

# #[tokio::main(flavor = "current_thread")]
# async fn main() -> Result<(), Box<dyn std::error::Error>> {
quote().await?;
let second = Config::builder().timeout(Duration::from_secs(1));
let applied = registry::apply(Overrides::new().options("*", second)?)?;

let skipped = &applied.skipped[0];
assert_eq!((skipped.breaker.as_str(), skipped.option), ("quote", "timeout"));
# Ok(())
# }
```
"#
)]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkippedOption {
    /// The name of the breaker, or that of a function which has one for each key.
    pub breaker: Name,
    /// The option, in the attribute's words.
    pub option: &'static str,
}

impl Applied {
    /// Creates the effect of overrides that change nothing, and in which these names match none.
    pub(super) fn from_unmatched(unmatched: Vec<&str>) -> Self {
        Self {
            unmatched: unmatched.into_iter().map(str::to_owned).collect(),
            ..Self::default()
        }
    }

    /// Adds hints at the functions that may be meant by the first names that match none.
    pub(super) fn add_hints(&mut self, functions: &[&str]) {
        let hints = self.unmatched.iter().take(HINTED).filter_map(|name| {
            let hint = hint(name, functions)?;
            Some((name.clone(), hint))
        });
        self.hints = hints.collect();
    }
}

/// Returns what may be meant by a name that is none of these.
fn hint(name: &str, functions: &[&str]) -> Option<String> {
    let (function, key) = match name.split_once('[') {
        Some((function, key)) => (function, Some(key)),
        None => (name, None),
    };
    let is_end_of = |known: &&&str| {
        let path = known.strip_suffix(function);
        path.is_some_and(|path| path.ends_with("::"))
    };
    let known = functions.iter().find(|known| **known == function);
    let known = known.or_else(|| functions.iter().find(is_end_of)).copied();
    let known = known.or_else(|| suggest::nearest(function, functions))?;
    Some(match key {
        Some(_) => format!("write `{known}`, for all of its keys"),
        None => format!("did you mean `{known}`?"),
    })
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for changed in &self.changed {
            writeln!(f, "{changed}")?;
        }
        for name in &self.unmatched {
            write!(f, "`{name}` matches no circuit so far")?;
            match self.hints.get(name) {
                Some(hint) => writeln!(f, "; {hint}")?,
                None => writeln!(f)?,
            }
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
        let text = |hold: Option<State>| hold.map_or("none", State::as_str);
        let (before, after) = (text(self.hold_before), text(self.hold));
        if before != after {
            write!(f, "{before_each} hold in the file {before} -> {after}")?;
        }
        Ok(())
    }
}

impl fmt::Display for SkippedOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { breaker, option } = self;
        write!(
            f,
            "{breaker}: `{option}` is skipped, as it cannot be added at run time; write one in the \
             attribute, `timeout = \"1h\"` if need be"
        )
    }
}

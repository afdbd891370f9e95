//! Overrides: options of circuits by their names, as a file sets them.

mod applied;
mod error;
mod hold;
pub(crate) mod in_force;
mod pattern;
mod serde;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use circuit_options::names::OptionName;

use crate::config::{Config, ConfigBuilder, Options};

pub use applied::{Applied, ChangedRules, SkippedOption};
pub use error::OverridesError;
pub(crate) use hold::HoldTo;
use pattern::Pattern;

/// Options of circuits by their names, over those that the program has set.
///
/// A file sets them under the key `circuits`: for the circuit of a name, or for all whose name
/// matches a pattern, where `*` stands for any run of characters, also `::`. Besides the options of
/// the attribute, `hold = "closed"` switches a circuit off, so that it never rejects a call, and
/// `hold = "open"` rejects all of its calls.
///
/// ```toml
/// [circuits."*"]
/// jitter = "10%"
///
/// [circuits."shop::quote"]
/// max_failures = 3
/// reset = "10s"
///
/// [circuits."shop::legacy::*"]
/// hold = "closed"
/// ```
///
/// Option by option, the most specific match wins: the exact name first, then the pattern with
/// more literal characters, then the one that sorts first. An option that no match sets keeps the
/// value that the program has given it. A breaker made for a key has the name of its function.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{Config, Overrides};
/// use std::time::Duration;
///
/// let file = r#"
///     [circuits."shop::*"]
///     timeout = "1s"
///     [circuits."shop::legacy"]
///     hold = "closed"
/// "#;
/// let overrides = Overrides::new()
///     .options("shop::*", Config::builder().timeout(Duration::from_secs(1)))?
///     .hold_closed("shop::legacy")?;
///
/// assert_eq!(toml::from_str::<Overrides>(file)?, overrides);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// As a field with `#[serde(flatten)]`, they are part of a program's own settings, where `circuits`
/// is one of the keys. But then a misspelt `circuits` is not an error: it sets nothing, and so sets
/// all rules back. And errors name the circuit and the option, but no line and no key of the file.
/// Where that matters, keep the overrides in a file of their own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    circuits: BTreeMap<String, Override>,
    /// Those of the names that are patterns.
    patterns: BTreeSet<String>,
}

/// The options and the hold that are written for a name or a pattern.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Override {
    options: Options,
    hold: Option<HoldTo>,
}

impl Override {
    const NONE: Self = Self {
        options: Options::NONE,
        hold: None,
    };
}

/// The rules of a circuit under overrides.
#[derive(Debug, PartialEq)]
pub(crate) struct Resolved {
    pub(crate) config: Config,
    pub(crate) hold: Option<HoldTo>,
}

impl Overrides {
    /// Creates overrides that change nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::Overrides;
    ///
    /// assert_eq!(Overrides::new(), Overrides::default());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets options of the circuit of this name, or of all that match a pattern: those that are set
    /// on the builder. Options set earlier for this name stay unless set again.
    ///
    /// # Errors
    ///
    /// Returns an error if the name is empty or if an option is invalid by itself.
    /// [`registry::apply`](crate::registry::apply) checks them with the other options of each
    /// circuit.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::{Config, Overrides};
    /// use std::time::Duration;
    ///
    /// let rules = Config::builder().max_failures(3).reset(Duration::from_secs(10));
    /// let overrides = Overrides::new().options("shop::quote", rules)?;
    ///
    /// let written = serde_json::to_string(&overrides)?;
    /// assert_eq!(written, r#"{"circuits":{"shop::quote":{"max_failures":3,"reset":"10s"}}}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn options(
        mut self,
        name: impl Into<String>,
        options: ConfigBuilder,
    ) -> Result<Self, OverridesError> {
        let name = name.into();
        let options = options.written();
        if let Some((option, mistake)) = options.mistake_in_value() {
            return Err(OverridesError::new(&name, option, &mistake));
        }
        let circuit = self.circuit(name)?;
        circuit.options = options.over(circuit.options);
        Ok(self)
    }

    /// Holds the circuit of this name, or all that match a pattern, closed: it rejects no calls.
    ///
    /// # Errors
    ///
    /// Returns an error if the name is empty.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::Overrides;
    ///
    /// let overrides = Overrides::new().hold_closed("shop::legacy::*")?;
    ///
    /// let written = serde_json::to_string(&overrides)?;
    /// assert_eq!(written, r#"{"circuits":{"shop::legacy::*":{"hold":"closed"}}}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn hold_closed(self, name: impl Into<String>) -> Result<Self, OverridesError> {
        self.hold(name.into(), HoldTo::Closed)
    }

    /// Holds the circuit of this name, or all that match a pattern, open: it rejects every call.
    ///
    /// # Errors
    ///
    /// Returns an error if the name is empty.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_runtime::Overrides;
    ///
    /// let overrides = Overrides::new().hold_open("payments")?;
    ///
    /// let written = serde_json::to_string(&overrides)?;
    /// assert_eq!(written, r#"{"circuits":{"payments":{"hold":"open"}}}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn hold_open(self, name: impl Into<String>) -> Result<Self, OverridesError> {
        self.hold(name.into(), HoldTo::Open)
    }

    /// Returns the rules of a circuit, by the name of its function, whose own are `base`.
    #[cfg(test)]
    fn resolve(&self, function: &str, base: &Config) -> Result<Resolved, OverridesError> {
        self.resolve_except(function, base, None)
    }

    /// Returns the rules of a circuit, without the one option that it cannot have.
    pub(crate) fn resolve_except(
        &self,
        function: &str,
        base: &Config,
        except: Option<OptionName>,
    ) -> Result<Resolved, OverridesError> {
        let matches = self.matches(function);
        let mut options = Options::NONE;
        for (_, circuit) in matches.iter().rev() {
            for (option, value) in circuit.options.iter() {
                if Some(option) != except {
                    options.set(option, value);
                }
            }
        }
        let config = base.with(&options);
        let config = config.map_err(|(option, mistake)| {
            let origins = self.origins(function, base, &mistake);
            OverridesError::new(function, option, &format!("{mistake}{origins}"))
        })?;
        Ok(Resolved {
            config,
            hold: most_specific_hold(&matches),
        })
    }

    /// Returns the hold of a circuit, whatever its options are.
    pub(crate) fn hold_of(&self, function: &str) -> Option<HoldTo> {
        most_specific_hold(&self.matches(function))
    }

    /// Returns the name or pattern that sets an option of a circuit, and whether it is an exact
    /// name.
    pub(crate) fn source(&self, function: &str, option: OptionName) -> Option<(&str, bool)> {
        let sets = |circuit: &Override| circuit.options.get(option).is_some();
        let mut matches = self.matches(function).into_iter();
        let (pattern, _) = matches.find(|(_, circuit)| sets(circuit))?;
        Some((pattern.0, pattern.is_exact()))
    }

    /// Returns where the values of the options that a mistake names come from, unless they stand
    /// side by side.
    fn origins(&self, function: &str, base: &Config, mistake: &str) -> String {
        let is_named = |option: &OptionName| mistake.contains(&format!("`{option}`"));
        let named = OptionName::ALL.into_iter().filter(is_named);
        let origins: Vec<_> = named
            .filter_map(|option| {
                let origin = match self.source(function, option) {
                    Some((pattern, _)) => format!("`{pattern}`"),
                    None => base.origin(option)?.to_owned(),
                };
                Some((option, origin))
            })
            .collect();
        if origins
            .windows(2)
            .all(|pair| matches!(pair, [(_, a), (_, b)] if a == b))
        {
            return String::new();
        }
        let all = origins
            .iter()
            .map(|(option, origin)| format!("`{option}` from {origin}"));
        format!(" ({})", all.collect::<Vec<_>>().join(", "))
    }

    /// Returns the names and patterns that match none of these functions.
    pub(crate) fn unmatched<'f>(&self, functions: impl IntoIterator<Item = &'f str>) -> Vec<&str> {
        let functions: HashSet<_> = functions.into_iter().collect();
        let is_unmatched = |pattern: &Pattern<'_>| {
            if pattern.is_exact() {
                return !functions.contains(pattern.0);
            }
            !functions.iter().any(|function| pattern.matches(function))
        };
        let names = self.circuits.keys().map(|name| Pattern(name));
        let unmatched = names.filter(is_unmatched);
        unmatched.map(|pattern| pattern.0).collect()
    }

    /// Returns what is written for a circuit, the most specific first. An exact name is looked up:
    /// there may be thousands.
    fn matches(&self, function: &str) -> Vec<(Pattern<'_>, &Override)> {
        let patterns = self.patterns.iter().map(|pattern| Pattern(pattern));
        let mut matches: Vec<_> = patterns
            .filter(|pattern| pattern.matches(function))
            .collect();
        matches.sort_unstable();
        let exact = Some(Pattern(function)).filter(|name| name.is_exact());
        let all = exact.into_iter().chain(matches);
        let written = all.filter_map(|pattern| {
            let (name, circuit) = self.circuits.get_key_value(pattern.0)?;
            Some((Pattern(name), circuit))
        });
        written.collect()
    }

    fn hold(mut self, name: String, to: HoldTo) -> Result<Self, OverridesError> {
        self.circuit(name)?.hold = Some(to);
        Ok(self)
    }

    /// Returns what is written for a name, to add to it.
    fn circuit(&mut self, name: String) -> Result<&mut Override, OverridesError> {
        if name.is_empty() {
            return Err(OverridesError::unnamed());
        }
        if !Pattern(&name).is_exact() {
            self.patterns.insert(name.clone());
        }
        Ok(self.circuits.entry(name).or_insert(Override::NONE))
    }
}

fn most_specific_hold(matches: &[(Pattern<'_>, &Override)]) -> Option<HoldTo> {
    matches.iter().find_map(|(_, circuit)| circuit.hold)
}

#[cfg(test)]
mod tests {
    use super::{HoldTo, Overrides, OverridesError};
    use crate::config::{Config, ConfigBuilder};
    use circuit_options::names::OptionName;
    use std::time::Duration;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn overrides(circuits: &[(&str, ConfigBuilder)]) -> Overrides {
        let mut circuits = circuits.iter();
        let all = circuits.try_fold(Overrides::new(), |all, (name, options)| {
            all.options(*name, *options)
        });
        all.unwrap_or_default()
    }

    fn resolved(overrides: &Overrides, base: ConfigBuilder) -> Result<Config, OverridesError> {
        let base = base.build().unwrap_or_default();
        let resolved = overrides.resolve("shop::quote", &base)?;
        Ok(resolved.config)
    }

    #[test]
    fn the_most_specific_match_wins_option_by_option() -> Result<(), OverridesError> {
        let rules = Config::builder;
        let all = rules()
            .timeout(seconds(1))
            .probes(2)
            .jitter(0.1)
            .reset(seconds(5));
        let overrides = overrides(&[
            ("*", all.max_failures(9)),
            ("shop::*", rules().timeout(seconds(2)).probes(3)),
            ("*::quote", rules().jitter(0.2).probes(4)),
            ("shop::quote", rules().reset(seconds(7))),
            ("shop::order", rules().max_failures(1)),
        ]);
        let overrides = overrides.hold_open("*")?.hold_closed("shop::*")?;

        let resolved = overrides.resolve("shop::quote", &Config::default())?;

        let expected = rules()
            .max_failures(9)
            .timeout(seconds(2))
            .probes(4)
            .jitter(0.2);
        assert_eq!(Ok(resolved.config), expected.reset(seconds(7)).build());
        assert_eq!(resolved.hold, Some(HoldTo::Closed));
        let matches = overrides.matches("shop::quote").into_iter();
        let matches: Vec<_> = matches.map(|(pattern, _)| pattern.0).collect();
        assert_eq!(matches, ["shop::quote", "*::quote", "shop::*", "*"]);

        let source = |option| overrides.source("shop::quote", option);
        assert_eq!(source(OptionName::Reset), Some(("shop::quote", true)));
        assert_eq!(source(OptionName::Timeout), Some(("shop::*", false)));
        assert_eq!(source(OptionName::Window), None);

        let timeout = Some(OptionName::Timeout);
        let without = overrides.resolve_except("shop::quote", &Config::default(), timeout)?;
        assert_eq!(without.config.timeout(), None);
        assert_eq!(without.config.probes(), 4);
        Ok(())
    }

    #[test]
    fn a_circuit_that_nothing_matches_keeps_its_rules() {
        let base = Config::builder().last_calls(10).failure_rate(0.5);
        let other = overrides(&[("shop::order", Config::builder().probes(3))]);
        assert_eq!(resolved(&other, base).ok(), base.build().ok());
    }

    #[test]
    fn a_window_replaces_one_of_the_other_type() {
        let time = Config::builder().window(seconds(10)).failure_rate(0.5);
        let calls = Config::builder().last_calls(100).failure_rate(0.5);
        let to_time = overrides(&[("*", Config::builder().window(seconds(10)))]);
        let to_calls = overrides(&[("*", Config::builder().last_calls(100))]);
        assert_eq!(resolved(&to_time, calls).ok(), time.build().ok());
        assert_eq!(resolved(&to_calls, time).ok(), calls.build().ok());

        let more_specific = overrides(&[
            ("*", Config::builder().window(seconds(10))),
            ("shop::*", Config::builder().last_calls(100)),
        ]);
        assert_eq!(resolved(&more_specific, time).ok(), calls.build().ok());
    }

    /// As in the attribute: five failures are the default where no other rule is written.
    #[test]
    fn a_default_follows_what_is_written_in_the_end() {
        let rate = Config::builder().window(seconds(10)).failure_rate(0.5);
        let with_rate = overrides(&[("*", rate)]);
        let max_failures = |base| {
            let resolved = resolved(&with_rate, base);
            resolved.ok().and_then(|config| config.max_failures())
        };
        assert_eq!(max_failures(Config::builder()), None);
        assert_eq!(max_failures(Config::builder().max_failures(5)), Some(5));

        let fewer = overrides(&[("*", Config::builder().last_calls(10))]);
        let min_calls = resolved(&fewer, rate).ok().map(|config| config.min_calls());
        assert_eq!(min_calls, Some(10));
    }

    #[test]
    fn options_that_do_not_go_together_are_an_error_of_the_circuit() {
        for (base, options, option, message) in [
            (
                Config::builder(),
                Config::builder().max_reset(seconds(10)),
                "max_reset",
                "circuit `shop::quote`: `max_reset` must not be shorter than `reset`; the wait \
                 grows from `reset` up to it (`reset` from the default, `max_reset` from `shop::*`)",
            ),
            (
                Config::builder().max_failures(7),
                Config::builder().last_calls(6),
                "max_failures",
                "circuit `shop::quote`: `max_failures` must not be above the calls in `window`, and \
                 7 is above 6; the circuit would never open (`max_failures` from the program, \
                 `window` from `shop::*`)",
            ),
            (
                Config::builder(),
                Config::builder().failure_rate(0.5),
                "failure_rate",
                "circuit `shop::quote`: `failure_rate` needs a `window`; add `window = \"10s\"` for \
                 the calls of ten seconds, or `window = 100` for the last hundred",
            ),
        ] {
            let resolved = resolved(&overrides(&[("shop::*", options)]), base);
            let error = resolved.err();
            let found = error
                .as_ref()
                .map(|error| (error.circuit(), error.option()));
            assert_eq!(found, Some(("shop::quote", Some(option))));
            assert_eq!(
                error.map(|error| error.to_string()).as_deref(),
                Some(message)
            );
        }
    }

    #[test]
    fn an_option_that_is_invalid_by_itself_is_an_error_at_once() {
        let two = Config::builder().last_calls(100).window(seconds(10));
        for (options, option) in [
            (Config::builder().max_failures(0), "max_failures"),
            (Config::builder().jitter(f64::NAN), "jitter"),
            (Config::builder().window(Duration::ZERO), "window"),
            (two, "window"),
        ] {
            let error = Overrides::new().options("shop::*", options).err();
            let found = error
                .as_ref()
                .map(|error| (error.circuit(), error.option()));
            assert_eq!(found, Some(("shop::*", Some(option))));
        }
        // Valid beside other options.
        let alone = Config::builder()
            .failure_rate(0.5)
            .max_reset(seconds(1))
            .min_calls(3);
        assert!(Overrides::new().options("shop::*", alone).is_ok());
    }

    #[test]
    fn options_set_for_a_name_twice_add_up() -> Result<(), OverridesError> {
        let both = Config::builder().probes(3).reset(seconds(2));
        let one_by_one = Overrides::new()
            .options("a", Config::builder().probes(3).reset(seconds(1)))?
            .options("a", Config::builder().reset(seconds(2)))?;
        assert_eq!(one_by_one, overrides(&[("a", both)]));
        Ok(())
    }

    #[test]
    fn names_that_match_nothing_are_found() {
        let probes = Config::builder().probes(3);
        let names = ["*", "shop::*", "shop::qoute", "legacy::*", "shop::quote"];
        let overrides = overrides(&names.map(|name| (name, probes)));
        let unmatched = overrides.unmatched(["shop::quote", "shop::order"]);
        assert_eq!(unmatched, ["legacy::*", "shop::qoute"]);
        assert_eq!(overrides.unmatched([]).len(), names.len());
    }

    #[test]
    fn a_duration_is_kept_in_whole_microseconds() {
        let nanosecond = Config::builder().reset(Duration::from_nanos(1));
        let microsecond = Config::builder().reset(Duration::from_micros(1));
        assert_eq!(
            overrides(&[("*", nanosecond)]),
            overrides(&[("*", microsecond)])
        );
    }
}

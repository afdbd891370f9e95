//! The option that an unknown word stands for: a misspelling, or the name of another library.
//!
//! # Examples
//!
//! ```
//! use circuit_options::places::Place;
//! use circuit_options::suggest::unknown_option;
//!
//! assert_eq!(
//!     unknown_option("cooldown_ms", Place::Config),
//!     "unknown option `cooldown_ms`; here it is called `reset`, and has its unit in the value: \
//!      `reset = \"100ms\"`",
//! );
//! ```

use crate::aliases;
use crate::kinds::ValueKind;
use crate::names::OptionName;
use crate::places::Place;

/// The key that stands beside the options of a circuit in `Overrides`.
///
/// # Examples
///
/// ```
/// use circuit_options::places::Place;
/// use circuit_options::suggest::{HOLD, all_names};
///
/// assert!(all_names(Place::Overrides).contains(HOLD));
/// assert!(!all_names(Place::Config).contains(HOLD));
/// ```
pub const HOLD: &str = "hold";

/// The most bytes that a letter has.
const MAX_LETTER: usize = 4;

/// The endings of names that hold a unit, in other libraries, and the unit as it is written here.
const UNITS: [(&str, &str); 9] = [
    ("_ms", "ms"),
    ("_msec", "ms"),
    ("_millis", "ms"),
    ("_milliseconds", "ms"),
    ("_s", "s"),
    ("_sec", "s"),
    ("_secs", "s"),
    ("_seconds", "s"),
    ("_minutes", "m"),
];

/// Returns the error message for a word that names no option in this place, with what to write
/// instead.
///
/// # Examples
///
/// ```
/// use circuit_options::places::Place;
/// use circuit_options::suggest::unknown_option;
///
/// assert_eq!(
///     unknown_option("max_failure", Place::Attribute),
///     "unknown option `max_failure`; did you mean `max_failures`?",
/// );
/// assert_eq!(
///     unknown_option("fallback", Place::Config),
///     "`fallback` is an option of the attribute alone; remove it here",
/// );
/// ```
#[must_use]
pub fn unknown_option(written: &str, place: Place) -> String {
    let word = snake_case(written);
    let advice = if let Some(option) = named_option(&word) {
        if place.takes(option) {
            format!("here it is called `{option}`")
        } else if written == option.as_str() {
            return format!("`{option}` is an option of the attribute alone; remove it here");
        } else {
            format!("it is called `{option}`, and is an option of the attribute alone")
        }
    } else if let Some((option, unit)) = option_with_unit(&word) {
        format!(
            "here it is called `{option}`, and has its unit in the value: `{option} = \"100{unit}\"`"
        )
    } else if let Some(advice) = aliases::instead_of(&word, place) {
        advice.to_owned()
    } else if let Some(name) = nearest_name(&word, place) {
        format!("did you mean `{name}`?")
    } else {
        format!("expected one of {}", all_names(place))
    };
    format!("unknown option `{written}`; {advice}")
}

/// Returns the option that a word names or misspells, or that another library calls by it.
///
/// # Examples
///
/// ```
/// use circuit_options::names::OptionName;
/// use circuit_options::suggest::meant_option;
///
/// for word in ["reset", "rset", "cooldown"] {
///     assert_eq!(meant_option(word), Some(OptionName::Reset));
/// }
/// ```
#[must_use]
pub fn meant_option(written: &str) -> Option<OptionName> {
    let word = snake_case(written);
    let misspelled = || OptionName::from_name(nearest_name(&word, Place::Attribute)?);
    let with_unit = || Some(option_with_unit(&word)?.0);
    named_option(&word).or_else(with_unit).or_else(misspelled)
}

/// Returns the names of all options that can be written in this place, as messages list them.
///
/// # Examples
///
/// ```
/// use circuit_options::places::Place;
/// use circuit_options::suggest::all_names;
///
/// assert!(all_names(Place::Attribute).starts_with("`max_failures`, `window`, "));
/// assert!(all_names(Place::Overrides).ends_with("`timeout`, `ramp`, `hold`"));
/// ```
#[must_use]
pub fn all_names(place: Place) -> String {
    let names: Vec<_> = names_in(place).map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// Returns the names that can be written in this place.
fn names_in(place: Place) -> impl Iterator<Item = &'static str> {
    let options = OptionName::ALL.into_iter();
    let hold = (place == Place::Overrides).then_some(HOLD);
    options
        .filter(move |option| place.takes(*option))
        .map(OptionName::as_str)
        .chain(hold)
}

fn named_option(word: &str) -> Option<OptionName> {
    OptionName::from_name(word).or_else(|| aliases::option_called(word))
}

/// Returns the span of time that a word names together with its unit, and the unit.
fn option_with_unit(word: &str) -> Option<(OptionName, &'static str)> {
    let (option, unit) = UNITS.iter().find_map(|(ending, unit)| {
        let option = named_option(word.strip_suffix(ending)?)?;
        Some((option, *unit))
    })?;
    let kind = ValueKind::for_option(option);
    matches!(kind, Some(ValueKind::Duration | ValueKind::Window)).then_some((option, unit))
}

/// Returns the name that a word misspells, among those that can be written in this place.
fn nearest_name(word: &str, place: Place) -> Option<&'static str> {
    nearest(word, &names_in(place).collect::<Vec<_>>())
}

/// Returns the known word that `word` misspells: at most two letters differ, and fewer than half of
/// them.
///
/// # Examples
///
/// ```
/// use circuit_options::suggest::nearest;
///
/// assert_eq!(nearest("qoute", &["order", "quote"]), Some("quote"));
/// assert_eq!(nearest("page", &["order", "quote"]), None);
/// ```
#[must_use]
pub fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    known
        .iter()
        .filter(|candidate| candidate.len().abs_diff(word.len()) <= 2 * MAX_LETTER)
        .map(|candidate| (distance(word, candidate), *candidate))
        .filter(|(distance, _)| *distance <= 2 && distance * 2 < word.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Converts `maxFailures`, `MaxFailures`, `MAX_FAILURES` and `max-failures` to `max_failures`.
fn snake_case(word: &str) -> String {
    let mut snake = String::new();
    let mut after_small = false;
    for letter in word.replace('-', "_").chars() {
        if letter.is_uppercase() && after_small {
            snake.push('_');
        }
        after_small = letter.is_lowercase() || letter.is_numeric();
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// Returns the Levenshtein distance: the letters to insert, delete or replace to turn one word into
/// the other.
fn distance(from: &str, to: &str) -> usize {
    // One row of the algorithm of Wagner and Fischer: the distances from the letters of `from` so
    // far to each beginning of `to`.
    let mut row: Vec<usize> = (1..=to.chars().count()).collect();
    for (position, letter) in from.chars().enumerate() {
        let mut diagonal = position;
        let mut left = position + 1;
        for (above, other) in row.iter_mut().zip(to.chars()) {
            let replaced = diagonal + usize::from(letter != other);
            diagonal = *above;
            left = replaced.min(diagonal + 1).min(left + 1);
            *above = left;
        }
    }
    row.last().copied().unwrap_or(from.chars().count())
}

#[cfg(test)]
mod tests {
    use super::{all_names, distance, meant_option, nearest, snake_case, unknown_option};
    use crate::names::OptionName;
    use crate::places::Place;

    #[test]
    fn distances_are_those_of_levenshtein() {
        for (from, to, expected) in [
            ("", "", 0),
            ("", "reset", 5),
            ("reset", "", 5),
            ("reset", "reset", 0),
            ("reset", "rest", 1),
            ("rest", "reset", 1),
            ("windwo", "window", 2),
            ("timeuot", "timeout", 2),
            ("kitten", "sitting", 3),
            ("größe", "grösse", 2),
        ] {
            assert_eq!(distance(from, to), expected, "{from} -> {to}");
        }
    }

    #[test]
    fn words_of_other_languages_become_snake_case() {
        for word in [
            "maxFailures",
            "MaxFailures",
            "MAX_FAILURES",
            "max_failures",
            "max-failures",
        ] {
            assert_eq!(snake_case(word), "max_failures", "{word}");
        }
        assert_eq!(snake_case("maxRT"), "max_rt");
    }

    #[test]
    fn the_nearest_word_is_suggested() {
        assert_eq!(
            nearest("rset", &["window", "preset", "reset"]),
            Some("reset")
        );
    }

    #[test]
    fn a_different_word_is_not_a_misspelling() {
        assert_eq!(nearest("rate", &["name", "reset"]), None);
        assert_eq!(nearest("probes", &["name", "reset"]), None);
        assert_eq!(nearest("", &["name"]), None);
    }

    #[test]
    fn an_unknown_option_gets_the_best_advice() {
        for (written, advice) in [
            ("failureThreshold", "here it is called `max_failures`"),
            (
                "retries",
                "calls are not retried here; `max_failures` sets how many failures open the circuit",
            ),
            ("windwo", "did you mean `window`?"),
            (
                "colour",
                &format!("expected one of {}", all_names(Place::Attribute)),
            ),
        ] {
            let expected = format!("unknown option `{written}`; {advice}");
            assert_eq!(unknown_option(written, Place::Attribute), expected);
        }
    }

    #[test]
    fn a_unit_in_a_name_goes_to_the_value() {
        for (written, advice) in [
            (
                "timeout_ms",
                "here it is called `timeout`, and has its unit in the value: `timeout = \"100ms\"`",
            ),
            (
                "resetTimeoutMillis",
                "here it is called `reset`, and has its unit in the value: `reset = \"100ms\"`",
            ),
            (
                "window-secs",
                "here it is called `window`, and has its unit in the value: `window = \"100s\"`",
            ),
        ] {
            let expected = format!("unknown option `{written}`; {advice}");
            assert_eq!(unknown_option(written, Place::Overrides), expected);
            assert!(meant_option(written).is_some(), "{written}");
        }
        // An option that takes no span of time.
        assert_eq!(meant_option("probes_ms"), None);
    }

    #[test]
    fn in_a_file_only_what_it_takes_is_suggested() {
        let circuit = "to switch a circuit off, write `hold = \"closed\"`";
        let of_attribute = "it is called `failure_if`, and is an option of the attribute alone";
        for (written, place, advice) in [
            ("holt", Place::Overrides, "did you mean `hold`?"),
            ("enabled", Place::Overrides, circuit),
            ("fail_if", Place::Overrides, of_attribute),
            (
                "max-failures",
                Place::Config,
                "here it is called `max_failures`",
            ),
            ("failure_of", Place::Attribute, "did you mean `failure_if`?"),
            (
                "failure_of",
                Place::Config,
                "expected one of `max_failures`, `window`, `failure_rate`, `slow_call`, \
                 `slow_rate`, `min_calls`, `reset`, `max_reset`, `jitter`, `probes`, `timeout`, \
                 `ramp`",
            ),
        ] {
            let expected = format!("unknown option `{written}`; {advice}");
            assert_eq!(unknown_option(written, place), expected);
        }
        assert_eq!(
            unknown_option("key", Place::Overrides),
            "`key` is an option of the attribute alone; remove it here"
        );
    }

    #[test]
    fn a_word_can_mean_an_option_without_naming_it() {
        for word in ["reset", "rset", "RESET", "cooldown"] {
            assert_eq!(meant_option(word), Some(OptionName::Reset), "{word}");
        }
        assert_eq!(meant_option("colour"), None);
        assert_eq!(meant_option("retries"), None);
    }
}

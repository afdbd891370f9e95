//! The option that an unknown word stands for: a misspelling, or the name of another library.

use crate::aliases;
use crate::names::OptionName;

/// Returns the error message for a word that names no option, with what to write instead.
///
/// # Examples
///
/// ```
/// use circuit_options::suggest::unknown_option;
///
/// assert_eq!(
///     unknown_option("max_failure"),
///     "unknown option `max_failure`; did you mean `max_failures`?",
/// );
/// ```
#[must_use]
pub fn unknown_option(written: &str) -> String {
    let word = snake_case(written);
    let advice = if let Some(option) = named_option(&word) {
        format!("here it is called `{option}`")
    } else if let Some(advice) = aliases::instead_of(&word) {
        advice.to_owned()
    } else if let Some(option) = nearest_option(&word) {
        format!("did you mean `{option}`?")
    } else {
        format!("expected one of {}", all_names())
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
    named_option(&word).or_else(|| nearest_option(&word))
}

/// Returns the names of all options, as messages list them.
///
/// # Examples
///
/// ```
/// use circuit_options::suggest::all_names;
///
/// assert!(all_names().starts_with("`max_failures`, `window`, "));
/// ```
#[must_use]
pub fn all_names() -> String {
    OptionName::ALL
        .map(|option| format!("`{option}`"))
        .join(", ")
}

fn named_option(word: &str) -> Option<OptionName> {
    OptionName::from_name(word).or_else(|| aliases::option_called(word))
}

fn nearest_option(word: &str) -> Option<OptionName> {
    let name = nearest(word, &OptionName::ALL.map(OptionName::as_str))?;
    OptionName::from_name(name)
}

/// Returns the known word that `word` misspells: at most two letters differ, and fewer than half of
/// them.
fn nearest(word: &str, known: &[&'static str]) -> Option<&'static str> {
    known
        .iter()
        .map(|candidate| (distance(word, candidate), *candidate))
        .filter(|(distance, _)| *distance <= 2 && distance * 2 < word.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Converts `maxFailures`, `MaxFailures` and `MAX_FAILURES` to `max_failures`.
fn snake_case(word: &str) -> String {
    let mut snake = String::new();
    let mut after_small = false;
    for letter in word.chars() {
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
        for word in ["maxFailures", "MaxFailures", "MAX_FAILURES", "max_failures"] {
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
                "nothing is tried again here, and `max_failures` opens the circuit",
            ),
            ("windwo", "did you mean `window`?"),
            ("colour", &format!("expected one of {}", all_names())),
        ] {
            let expected = format!("unknown option `{written}`; {advice}");
            assert_eq!(unknown_option(written), expected);
        }
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

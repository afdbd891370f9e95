//! What the user may have meant.

/// The known word that `word` is a misspelling of: at most two letters off, and more of them right
/// than wrong.
pub(crate) fn nearest(
    word: &str,
    known: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= 2 && distance * 2 < word.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The word as an option is written: `maxFailures`, `MaxFailures` and `MAX_FAILURES` as `max_failures`.
pub(crate) fn snake_case(word: &str) -> String {
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

/// The Levenshtein distance: the letters to insert, delete or replace to turn one word into the
/// other.
fn distance(from: &str, to: &str) -> usize {
    // One row of the usual table: the distances from the letters of `from` so far to each beginning
    // of `to`.
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
    use super::{distance, nearest, snake_case};

    #[test]
    fn distances() {
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
    fn words_of_other_languages_become_words_of_this_one() {
        for word in ["maxFailures", "MaxFailures", "MAX_FAILURES", "max_failures"] {
            assert_eq!(snake_case(word), "max_failures", "{word}");
        }
        assert_eq!(snake_case("maxRT"), "max_rt");
    }

    #[test]
    fn the_nearest_word_wins() {
        assert_eq!(
            nearest("rset", ["window", "preset", "reset"]),
            Some("reset")
        );
    }

    #[test]
    fn a_word_of_its_own_is_no_misspelling() {
        assert_eq!(nearest("rate", ["name", "reset"]), None);
        assert_eq!(nearest("probes", ["name", "reset"]), None);
        assert_eq!(nearest("", ["name"]), None);
    }
}

//! Names of circuits, and patterns of names.

use std::cmp::Ordering;

/// The letter that stands for any run of characters.
const ANY: char = '*';

/// The name of a circuit, or a pattern with `*`, which stands for any run of characters.
///
/// Ordered by how specific it is, the most specific first: a name, then the pattern with more
/// literal characters, then the smaller text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pattern<'p>(pub(super) &'p str);

impl Pattern<'_> {
    /// Returns `true` for a name, which matches itself alone.
    pub(super) fn is_exact(self) -> bool {
        !self.0.contains(ANY)
    }

    /// Returns `true` if this matches a name as a whole.
    pub(super) fn matches(self, name: &str) -> bool {
        let Some((beginning, others)) = self.0.split_once(ANY) else {
            return self.0 == name;
        };
        let Some(mut rest) = name.strip_prefix(beginning) else {
            return false;
        };
        let mut parts = others.split(ANY);
        let end = parts.next_back().unwrap_or_default();
        // The first place of each part leaves the most room for those after it.
        for part in parts {
            match rest.split_once(part) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        rest.ends_with(end)
    }

    fn literals(self) -> usize {
        self.0.chars().filter(|letter| *letter != ANY).count()
    }
}

impl Ord for Pattern<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let is_exact = other.is_exact().cmp(&self.is_exact());
        let literals = other.literals().cmp(&self.literals());
        is_exact.then(literals).then_with(|| self.0.cmp(other.0))
    }
}

impl PartialOrd for Pattern<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn an_asterisk_stands_for_any_run_of_characters() {
        for (pattern, name, expected) in [
            ("quote", "quote", true),
            ("quote", "quotes", false),
            ("*", "", true),
            ("*", "shop::quote", true),
            ("**", "shop::quote", true),
            ("shop::*", "shop::quote", true),
            ("shop::*", "shop::legacy::quote", true),
            ("shop::*", "shop::", true),
            ("shop::*", "workshop::quote", false),
            ("*::quote", "shop::quote", true),
            ("*::quote", "shop::quotes", false),
            ("shop::*::quote", "shop::legacy::quote", true),
            ("shop::*::quote", "shop::quote", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*ab*ab*", "abab", true),
            ("*ab*ab*", "aba", false),
            ("*aab", "aaab", true),
            ("a*b*c", "a1b2b3c", true),
            ("ü*", "über", true),
            ("*€*", "1€", true),
        ] {
            assert_eq!(Pattern(pattern).matches(name), expected, "{pattern} {name}");
        }
    }

    /// The matching of every pattern with every name over two letters, compared with trying each
    /// run that an asterisk can stand for.
    #[test]
    fn matching_is_that_of_trying_every_run() {
        fn tried(pattern: &[u8], name: &[u8]) -> bool {
            match pattern.split_first() {
                None => name.is_empty(),
                Some((b'*', others)) => {
                    (0..=name.len()).any(|run| tried(others, name.get(run..).unwrap_or_default()))
                }
                Some((letter, others)) => name
                    .split_first()
                    .is_some_and(|(first, rest)| first == letter && tried(others, rest)),
            }
        }
        let texts = |letters: &[char]| {
            let mut all = vec![String::new()];
            let mut last = all.clone();
            for _ in 0..5 {
                let longer = last
                    .iter()
                    .flat_map(|text| letters.iter().map(move |letter| format!("{text}{letter}")));
                last = longer.collect();
                all.extend(last.clone());
            }
            all
        };
        let names = texts(&['a', 'b']);
        for pattern in texts(&['a', 'b', '*']) {
            for name in &names {
                let expected = tried(pattern.as_bytes(), name.as_bytes());
                assert_eq!(
                    Pattern(&pattern).matches(name),
                    expected,
                    "{pattern} {name}"
                );
            }
        }
    }

    #[test]
    fn the_most_specific_comes_first() {
        let ordered = [
            "shop::quote",
            "a",
            "shop::quote*",
            "*op::quote",
            "shop*::",
            "shop::*",
            "über*",
            "a*",
            "*",
            "**",
        ];
        let mut patterns = ordered.map(Pattern);
        patterns.reverse();
        patterns.sort();
        assert_eq!(patterns, ordered.map(Pattern));
    }
}

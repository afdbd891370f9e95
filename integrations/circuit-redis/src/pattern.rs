//! The names of circuits that are shared.

/// A name, or a pattern with `*`, which stands for any run of characters.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(String);

impl Pattern {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns `true` if this matches a name as a whole.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let Some((beginning, others)) = self.0.split_once('*') else {
            return self.0 == name;
        };
        let Some(mut rest) = name.strip_prefix(beginning) else {
            return false;
        };
        let mut parts = others.split('*');
        let end = parts.next_back().unwrap_or_default();
        // The first position of each part leaves the most room for those after it.
        for part in parts {
            match rest.split_once(part) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        rest.ends_with(end)
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
            ("shop::*", "shop::quote", true),
            ("shop::*", "workshop::quote", false),
            ("shop::*::quote", "shop::legacy::quote", true),
            ("a*a", "a", false),
            ("*ab*ab*", "abab", true),
            ("*ab*ab*", "aba", false),
            ("ü*", "über", true),
        ] {
            assert_eq!(
                Pattern::new(pattern).matches(name),
                expected,
                "{pattern} {name}"
            );
        }
    }
}

//! The keys of a namespace.

use std::sync::Arc;

use crate::error::FleetError;

/// The longest namespace, or name of a member, in bytes.
const MAX_WORD: usize = 100;
/// The longest name of a circuit that a key holds in full, in bytes.
const MAX_NAME: usize = 200;
/// The beginning that is kept of a longer one.
const KEPT: usize = 160;

/// The keys of a namespace. Its braces put all of them into one hash slot.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    prefix: Arc<str>,
}

impl Keys {
    pub(crate) fn new(namespace: &str) -> Result<Self, FleetError> {
        let is_valid = !namespace.is_empty()
            && namespace.len() <= MAX_WORD
            && namespace
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
        if !is_valid {
            return Err(FleetError::Namespace(namespace.to_owned()));
        }
        Ok(Self {
            prefix: format!("cbr:{{{namespace}}}:").into(),
        })
    }

    /// Returns the keys that every script uses.
    pub(crate) fn common(&self) -> [String; 4] {
        ["seq", "m", "i", "o"].map(|key| format!("{}{key}", self.prefix))
    }

    /// Returns the keys of the verdict and the votes on one name.
    pub(crate) fn for_name(&self, name: &str) -> [String; 2] {
        ["b", "v"].map(|key| format!("{}{key}:{name}", self.prefix))
    }

    pub(crate) fn channel(&self) -> String {
        format!("{}ev", self.prefix)
    }
}

/// Returns the name by which a store knows a circuit: a long one is shortened to its beginning, `#`
/// and a hash of all of it, the same in every process.
pub(crate) fn stored_name(name: &str) -> Arc<str> {
    if name.len() <= MAX_NAME {
        return name.into();
    }
    let beginning = (0..=KEPT)
        .rev()
        .find_map(|end| name.get(..end))
        .unwrap_or_default();
    format!("{beginning}#{:032x}", fnv1a(name.as_bytes())).into()
}

/// Returns `true` if the name is one that was shortened.
pub(crate) fn is_shortened(stored: &str) -> bool {
    stored.len() > KEPT && stored.contains('#')
}

/// Returns `true` for a word that can stand in a line of a script.
pub(crate) fn is_word(word: &str) -> bool {
    !word.is_empty() && word.len() <= MAX_WORD && word.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Returns the hash FNV-1a with 128 bits, by Fowler, Noll and Vo.
fn fnv1a(bytes: &[u8]) -> u128 {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(BASIS, |hash, byte| {
        (hash ^ u128::from(*byte)).wrapping_mul(PRIME)
    })
}

#[cfg(test)]
mod tests {
    use super::{Keys, fnv1a, is_shortened, stored_name};

    #[test]
    fn the_hash_is_that_of_the_reference() {
        assert_eq!(fnv1a(b""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        assert_eq!(fnv1a(b"a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
    }

    #[test]
    fn a_long_name_is_shortened_to_its_beginning_and_a_hash() {
        let short = "é".repeat(100);
        assert_eq!(&*stored_name(&short), short);
        let long = "é".repeat(101);
        let stored = stored_name(&long);
        assert!(stored.starts_with(&"é".repeat(80)));
        assert_eq!(stored.len(), 160 + 1 + 32);
        assert!(is_shortened(&stored) && !is_shortened("shop::quote#1"));
        assert_ne!(stored, stored_name(&format!("{long}x")));
    }

    #[test]
    fn a_namespace_cannot_leave_its_braces() {
        for namespace in ["", "a}b", "a{b", "a b", "ü", &"a".repeat(101)] {
            assert!(Keys::new(namespace).is_err(), "{namespace}");
        }
        let keys = Keys::new("shop.eu-1").unwrap();
        assert_eq!(keys.channel(), "cbr:{shop.eu-1}:ev");
        assert_eq!(keys.for_name("q")[0], "cbr:{shop.eu-1}:b:q");
    }
}

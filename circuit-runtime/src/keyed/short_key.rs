//! Keys as they are kept: long ones shortened, so that none takes much memory.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::str;
use std::sync::LazyLock;

/// The most bytes of a key that are kept.
pub(super) const MAX_KEY: usize = 256;

/// Stands between the beginning of a long key and the hash of the rest.
const ELLIPSIS: &str = "…";

/// The digits of the hash: 128 bits in hexadecimal.
const DIGITS: usize = 32;

/// The most bytes of the beginning of a long key.
const MAX_PREFIX: usize = MAX_KEY - ELLIPSIS.len() - DIGITS;

/// The keys of the hash, at random for each process.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// The short form of a key that is too long to be kept: its beginning, and a keyed hash of the
/// rest. Not allocated, as it is made for each call.
pub(super) struct ShortKey {
    bytes: [u8; MAX_KEY],
    length: usize,
}

impl ShortKey {
    /// Shortens `key`; `None` if it is short. A short form is not shortened again.
    pub(super) fn new(key: &str) -> Option<Self> {
        if key.len() <= MAX_KEY {
            return None;
        }
        let mut ends = (0..=MAX_PREFIX).rev();
        let end = ends.find(|&end| key.is_char_boundary(end)).unwrap_or(0);
        let (prefix, rest) = key.split_at_checked(end).unwrap_or(("", key));
        let mut bytes = [0; MAX_KEY];
        let mut free = bytes.as_mut_slice();
        // There is room for all of it.
        let _ = write!(free, "{prefix}{ELLIPSIS}{:0DIGITS$x}", hash(rest));
        let length = MAX_KEY.saturating_sub(free.len());
        Some(Self { bytes, length })
    }

    /// Returns the short form.
    pub(super) fn as_str(&self) -> &str {
        let text = self.bytes.get(..self.length).map(str::from_utf8);
        text.and_then(Result::ok).unwrap_or_default()
    }
}

/// Returns a keyed 128-bit hash.
///
/// The two halves are `SipHash` under one secret key, of inputs that differ in their first byte. If
/// `SipHash` is a pseudorandom function, as it was designed to be (Aumasson and Bernstein, "A Fast
/// Short-Input PRF", 2012), the halves are independent, and so are the hashes of different keys:
/// two are equal with a probability of one in 2^128, even if an attacker who sees other hashes
/// chooses the keys. The standard library has the variant with the fewest rounds; no attack on it
/// is known.
fn hash(rest: &str) -> u128 {
    let half = |number: u8| {
        let mut hasher = HASHER.build_hasher();
        hasher.write_u8(number);
        hasher.write(rest.as_bytes());
        u128::from(hasher.finish())
    };
    half(0) << u64::BITS | half(1)
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::{MAX_KEY, MAX_PREFIX, ShortKey, hash};
    use std::collections::HashSet;

    fn shortened(key: &str) -> String {
        ShortKey::new(key).map_or_else(|| key.to_owned(), |short| short.as_str().to_owned())
    }

    #[test]
    fn keys_of_up_to_the_limit_are_kept_as_they_are() {
        for key in ["", "a", &"x".repeat(MAX_KEY), &"ä".repeat(MAX_KEY / 2)] {
            assert!(ShortKey::new(key).is_none());
        }
    }

    #[test]
    fn longer_keys_are_kept_as_their_beginning_and_a_hash() {
        for length in (MAX_KEY + 1..MAX_KEY + 9).chain([1_000_000]) {
            for char in ["x", "ä", "€", "🦀"] {
                let key = char.repeat(length.div_ceil(char.len()));
                let short = shortened(&key);
                assert!((MAX_KEY - 3..=MAX_KEY).contains(&short.len()));
                let (prefix, digits) = short.split_once('…').unwrap();
                assert!(key.starts_with(prefix) && prefix.len() > MAX_PREFIX - 4);
                assert_eq!(digits.len(), 32);
                assert!(ShortKey::new(&short).is_none(), "short already");
            }
        }
    }

    #[test]
    fn long_keys_that_differ_anywhere_differ_when_shortened() {
        let key = "x".repeat(1_000);
        let changed = (0..1_000).map(|at| {
            let mut changed = key.clone();
            changed.replace_range(at..=at, "y");
            shortened(&changed)
        });
        let shorter = (MAX_KEY + 1..=1_000).map(|length| shortened(&key[..length]));
        let all: Vec<_> = changed.chain(shorter).collect();
        let different: HashSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        assert_eq!(shortened(&key), shortened(&key.clone()));
    }

    #[test]
    fn both_halves_of_the_hash_depend_on_the_key_and_differ() {
        let halves = |key| (hash(key) >> 64, hash(key) & u128::from(u64::MAX));
        let (a, b) = (halves("a"), halves("b"));
        assert!(a.0 != b.0 && a.1 != b.1 && a.0 != a.1);
    }
}

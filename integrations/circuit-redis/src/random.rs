//! Numbers that differ from process to process.

use std::hash::{BuildHasher, RandomState};

/// Returns a random number, from the keys of the standard library's hash tables.
pub(crate) fn number() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

/// Returns a random share, in `[0, 1)`.
#[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
pub(crate) fn share() -> f64 {
    (number() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn a_share_is_below_one_and_varies() {
        let shares: Vec<_> = (0..100).map(|_| share()).collect();
        assert!(shares.iter().all(|share| (0.0..1.0).contains(share)));
        assert!(shares.iter().any(|share| *share < 0.5));
        assert!(shares.iter().any(|share| *share >= 0.5));
    }
}

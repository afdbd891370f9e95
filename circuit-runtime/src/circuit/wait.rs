//! How long a circuit stays open.

use std::collections::hash_map::DefaultHasher;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use super::state::Word;
use crate::clock::Span;
use crate::config::Config;

/// Exponential backoff with jitter: `reset`, doubled by each reopening up to `max_reset`, plus a
/// random fraction. Never shorter than `reset`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    reset: Span,
    /// Equal to `reset` when the wait does not grow.
    max_reset: Span,
    jitter: f64,
    /// Every wait is `reset`, neither growing nor jittered.
    is_fixed: bool,
    /// Differs between processes, so that a fleet does not probe in step.
    salt: u64,
}

impl Wait {
    /// Creates the wait that `config` describes.
    pub(crate) fn new(config: &Config, salt: u64) -> Self {
        let reset = Span::from_duration(config.reset());
        let max_reset = config.max_reset().map_or(reset, Span::from_duration);
        Self {
            reset,
            max_reset,
            jitter: config.jitter(),
            is_fixed: max_reset == reset && config.jitter() <= 0.0,
            salt,
        }
    }

    /// Returns the shortest wait.
    pub(crate) fn reset(&self) -> Span {
        self.reset
    }

    /// Returns a number that differs from process to process and from call to call.
    pub(crate) fn random_salt() -> u64 {
        RandomState::new().hash_one(())
    }

    /// Returns how long the open phase described by `word` lasts, for the circuit called `name`.
    /// The same arguments always give the same wait.
    #[inline]
    pub(crate) fn for_word(&self, word: Word, name: &impl Hash) -> Span {
        if self.is_fixed {
            self.reset
        } else {
            self.varied(word, name)
        }
    }

    #[inline(never)]
    fn varied(&self, word: Word, name: &impl Hash) -> Span {
        let wait = self.reset.doubled(word.reopenings()).min(self.max_reset);
        wait.extended_by(self.jitter * fraction(self.seed(name) ^ word.to_bits()))
    }

    /// Hashes the name together with the salt of the process.
    fn seed(&self, name: &impl Hash) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.salt.hash(&mut hasher);
        name.hash(&mut hasher);
        hasher.finish()
    }
}

/// Returns a number in `0.0..1.0`, spread evenly over the seeds: `SplitMix64`, by Steele, Lea and
/// Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
#[expect(clippy::cast_precision_loss, reason = "53 bits fit into an f64")]
fn fraction(seed: u64) -> f64 {
    let mut bits = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::Wait;
    use crate::circuit::state::{Trigger, Word, transition};
    use crate::clock::{Instant, Span};
    use crate::config::Config;
    use std::time::Duration;

    const RESET: Duration = Duration::from_secs(30);

    /// Returns a word that was reopened `times` times, by probes that failed at once.
    fn reopened(times: u32) -> Word {
        let now = Instant::from_micros(1_000_000);
        let (mut word, _) = transition(Word::FIRST, Trigger::LimitReached, now);
        for _ in 0..times {
            (word, _) = transition(word, Trigger::ProbeFailed, now);
        }
        word
    }

    fn seconds(wait: &Wait, word: Word) -> u64 {
        wait.for_word(word, &"payments").as_duration().as_secs()
    }

    #[test]
    fn each_reopening_doubles_the_wait_up_to_max_reset() {
        let config = Config::builder().reset(RESET).max_reset(RESET * 6).build();
        let wait = Wait::new(&config.unwrap(), 0);
        let waits = [0, 1, 2, 3, 4, 1_000].map(|times| seconds(&wait, reopened(times)));
        assert_eq!(waits, [30, 60, 120, 180, 180, 180]);

        let (recovered, _) = transition(
            reopened(7),
            Trigger::ProbeSucceeded,
            Instant::from_micros(2),
        );
        let (tripped, _) = transition(recovered, Trigger::LimitReached, Instant::from_micros(3));
        assert_eq!(seconds(&wait, tripped), 30);
    }

    #[test]
    fn without_max_reset_the_wait_does_not_grow() {
        let wait = Wait::new(&Config::default(), 0);
        assert_eq!(
            [0, 1, 1_000].map(|times| seconds(&wait, reopened(times))),
            [30; 3]
        );
    }

    #[test]
    fn the_longest_waits_do_not_overflow() {
        let config = Config::builder()
            .reset(RESET)
            .max_reset(Duration::MAX)
            .jitter(1.0)
            .build();
        let wait = Wait::new(&config.unwrap(), 7);
        let longest = wait.for_word(reopened(u16::MAX.into()), &"payments");
        assert!(longest > Span::from_duration(RESET * 1_000_000_000));
        assert!(longest < Span::INDEFINITE);
    }

    #[test]
    fn jitter_spreads_a_fleet_over_the_whole_share() {
        let config = Config::builder().reset(RESET).jitter(0.5).build().unwrap();
        let waits: Vec<f64> = (0..1_000)
            .map(|salt| {
                Wait::new(&config, salt)
                    .for_word(reopened(0), &"payments")
                    .as_duration()
                    .as_secs_f64()
            })
            .collect();
        let mean = waits.iter().sum::<f64>() / 1_000.0;
        assert!(waits.iter().all(|wait| (30.0..=45.0).contains(wait)));
        assert!((37.2..37.8).contains(&mean), "{mean}");
        for tenth in 0..10 {
            let from = 30.0 + 1.5 * f64::from(tenth);
            let inside = waits
                .iter()
                .filter(|&&wait| (from..from + 1.5).contains(&wait));
            assert!(
                (60..140).contains(&inside.count()),
                "in the tenth from {from}"
            );
        }
    }

    #[test]
    fn each_opening_is_jittered_anew() {
        let config = Config::builder().reset(RESET).jitter(1.0).build().unwrap();
        let wait = Wait::new(&config, 7);
        let jittered = |times, name: &str| wait.for_word(reopened(times), &name);
        assert_eq!(jittered(1, "payments"), jittered(1, "payments"));
        assert_ne!(jittered(1, "payments"), jittered(2, "payments"));
        assert_ne!(jittered(1, "payments"), jittered(1, "quotes"));
    }
}

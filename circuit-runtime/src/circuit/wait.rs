use std::collections::hash_map::DefaultHasher;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use super::state::Word;
use crate::clock::Span;
use crate::config::Config;

/// How long a circuit stays open: `reset`, doubled by each re-opening up to `max_reset`, and up to a
/// share of that longer, at random. Never shorter than `reset`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    reset: Span,
    /// As long as `reset` when the wait does not grow.
    max_reset: Span,
    jitter: f64,
    /// Tells the processes of a fleet apart.
    salt: u64,
}

impl Wait {
    pub(crate) fn new(config: &Config, salt: u64) -> Self {
        let reset = Span::from_duration(config.reset());
        Self {
            reset,
            max_reset: config.max_reset().map_or(reset, Span::from_duration),
            jitter: config.jitter(),
            salt,
        }
    }

    pub(crate) fn random_salt() -> u64 {
        RandomState::new().hash_one(())
    }

    /// How long the open phase lasts that `word` stands for, of the circuit `name`. It is the same whenever
    /// it is asked for.
    #[inline]
    pub(crate) fn of(&self, word: Word, name: &impl Hash) -> Span {
        let wait = if self.max_reset == self.reset {
            self.reset
        } else {
            self.reset.doubled(word.reopenings()).min(self.max_reset)
        };
        if self.jitter.to_bits() == 0 {
            wait
        } else {
            self.shifted(wait, word, name)
        }
    }

    #[inline(never)]
    fn shifted(&self, wait: Span, word: Word, name: &impl Hash) -> Span {
        wait.extended_by(self.jitter * fraction(self.seed(name) ^ word.to_bits()))
    }

    fn seed(&self, name: &impl Hash) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.salt.hash(&mut hasher);
        name.hash(&mut hasher);
        hasher.finish()
    }
}

/// A number from 0 up to 1, spread evenly over the seeds: `SplitMix64`, by Steele, Lea and Flood, "Fast
/// Splittable Pseudorandom Number Generators" (2014).
#[expect(clippy::cast_precision_loss, reason = "of 53 bits, which fit")]
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

    /// A word that was re-opened so often, by probes that fail at once.
    fn reopened(times: u32) -> Word {
        let now = Instant::from_micros(1_000_000);
        let (mut word, _) = transition(Word::FIRST, Trigger::LimitReached, now);
        for _ in 0..times {
            (word, _) = transition(word, Trigger::ProbeFailed, now);
        }
        word
    }

    fn seconds(wait: &Wait, word: Word) -> u64 {
        wait.of(word, &"payments").as_duration().as_secs()
    }

    #[test]
    fn each_reopening_doubles_it_up_to_the_bound() {
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
    fn without_a_bound_it_does_not_grow() {
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
        let longest = wait.of(reopened(u16::MAX.into()), &"payments");
        assert!(longest > Span::from_duration(RESET * 1_000_000_000));
        assert!(longest < Span::INDEFINITE);
    }

    #[test]
    fn jitter_spreads_a_fleet_over_the_whole_share() {
        let config = Config::builder().reset(RESET).jitter(0.5).build().unwrap();
        let waits: Vec<f64> = (0..1_000)
            .map(|salt| {
                Wait::new(&config, salt)
                    .of(reopened(0), &"payments")
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
    fn each_opening_is_shifted_anew() {
        let config = Config::builder().reset(RESET).jitter(1.0).build().unwrap();
        let wait = Wait::new(&config, 7);
        let shifted = |times, name: &str| wait.of(reopened(times), &name);
        assert_eq!(shifted(1, "payments"), shifted(1, "payments"));
        assert_ne!(shifted(1, "payments"), shifted(2, "payments"));
        assert_ne!(shifted(1, "payments"), shifted(1, "quotes"));
    }
}

//! How long a circuit stays open.

use std::collections::hash_map::DefaultHasher;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::time::Duration;

use super::state::Generation;
use crate::clock::Span;
use crate::config::Config;

/// The longest that a service is left alone at its own request, unless `max_reset` says otherwise.
const LONGEST_REQUEST: Span = Span::from_duration(Duration::from_secs(60 * 60));

/// Exponential backoff with jitter: `reset`, doubled by each reopening up to `max_reset`, plus a
/// random fraction. Never shorter than `reset`, except at the request of the service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    reset: Span,
    /// Equal to `reset` when the wait does not grow.
    max_reset: Span,
    /// The longest wait that a service can ask for.
    longest_request: Span,
    jitter: f64,
    /// Differs between processes, so that they do not probe at the same time.
    salt: u64,
}

impl Wait {
    /// Creates the wait that `config` describes.
    pub(super) fn new(config: &Config, salt: u64) -> Self {
        let reset = Span::from_duration(config.reset());
        let limit = config.max_reset().map(Span::from_duration);
        Self {
            reset,
            max_reset: limit.unwrap_or(reset),
            longest_request: limit.unwrap_or(LONGEST_REQUEST),
            jitter: config.jitter(),
            salt,
        }
    }

    /// Creates the wait with the [`spans`](Self::spans) of another.
    pub(super) fn from_spans(spans: [Span; 3], jitter: f64, salt: u64) -> Self {
        let [reset, max_reset, longest_request] = spans;
        Self {
            reset,
            max_reset,
            longest_request,
            jitter,
            salt,
        }
    }

    /// Returns `reset`, `max_reset`, and the longest wait that a service can ask for.
    pub(super) fn spans(&self) -> [Span; 3] {
        [self.reset, self.max_reset, self.longest_request]
    }

    pub(super) fn jitter(&self) -> f64 {
        self.jitter
    }

    /// Returns `reset`, the wait before it is doubled or jittered.
    pub(super) fn reset(&self) -> Span {
        self.reset
    }

    /// Returns a number that differs from process to process and from call to call.
    pub(super) fn random_salt() -> u64 {
        RandomState::new().hash_one(())
    }

    /// Returns the wait if every one is the same.
    #[inline]
    pub(super) fn fixed(&self) -> Option<Span> {
        (self.max_reset == self.reset && self.jitter <= 0.0).then_some(self.reset)
    }

    /// Returns how long the circuit called `name` stays open after so many reopenings. The same
    /// arguments always give the same wait.
    pub(super) fn after(&self, reopenings: u32, generation: Generation, name: &impl Hash) -> Span {
        if let Some(wait) = self.fixed() {
            return wait;
        }
        let wait = self.reset.doubled(reopenings).min(self.max_reset);
        wait.extended_by(self.jitter_of(generation, name))
    }

    /// Returns how long the circuit called `name` stays open when its service asked for `wait`:
    /// never less, up to the longest wait that is granted.
    pub(super) fn requested(&self, wait: Span, generation: Generation, name: &impl Hash) -> Span {
        let wait = wait.min(self.longest_request);
        let jittered = wait.extended_by(self.jitter_of(generation, name));
        jittered.min(self.longest_request)
    }

    /// Returns a wait that was given for the circuit called `name`, with the jitter of the rules.
    pub(super) fn jittered(&self, wait: Span, generation: Generation, name: &impl Hash) -> Span {
        wait.extended_by(self.jitter_of(generation, name))
    }

    /// Returns the fraction that jitter adds to a wait.
    fn jitter_of(&self, generation: Generation, name: &impl Hash) -> f64 {
        if self.jitter <= 0.0 {
            return 0.0;
        }
        self.jitter * fraction(self.seed(name) ^ generation.to_bits())
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
    use crate::circuit::state::{Generation, Word};
    use crate::clock::{Instant, Span};
    use crate::config::Config;
    use std::time::Duration;

    const RESET: Duration = Duration::from_secs(30);

    /// Returns a generation that begins at this second.
    fn at(second: u64) -> Generation {
        Word::new(Instant::from_micros(second * 1_000_000)).generation()
    }

    fn seconds(wait: &Wait, reopenings: u32) -> u64 {
        let wait = wait.after(reopenings, at(1), &"payments");
        wait.as_duration().as_secs()
    }

    #[test]
    fn each_reopening_doubles_the_wait_up_to_max_reset() {
        let config = Config::builder().reset(RESET).max_reset(RESET * 6).build();
        let wait = Wait::new(&config.unwrap(), 0);
        let waits = [0, 1, 2, 3, 4, 1_000, u32::MAX].map(|times| seconds(&wait, times));
        assert_eq!(waits, [30, 60, 120, 180, 180, 180, 180]);
    }

    #[test]
    fn without_max_reset_the_wait_does_not_grow() {
        let wait = Wait::new(&Config::default(), 0);
        assert_eq!([0, 1, 1_000].map(|times| seconds(&wait, times)), [30; 3]);
    }

    #[test]
    fn the_longest_waits_do_not_overflow() {
        let config = Config::builder()
            .reset(RESET)
            .max_reset(Duration::MAX)
            .jitter(1.0)
            .build();
        let wait = Wait::new(&config.unwrap(), 7);
        let longest = wait.after(u32::MAX, at(1), &"payments");
        assert!(longest > Span::from_duration(RESET * 1_000_000_000));
        assert!(longest < Span::INDEFINITE);
        assert!(wait.requested(Span::INDEFINITE, at(1), &"payments") < Span::INDEFINITE);
    }

    #[test]
    fn a_request_is_granted_up_to_max_reset_or_an_hour() {
        let hour = Duration::from_secs(3_600);
        let granted = |config: &Config, wait: Duration| {
            let wait = Span::from_duration(wait);
            Wait::new(config, 0)
                .requested(wait, at(1), &"payments")
                .as_duration()
        };
        let plain = Config::default();
        assert_eq!(
            granted(&plain, Duration::from_millis(1)),
            Duration::from_millis(1)
        );
        assert_eq!(granted(&plain, hour), hour);
        assert_eq!(granted(&plain, hour * 9_000), hour);
        assert_eq!(granted(&plain, Duration::MAX), hour);
        let config = Config::builder()
            .reset(RESET)
            .max_reset(RESET * 2)
            .build()
            .unwrap();
        assert_eq!(granted(&config, hour), RESET * 2);
        let config = Config::builder().reset(RESET).jitter(1.0).build().unwrap();
        for second in 1..1_000 {
            let wait = Wait::new(&config, second);
            let wait = wait.requested(Span::from_duration(hour / 2), at(second), &"payments");
            assert!((hour / 2..=hour).contains(&wait.as_duration()));
        }
        assert!(granted(&config, hour / 2) > hour / 2);
    }

    #[test]
    fn jitter_spreads_a_fleet_over_the_whole_share() {
        let config = Config::builder().reset(RESET).jitter(0.5).build().unwrap();
        let waits: Vec<f64> = (0..1_000)
            .map(|salt| {
                Wait::new(&config, salt)
                    .after(0, at(1), &"payments")
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
        let jittered = |second, name: &str| wait.after(0, at(second), &name);
        assert_eq!(jittered(1, "payments"), jittered(1, "payments"));
        assert_ne!(jittered(1, "payments"), jittered(2, "payments"));
        assert_ne!(jittered(1, "payments"), jittered(1, "quotes"));
    }
}

//! Moments and spans of time, in whole microseconds. Nothing here reads a clock.

use std::time::Duration;

/// A moment: microseconds since the origin of the crate's time line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(u64);

/// A length of time in microseconds, rounded up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(u64);

impl Instant {
    #[inline]
    pub(crate) const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    #[inline]
    pub(crate) const fn as_micros(self) -> u64 {
        self.0
    }

    /// Returns the moment that is `span` later, saturating.
    #[inline]
    pub(crate) const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// Rounds down to a multiple of `step`.
    pub(crate) const fn rounded_down(self, step: Span) -> Self {
        match self.0.checked_rem(step.0) {
            Some(past) => Self(self.0.saturating_sub(past)),
            None => self,
        }
    }

    /// Returns the span from `earlier` to `self`; zero if `earlier` is later.
    #[inline]
    pub(crate) const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    pub(crate) const ZERO: Self = Self(0);

    /// The shortest span above zero.
    pub(crate) const MIN: Self = Self(1);

    /// Longer than any other span, and than any duration.
    pub(crate) const INDEFINITE: Self = Self(u64::MAX);

    /// The longest span that ends.
    const MAX: Self = Self(u64::MAX - 1);

    pub(crate) const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Rounds up to whole microseconds, saturating below [`INDEFINITE`](Self::INDEFINITE).
    pub(crate) const fn from_duration(duration: Duration) -> Self {
        let micros = duration.as_nanos().div_ceil(1_000);
        if micros >= u64::MAX as u128 {
            return Self::MAX;
        }
        #[expect(clippy::cast_possible_truncation, reason = "compared one line above")]
        Self(micros as u64)
    }

    pub(crate) const fn as_micros(self) -> u64 {
        self.0
    }

    #[inline]
    pub(crate) const fn as_duration(self) -> Duration {
        Duration::from_micros(self.0)
    }

    /// Doubles `times` times, saturating below [`INDEFINITE`](Self::INDEFINITE).
    pub(crate) const fn doubled(self, times: u32) -> Self {
        if times < self.0.leading_zeros() {
            Self(self.0 << times)
        } else {
            Self::MAX
        }
    }

    /// Divides by `parts`, rounding up.
    pub(crate) const fn divided_by(self, parts: u64) -> Self {
        Self(self.0.div_ceil(parts))
    }

    /// Extends by a fraction of itself, saturating below [`INDEFINITE`](Self::INDEFINITE).
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a random fraction need not be exact, and a cast of a float saturates"
    )]
    pub(crate) fn extended_by(self, fraction: f64) -> Self {
        let extended = self.0.saturating_add((self.0 as f64 * fraction) as u64);
        Self(extended).min(Self::MAX)
    }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::Span;
    use std::time::Duration;

    #[test]
    fn spans_are_whole_microseconds_rounded_up() {
        let micros = |nanos| Span::from_duration(Duration::from_nanos(nanos)).as_micros();
        assert_eq!([0, 1, 1_000, 1_001, 2_000].map(micros), [0, 1, 1, 2, 2]);
        assert!(Span::from_duration(Duration::MAX) < Span::INDEFINITE);
    }
}

//! The state machine as a pure function on one word: no atomics, no clock.

use std::fmt;

use crate::clock::{Instant, Span};

/// The state of a circuit breaker.
///
/// There are no others: an operator's order keeps the circuit open or closed.
///
/// # Examples
///
/// ```
/// use circuit_runtime::{CircuitBreaker, Config, State};
///
/// let breaker = CircuitBreaker::new("payments", Config::default());
/// let color = match breaker.state() {
///     State::Closed => "green",
///     State::HalfOpen => "yellow",
///     State::Open => "red",
/// };
/// assert_eq!(color, "green");
/// assert_eq!(breaker.state().to_string(), "closed");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Calls run, and their results are counted.
    Closed,
    /// No call runs; each is rejected at once.
    Open,
    /// A probe may run, or is running; every other call is rejected.
    HalfOpen,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        })
    }
}

/// The state as one atomic word: `generation (56) | reopenings (6) | phase (2)`.
///
/// The generation is the time of the last transition in 32nds of a microsecond, and at least one
/// more than the generation before. It therefore dates the state, is unique to it, and cannot wrap.
/// Reopenings are those by failed probes since the circuit was closed; counting stops at 63, when
/// no wait can grow further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Word(u64);

/// Identifies the transition a state began with; later generations compare greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Generation(u64);

/// The part of the state that does not depend on time.
///
/// There is no half-open phase: an open phase becomes half-open when its wait is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Closed,
    Open,
    ForcedClosed,
    ForcedOpen,
}

/// A cause of a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    LimitReached,
    ProbeSucceeded,
    ProbeFailed,
    Reset,
    ForceOpen,
    ForceClosed,
}

/// A transition as seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The word stays as it is.
    None,
    Opened,
    Closed,
}

/// Returns the word that follows `word` when `trigger` happens at `now`, and how that looks from
/// outside. A trigger without meaning in this phase leaves the word unchanged.
pub(crate) fn transition(word: Word, trigger: Trigger, now: Instant) -> (Word, Change) {
    let (phase, change) = match (word.phase(), trigger) {
        (Phase::Open, Trigger::ProbeFailed) => return (word.reopened(now), Change::Opened),
        (Phase::Closed, Trigger::LimitReached) => (Phase::Open, Change::Opened),
        (Phase::Open, Trigger::ProbeSucceeded) | (_, Trigger::Reset) => {
            (Phase::Closed, Change::Closed)
        }
        (Phase::Closed | Phase::Open | Phase::ForcedClosed, Trigger::ForceOpen) => {
            (Phase::ForcedOpen, Change::Opened)
        }
        (Phase::Closed | Phase::Open | Phase::ForcedOpen, Trigger::ForceClosed) => {
            (Phase::ForcedClosed, Change::Closed)
        }
        _ => return (word, Change::None),
    };
    (word.followed_by(phase, now), change)
}

impl Generation {
    /// The generation of a new breaker. Nonzero, so that every word is.
    pub(crate) const FIRST: Self = Self(1);

    const LAST: Self = Self((1 << (u64::BITS - Word::GENERATION_SHIFT)) - 1);

    pub(crate) const fn to_bits(self) -> u64 {
        self.0
    }
}

impl Word {
    const PHASE_BITS: u32 = 2;
    const MAX_REOPENINGS: u64 = 63;
    const GENERATION_SHIFT: u32 = 8;
    /// A microsecond has room for 32 transitions; a further one is dated with the next microsecond.
    ///
    /// For one in tests: their clock goes on with each transition, and has to last for longer.
    const TURN_BITS: u32 = if cfg!(feature = "test-util") { 0 } else { 5 };

    /// The last moment that fits, seventy years after the origin; in tests, two thousand.
    const LAST_MOMENT: Instant = Instant::from_micros(Generation::LAST.0 >> Self::TURN_BITS);

    /// The word of a new breaker: closed.
    pub(crate) const FIRST: Self = Self::new(Generation::FIRST, Phase::Closed);

    const fn new(generation: Generation, phase: Phase) -> Self {
        Self(generation.0 << Self::GENERATION_SHIFT | phase as u64)
    }

    /// Reopened by a failed probe.
    fn reopened(self, now: Instant) -> Self {
        let reopenings = u64::from(self.reopenings().saturating_add(1)).min(Self::MAX_REOPENINGS);
        let Self(word) = self.followed_by(Phase::Open, now);
        Self(word | reopenings << Self::PHASE_BITS)
    }

    /// Returns how often a probe has failed since the circuit was closed.
    pub(crate) const fn reopenings(self) -> u32 {
        ((self.0 >> Self::PHASE_BITS) & Self::MAX_REOPENINGS) as u32
    }

    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(crate) const fn to_bits(self) -> u64 {
        self.0
    }

    #[inline]
    pub(crate) const fn phase(self) -> Phase {
        match self.0 & ((1 << Self::PHASE_BITS) - 1) {
            0 => Phase::Closed,
            1 => Phase::Open,
            2 => Phase::ForcedClosed,
            _ => Phase::ForcedOpen,
        }
    }

    /// Returns `true` if calls are admitted without limit.
    #[inline]
    pub(crate) const fn is_closed(self) -> bool {
        self.0 & Phase::Open as u64 == 0
    }

    /// Returns `true` while results are counted: in the closed phase.
    #[inline]
    pub(crate) const fn is_counting(self) -> bool {
        self.0 & (Phase::Open as u64 | Phase::ForcedClosed as u64) == Phase::Closed as u64
    }

    /// Returns `true` while an operator holds the circuit open or closed.
    #[inline]
    pub(crate) const fn is_held(self) -> bool {
        self.0 & Phase::ForcedClosed as u64 != 0
    }

    #[inline]
    pub(crate) const fn generation(self) -> Generation {
        Generation(self.0 >> Self::GENERATION_SHIFT)
    }

    /// Returns the time at which the phase began.
    #[inline]
    pub(crate) const fn since(self) -> Instant {
        Instant::from_micros(self.generation().0 >> Self::TURN_BITS)
    }

    /// Returns the time at which the wait of an open phase is over.
    #[inline]
    pub(crate) const fn half_open_at(self, wait: Span) -> Instant {
        self.since().plus(wait)
    }

    /// Returns the public state at `now`, given the wait of an open phase.
    pub(crate) fn state(self, now: Instant, wait: Span) -> State {
        match self.phase() {
            Phase::Closed | Phase::ForcedClosed => State::Closed,
            Phase::Open if now >= self.half_open_at(wait) => State::HalfOpen,
            Phase::Open | Phase::ForcedOpen => State::Open,
        }
    }

    /// Returns the earliest moment that the next state can be dated with: this microsecond, or the
    /// next one after 32 transitions.
    pub(crate) fn next_since(self) -> Instant {
        let next = self
            .generation()
            .0
            .saturating_add(1)
            .min(Generation::LAST.0);
        Instant::from_micros(next >> Self::TURN_BITS)
    }

    fn followed_by(self, phase: Phase, now: Instant) -> Self {
        let at_now = now.min(Self::LAST_MOMENT).as_micros() << Self::TURN_BITS;
        let generation = at_now.max(self.generation().0.saturating_add(1));
        Self::new(Generation(generation).min(Generation::LAST), phase)
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, Phase, State, Trigger, Word, transition};
    use crate::clock::{Instant, Span};
    use std::time::Duration;

    const RESET: Span = Span::from_duration(Duration::from_secs(30));

    fn seconds(seconds: u64) -> Instant {
        Instant::from_micros(seconds * 1_000_000)
    }

    /// Returns a word of this phase, begun at second 10.
    fn word(phase: Phase) -> Word {
        Word::FIRST.followed_by(phase, seconds(10))
    }

    #[test]
    fn transitions_are_those_of_the_table() {
        use Phase::{Closed, ForcedClosed, ForcedOpen, Open};
        use Trigger::{ForceClosed, ForceOpen, LimitReached, ProbeFailed, ProbeSucceeded, Reset};

        let table = [
            (Closed, LimitReached, Open, Change::Opened),
            (Closed, ProbeSucceeded, Closed, Change::None),
            (Closed, ProbeFailed, Closed, Change::None),
            (Closed, Reset, Closed, Change::Closed),
            (Closed, ForceOpen, ForcedOpen, Change::Opened),
            (Closed, ForceClosed, ForcedClosed, Change::Closed),
            (Open, LimitReached, Open, Change::None),
            (Open, ProbeSucceeded, Closed, Change::Closed),
            (Open, ProbeFailed, Open, Change::Opened),
            (Open, Reset, Closed, Change::Closed),
            (Open, ForceOpen, ForcedOpen, Change::Opened),
            (Open, ForceClosed, ForcedClosed, Change::Closed),
            (ForcedOpen, LimitReached, ForcedOpen, Change::None),
            (ForcedOpen, ProbeSucceeded, ForcedOpen, Change::None),
            (ForcedOpen, ProbeFailed, ForcedOpen, Change::None),
            (ForcedOpen, Reset, Closed, Change::Closed),
            (ForcedOpen, ForceOpen, ForcedOpen, Change::None),
            (ForcedOpen, ForceClosed, ForcedClosed, Change::Closed),
            (ForcedClosed, LimitReached, ForcedClosed, Change::None),
            (ForcedClosed, ProbeSucceeded, ForcedClosed, Change::None),
            (ForcedClosed, ProbeFailed, ForcedClosed, Change::None),
            (ForcedClosed, Reset, Closed, Change::Closed),
            (ForcedClosed, ForceOpen, ForcedOpen, Change::Opened),
            (ForcedClosed, ForceClosed, ForcedClosed, Change::None),
        ];

        for (before, trigger, after, change) in table {
            let (next, seen) = transition(word(before), trigger, seconds(70));
            assert_eq!(
                (next.phase(), seen),
                (after, change),
                "{before:?} and {trigger:?}"
            );
            let moved = change != Change::None;
            assert_eq!(next.since(), seconds(if moved { 70 } else { 10 }));
            assert_eq!(next.generation() > word(before).generation(), moved);
        }
    }

    #[test]
    fn failed_probes_are_counted_until_the_circuit_closes() {
        let mut word = word(Phase::Open);
        for failed in 1..=100 {
            (word, _) = transition(word, Trigger::ProbeFailed, seconds(10 + failed));
            assert_eq!(u64::from(word.reopenings()), failed.min(63));
            assert_eq!(
                (word.phase(), word.since()),
                (Phase::Open, seconds(10 + failed))
            );
        }
        let (closed, _) = transition(word, Trigger::ProbeSucceeded, seconds(200));
        assert_eq!(closed.reopenings(), 0);
        let (forced, _) = transition(word, Trigger::ForceOpen, seconds(200));
        assert_eq!(forced.reopenings(), 0);
    }

    #[test]
    fn open_becomes_half_open_by_time_alone() {
        let open = word(Phase::Open);
        let just_before = Instant::from_micros(39_999_999);

        assert_eq!(open.state(just_before, RESET), State::Open);
        assert_eq!(open.state(seconds(40), RESET), State::HalfOpen);
        assert_eq!(
            open.state(Instant::from_micros(u64::MAX), RESET),
            State::HalfOpen
        );
        assert_eq!(
            word(Phase::ForcedOpen).state(Instant::from_micros(u64::MAX), RESET),
            State::Open
        );
    }

    #[test]
    fn generations_differ_within_one_microsecond_and_when_the_clock_goes_back() {
        let mut word = word(Phase::Closed);
        for now in [seconds(10); 31].into_iter().chain([seconds(3); 100]) {
            let (next, _) = transition(word, Trigger::Reset, now);
            assert!(next.generation() > word.generation());
            let ahead = next.since().since(seconds(10));
            assert!(ahead.as_micros() <= (131 >> Word::TURN_BITS) + 1);
            word = next;
        }
    }

    #[test]
    fn the_last_moment_fits_into_a_word() {
        let end_of_time = Instant::from_micros(u64::MAX);
        let mut word = Word::FIRST;
        for _ in 0..100 {
            (word, _) = transition(word, Trigger::LimitReached, end_of_time);
            assert_eq!(
                (word.since(), word.phase()),
                (Word::LAST_MOMENT, Phase::Open)
            );
            assert_eq!(
                word.state(end_of_time, Span::from_duration(Duration::MAX)),
                State::HalfOpen
            );

            (word, _) = transition(word, Trigger::Reset, end_of_time);
            assert_eq!(
                (word.since(), word.phase()),
                (Word::LAST_MOMENT, Phase::Closed)
            );
        }
    }
}

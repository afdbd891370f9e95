//! What state a breaker is in, as one number, and how events change it. No atomics, no clock.

use crate::clock::{Instant, Span};

/// The state of a circuit breaker.
///
/// ```
/// use circuit_runtime::{CircuitBreaker, Config, State};
///
/// let breaker = CircuitBreaker::new("payments", Config::default());
/// assert_eq!(breaker.state(), State::Closed);
/// assert_eq!(breaker.state().to_string(), "closed");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Calls run, and their results are evidence.
    Closed,
    /// No call runs; each is rejected at once.
    Open,
    /// A probe may run, or is running; every other call is rejected.
    HalfOpen,
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        })
    }
}

/// The state as one atomic word holds it: `generation (56) | re-openings (6) | phase (2)`.
///
/// The generation is the moment of the last transition in 32nds of a microsecond, and at least one
/// more than the generation before. So it says since when the state holds, no two states of a
/// breaker ever share one, and nothing has to be counted that could wrap. Re-openings are those by
/// failed probes since the circuit was closed; counting stops at 63, when no wait can grow further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Word(u64);

/// Which transition a state began with. Later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Generation(u64);

/// Half-open is not among them: it is an open phase whose wait is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Closed,
    Open,
    ForcedClosed,
    ForcedOpen,
}

/// What can change the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A trip rule is met.
    LimitReached,
    ProbeSucceeded,
    ProbeFailed,
    Reset,
    ForceOpen,
    ForceClosed,
}

/// What a transition means for those who watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Nothing,
    Opened,
    Closed,
}

/// One transition: the word that follows `word` when `event` happens at `now`, and what that means.
/// An event that says nothing in this state leaves the word as it is.
pub(crate) fn step(word: Word, event: Event, now: Instant) -> (Word, Effect) {
    let (phase, effect) = match (word.phase(), event) {
        (Phase::Open, Event::ProbeFailed) => return (word.reopened(now), Effect::Opened),
        (Phase::Closed, Event::LimitReached) => (Phase::Open, Effect::Opened),
        (Phase::Open, Event::ProbeSucceeded) | (_, Event::Reset) => (Phase::Closed, Effect::Closed),
        (Phase::Closed | Phase::Open | Phase::ForcedClosed, Event::ForceOpen) => {
            (Phase::ForcedOpen, Effect::Opened)
        }
        (Phase::Closed | Phase::Open | Phase::ForcedOpen, Event::ForceClosed) => {
            (Phase::ForcedClosed, Effect::Closed)
        }
        _ => return (word, Effect::Nothing),
    };
    (word.followed_by(phase, now), effect)
}

impl Generation {
    /// Of a new breaker. Not zero, so that no word is.
    pub(crate) const FIRST: Self = Self(1);

    pub(crate) const fn to_bits(self) -> u64 {
        self.0
    }

    const LAST: Self = Self((1 << (u64::BITS - Word::GENERATION_SHIFT)) - 1);
}

impl Word {
    const PHASE_BITS: u32 = 2;
    const MOST_REOPENINGS: u64 = 63;
    const GENERATION_SHIFT: u32 = 8;
    /// A microsecond has room for 32 transitions; each further one counts as the next microsecond.
    const TURN_BITS: u32 = 5;

    /// The last moment that fits, seventy years on.
    const LAST_MOMENT: Instant = Instant::from_micros(Generation::LAST.0 >> Self::TURN_BITS);

    /// Of a new breaker: closed.
    pub(crate) const FIRST: Self = Self::new(Generation::FIRST, Phase::Closed);

    const fn new(generation: Generation, phase: Phase) -> Self {
        Self(generation.0 << Self::GENERATION_SHIFT | phase as u64)
    }

    /// Open once more.
    fn reopened(self, now: Instant) -> Self {
        let reopenings = u64::from(self.reopenings() + 1).min(Self::MOST_REOPENINGS);
        let Self(word) = self.followed_by(Phase::Open, now);
        Self(word | reopenings << Self::PHASE_BITS)
    }

    /// How often a probe has failed since the circuit was closed.
    pub(crate) const fn reopenings(self) -> u32 {
        ((self.0 >> Self::PHASE_BITS) & Self::MOST_REOPENINGS) as u32
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

    /// Whether every call may run.
    #[inline]
    pub(crate) const fn is_closed(self) -> bool {
        self.0 & Phase::Open as u64 == 0
    }

    #[inline]
    pub(crate) const fn generation(self) -> Generation {
        Generation(self.0 >> Self::GENERATION_SHIFT)
    }

    /// When the state began.
    #[inline]
    pub(crate) const fn since(self) -> Instant {
        Instant::from_micros(self.generation().0 >> Self::TURN_BITS)
    }

    /// When the wait of an open phase is over.
    #[inline]
    pub(crate) const fn half_open_at(self, wait: Span) -> Instant {
        self.since().plus(wait)
    }

    /// The state that this word stands for at `now`.
    pub(crate) fn state(self, now: Instant, wait: Span) -> State {
        match self.phase() {
            Phase::Closed | Phase::ForcedClosed => State::Closed,
            Phase::Open if now >= self.half_open_at(wait) => State::HalfOpen,
            Phase::Open | Phase::ForcedOpen => State::Open,
        }
    }

    fn followed_by(self, phase: Phase, now: Instant) -> Self {
        let at_now = now.min(Self::LAST_MOMENT).as_micros() << Self::TURN_BITS;
        let generation = at_now.max(self.generation().0 + 1);
        Self::new(Generation(generation).min(Generation::LAST), phase)
    }
}

#[cfg(test)]
mod tests {
    use super::{Effect, Event, Phase, State, Word, step};
    use crate::clock::{Instant, Span};
    use std::time::Duration;

    const RESET: Span = Span::of(Duration::from_secs(30));

    fn seconds(seconds: u64) -> Instant {
        Instant::from_micros(seconds * 1_000_000)
    }

    /// A word of the given phase that holds since second 10.
    fn word(phase: Phase) -> Word {
        Word::FIRST.followed_by(phase, seconds(10))
    }

    #[test]
    fn the_table_of_transitions() {
        use Event::{ForceClosed, ForceOpen, LimitReached, ProbeFailed, ProbeSucceeded, Reset};
        use Phase::{Closed, ForcedClosed, ForcedOpen, Open};

        let table = [
            (Closed, LimitReached, Open, Effect::Opened),
            (Closed, ProbeSucceeded, Closed, Effect::Nothing),
            (Closed, ProbeFailed, Closed, Effect::Nothing),
            (Closed, Reset, Closed, Effect::Closed),
            (Closed, ForceOpen, ForcedOpen, Effect::Opened),
            (Closed, ForceClosed, ForcedClosed, Effect::Closed),
            (Open, LimitReached, Open, Effect::Nothing),
            (Open, ProbeSucceeded, Closed, Effect::Closed),
            (Open, ProbeFailed, Open, Effect::Opened),
            (Open, Reset, Closed, Effect::Closed),
            (Open, ForceOpen, ForcedOpen, Effect::Opened),
            (Open, ForceClosed, ForcedClosed, Effect::Closed),
            (ForcedOpen, LimitReached, ForcedOpen, Effect::Nothing),
            (ForcedOpen, ProbeSucceeded, ForcedOpen, Effect::Nothing),
            (ForcedOpen, ProbeFailed, ForcedOpen, Effect::Nothing),
            (ForcedOpen, Reset, Closed, Effect::Closed),
            (ForcedOpen, ForceOpen, ForcedOpen, Effect::Nothing),
            (ForcedOpen, ForceClosed, ForcedClosed, Effect::Closed),
            (ForcedClosed, LimitReached, ForcedClosed, Effect::Nothing),
            (ForcedClosed, ProbeSucceeded, ForcedClosed, Effect::Nothing),
            (ForcedClosed, ProbeFailed, ForcedClosed, Effect::Nothing),
            (ForcedClosed, Reset, Closed, Effect::Closed),
            (ForcedClosed, ForceOpen, ForcedOpen, Effect::Opened),
            (ForcedClosed, ForceClosed, ForcedClosed, Effect::Nothing),
        ];

        for (before, event, after, effect) in table {
            let (next, shown) = step(word(before), event, seconds(70));
            assert_eq!(
                (next.phase(), shown),
                (after, effect),
                "{before:?} and {event:?}"
            );
            let moved = effect != Effect::Nothing;
            assert_eq!(next.since(), seconds(if moved { 70 } else { 10 }));
            assert_eq!(next.generation() > word(before).generation(), moved);
        }
    }

    #[test]
    fn failed_probes_are_counted_until_the_circuit_closes() {
        let mut word = word(Phase::Open);
        for failed in 1..=100 {
            (word, _) = step(word, Event::ProbeFailed, seconds(10 + failed));
            assert_eq!(u64::from(word.reopenings()), failed.min(63));
            assert_eq!(
                (word.phase(), word.since()),
                (Phase::Open, seconds(10 + failed))
            );
        }
        let (closed, _) = step(word, Event::ProbeSucceeded, seconds(200));
        assert_eq!(closed.reopenings(), 0);
        let (forced, _) = step(word, Event::ForceOpen, seconds(200));
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
            let (next, _) = step(word, Event::Reset, now);
            assert!(next.generation() > word.generation());
            assert!(next.since().since(seconds(10)) <= Span::of(Duration::from_micros(5)));
            word = next;
        }
    }

    #[test]
    fn the_last_moment_fits() {
        let end_of_time = Instant::from_micros(u64::MAX);
        let mut word = Word::FIRST;
        for _ in 0..100 {
            (word, _) = step(word, Event::LimitReached, end_of_time);
            assert_eq!(
                (word.since(), word.phase()),
                (Word::LAST_MOMENT, Phase::Open)
            );
            assert_eq!(
                word.state(end_of_time, Span::of(Duration::MAX)),
                State::HalfOpen
            );

            (word, _) = step(word, Event::Reset, end_of_time);
            assert_eq!(
                (word.since(), word.phase()),
                (Word::LAST_MOMENT, Phase::Closed)
            );
        }
    }
}

//! The state machine as a pure function: no atomics, no clock.

use crate::clock::Instant;
use crate::state::State;

/// The state as one atomic word:
/// `turn (56) | is the first (1) | has an end (1) | slot (1) | spare (1) | phase (4)`.
///
/// The turn is the time of the last transition in 32nds of a microsecond, and at least one more
/// than the turn before. It therefore dates the phase, is unique to it, and cannot wrap. Together
/// with the next bit, which is set until the first transition, it is the [`Generation`].
/// The slot is where the [`Details`] of the phase are stored. The lowest bit of the phase is set if
/// a call needs more than the word to be admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Word(u64);

/// The facts about a phase that its [`Word`] has no room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Details {
    /// How often the circuit has reopened since it was last closed: by failed probes, and during
    /// ramps.
    pub(crate) reopenings: u32,
    /// When the public state began, if that was before this phase.
    pub(crate) since: Option<Instant>,
    /// When this phase ends, unless that follows from the rules, or only an order ends it.
    pub(crate) until: Option<Instant>,
}

/// Identifies the transition a phase began with; later generations compare greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Generation(u64);

/// The part of the state that does not depend on time.
///
/// There is no half-open phase: an open phase becomes half-open when its wait is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Closed,
    ForcedClosed,
    /// Half-open after successful probes: calls are admitted gradually.
    Ramp,
    Open,
    ForcedOpen,
}

/// A cause of a transition. Unless it says otherwise, a moment given with it is the end of the
/// phase that begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    LimitReached,
    /// The service asked not to be called until then.
    Unavailable(Instant),
    /// Every probe succeeded, and no ramp follows.
    ProbesSucceeded,
    /// Every probe of a circuit that is half-open since then succeeded, and a ramp follows.
    RampBegins(Instant),
    RampOver,
    ProbeFailed,
    /// Opened by hand, as if a limit had been reached.
    Trip(Option<Instant>),
    Reset,
    ForceOpen(Option<Instant>),
    ForceClosed(Option<Instant>),
    /// The end of an order has come.
    HoldOver,
    /// The verdict of the fleet is that the circuit is open, or that another process probes.
    FleetOpens {
        until: Instant,
        reopenings: u32,
    },
    /// The verdict of the fleet is that this process may probe, from this moment on.
    FleetProbes(Instant),
    /// The verdict of the fleet is that the circuit is closed, and no ramp follows.
    FleetCloses,
    /// The same, and a ramp follows. The circuit is half-open since then.
    FleetRamps(Instant),
}

/// A transition as seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The word stays as it is.
    None,
    /// The state and the hold stay as they are.
    Unseen,
    /// The hold changes, the state does not.
    Held,
    Opened,
    HalfOpened,
    Closed,
    /// A circuit that is held closed would have opened.
    Withheld,
}

/// Returns the word and the details that follow `word` and `details` when `trigger` happens at
/// `now`, and how that looks from outside. `state` is the public state at `now`. A trigger without
/// meaning in this phase changes nothing.
pub(crate) fn transition(
    word: Word,
    details: Details,
    state: State,
    trigger: Trigger,
    now: Instant,
) -> (Word, Details, Change) {
    use Phase::{Closed, ForcedClosed, ForcedOpen, Open, Ramp};

    let unchanged = (word, details, Change::None);
    let since = Some(details.since.unwrap_or(word.since()));
    let first = Details::default();
    let kept = Details { since, ..first };
    let reopened = Details {
        reopenings: details.reopenings.saturating_add(1),
        ..first
    };
    let (phase, next, change) = match (word.phase(), trigger) {
        (Closed, Trigger::LimitReached) => (Open, first, Change::Opened),
        (Closed, Trigger::Unavailable(until)) => (Open, first.until(until), Change::Opened),
        (Closed, Trigger::Trip(until)) => (Open, Details { until, ..first }, Change::Opened),

        (Ramp, Trigger::LimitReached) | (Open, Trigger::ProbeFailed) => {
            (Open, reopened, Change::Opened)
        }
        (Ramp | Open, Trigger::Unavailable(until)) => (Open, reopened.until(until), Change::Opened),
        (Ramp | Open, Trigger::Trip(until)) if state == State::HalfOpen => {
            (Open, Details { until, ..reopened }, Change::Opened)
        }
        (Open, Trigger::Trip(Some(until))) => {
            let reopenings = details.reopenings;
            let longer = Details { reopenings, ..kept };
            (Open, longer.until(until), Change::Unseen)
        }

        (Open, Trigger::RampBegins(half_open_since)) => {
            // The state was half-open before the last probe, and still is.
            let began = Details {
                reopenings: details.reopenings,
                since: Some(half_open_since),
                ..first
            };
            (Ramp, began, Change::Unseen)
        }

        (Closed | Ramp | Open, Trigger::FleetOpens { until, reopenings })
            if state != State::Open =>
        {
            let opened = Details {
                reopenings,
                ..first
            };
            (Open, opened.until(until), Change::Opened)
        }
        (Open, Trigger::FleetOpens { until, reopenings }) => {
            let longer = Details { reopenings, ..kept };
            (Open, longer.until(until), Change::Unseen)
        }
        (Open, Trigger::FleetProbes(now)) if state == State::Open => {
            let reopenings = details.reopenings;
            let over = Details { reopenings, ..kept };
            (Open, over.until(now), Change::Unseen)
        }
        (Open, Trigger::FleetRamps(half_open_since)) => {
            let reopenings = details.reopenings;
            let began = Details {
                reopenings,
                ..first
            };
            match state {
                State::HalfOpen => {
                    let since = Some(half_open_since);
                    (Ramp, Details { since, ..began }, Change::Unseen)
                }
                State::Open | State::Closed => (Ramp, began, Change::HalfOpened),
            }
        }

        (ForcedClosed, Trigger::LimitReached | Trigger::Unavailable(_)) => {
            (ForcedClosed, Details { since, ..details }, Change::Withheld)
        }

        (Closed, Trigger::Reset) => (Closed, kept, Change::Unseen),
        (ForcedClosed, Trigger::Reset | Trigger::HoldOver) => (Closed, kept, Change::Held),
        (_, Trigger::Reset)
        | (Open, Trigger::ProbesSucceeded | Trigger::FleetCloses)
        | (Ramp, Trigger::RampOver)
        | (ForcedOpen, Trigger::HoldOver) => (Closed, first, Change::Closed),

        (ForcedOpen, Trigger::ForceOpen(until)) if until == details.until => return unchanged,
        (ForcedClosed, Trigger::ForceClosed(until)) if until == details.until => return unchanged,
        (_, Trigger::ForceOpen(until)) if state == State::Open => {
            (ForcedOpen, Details { until, ..kept }, Change::Held)
        }
        (_, Trigger::ForceOpen(until)) => (ForcedOpen, Details { until, ..first }, Change::Opened),
        (_, Trigger::ForceClosed(until)) if state == State::Closed => {
            (ForcedClosed, Details { until, ..kept }, Change::Held)
        }
        (_, Trigger::ForceClosed(until)) => {
            (ForcedClosed, Details { until, ..first }, Change::Closed)
        }
        _ => return unchanged,
    };
    (word.followed_by(phase, next, now), next, change)
}

impl Trigger {
    /// Returns the trigger at the end of this phase, if time alone ends it. An open phase does not
    /// end so: it becomes half-open.
    pub(crate) const fn at_end_of(phase: Phase) -> Option<Self> {
        match phase {
            Phase::Ramp => Some(Self::RampOver),
            Phase::ForcedOpen | Phase::ForcedClosed => Some(Self::HoldOver),
            Phase::Closed | Phase::Open => None,
        }
    }
}

impl Details {
    /// The latest moment that can be stored for a phase.
    pub(super) const LATEST: Instant = Instant::from_micros(u64::MAX - 1);

    const fn until(self, until: Instant) -> Self {
        Self {
            until: Some(until),
            ..self
        }
    }
}

impl Generation {
    /// The earliest generation of a new breaker.
    pub(crate) const FIRST: Self = Self(1);

    /// Returns `true` if no transition came before.
    #[inline]
    pub(crate) const fn is_first(self) -> bool {
        self.0 & 1 != 0
    }

    pub(crate) const fn to_bits(self) -> u64 {
        self.0
    }
}

impl Phase {
    const fn to_bits(self, has_end: bool) -> u64 {
        match self {
            Self::Closed => 0,
            Self::ForcedClosed if has_end => 0b0011,
            Self::ForcedClosed => 0b0010,
            Self::Ramp => 0b0101,
            Self::Open => Word::OPEN,
            Self::ForcedOpen => Word::FORCED_OPEN,
        }
    }
}

impl Word {
    const PHASE: u64 = 0b1111;
    /// The bit of the phases that a call is not admitted in by the word alone.
    const GATED: u64 = 1;
    /// The phase from which on results are not counted towards the limits.
    const OPEN: u64 = 0b0111;
    const FORCED_OPEN: u64 = 0b1001;
    const SLOT: u64 = 1 << 5;
    const HAS_END: u64 = 1 << 6;
    const GENERATION_SHIFT: u32 = 7;
    const TURN_SHIFT: u32 = 8;
    const LAST_TURN: u64 = u64::MAX >> Self::TURN_SHIFT;
    /// A microsecond has room for 32 transitions; a further one is dated with the next microsecond.
    ///
    /// In tests it has room for one: their clock goes on with each transition, and lasts longer so.
    const TURN_BITS: u32 = if cfg!(feature = "test-util") { 0 } else { 5 };

    /// The last moment that fits, seventy years after the origin; in tests, two thousand.
    const LAST_MOMENT: Instant = Instant::from_micros(Self::LAST_TURN >> Self::TURN_BITS);

    /// The word of a closed breaker of the earliest moment.
    #[cfg(test)]
    pub(crate) const FIRST: Self = Self(Generation::FIRST.0 << Self::GENERATION_SHIFT);

    /// Returns the word of a new breaker: closed since `now`.
    pub(crate) fn new(now: Instant) -> Self {
        let turn = Self::turn_at(now);
        Self(turn << Self::TURN_SHIFT | 1 << Self::GENERATION_SHIFT)
    }

    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(crate) const fn to_bits(self) -> u64 {
        self.0
    }

    /// Returns `true` if an order holds the circuit, or did until its end.
    pub(crate) const fn is_held(self) -> bool {
        matches!(self.phase(), Phase::ForcedClosed | Phase::ForcedOpen)
    }

    #[inline]
    pub(crate) const fn phase(self) -> Phase {
        match self.0 & Self::PHASE {
            0 => Phase::Closed,
            0b0010 | 0b0011 => Phase::ForcedClosed,
            0b0101 => Phase::Ramp,
            Self::OPEN => Phase::Open,
            _ => Phase::ForcedOpen,
        }
    }

    /// Returns `true` if calls are admitted without limit, and no time ends that.
    #[inline]
    pub(crate) const fn is_closed(self) -> bool {
        self.0 & Self::GATED == 0
    }

    /// Returns `true` while results are counted towards the limits.
    #[inline]
    pub(crate) const fn is_counting(self) -> bool {
        self.0 & Self::PHASE < Self::OPEN
    }

    /// Returns `true` if the [`Details`] say when the phase ends.
    #[cfg(test)]
    const fn has_end(self) -> bool {
        self.0 & Self::HAS_END != 0
    }

    /// Returns `true` if the circuit is open for as long as the rules say.
    #[inline]
    pub(crate) const fn is_open_for_usual_wait(self) -> bool {
        self.0 & (Self::PHASE | Self::HAS_END) == Self::OPEN
    }

    /// Returns `true` if the circuit is held open until an order ends that.
    #[inline]
    pub(crate) const fn is_held_open(self) -> bool {
        self.0 & (Self::PHASE | Self::HAS_END) == Self::FORCED_OPEN
    }

    /// Returns the slot of the [`Details`]: 0 or 1, which the word before and the next do not use.
    #[inline]
    pub(crate) const fn slot(self) -> usize {
        (self.0 & Self::SLOT != 0) as usize
    }

    #[inline]
    pub(crate) const fn generation(self) -> Generation {
        Generation(self.0 >> Self::GENERATION_SHIFT)
    }

    /// Returns the time at which the phase began.
    #[inline]
    pub(crate) const fn since(self) -> Instant {
        Instant::from_micros(self.turn() >> Self::TURN_BITS)
    }

    /// Returns the public state at `now`, given when the phase ends.
    pub(crate) fn state(self, now: Instant, end: Option<Instant>) -> State {
        let is_over = end.is_some_and(|end| now >= end);
        match self.phase() {
            Phase::Closed | Phase::ForcedClosed => State::Closed,
            Phase::Ramp | Phase::ForcedOpen if is_over => State::Closed,
            Phase::Open if is_over => State::HalfOpen,
            Phase::Ramp => State::HalfOpen,
            Phase::Open | Phase::ForcedOpen => State::Open,
        }
    }

    /// Returns the earliest moment that the next state can be dated with: this microsecond, or the
    /// next one after 32 transitions.
    pub(crate) fn next_since(self) -> Instant {
        let next = self.turn().saturating_add(1).min(Self::LAST_TURN);
        Instant::from_micros(next >> Self::TURN_BITS)
    }

    /// Returns the word of a closed breaker after a reset at `now`.
    #[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
    pub(crate) fn after_reset(self, now: Instant) -> Self {
        self.followed_by(Phase::Closed, Details::default(), now)
    }

    /// Returns the same phase, begun `now` if that is later.
    pub(crate) fn dated(self, now: Instant) -> Self {
        let turn = Self::turn_at(now).max(self.turn());
        let below = self.0 & !(u64::MAX << Self::TURN_SHIFT);
        Self(turn << Self::TURN_SHIFT | below)
    }

    fn followed_by(self, phase: Phase, details: Details, now: Instant) -> Self {
        let turn = Self::turn_at(now).max(self.turn().saturating_add(1));
        let turn = turn.min(Self::LAST_TURN);
        let has_end = details.until.is_some();
        let end = if has_end { Self::HAS_END } else { 0 };
        let slot = (self.0 & Self::SLOT) ^ Self::SLOT;
        Self(turn << Self::TURN_SHIFT | end | slot | phase.to_bits(has_end))
    }

    fn turn_at(now: Instant) -> u64 {
        now.min(Self::LAST_MOMENT).as_micros() << Self::TURN_BITS
    }

    #[inline]
    const fn turn(self) -> u64 {
        self.0 >> Self::TURN_SHIFT
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, Details, Phase, Trigger, Word, transition};
    use crate::clock::Instant;
    use crate::state::State;

    const END: Instant = seconds(500);

    const fn seconds(seconds: u64) -> Instant {
        Instant::from_micros(seconds * 1_000_000)
    }

    /// Returns a word of this phase, begun at second 10.
    fn word(phase: Phase) -> Word {
        Word::FIRST.followed_by(phase, Details::default(), seconds(10))
    }

    /// Returns how `trigger` at second 70 moves a phase that shows `state`.
    fn moved(phase: Phase, state: State, trigger: Trigger) -> (Word, Details, Change) {
        let details = Details {
            reopenings: 3,
            ..Details::default()
        };
        transition(word(phase), details, state, trigger, seconds(70))
    }

    #[test]
    fn transitions_are_those_of_the_table() {
        use Phase::{Closed, ForcedClosed, ForcedOpen, Open, Ramp};
        use Trigger::{
            FleetCloses, FleetOpens, FleetProbes, FleetRamps, ForceClosed, ForceOpen, HoldOver,
            LimitReached, ProbeFailed, ProbesSucceeded, RampBegins, RampOver, Reset, Trip,
            Unavailable,
        };

        let triggers = [
            LimitReached,
            Unavailable(END),
            ProbesSucceeded,
            RampBegins(seconds(60)),
            RampOver,
            ProbeFailed,
            Trip(None),
            Trip(Some(END)),
            Reset,
            ForceOpen(None),
            ForceOpen(Some(END)),
            ForceClosed(None),
            ForceClosed(Some(END)),
            HoldOver,
            FleetOpens {
                until: END,
                reopenings: 5,
            },
            FleetProbes(seconds(70)),
            FleetCloses,
            FleetRamps(seconds(60)),
        ];
        let none = |phase| (phase, Change::None);
        let opened = (Open, Change::Opened);
        let closed = (Closed, Change::Closed);
        let half_opened = (Ramp, Change::HalfOpened);
        let withheld = (ForcedClosed, Change::Withheld);
        let unseen = |phase| (phase, Change::Unseen);
        let held = |phase| (phase, Change::Held);
        let forced_open = (ForcedOpen, Change::Opened);
        let forced_closed = (ForcedClosed, Change::Closed);
        #[rustfmt::skip]
        let table = [
            (Closed, State::Closed, [
                opened, opened, none(Closed), none(Closed), none(Closed), none(Closed), opened,
                opened, unseen(Closed), forced_open, forced_open, held(ForcedClosed),
                held(ForcedClosed), none(Closed), opened, none(Closed), none(Closed), none(Closed),
            ]),
            (Open, State::Open, [
                none(Open), opened, closed, unseen(Ramp), none(Open), opened, none(Open),
                unseen(Open), closed, held(ForcedOpen), held(ForcedOpen), forced_closed,
                forced_closed, none(Open), unseen(Open), unseen(Open), closed, half_opened,
            ]),
            (Open, State::HalfOpen, [
                none(Open), opened, closed, unseen(Ramp), none(Open), opened, opened, opened,
                closed, forced_open, forced_open, forced_closed, forced_closed, none(Open), opened,
                none(Open), closed, unseen(Ramp),
            ]),
            (Ramp, State::HalfOpen, [
                opened, opened, none(Ramp), none(Ramp), closed, none(Ramp), opened, opened,
                closed, forced_open, forced_open, forced_closed, forced_closed, none(Ramp), opened,
                none(Ramp), none(Ramp), none(Ramp),
            ]),
            (ForcedOpen, State::Open, [
                none(ForcedOpen), none(ForcedOpen), none(ForcedOpen), none(ForcedOpen),
                none(ForcedOpen), none(ForcedOpen), none(ForcedOpen), none(ForcedOpen), closed,
                none(ForcedOpen), held(ForcedOpen), forced_closed, forced_closed, closed,
                none(ForcedOpen), none(ForcedOpen), none(ForcedOpen), none(ForcedOpen),
            ]),
            (ForcedClosed, State::Closed, [
                withheld, withheld, none(ForcedClosed), none(ForcedClosed), none(ForcedClosed),
                none(ForcedClosed), none(ForcedClosed), none(ForcedClosed), held(Closed),
                forced_open, forced_open, none(ForcedClosed), held(ForcedClosed), held(Closed),
                none(ForcedClosed), none(ForcedClosed), none(ForcedClosed), none(ForcedClosed),
            ]),
        ];

        for (before, state, outcomes) in table {
            for (trigger, (after, change)) in triggers.into_iter().zip(outcomes) {
                let case = format!("{before:?} ({state}) and {trigger:?}");
                let (next, details, seen) = moved(before, state, trigger);
                assert_eq!((next.phase(), seen), (after, change), "{case}");
                let is_moved = change != Change::None;
                assert_eq!(
                    next.since(),
                    seconds(if is_moved { 70 } else { 10 }),
                    "{case}"
                );
                assert_eq!(
                    next.generation() > word(before).generation(),
                    is_moved,
                    "{case}"
                );
                assert_eq!(next.slot() != word(before).slot(), is_moved, "{case}");
                assert_eq!(next.has_end(), details.until.is_some(), "{case}");
            }
        }
    }

    #[test]
    fn the_state_began_before_the_phase_if_only_the_phase_has_changed() {
        let since = |phase, state, trigger| moved(phase, state, trigger).1.since;
        let begin = Some(seconds(10));
        let opened = since(Phase::Closed, State::Closed, Trigger::LimitReached);
        let reset = since(Phase::Closed, State::Closed, Trigger::Reset);
        let held = since(Phase::Open, State::Open, Trigger::ForceOpen(None));
        let withheld = since(Phase::ForcedClosed, State::Closed, Trigger::LimitReached);
        let longer = since(Phase::Open, State::Open, Trigger::Trip(Some(END)));
        assert_eq!(
            [opened, reset, held, withheld, longer],
            [None, begin, begin, begin, begin]
        );
    }

    #[test]
    fn reopenings_are_counted_until_the_circuit_closes() {
        let count = |phase, trigger| moved(phase, State::HalfOpen, trigger).1.reopenings;
        assert_eq!(count(Phase::Open, Trigger::ProbeFailed), 4);
        assert_eq!(count(Phase::Open, Trigger::Unavailable(END)), 4);
        assert_eq!(count(Phase::Open, Trigger::Trip(None)), 4);
        assert_eq!(count(Phase::Ramp, Trigger::LimitReached), 4);
        assert_eq!(count(Phase::Ramp, Trigger::Trip(Some(END))), 4);
        let fleet_opens = |reopenings| Trigger::FleetOpens {
            until: END,
            reopenings,
        };
        assert_eq!(count(Phase::Open, fleet_opens(9)), 9);
        assert_eq!(count(Phase::Ramp, fleet_opens(0)), 0);
        assert_eq!(count(Phase::Open, Trigger::FleetRamps(seconds(60))), 3);
        assert_eq!(count(Phase::Open, Trigger::FleetCloses), 0);
        assert_eq!(count(Phase::Open, Trigger::RampBegins(seconds(60))), 3);
        assert_eq!(count(Phase::Ramp, Trigger::RampOver), 0);
        assert_eq!(count(Phase::Open, Trigger::ProbesSucceeded), 0);
        assert_eq!(count(Phase::Open, Trigger::ForceOpen(None)), 0);

        let (_, waits, _) = moved(Phase::Open, State::Open, Trigger::Trip(Some(END)));
        assert_eq!((waits.reopenings, waits.until), (3, Some(END)));
    }

    #[test]
    fn a_phase_ends_by_time_alone() {
        use State::{Closed, HalfOpen, Open};

        let before = Instant::from_micros(499_999_999);
        let states = |phase: Phase, end| {
            [before, END, seconds(u64::MAX / 1_000_000)].map(|now| word(phase).state(now, end))
        };
        assert_eq!(states(Phase::Open, Some(END)), [Open, HalfOpen, HalfOpen]);
        assert_eq!(states(Phase::Ramp, Some(END)), [HalfOpen, Closed, Closed]);
        assert_eq!(states(Phase::ForcedOpen, Some(END)), [Open, Closed, Closed]);
        assert_eq!(states(Phase::ForcedOpen, None), [Open; 3]);
        assert_eq!(states(Phase::ForcedClosed, Some(END)), [Closed; 3]);
    }

    #[test]
    fn only_a_closed_phase_without_an_end_admits_calls_by_the_word_alone() {
        use Phase::{Closed, ForcedClosed, ForcedOpen, Open, Ramp};
        let words = [Closed, ForcedClosed, Ramp, Open, ForcedOpen].map(word);
        assert_eq!(
            words.map(Word::is_closed),
            [true, true, false, false, false]
        );
        assert_eq!(
            words.map(Word::is_counting),
            [true, true, true, false, false]
        );
        let ends = Details::default().until(END);
        let ends = Word::FIRST.followed_by(ForcedClosed, ends, seconds(10));
        assert!(!ends.is_closed() && ends.is_counting() && ends.has_end());
        assert_eq!(ends.phase(), ForcedClosed);
    }

    #[test]
    fn generations_differ_within_one_microsecond_and_when_the_clock_goes_back() {
        let mut word = word(Phase::Closed);
        for now in [seconds(10); 31].into_iter().chain([seconds(3); 100]) {
            let (next, ..) =
                transition(word, Details::default(), State::Closed, Trigger::Reset, now);
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
            for (state, trigger, phase) in [
                (State::Closed, Trigger::LimitReached, Phase::Open),
                (State::HalfOpen, Trigger::Reset, Phase::Closed),
            ] {
                (word, _, _) = transition(word, Details::default(), state, trigger, end_of_time);
                assert_eq!((word.since(), word.phase()), (Word::LAST_MOMENT, phase));
            }
        }
    }
}

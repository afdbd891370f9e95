//! The calls in flight of a circuit that has few, in two groups by start time.

use super::overdue::group_length;
use crate::circuit::ticket::{GROUPS, Start};
use crate::clock::{Instant, Span};

/// The bits of a moment in microseconds: more than two years.
const MOMENT_BITS: u32 = 46;

/// The bits of the number of calls of a group.
const CALLS_BITS: u32 = 7;

/// The bits of the distance between the two groups.
const DISTANCE_BITS: u32 = u64::BITS - MOMENT_BITS - 2 * CALLS_BITS;

/// The most calls of a group.
const MOST_CALLS: u64 = (1 << CALLS_BITS) - 1;

/// The largest distance that fits. No two groups have it.
const MOST_DISTANCE: u64 = (1 << DISTANCE_BITS) - 1;

/// The calls in flight in two groups, packed into one word. The calls of a group have started
/// within the same seventh of `slow_call`.
///
/// The sevenths are numbered from the origin of the clock. The latest start of the earlier group is
/// stored, and the seventh of the later one. So no call is found overdue too early, nor too late by
/// more than a seventh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct GroupPair {
    /// The latest start of the earlier group.
    latest_start: u64,
    earlier: u64,
    /// How many sevenths the later group is after the earlier one.
    distance: u64,
    later: u64,
}

impl GroupPair {
    /// The word of calls that were moved. No other calls have it, as no two groups are so far apart
    /// while no call is overdue.
    pub(super) const MOVED: u64 = u64::MAX;

    pub(super) const fn from_bits(bits: u64) -> Option<Self> {
        if bits == Self::MOVED {
            return None;
        }
        Some(Self {
            latest_start: bits >> (u64::BITS - MOMENT_BITS),
            earlier: bits >> (DISTANCE_BITS + CALLS_BITS) & MOST_CALLS,
            distance: bits >> CALLS_BITS & MOST_DISTANCE,
            later: bits & MOST_CALLS,
        })
    }

    /// Creates a pair without calls, which differs from those of other moments.
    pub(super) fn empty_at(moment: Instant) -> Self {
        Self {
            latest_start: moment.as_micros() & ((1 << MOMENT_BITS) - 1),
            ..Self::default()
        }
    }

    pub(super) const fn is_empty(self) -> bool {
        self.earlier == 0 && self.later == 0
    }

    pub(super) const fn to_bits(self) -> u64 {
        self.latest_start << (u64::BITS - MOMENT_BITS)
            | self.earlier << (DISTANCE_BITS + CALLS_BITS)
            | self.distance << CALLS_BITS
            | self.later
    }

    /// Adds a call that starts `now`; `None` if there is no room for it, or if a call is overdue.
    pub(super) fn started(self, slow_call: Span, now: Instant) -> Option<(Self, Start)> {
        let pair = self.without_gap(slow_call);
        let micros = now.as_micros();
        let start = Start::new(now, group(slow_call, micros));
        if pair.earlier == 0 {
            let first = Self {
                latest_start: micros,
                earlier: 1,
                ..Self::default()
            };
            return (micros < 1 << MOMENT_BITS).then_some((first, start));
        }
        if pair.is_overdue(slow_call, now) {
            return None;
        }
        let seventh = seventh(slow_call, micros);
        let distance = seventh.checked_sub(self::seventh(slow_call, pair.latest_start))?;
        let joined = if distance == 0 {
            Self {
                latest_start: pair.latest_start.max(micros),
                earlier: pair.earlier.wrapping_add(1),
                ..pair
            }
        } else if pair.later == 0 || distance == pair.distance {
            Self {
                distance,
                later: pair.later.wrapping_add(1),
                ..pair
            }
        } else {
            return None;
        };
        let fits = joined.earlier <= MOST_CALLS
            && joined.later <= MOST_CALLS
            && joined.distance < MOST_DISTANCE;
        fits.then_some((joined, start))
    }

    /// Removes a call.
    pub(super) fn ended(self, slow_call: Span, start: Start) -> Option<Self> {
        let micros = start.moment().as_micros();
        if seventh(slow_call, micros) == seventh(slow_call, self.latest_start) {
            let earlier = self.earlier.checked_sub(1)?;
            Some(Self { earlier, ..self })
        } else {
            let later = self.later.checked_sub(1)?;
            Some(Self { later, ..self })
        }
    }

    /// Returns whether a call has been in flight for longer than `slow_call`.
    pub(super) fn is_overdue(self, slow_call: Span, now: Instant) -> bool {
        let pair = self.without_gap(slow_call);
        let latest_start = Instant::from_micros(pair.latest_start);
        pair.earlier > 0 && now.since(latest_start) > slow_call
    }

    /// Returns the latest start of each group that has calls and how many these are, in order.
    pub(super) fn groups(self, slow_call: Span) -> impl Iterator<Item = (Start, u32)> {
        let later = Self { earlier: 0, ..self };
        let groups = [self, later.without_gap(slow_call)].map(move |pair| {
            let group = group(slow_call, pair.latest_start);
            let start = Start::new(Instant::from_micros(pair.latest_start), group);
            let calls = u32::try_from(pair.earlier).unwrap_or_default();
            (start, calls)
        });
        groups.into_iter().filter(|(_, calls)| *calls > 0)
    }

    /// Makes the later group the earlier one if the latter has no more calls.
    fn without_gap(self, slow_call: Span) -> Self {
        if self.earlier > 0 || self.later == 0 {
            return self;
        }
        let length = group_length(slow_call).as_micros();
        let seventh = seventh(slow_call, self.latest_start).saturating_add(self.distance);
        let end = seventh.saturating_add(1).saturating_mul(length);
        Self {
            latest_start: end.saturating_sub(1),
            earlier: self.later,
            distance: 0,
            later: 0,
        }
    }
}

/// Returns the number of the seventh that contains this moment.
fn seventh(slow_call: Span, micros: u64) -> u64 {
    let length = group_length(slow_call).as_micros();
    micros.checked_div(length).unwrap_or(0)
}

/// Returns the index of the group of calls that start at this moment. The two groups have different
/// ones, as all groups within one `slow_call` have.
fn group(slow_call: Span, micros: u64) -> usize {
    let number = seventh(slow_call, micros).checked_rem(GROUPS as u64);
    usize::try_from(number.unwrap_or(0)).unwrap_or(0)
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::{GROUPS, GroupPair, MOST_CALLS};
    use crate::circuit::ticket::Start;
    use crate::clock::{Instant, Span};

    const SLOW_CALL: Span = Span::from_micros(700);

    fn at(micros: u64) -> Instant {
        Instant::from_micros(micros)
    }

    /// Starts calls at these moments, each of which finds room.
    fn started<const N: usize>(micros: [u64; N]) -> (GroupPair, [Start; N]) {
        let mut pair = GroupPair::default();
        let starts = micros.map(|micros| {
            let (next, start) = pair.started(SLOW_CALL, at(micros)).unwrap();
            assert_eq!(GroupPair::from_bits(next.to_bits()), Some(next));
            pair = next;
            start
        });
        (pair, starts)
    }

    #[test]
    fn calls_join_the_group_of_their_seventh_and_a_third_finds_no_room() {
        let (pair, _) = started([200, 299, 250, 300, 399, 310]);
        assert_eq!(pair.started(SLOW_CALL, at(400)), None);
        assert_eq!(pair.started(SLOW_CALL, at(199)), None, "a late thread");
        let groups: Vec<_> = pair.groups(SLOW_CALL).collect();
        let moments = groups
            .iter()
            .map(|(latest, calls)| (latest.moment(), *calls));
        assert!(moments.eq([(at(299), 3), (at(399), 3)]));
    }

    #[test]
    fn a_group_without_calls_makes_room() {
        let (mut pair, [first, second]) = started([250, 350]);
        pair = pair.ended(SLOW_CALL, first).unwrap();
        let third;
        (pair, third) = pair.started(SLOW_CALL, at(950)).unwrap();
        pair = pair.ended(SLOW_CALL, second).unwrap();
        let (pair, _) = pair.started(SLOW_CALL, at(1_050)).unwrap();
        let pair = pair.ended(SLOW_CALL, third).unwrap();
        assert_eq!(pair.groups(SLOW_CALL).count(), 1);
    }

    #[test]
    fn a_call_is_overdue_after_slow_call_and_found_late_by_less_than_a_seventh() {
        let (pair, [first, _]) = started([250, 310]);
        assert!(!pair.is_overdue(SLOW_CALL, at(950)));
        assert!(pair.is_overdue(SLOW_CALL, at(951)));
        assert_eq!(pair.started(SLOW_CALL, at(951)), None);
        let later = pair.ended(SLOW_CALL, first).unwrap();
        assert!(!later.is_overdue(SLOW_CALL, at(1_010)));
        assert!(later.is_overdue(SLOW_CALL, at(1_010 + 99)));
    }

    #[test]
    fn calls_at_once_find_room_up_to_a_bound() {
        let mut pair = GroupPair::default();
        for _ in 0..MOST_CALLS {
            (pair, _) = pair.started(SLOW_CALL, at(1)).unwrap();
        }
        assert_eq!(pair.started(SLOW_CALL, at(1)), None);
        for _ in 0..MOST_CALLS {
            (pair, _) = pair.started(SLOW_CALL, at(101)).unwrap();
            assert_ne!(pair.to_bits(), GroupPair::MOVED);
        }
        assert_eq!(pair.started(SLOW_CALL, at(101)), None);
    }

    #[test]
    fn a_moment_of_the_far_future_finds_no_room() {
        let last = at((1 << super::MOMENT_BITS) - 1);
        let (pair, _) = GroupPair::default().started(SLOW_CALL, last).unwrap();
        assert_eq!(GroupPair::from_bits(pair.to_bits()), Some(pair));
        let next = last.plus(Span::MIN);
        assert_eq!(GroupPair::default().started(SLOW_CALL, next), None);
    }

    #[test]
    fn two_groups_of_calls_that_are_not_overdue_have_different_indices() {
        for slow_call in (1..100).map(Span::from_micros) {
            for first in 0..50 {
                for second in first..=first + slow_call.as_micros() {
                    let pair = GroupPair::default();
                    let (pair, _) = pair.started(slow_call, at(first)).unwrap();
                    let (pair, _) = pair.started(slow_call, at(second)).unwrap();
                    let groups: Vec<_> = pair.groups(slow_call).collect();
                    assert!(groups.iter().all(|(latest, _)| latest.group() < GROUPS));
                    if let [(first, _), (second, _)] = groups[..] {
                        assert_ne!(first.group(), second.group());
                    }
                }
            }
        }
    }
}

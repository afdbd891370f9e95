//! Calls in flight that already exceed `slow_call`.

use std::collections::VecDeque;

use super::in_flight::Sum;
use crate::circuit::ticket::{GROUPS, Start};
use crate::clock::{Instant, Span};

/// How many groups begin within `slow_call`.
const GROUPS_PER_SLOW_CALL: u64 = 7;

/// Calls in flight that already exceed `slow_call`. There is no timer: the next call detects them.
///
/// Calls are grouped by start time, a seventh of `slow_call` to a group, and a group is overdue
/// when its last call is. So no call is reported early, except by up to that seventh when another
/// thread opens the next group concurrently. Half a kilobyte, for any number of calls.
pub(super) struct Overdue {
    /// The groups that are not overdue yet, oldest first; new calls join the last.
    pending: VecDeque<Group>,
    next_index: usize,
    /// The in-flight count of each group when it was last found overdue.
    found: [u32; GROUPS],
    /// The calls of groups that were found overdue, less those that have ended since. A call that
    /// ends while its group is found may be missed, or counted twice, until the index of its group
    /// is looked at next; hence the sign.
    calls: i64,
    /// The latest start of any of them.
    latest_start: Option<Instant>,
    /// `slow_call` has changed, and they are not overdue again yet.
    is_reconsidered: bool,
}

struct Group {
    /// Where its calls are counted while in flight.
    index: usize,
    first_start: Instant,
    latest_start: Instant,
}

impl Overdue {
    pub(super) fn new() -> Self {
        Self {
            pending: VecDeque::with_capacity(GROUPS),
            next_index: 0,
            found: [0; GROUPS],
            calls: 0,
            latest_start: None,
            is_reconsidered: false,
        }
    }

    /// Adds a group whose last call started at `latest`, after those of all groups so far.
    pub(super) fn add_group(&mut self, slow_call: Span, latest: Start) {
        self.pending.push_back(Group {
            index: latest.group(),
            first_start: latest.moment().rounded_down(group_length(slow_call)),
            latest_start: latest.moment(),
        });
        self.next_index = latest.group().wrapping_add(1) % GROUPS;
    }

    pub(super) fn clear(&mut self) {
        self.pending.clear();
        self.found = [0; GROUPS];
        self.calls = 0;
        self.latest_start = None;
        self.is_reconsidered = false;
    }

    /// Reconsiders, as `slow_call` changes, the calls that were found overdue: they do not count
    /// before the latest of them is overdue again.
    pub(super) fn reconsider(&mut self) {
        self.is_reconsidered = self.latest_start.is_some();
    }

    /// Returns how many calls are overdue.
    pub(super) fn calls(&self) -> u64 {
        if self.is_reconsidered {
            return 0;
        }
        self.calls.try_into().unwrap_or(0)
    }

    /// Returns the group of calls that start now.
    pub(super) fn group(&self) -> usize {
        self.pending.back().map_or(0, |last| last.index)
    }

    /// Advances to `now`, when the calls in flight add up to `sum`.
    pub(super) fn advance(&mut self, slow_call: Span, now: Instant, sum: &Sum) {
        if let Some(last) = self.pending.back_mut() {
            last.latest_start = last.latest_start.max(sum.latest_start);
        }
        self.is_reconsidered &= self.found_overdue_at(slow_call) > Some(now);
        let is_overdue = |group: &Group| now.since(group.latest_start) > slow_call;
        while self.pending.front().is_some_and(is_overdue) {
            if let Some(group) = self.pending.pop_front() {
                self.latest_start = self.latest_start.max(Some(group.latest_start));
            }
        }
        self.find(sum);
        let is_over = |last: &Group| now.since(last.first_start) >= group_length(slow_call);
        if self.pending.back().is_none_or(is_over) && self.pending.len() < GROUPS {
            self.pending.push_back(Group {
                index: self.next_index,
                first_start: now,
                latest_start: now,
            });
            self.next_index = self.next_index.wrapping_add(1) % GROUPS;
        }
    }

    /// Counts the calls at each index that no pending group has. Repeatedly, because a thread that
    /// read the clock before its group was found, for the start of a call or for its end, may be
    /// counted after.
    fn find(&mut self, sum: &Sum) {
        let counts = self.found.iter_mut().zip(&sum.in_flight);
        for (index, (found, &in_flight)) in counts.enumerate() {
            let changed = in_flight != *found;
            if changed && self.pending.iter().all(|group| group.index != index) {
                let change = signed_difference(*found, in_flight);
                self.calls = self.calls.saturating_add(change);
                *found = in_flight;
            }
        }
    }

    /// Records the end of a call that exceeded `slow_call`; returns whether it was found overdue.
    pub(super) fn end(&mut self, start: Start) -> bool {
        let found = Some(start.moment()) <= self.latest_start;
        self.calls = self.calls.saturating_sub(found.into());
        found
    }

    /// Returns when time alone changes the count or the group next.
    pub(super) fn changes_at(&self, slow_call: Span) -> Instant {
        let first = self.pending.front();
        let overdue_at = first.map(|first| overdue_at(slow_call, first.latest_start));
        let again_at = self.found_overdue_at(slow_call);
        let again_at = again_at.filter(|_| self.is_reconsidered);
        let over_at = self
            .pending
            .back()
            .map(|last| last.first_start.plus(group_length(slow_call)));
        overdue_at
            .into_iter()
            .chain(again_at)
            .chain(over_at)
            .min()
            .unwrap_or(Instant::from_micros(0))
    }

    /// Returns when the latest of the calls that were found overdue is overdue.
    fn found_overdue_at(&self, slow_call: Span) -> Option<Instant> {
        let latest_start = self.latest_start?;
        Some(overdue_at(slow_call, latest_start))
    }

    /// Returns how many calls are in flight, overdue or not.
    #[cfg(all(test, not(any(circuit_loom, circuit_shuttle, feature = "test-util"))))]
    pub(super) fn in_flight(&self, sum: &Sum) -> i64 {
        let counts = self.found.iter().zip(&sum.in_flight);
        let joined = counts.map(|(&found, &calls)| signed_difference(found, calls));
        self.calls + joined.sum::<i64>()
    }
}

/// Returns when a call with this start is overdue.
fn overdue_at(slow_call: Span, start: Instant) -> Instant {
    start.plus(Span::MIN).plus(slow_call)
}

/// Returns how long calls join a group.
pub(super) fn group_length(slow_call: Span) -> Span {
    slow_call.divided_by(GROUPS_PER_SLOW_CALL)
}

/// Returns the signed, wrapping difference.
#[expect(clippy::cast_possible_wrap, reason = "below zero when it has wrapped")]
fn signed_difference(before: u32, after: u32) -> i64 {
    i64::from(after.wrapping_sub(before) as i32)
}

#[cfg(test)]
mod tests {
    use super::super::in_flight::Sum;
    use super::Overdue;
    use crate::circuit::ticket::{GROUPS, Start};
    use crate::clock::{Instant, Span};
    use std::time::Duration;

    const SLOW_CALL: Span = Span::from_duration(Duration::from_micros(700));

    fn at(micros: u64) -> Instant {
        Instant::from_micros(micros)
    }

    fn sum(latest_start: u64, group: usize, calls: u32) -> Sum {
        let mut in_flight = [0; GROUPS];
        in_flight[group] = calls;
        Sum {
            fast_successes: 0,
            latest_start: at(latest_start),
            in_flight,
        }
    }

    fn overdue() -> Overdue {
        let mut overdue = Overdue::new();
        overdue.advance(SLOW_CALL, at(0), &sum(0, 0, 0));
        overdue
    }

    #[test]
    fn the_last_moment_of_the_clock_does_not_overflow() {
        let mut overdue = Overdue::new();
        overdue.advance(SLOW_CALL, at(u64::MAX), &sum(u64::MAX, 0, 1));
        assert_eq!(overdue.changes_at(SLOW_CALL), at(u64::MAX));
    }

    #[test]
    fn calls_join_a_group_for_a_seventh_of_slow_call() {
        let mut overdue = overdue();
        let mut group = |now| {
            overdue.advance(SLOW_CALL, at(now), &sum(0, 0, 0));
            overdue.group()
        };
        let first = group(1);
        assert_eq!([group(50), group(99)], [first; 2]);
        assert_ne!(group(100), first);
    }

    #[test]
    fn a_call_that_ends_in_time_while_its_group_is_found_is_not_overdue_for_long() {
        let mut overdue = overdue();
        overdue.advance(SLOW_CALL, at(701), &sum(0, 0, 1));
        assert_eq!(overdue.calls(), 1);
        overdue.advance(SLOW_CALL, at(701), &sum(0, 0, 0));
        assert_eq!(overdue.calls(), 0);
    }

    #[test]
    fn a_call_that_joins_its_group_after_it_was_found_is_overdue_until_it_ends() {
        let mut overdue = overdue();
        let start = Start::new(at(0), overdue.group());
        overdue.advance(SLOW_CALL, at(701), &sum(0, 0, 0));
        overdue.advance(SLOW_CALL, at(702), &sum(0, start.group(), 1));
        assert_eq!(overdue.calls(), 1);
        assert!(overdue.end(start));
        overdue.advance(SLOW_CALL, at(703), &sum(0, start.group(), 1));
        assert_eq!(overdue.calls(), 0);
    }
}

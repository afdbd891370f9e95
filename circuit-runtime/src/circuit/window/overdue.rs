use std::collections::VecDeque;

use super::in_flight::Sum;
use crate::circuit::ticket::{GROUPS, Start};
use crate::clock::{Instant, Span};

/// The calls under way that have taken too long already. Nobody waits for them: whoever calls next
/// looks.
///
/// Calls that start within a seventh of that time are a group, and hang as soon as the last of them
/// does: those of one moment are found out at once, and none too early, unless it is counted after
/// another thread has begun the next group, and then by up to that seventh. In half a kilobyte, for any
/// number of calls.
pub(super) struct Hanging {
    slow_call: Span,
    /// For how long calls join a group.
    length: Span,
    /// The groups of which none hangs yet, oldest first; new calls join the last.
    groups: VecDeque<Group>,
    next_place: usize,
    /// What each place in the traffic came to when its calls were last found hanging.
    found: [u32; GROUPS],
    /// The calls of groups that were found hanging, less those that have ended since. One that ended
    /// while its group was found may be missing, or be one too many, until whatever has its place now is
    /// found; hence the sign.
    calls: i64,
    /// The latest start of any of them.
    latest_start: Option<Instant>,
}

struct Group {
    /// Where the traffic counts it.
    place: usize,
    first_start: Instant,
    latest_start: Instant,
}

impl Hanging {
    pub(super) fn new(slow_call: Span) -> Self {
        Self {
            slow_call,
            length: slow_call.divided_by(7),
            groups: VecDeque::with_capacity(GROUPS),
            next_place: 0,
            found: [0; GROUPS],
            calls: 0,
            latest_start: None,
        }
    }

    pub(super) fn clear(&mut self) {
        self.groups.clear();
        self.found = [0; GROUPS];
        self.calls = 0;
        self.latest_start = None;
    }

    /// Goes on to `now`, by when the traffic adds up to `sum`.
    pub(super) fn advance(&mut self, now: Instant, sum: &Sum) {
        if let Some(last) = self.groups.back_mut() {
            last.latest_start = last.latest_start.max(sum.latest_start);
        }
        let slow_call = self.slow_call;
        let hangs = |group: &Group| now.since(group.latest_start) > slow_call;
        while self.groups.front().is_some_and(hangs) {
            if let Some(group) = self.groups.pop_front() {
                self.latest_start = self.latest_start.max(Some(group.latest_start));
            }
        }
        self.find(sum);
        let is_over = |last: &Group| now.since(last.first_start) >= self.length;
        if self.groups.back().is_none_or(is_over) && self.groups.len() < GROUPS {
            self.groups.push_back(Group {
                place: self.next_place,
                first_start: now,
                latest_start: now,
            });
            self.next_place = (self.next_place + 1) % GROUPS;
        }
    }

    /// Counts the calls at places that belong to no group any more. Not only once: a thread that read
    /// the clock before its group was found, be it for the start of a call or for its end, may come
    /// after.
    fn find(&mut self, sum: &Sum) {
        let places = self.found.iter_mut().zip(&sum.under_way);
        for (place, (found, &under_way)) in places.enumerate() {
            let changed = under_way != *found;
            if changed && self.groups.iter().all(|group| group.place != place) {
                self.calls += change(*found, under_way);
                *found = under_way;
            }
        }
    }

    /// Takes note that a call has ended which took too long; whether it was found hanging before.
    pub(super) fn end(&mut self, start: Start) -> bool {
        let found = Some(start.moment()) <= self.latest_start;
        self.calls -= i64::from(found);
        found
    }

    pub(super) fn calls(&self) -> u64 {
        self.calls.try_into().unwrap_or(0)
    }

    /// The calls under way, hanging or not.
    #[cfg(all(test, not(circuit_loom), not(feature = "test-util")))]
    pub(super) fn under_way(&self, sum: &Sum) -> i64 {
        let places = self.found.iter().zip(&sum.under_way);
        let joined = places.map(|(&found, &calls)| change(found, calls));
        self.calls + joined.sum::<i64>()
    }

    /// The place in the traffic of calls that start now.
    pub(super) fn place(&self) -> usize {
        self.groups.back().map_or(0, |last| last.place)
    }

    /// When time alone changes something next.
    pub(super) fn changes_at(&self) -> Instant {
        let hangs_at = self.groups.front().map(|first| {
            let just_after = Instant::from_micros(first.latest_start.as_micros() + 1);
            just_after.plus(self.slow_call)
        });
        let is_over_at = self
            .groups
            .back()
            .map(|last| last.first_start.plus(self.length));
        hangs_at
            .into_iter()
            .chain(is_over_at)
            .min()
            .unwrap_or(Instant::from_micros(0))
    }
}

/// By how many calls there are more at a place, or fewer.
#[expect(clippy::cast_possible_wrap, reason = "below zero when it has wrapped")]
fn change(before: u32, after: u32) -> i64 {
    i64::from(after.wrapping_sub(before) as i32)
}

#[cfg(test)]
mod tests {
    use super::super::in_flight::Sum;
    use super::Hanging;
    use crate::circuit::ticket::{GROUPS, Start};
    use crate::clock::{Instant, Span};
    use std::time::Duration;

    fn at(micros: u64) -> Instant {
        Instant::from_micros(micros)
    }

    fn sum(latest_start: u64, place: usize, calls: u32) -> Sum {
        let mut under_way = [0; GROUPS];
        under_way[place] = calls;
        Sum {
            answered: 0,
            latest_start: at(latest_start),
            under_way,
        }
    }

    fn hanging() -> Hanging {
        let mut hanging = Hanging::new(Span::from_duration(Duration::from_micros(700)));
        hanging.advance(at(0), &sum(0, 0, 0));
        hanging
    }

    #[test]
    fn calls_join_a_group_for_a_seventh_of_the_time() {
        let mut hanging = hanging();
        let mut place = |now| {
            hanging.advance(at(now), &sum(0, 0, 0));
            hanging.place()
        };
        let first = place(1);
        assert_eq!([place(50), place(99)], [first; 2]);
        assert_ne!(place(100), first);
    }

    #[test]
    fn a_call_that_ended_in_time_while_it_was_found_does_not_hang_for_long() {
        let mut hanging = hanging();
        hanging.advance(at(701), &sum(0, 0, 1));
        assert_eq!(hanging.calls(), 1);
        hanging.advance(at(701), &sum(0, 0, 0));
        assert_eq!(hanging.calls(), 0);
    }

    #[test]
    fn a_call_that_joined_its_group_after_that_was_found_hangs_until_it_ends() {
        let mut hanging = hanging();
        let start = Start::new(at(0), hanging.place());
        hanging.advance(at(701), &sum(0, 0, 0));
        hanging.advance(at(702), &sum(0, start.group(), 1));
        assert_eq!(hanging.calls(), 1);
        assert!(hanging.end(start));
        hanging.advance(at(703), &sum(0, start.group(), 1));
        assert_eq!(hanging.calls(), 0);
    }
}

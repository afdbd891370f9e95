use std::collections::VecDeque;

use super::traffic::{PLACES, Start, Sum};
use crate::clock::{Instant, Span};

/// The calls under way that have taken too long already. Nobody waits for them: whoever calls next
/// looks.
///
/// Calls that start within a seventh of that time are a group, and hang as soon as the last of them
/// does: none is taken for hanging too early, and those of one moment are found out at once. In half a
/// kilobyte, for any number of calls.
#[derive(Debug)]
pub(super) struct Hanging {
    slow_call: Span,
    /// For how long calls join a group.
    length: Span,
    /// The groups of which none hangs yet, oldest first; new calls join the last.
    groups: VecDeque<Group>,
    next_place: usize,
    /// What each place in the traffic came to when the group that had it was found hanging.
    found: [u32; PLACES],
    /// The calls of groups that were found hanging, less those that have ended since. One that ended
    /// while its group was found may be missing for a moment, hence the sign.
    calls: i64,
    /// The latest start of any of them.
    latest_start: Option<Instant>,
}

#[derive(Debug)]
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
            groups: VecDeque::with_capacity(PLACES),
            next_place: 0,
            found: [0; PLACES],
            calls: 0,
            latest_start: None,
        }
    }

    pub(super) fn clear(&mut self) {
        self.groups.clear();
        self.found = [0; PLACES];
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
                self.find(&group, sum);
            }
        }
        let is_over = |last: &Group| now.since(last.first_start) >= self.length;
        if self.groups.back().is_none_or(is_over) && self.groups.len() < PLACES {
            self.groups.push_back(Group {
                place: self.next_place,
                first_start: now,
                latest_start: now,
            });
            self.next_place = (self.next_place + 1) % PLACES;
        }
    }

    fn find(&mut self, group: &Group, sum: &Sum) {
        let places = self.found.iter_mut().zip(&sum.under_way);
        if let Some((found, &under_way)) = places.into_iter().nth(group.place) {
            #[expect(clippy::cast_possible_wrap, reason = "below zero when it has wrapped")]
            let calls = under_way.wrapping_sub(*found) as i32;
            self.calls += i64::from(calls);
            *found = under_way;
        }
        self.latest_start = self.latest_start.max(Some(group.latest_start));
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

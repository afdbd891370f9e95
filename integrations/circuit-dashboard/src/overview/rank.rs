//! The order of breakers: worst first.

use std::cmp::{Ordering, Reverse};

use circuit_runtime::{Snapshot, State};

use super::member::Member;

/// The most members of an entry that are shown.
const MAX_MEMBERS: usize = 50;

/// How bad a state is; that of a function which was never called is the least.
pub(super) const fn severity(state: Option<State>) -> u8 {
    match state {
        Some(State::Open) => 3,
        Some(State::HalfOpen) => 2,
        Some(State::Closed) => 1,
        None => 0,
    }
}

/// How bad a breaker is: its state, then its failed and rejected calls.
pub(super) const fn rank(snapshot: &Snapshot) -> (u8, u64) {
    let troubled = snapshot.failed.saturating_add(snapshot.rejected);
    (severity(Some(snapshot.state)), troubled)
}

/// Returns the worst members, worst first.
pub(super) fn worst(mut members: Vec<Member>) -> Vec<Member> {
    if members.len() > MAX_MEMBERS {
        members.select_nth_unstable_by(MAX_MEMBERS, cmp_worst_first);
        members.truncate(MAX_MEMBERS);
    }
    members.sort_by(cmp_worst_first);
    members
}

fn cmp_worst_first(a: &Member, b: &Member) -> Ordering {
    let key = |member: &Member| Reverse(rank(&member.snapshot));
    key(a)
        .cmp(&key(b))
        .then_with(|| a.snapshot.name.cmp(&b.snapshot.name))
}

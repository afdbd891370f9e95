//! All circuits in use, by the name that they are exported under.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::aggregate::Aggregate;
use crate::circuit::registered::{self, Listed};
use crate::circuit::status::Status;
use crate::circuit::totals::Totals;
use crate::state::State;

/// The circuits of one name: those of a function, whatever their keys, and any others of that name.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) all: Aggregate,
    /// How many circuits with a key are open; `None` if the name is not that of a keyed function.
    pub(super) open_keys: Option<u64>,
    /// The circuits of each key, if they were asked for.
    pub(super) keys: BTreeMap<String, Vec<Status>>,
    /// The circuits without a key, if those with one were asked for.
    pub(super) without_key: Vec<Status>,
}

/// How the circuits of a function's keys are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    AddedUp,
    Apart,
}

/// Reads all circuits in use, grouped by name. Adds a reference to each to `kept`, which a caller
/// that holds a lock must drop without it: dropping the last one may run user code.
pub(super) fn read_all(keys_are: Keys, kept: &mut Vec<Arc<dyn Listed>>) -> BTreeMap<String, Group> {
    // Annotated functions have their series from the start.
    #[cfg(feature = "discovery")]
    crate::declared::create_all();
    let mut groups = BTreeMap::<_, Group>::new();
    for listed in registered::all() {
        let Some(listed) = listed.upgrade() else {
            continue;
        };
        let group = groups
            .entry(registered::label(listed.listed_as()).into_owned())
            .or_default();
        if listed.is_keyed() {
            group.open_keys.get_or_insert(0);
        }
        let Group {
            all,
            open_keys,
            keys,
            without_key,
        } = group;
        let totals = listed.read_all(&mut |name, status| {
            all.add(status);
            if let (Some(open), Some(_), State::Open) = (&mut *open_keys, name.key(), status.state)
            {
                *open = open.saturating_add(1);
            }
            match name.key() {
                _ if keys_are == Keys::AddedUp => {}
                Some(key) => match keys.get_mut(&*registered::label(key)) {
                    Some(statuses) => statuses.push(*status),
                    None => _ = keys.insert(registered::label(key).into_owned(), vec![*status]),
                },
                None => without_key.push(*status),
            }
        });
        all.totals = all.totals.plus(totals);
        kept.push(listed);
    }
    // While everything that was read is kept: none of it is among those dropped.
    for (label, group) in &mut groups {
        group.all.totals = registered::sum(label, group.all.totals);
    }
    groups
}

/// Returns the totals of several circuits.
pub(super) fn totals(statuses: &[Status]) -> Totals {
    let totals = statuses.iter().map(|status| status.totals);
    totals.fold(Totals::default(), Totals::plus)
}

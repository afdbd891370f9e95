//! All circuits in use, by the name that they are exported under.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::aggregate::Aggregate;
use crate::circuit::registered::{self, Listed};
use crate::circuit::status::Status;
use crate::circuit::totals::Totals;
use crate::state::State;

/// The circuits that share a name: those of a function with its keys, and any of the same name.
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

/// Reads all circuits in use, grouped by name; `by_key` to keep those of a key apart. Adds a
/// reference to everything that was read to `kept`: the last one must not be dropped under a lock,
/// as that may run code of the user's.
pub(super) fn read_all(by_key: bool, kept: &mut Vec<Arc<dyn Listed>>) -> BTreeMap<String, Group> {
    // So that each has its series from the start.
    #[cfg(feature = "discovery")]
    crate::declared::create_all();
    let mut groups = BTreeMap::<_, Group>::new();
    for listed in registered::all() {
        let Some(listed) = listed.upgrade() else {
            continue;
        };
        let group = groups
            .entry(label_value(listed.listed_as()).into_owned())
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
                _ if !by_key => {}
                Some(key) => match keys.get_mut(&*label_value(key)) {
                    Some(statuses) => statuses.push(*status),
                    None => _ = keys.insert(label_value(key).into_owned(), vec![*status]),
                },
                None => without_key.push(*status),
            }
        });
        all.totals = all.totals.plus(totals);
        kept.push(listed);
    }
    groups
}

/// Returns the totals of several circuits.
pub(super) fn totals(statuses: &[Status]) -> Totals {
    let totals = statuses.iter().map(|status| status.totals);
    totals.fold(Totals::default(), Totals::plus)
}

/// Returns a text as the value of a label. Zero bytes, which end a file for some parsers, are
/// replaced before names are compared: two names that look the same are one.
fn label_value(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

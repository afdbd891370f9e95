//! The keys that have series of their own, and what of their totals was shown in them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::aggregate::Aggregate;
use super::groups::{self, Group};
use super::samples::Series;
use crate::circuit::totals::Totals;

/// The label of the keys without a series of their own. A key of that name is among them.
const OTHER: &str = "other";

/// The keys of one function that have series of their own.
///
/// They change from one export to the next, and no counter may fall: neither that of the others
/// when a key gets a series of its own, nor their sum when it loses it. So each call is counted in
/// the series in which its key was when it was first exported, and stays there.
#[derive(Debug, Default)]
pub(super) struct TopKeys {
    shown: BTreeMap<String, Shown>,
    /// The totals of series that have ended.
    ended: Totals,
    other: Totals,
    /// The hashes of all keys at the last export.
    known: HashSet<u64>,
    hasher: RandomState,
}

#[derive(Clone, Copy, Debug, Default)]
struct Shown {
    /// The totals of the key at the last export.
    last: Totals,
    /// The totals in its series.
    totals: Totals,
}

impl TopKeys {
    /// Returns the series of a function: those of its `top` keys, and that of the others.
    pub(super) fn series(&mut self, breaker: &str, group: &Group, top: usize) -> Vec<Series> {
        let mut chosen = self.choose(group, top);
        for (key, aggregate) in &mut chosen {
            aggregate.totals = self.count(key, aggregate.totals);
        }
        chosen.sort_unstable_by_key(|&(key, _)| key);
        let is_chosen = |key: &str| chosen.binary_search_by_key(&key, |&(it, _)| it).is_ok();
        self.shown.retain(|key, shown| {
            let is_chosen = is_chosen(key);
            if !is_chosen {
                self.ended = self.ended.plus(shown.totals);
            }
            is_chosen
        });

        let mut other = Aggregate::default();
        let others = group.keys.iter().filter(|(key, _)| !is_chosen(key));
        let others = others.flat_map(|(_, statuses)| statuses);
        others
            .chain(&group.without_key)
            .for_each(|it| other.add(it));
        let shown = chosen.iter().map(|(_, aggregate)| aggregate.totals);
        let shown = shown.fold(self.ended, Totals::plus);
        // A circuit that is evicted during an export may be missing in the sum.
        self.other = self.other.max(group.all.totals.minus(shown));
        other.totals = self.other;
        let keys = group.keys.keys();
        self.known = keys.map(|key| self.hasher.hash_one(key.as_str())).collect();

        let series = |key: Option<&str>, aggregate, open_keys| Series {
            breaker: breaker.to_owned(),
            key: key.map(str::to_owned),
            aggregate,
            open_keys,
        };
        let keys = chosen.into_iter().chain([(OTHER, other)]);
        keys.map(|(key, aggregate)| series(Some(key), Some(aggregate), None))
            .chain([series(None, None, group.open_keys)])
            .collect()
    }

    /// Returns the keys in the worst state and, among those, with the most failures and rejections.
    fn choose<'g>(&self, group: &'g Group, top: usize) -> Vec<(&'g str, Aggregate)> {
        let keys = group.keys.iter().filter(|(key, _)| *key != OTHER);
        let mut ranked: Vec<_> = keys
            .map(|(key, statuses)| {
                let mut aggregate = Aggregate::default();
                for status in statuses {
                    aggregate.add(status);
                }
                aggregate.totals = groups::totals(statuses);
                (key.as_str(), aggregate)
            })
            .collect();
        let rank = |(key, aggregate): &(&'g str, Aggregate)| {
            let severity = aggregate.severity();
            let failed = aggregate.totals.failed_or_rejected();
            Reverse((
                severity,
                failed,
                self.shown.contains_key(*key),
                Reverse(*key),
            ))
        };
        if top < ranked.len() {
            ranked.select_nth_unstable_by_key(top, rank);
            ranked.truncate(top);
        }
        ranked
    }

    /// Returns the totals to show for a chosen key, given those of its circuits.
    fn count(&mut self, key: &str, now: Totals) -> Totals {
        let is_known = self.known.contains(&self.hasher.hash_one(key));
        let first = if is_known {
            // All before is counted among the others.
            Shown {
                last: now,
                totals: Totals::default(),
            }
        } else {
            Shown::default()
        };
        let shown = self.shown.entry(key.to_owned()).or_insert(first);
        shown.totals = shown.totals.plus(now.minus(shown.last));
        shown.last = now;
        shown.totals
    }
}

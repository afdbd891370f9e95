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
///
/// A circuit that is evicted during an export may be missed by it. So a key that was not exported
/// need not be new when it is exported next.
#[derive(Debug, Default)]
pub(super) struct TopKeys {
    shown: BTreeMap<String, Shown>,
    /// The totals of series that have ended.
    ended: Totals,
    other: Totals,
    /// The hashes of all keys at the last export, and at the one before.
    known: [HashSet<u64>; 2],
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
        self.count(&mut chosen, group.all.totals);
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
        let keys = keys.map(|key| self.hasher.hash_one(key.as_str())).collect();
        let [last, _] = std::mem::take(&mut self.known);
        self.known = [keys, last];

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

    /// Replaces the totals of the chosen keys by those in their series, given those of all keys.
    fn count(&mut self, chosen: &mut [(&str, Aggregate)], all: Totals) {
        for (key, aggregate) in &mut *chosen {
            if let Some(shown) = self.shown.get_mut(*key) {
                let new = aggregate.totals.minus(shown.last);
                shown.totals = shown.totals.plus(new);
                shown.last = aggregate.totals;
            }
        }
        let shown = self.shown.values().map(|shown| shown.totals);
        let counted = shown.fold(self.ended.plus(self.other), Totals::plus);
        let mut uncounted = all.minus(counted);
        for (key, aggregate) in chosen {
            if !self.shown.contains_key(*key) {
                // All of a known key is counted already, and of any other, what is left at most.
                let hash = self.hasher.hash_one(*key);
                let totals = if self.known.iter().any(|known| known.contains(&hash)) {
                    Totals::default()
                } else {
                    aggregate.totals.min(uncounted)
                };
                uncounted = uncounted.minus(totals);
                let last = aggregate.totals;
                self.shown.insert((*key).to_owned(), Shown { last, totals });
            }
            let shown = self.shown.get(*key);
            aggregate.totals = shown.map_or(aggregate.totals, |shown| shown.totals);
        }
    }
}

#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests {
    use super::{Group, TopKeys, Totals};
    use crate::circuit::{Circuit, Owner};
    use crate::config::Config;

    fn failed(calls: u64) -> Totals {
        Totals {
            failed: calls,
            ..Totals::default()
        }
    }

    /// Exports one series, and that of the others. Returns the failed calls in each, given those of
    /// the function and of the keys that were read.
    fn export(top_keys: &mut TopKeys, all: u64, keys: &[(&str, u64)]) -> Vec<(String, u64)> {
        let mut status = Circuit::new("hosts".into(), Config::default(), Owner::Breaker).status();
        let mut group = Group::default();
        group.all.totals = failed(all);
        for &(key, calls) in keys {
            status.totals = failed(calls);
            group.keys.insert(key.to_owned(), vec![status]);
        }
        let series = top_keys.series("hosts", &group, 1).into_iter();
        let series = series.filter_map(|series| {
            let calls = series.aggregate?.totals.failed;
            Some((series.key?, calls))
        });
        series.collect()
    }

    fn expected<const N: usize>(series: [(&str, u64); N]) -> Vec<(String, u64)> {
        series.map(|(key, calls)| (key.to_owned(), calls)).to_vec()
    }

    /// As when it is evicted while the circuits are read, and then used again.
    #[test]
    fn a_key_that_an_export_has_missed_is_not_counted_twice() {
        let mut shown = TopKeys::default();
        let series = export(&mut shown, 5, &[("a", 5)]);
        assert_eq!(series, expected([("a", 5), ("other", 0)]));
        assert_eq!(export(&mut shown, 5, &[]), expected([("other", 0)]));
        let series = export(&mut shown, 6, &[("a", 6)]);
        assert_eq!(
            series,
            expected([("a", 0), ("other", 1)]),
            "6 with those of the first series"
        );

        let mut other = TopKeys::default();
        let series = export(&mut other, 8, &[("a", 5), ("b", 3)]);
        assert_eq!(series, expected([("a", 5), ("other", 3)]));
        export(&mut other, 8, &[("a", 5)]);
        let series = export(&mut other, 18, &[("a", 6), ("b", 12)]);
        assert_eq!(
            series,
            expected([("b", 0), ("other", 13)]),
            "18 with those of `a`"
        );
    }

    #[test]
    fn a_key_that_several_exports_have_missed_is_not_counted_twice() {
        let mut top_keys = TopKeys::default();
        export(&mut top_keys, 5, &[("a", 5)]);
        (0..3).for_each(|_| drop(export(&mut top_keys, 5, &[])));
        let series = export(&mut top_keys, 7, &[("a", 7)]);
        assert_eq!(series, expected([("a", 2), ("other", 0)]));
    }

    #[test]
    fn a_new_key_is_counted_in_its_series_from_the_start() {
        let mut top_keys = TopKeys::default();
        export(&mut top_keys, 5, &[("a", 5)]);
        let series = export(&mut top_keys, 16, &[("a", 6), ("b", 10)]);
        assert_eq!(series, expected([("b", 10), ("other", 1)]));
    }
}

//! All breakers at one moment: an entry for each name, worst first.

mod changed_options;
mod counts;
mod entry;
mod filter;
mod idle;
mod member;
mod rank;
mod totals;

pub(crate) use entry::Entry;
pub(crate) use filter::Filter;
pub(crate) use member::Member;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use circuit_runtime::{CircuitBreaker, registry};
use serde_json::{Map, Value, json};

use crate::moment;
use crate::orders::Book;
use counts::Counts;
use idle::Declarations;

/// The most entries that are shown.
const MAX_SHOWN: usize = 1000;

/// All breakers at one moment.
#[derive(Debug)]
pub(crate) struct Overview {
    /// The moment, in seconds since the beginning of 1970.
    pub(crate) now: f64,
    /// The counts of all entries, shown or not.
    counts: Counts,
    /// The number of entries that match the filter.
    total: usize,
    /// The worst of those, worst first.
    pub(crate) entries: Vec<Entry>,
}

impl Overview {
    /// Reads all breakers in use; shows those that match the filter.
    pub(crate) fn take(book: &Book, filter: &Filter) -> Self {
        let now = moment::now();
        let declarations = Declarations::read();
        let mut names: BTreeMap<String, Vec<CircuitBreaker>> = BTreeMap::new();
        for breaker in registry::all() {
            // Most names have one breaker, and most keyed functions have many.
            let name = breaker.name().function();
            if let Some(breakers) = names.get_mut(name) {
                breakers.push(breaker);
            } else {
                names.insert(name.to_owned(), vec![breaker]);
            }
        }
        let never_called = declarations.without(|name| names.contains_key(name));
        let mut entries: Vec<_> = never_called.map(Entry::idle).collect();
        entries.extend(names.into_iter().map(|(name, breakers)| {
            let source = declarations.source(&name);
            Entry::new(name, &breakers, source, book)
        }));

        let mut counts = Counts::default();
        for entry in &entries {
            counts.add(entry.state(), entry.is_held());
        }
        entries.retain(|entry| filter.matches(entry));
        let total = entries.len();
        if entries.len() > MAX_SHOWN {
            entries.select_nth_unstable_by(MAX_SHOWN, Entry::cmp_worst_first);
            entries.truncate(MAX_SHOWN);
        }
        entries.sort_unstable_by(Entry::cmp_worst_first);
        Self {
            now,
            counts,
            total,
            entries,
        }
    }

    /// Returns the numbers and the entries as the fields of a list.
    pub(crate) fn to_json(&self) -> Map<String, Value> {
        let mut fields = self.numbers();
        let entries = self.entries.iter().map(Entry::to_json);
        fields.insert("breakers".to_owned(), entries.collect());
        fields
    }

    /// Returns what has changed since an overview that is older by `elapsed`, as the fields of an
    /// update.
    pub(crate) fn changes_since(&self, before: &Self, elapsed: Duration) -> Map<String, Value> {
        let mut left: HashMap<_, _> = before.entries.iter().map(|it| (it.name(), it)).collect();
        let changed = self.entries.iter().filter(|entry| {
            let before = left.remove(entry.name());
            before.is_none_or(|before| !entry.continues(before, elapsed))
        });
        let changed: Vec<_> = changed.map(Entry::to_json).collect();
        let mut removed: Vec<_> = left.into_keys().collect();
        removed.sort_unstable();

        let mut fields = self.numbers();
        fields.insert("breakers".to_owned(), changed.into());
        fields.insert("removed".to_owned(), removed.into());
        fields
    }

    fn numbers(&self) -> Map<String, Value> {
        let numbers = json!({
            "now": self.now,
            "counts": self.counts.to_json(),
            "total": self.total,
            "shown": self.entries.len(),
        });
        match numbers {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }
}

/// Returns the entry of a name, which may be that of a function or of a member, and the worst
/// breakers of exactly this name; `None` if there is no entry.
pub(crate) fn find(name: &str, book: &Book) -> Option<(Entry, Vec<Member>)> {
    let declarations = Declarations::read();
    let breakers = registry::find_all(name);
    let members: Vec<_> = breakers.iter().map(|it| Member::new(it, book)).collect();
    let is_of_key = breakers.iter().any(|it| it.name().key().is_some());
    let breakers = if is_of_key {
        breakers
    } else {
        let all = registry::all().into_iter();
        all.filter(|it| it.name().function() == name).collect()
    };
    if breakers.is_empty() {
        let declared = declarations.without(|it| it != name).next()?;
        return Some((Entry::idle(declared), Vec::new()));
    }
    let function = breakers.first().map(|it| it.name().function().to_owned());
    let source = declarations.source(&function.unwrap_or_default());
    let entry = Entry::new(name.to_owned(), &breakers, source, book);
    Some((entry, rank::worst(members)))
}

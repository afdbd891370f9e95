//! One entry of the list: the breakers of one name.

use std::cmp::{Ordering, Reverse};
use std::time::Duration;

use circuit_runtime::{CircuitBreaker, Snapshot, State, StateChange};
use serde_json::{Map, Value, json};

use super::changed_options::changed_options;
use super::counts::Counts;
use super::idle::{Function, Source};
use super::member::Member;
use super::rank::{rank, severity, worst};
use super::totals::Totals;
use crate::orders::Book;

/// One entry of the list.
#[derive(Debug)]
pub(crate) struct Entry {
    name: String,
    source: Option<Source>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// A function that was never called.
    Idle,
    /// A breaker alone of its name.
    Single {
        breaker: Box<Member>,
        changed_by_file: Value,
    },
    /// The breakers of the keys of a function, or several of one name.
    Group(Box<Group>),
}

#[derive(Debug)]
struct Group {
    is_keyed: bool,
    /// The worst members, worst first.
    worst: Vec<Member>,
    size: usize,
    counts: Counts,
    totals: Totals,
    last_change: Option<StateChange>,
    config: Value,
    changed_by_file: Value,
}

impl Entry {
    pub(super) fn idle(function: Function) -> Self {
        Self {
            name: function.name,
            source: Some(function.source),
            content: Content::Idle,
        }
    }

    /// Creates the entry of these breakers, of which there is at least one.
    pub(super) fn new(
        name: String,
        breakers: &[CircuitBreaker],
        source: Option<Source>,
        book: &Book,
    ) -> Self {
        let changed_by_file = breakers.first().map(|breaker| {
            let (own, in_force) = (breaker.own_config(), breaker.config());
            changed_options(&own, &in_force)
        });
        let changed_by_file = changed_by_file.unwrap_or_default();
        let mut members: Vec<_> = breakers.iter().map(|it| Member::new(it, book)).collect();
        let is_single = |member: &Member| *member.snapshot.name == *name;
        let content = match members.pop() {
            None => Content::Idle,
            Some(member) if members.is_empty() && is_single(&member) => {
                if source.is_some() && is_unused(&member.snapshot) {
                    Content::Idle
                } else {
                    Content::Single {
                        breaker: Box::new(member),
                        changed_by_file,
                    }
                }
            }
            Some(member) => {
                members.push(member);
                Content::Group(Box::new(Group::new(members, changed_by_file)))
            }
        };
        Self {
            name,
            source,
            content,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether this is an entry of keys.
    pub(crate) fn is_keyed(&self) -> bool {
        matches!(&self.content, Content::Group(group) if group.is_keyed)
    }

    /// Returns the worst state; `None` for a function that was never called.
    pub(super) fn state(&self) -> Option<State> {
        self.worst().map(|worst| worst.snapshot.state)
    }

    /// Returns whether an order holds it, or one of its members.
    pub(super) fn is_held(&self) -> bool {
        match &self.content {
            Content::Idle => false,
            Content::Single { breaker, .. } => breaker.snapshot.hold.is_some(),
            Content::Group(group) => group.counts.has_held(),
        }
    }

    pub(super) fn cmp_worst_first(a: &Self, b: &Self) -> Ordering {
        let key = |entry: &Self| {
            let rank = entry.worst().map(|worst| rank(&worst.snapshot));
            Reverse(rank.unwrap_or((severity(None), 0)))
        };
        key(a).cmp(&key(b)).then_with(|| a.name.cmp(&b.name))
    }

    /// Returns whether nothing has happened to this entry but that time has passed.
    pub(super) fn continues(&self, before: &Self, elapsed: Duration) -> bool {
        match (&self.content, &before.content) {
            (Content::Idle, Content::Idle) => true,
            (
                Content::Single {
                    breaker,
                    changed_by_file,
                },
                Content::Single {
                    breaker: breaker_before,
                    changed_by_file: changed_before,
                },
            ) => breaker.continues(breaker_before, elapsed) && changed_by_file == changed_before,
            (Content::Group(group), Content::Group(before)) => group.continues(before, elapsed),
            _ => false,
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let (kind, mut fields) = match &self.content {
            Content::Idle => (
                "idle",
                Map::from_iter([("state".to_owned(), "idle".into())]),
            ),
            Content::Single {
                breaker,
                changed_by_file,
            } => {
                let mut fields = breaker.to_json();
                fields.insert("changed_by_file".to_owned(), changed_by_file.clone());
                ("single", fields)
            }
            Content::Group(group) => {
                let kind = if group.is_keyed { "keyed" } else { "several" };
                (kind, group.to_json())
            }
        };
        let source = self.source.map(|source| {
            json!({
                "file": source.file,
                "line": source.line,
            })
        });
        fields.insert("kind".to_owned(), kind.into());
        fields.insert("name".to_owned(), self.name.as_str().into());
        fields.insert("source".to_owned(), source.into());
        Value::Object(fields)
    }

    fn worst(&self) -> Option<&Member> {
        match &self.content {
            Content::Idle => None,
            Content::Single { breaker, .. } => Some(breaker),
            Content::Group(group) => group.worst.first(),
        }
    }
}

/// Returns whether the breaker of a function was created before its first call, as for metrics.
fn is_unused(snapshot: &Snapshot) -> bool {
    let totals = [
        snapshot.succeeded,
        snapshot.failed,
        snapshot.ignored,
        snapshot.cancelled,
        snapshot.rejected,
        snapshot.opened,
    ];
    let is_of_key = snapshot.name.key().is_some();
    !is_of_key && totals == [0; 6] && snapshot.hold.is_none() && snapshot.last_change.is_none()
}

impl Group {
    fn new(members: Vec<Member>, changed_by_file: Value) -> Self {
        let snapshots = || members.iter().map(|member| &member.snapshot);
        let mut totals = Totals::default();
        snapshots().for_each(|snapshot| totals.add(snapshot));
        let mut counts = Counts::default();
        for snapshot in snapshots() {
            counts.add(Some(snapshot.state), snapshot.hold.is_some());
        }
        let last_changes = snapshots().filter_map(|snapshot| snapshot.last_change.as_ref());
        let config = snapshots().next().map(|snapshot| &snapshot.config);
        Self {
            is_keyed: snapshots().any(|snapshot| snapshot.name.key().is_some()),
            size: members.len(),
            counts,
            last_change: last_changes.max_by_key(|change| change.at).cloned(),
            config: serde_json::to_value(config).unwrap_or_default(),
            totals,
            changed_by_file,
            worst: worst(members),
        }
    }

    fn continues(&self, before: &Self, elapsed: Duration) -> bool {
        let mut pairs = self.worst.iter().zip(&before.worst);
        self.is_keyed == before.is_keyed
            && self.size == before.size
            && self.counts == before.counts
            && self.totals == before.totals
            && self.last_change == before.last_change
            && self.config == before.config
            && self.changed_by_file == before.changed_by_file
            && pairs.all(|(now, before)| now.continues(before, elapsed))
    }

    fn to_json(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        self.totals.write(&mut fields);
        let worst = self.worst.first().map(Member::to_json).unwrap_or_default();
        for field in ["state", "since", "hold", "retry_after"] {
            let value = worst.get(field).cloned().unwrap_or_default();
            fields.insert(field.to_owned(), value);
        }
        let members = self.worst.iter().map(Member::to_json_of_own);
        let members: Vec<_> = members.map(Value::Object).collect();
        let last_change = serde_json::to_value(&self.last_change).unwrap_or_default();
        for (field, value) in [
            ("members", members.into()),
            ("members_total", self.size.into()),
            ("members_counts", self.counts.to_json_of_members()),
            ("last_change", last_change),
            ("config", self.config.clone()),
            ("changed_by_file", self.changed_by_file.clone()),
        ] {
            fields.insert(field.to_owned(), value);
        }
        fields
    }
}

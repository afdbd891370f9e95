//! One breaker at one moment.

use std::time::Duration;

use circuit_runtime::{CircuitBreaker, Hold, Snapshot};
use serde_json::{Map, Value};

use crate::orders::{Book, Record};

/// How far two times may differ that should be equal: they are measured one after the other.
const TOLERANCE: Duration = Duration::from_millis(250);

/// The fields of a snapshot that members of an entry do not repeat.
const SHARED: [&str; 2] = ["last_change", "config"];

/// One breaker at one moment, and the order given here that holds it.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) snapshot: Snapshot,
    order: Option<Record>,
}

impl Member {
    pub(crate) fn new(breaker: &CircuitBreaker, book: &Book) -> Self {
        let snapshot = breaker.snapshot();
        let order = snapshot
            .hold
            .and_then(|hold| book.behind(&snapshot.name, &hold));
        Self { snapshot, order }
    }

    /// Returns whether this is the same breaker as before, to which nothing has happened but that
    /// time has passed.
    pub(super) fn continues(&self, before: &Self, elapsed: Duration) -> bool {
        let (now, then) = (&self.snapshot, &before.snapshot);
        let left = |hold: &Option<Hold>| hold.and_then(|hold| hold.ends_in);
        is_about(Some(now.since), Some(then.since.saturating_add(elapsed)))
            && is_about(now.retry_after, after(then.retry_after, elapsed))
            && is_about(left(&now.hold), after(left(&then.hold), elapsed))
            && without_times(now) == without_times(then)
            && self.order == before.order
    }

    /// Returns all fields of a single entry but for its place in the source, as JSON.
    pub(crate) fn to_json_alone(&self) -> Value {
        let mut fields = self.to_json();
        fields.insert("kind".to_owned(), "single".into());
        Value::Object(fields)
    }

    /// Returns all fields of the snapshot, the key and the order.
    pub(super) fn to_json(&self) -> Map<String, Value> {
        let mut fields = match serde_json::to_value(&self.snapshot) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        };
        let key = self.snapshot.name.key();
        let order = self.order.as_ref().map(Record::to_json_of_hold);
        fields.insert("key".to_owned(), key.into());
        fields.insert("order".to_owned(), order.into());
        fields
    }

    /// Returns the fields in which members of one entry differ.
    pub(super) fn to_json_of_own(&self) -> Map<String, Value> {
        let mut fields = self.to_json();
        for field in SHARED {
            fields.remove(field);
        }
        fields
    }
}

fn after(time: Option<Duration>, elapsed: Duration) -> Option<Duration> {
    time.map(|time| time.saturating_sub(elapsed))
}

fn is_about(a: Option<Duration>, b: Option<Duration>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.abs_diff(b) <= TOLERANCE,
        (a, b) => a == b,
    }
}

fn without_times(snapshot: &Snapshot) -> Snapshot {
    let mut snapshot = snapshot.clone();
    snapshot.since = Duration::ZERO;
    snapshot.retry_after = None;
    if let Some(hold) = &mut snapshot.hold {
        hold.ends_in = None;
    }
    snapshot
}

#[cfg(test)]
mod tests {
    use super::{Book, Member};
    use circuit_runtime::{CircuitBreaker, Config, Permit};
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn time_that_passes_is_no_change() {
        let breaker = CircuitBreaker::new("continues", Config::default());
        breaker.open_for(SECOND * 60);
        let before = Member::new(&breaker, &Book::default());
        let mut now = before.clone();
        assert!(now.continues(&before, Duration::ZERO));
        now.snapshot.since += SECOND;
        now.snapshot.retry_after = now
            .snapshot
            .retry_after
            .map(|wait| wait.saturating_sub(SECOND));
        assert!(now.continues(&before, SECOND));
        assert!(!now.continues(&before, SECOND * 2));
        now.snapshot.retry_after = None;
        assert!(!now.continues(&before, SECOND));
    }

    #[test]
    fn an_end_that_moves_is_a_change() {
        let breaker = CircuitBreaker::new("moves", Config::default());
        breaker.force_closed_for(SECOND * 60);
        let before = Member::new(&breaker, &Book::default());
        let with_end = |left: Option<Duration>| {
            let mut now = before.clone();
            now.snapshot.since += SECOND;
            if let Some(hold) = &mut now.snapshot.hold {
                hold.ends_in = left;
            }
            now
        };
        assert!(with_end(Some(SECOND * 59)).continues(&before, SECOND));
        assert!(!with_end(Some(SECOND * 60)).continues(&before, SECOND));
        assert!(!with_end(None).continues(&before, SECOND));
    }

    #[test]
    fn a_call_or_an_order_is_a_change() {
        let breaker = CircuitBreaker::new("changes", Config::default());
        let member = || Member::new(&breaker, &Book::default());
        let differs = |before: &Member| !member().continues(before, Duration::ZERO);
        let before = member();
        assert!(!differs(&before));
        assert!(breaker.try_acquire().map(Permit::success).is_ok());
        assert!(differs(&before));
        let before = member();
        breaker.force_open_for(SECOND * 60);
        assert!(differs(&before));
        let before = member();
        breaker.force_open_for(SECOND * 120);
        assert!(differs(&before), "a later end");
        let before = member();
        breaker.force_open();
        assert!(differs(&before), "no end");
    }
}

//! The sampler, which reads all breakers for all clients.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use circuit_runtime::{Changes, Lagged, StateChange, registry};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

use super::frame;
use super::hub::{self, Hub, Wanted};
use crate::history::{self, Numbered};
use crate::orders::Book;
use crate::overview::{Filter, Overview};
use crate::settings::Settings;

/// The time between two samples.
const INTERVAL: Duration = Duration::from_secs(1);

/// The least time between two samples if circuits change.
const AFTER_CHANGE: Duration = Duration::from_millis(250);

/// The least time between two samples if a client waits for one.
const WANTED: Duration = Duration::from_millis(100);

/// Reads all breakers each second, and publishes their changes at once.
pub(super) struct Sampler {
    hub: Running,
    changes: Changes,
    settings: Arc<Settings>,
    book: Arc<Book>,
    last: Option<Arc<Sample>>,
}

/// The state of all breakers when it was read last.
struct Sample {
    overview: Overview,
    taken: Instant,
}

/// A sample, and the events that tell clients of it.
struct Encoded {
    sample: Sample,
    update: Option<Bytes>,
    snapshot: Option<Bytes>,
}

impl Sampler {
    pub(super) fn new(
        hub: &Arc<Hub>,
        changes: Changes,
        settings: &Arc<Settings>,
        book: &Arc<Book>,
    ) -> Self {
        Self {
            hub: Running(Some(Arc::clone(hub))),
            changes,
            settings: Arc::clone(settings),
            book: Arc::clone(book),
            last: None,
        }
    }

    /// Runs until there are no clients any more.
    pub(super) async fn run(mut self) {
        let Some(hub) = self.hub.0.clone() else {
            return;
        };
        loop {
            let Some(wanted) = hub.wants() else {
                self.hub.rest();
                return;
            };
            let Some(taken) = self.sample(&hub, wanted).await else {
                return;
            };
            self.publish_changes(&hub, taken).await;
        }
    }

    /// Reads all breakers and publishes what has changed. Returns when it began; `None` if the
    /// runtime has shut down.
    async fn sample(&mut self, hub: &Hub, wanted: Wanted) -> Option<Instant> {
        let (settings, book) = (Arc::clone(&self.settings), Arc::clone(&self.book));
        let last = self.last.clone();
        // Many breakers take milliseconds, in which the server has other work.
        let encoded = spawn_blocking(move || encode(wanted, last.as_deref(), &settings, &book));
        let encoded = encoded.await.ok()?;
        // A snapshot comes before the changes of which it may lack some, and an update after those
        // whose numbers it has.
        if let Some(snapshot) = &encoded.snapshot {
            hub.publish_snapshot(snapshot);
        }
        self.publish_changes_before(hub, registry::changes().next_number());
        if let Some(update) = &encoded.update {
            hub.publish_update(update);
        }
        hub.end_silent();
        let taken = encoded.sample.taken;
        self.last = Some(Arc::new(encoded.sample));
        Some(taken)
    }

    /// Publishes the changes before this number, which have happened.
    fn publish_changes_before(&mut self, hub: &Hub, number: u64) {
        while self.changes.next_number() < number {
            match self.changes.try_recv().transpose() {
                Some(received) => self.publish(hub, received),
                None => return,
            }
        }
    }

    /// Publishes changes until the next sample is due, given when the last one was taken.
    async fn publish_changes(&mut self, hub: &Hub, taken: Instant) {
        let after = |time| taken.checked_add(time).unwrap_or(taken);
        let mut due = after(INTERVAL);
        loop {
            tokio::select! {
                received = self.changes.recv() => {
                    self.publish(hub, received);
                    due = due.min(after(AFTER_CHANGE));
                }
                () = hub.wanted() => due = due.min(after(WANTED)),
                () = sleep_until(due) => return,
            }
        }
    }

    /// Publishes the change that was received last, or the number of those that were missed.
    fn publish(&self, hub: &Hub, received: Result<StateChange, Lagged>) {
        let next = self.changes.next_number();
        let event = match received {
            Ok(change) => {
                let number = next.saturating_sub(1);
                hub::change(&Numbered { number, change })
            }
            // The state that they have led to is in the next update.
            Err(Lagged(missed)) => frame::event("missed", None, &json!({ "missed": missed })),
        };
        hub.publish_change(next, &event);
    }
}

/// Reads all breakers, and encodes what is wanted.
fn encode(wanted: Wanted, last: Option<&Sample>, settings: &Settings, book: &Book) -> Encoded {
    let taken = Instant::now();
    let overview = Overview::take(book, &Filter::default());
    let update = last.filter(|_| wanted.update).map(|last| {
        let elapsed = taken.saturating_duration_since(last.taken);
        let mut fields = overview.changes_since(&last.overview, elapsed);
        fields.extend(settings.to_json_of_update());
        frame::event("update", None, &Value::Object(fields))
    });
    let snapshot = wanted.snapshot.then(|| {
        let id = history::id_before(wanted.next_change);
        let mut fields = overview.to_json();
        fields.extend(settings.to_json());
        fields.insert("last_change".to_owned(), id.clone().into());
        frame::event("snapshot", id, &Value::Object(fields))
    });
    Encoded {
        sample: Sample { overview, taken },
        update,
        snapshot,
    }
}

/// Ends all streams if the sampler stops before its clients do: with its runtime, or by a panic.
/// They connect again, which starts another one.
struct Running(Option<Arc<Hub>>);

impl Running {
    /// Leaves the clients alone: there are none, or they have started another sampler.
    fn rest(&mut self) {
        self.0 = None;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(hub) = &self.0 {
            hub.end();
        }
    }
}

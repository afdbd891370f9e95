//! The clients of the stream.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::task::{Poll, Waker};

use bytes::Bytes;
use tokio::sync::Notify;

use super::backlog::{Backlog, Next};
use super::frame;
use crate::history::{self, Numbered};

/// The most clients at a time.
const MAX_CLIENTS: usize = 16;

/// The clients of the stream, each with its backlog.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    clients: Mutex<Clients>,
    /// Notified once a client wants a snapshot.
    wanted: Notify,
}

#[derive(Debug, Default)]
struct Clients {
    backlogs: BTreeMap<u64, Backlog>,
    next_key: u64,
    /// A sampler runs.
    is_sampled: bool,
    /// The number of the next change that the sampler will publish.
    next_change: u64,
}

/// Returned to a client that cannot join, as there are too many.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooManyStreams;

/// A client that has joined.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Joined {
    pub(super) key: u64,
    /// There is no sampler yet: it must be started.
    pub(super) is_first: bool,
}

/// The contents of the next sample that the clients want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) update: bool,
    pub(super) snapshot: bool,
    /// The number of the change after the snapshot.
    pub(super) next_change: u64,
}

impl Hub {
    /// Adds a client that has seen the changes up to the one with the number `last`. If a sampler
    /// must be started, it will publish the changes from `next_change` on.
    pub(super) fn add(
        &self,
        last: Option<u64>,
        next_change: u64,
    ) -> Result<Joined, TooManyStreams> {
        self.with_clients(|clients| {
            if clients.backlogs.len() >= MAX_CLIENTS {
                return Err(TooManyStreams);
            }
            let is_first = !clients.is_sampled;
            if is_first {
                clients.is_sampled = true;
                clients.next_change = next_change;
            }
            let missed = last.and_then(|last| missed(last, clients.next_change));
            let key = clients.next_key;
            clients.next_key = key.wrapping_add(1);
            clients.backlogs.insert(key, Backlog::new(missed));
            self.wanted.notify_one();
            Ok(Joined { key, is_first })
        })
    }

    /// Removes a client, and everything that waits for it.
    pub(super) fn remove(&self, key: u64) {
        let removed = self.with_clients(|clients| clients.backlogs.remove(&key));
        drop(removed);
    }

    /// Returns the next event for a client; `None` at the end.
    pub(super) fn poll_next(&self, key: u64, waker: &Waker) -> Poll<Option<Bytes>> {
        let next = self.with_clients(|clients| match clients.backlogs.get_mut(&key) {
            Some(backlog) => backlog.next(waker),
            None => Next::End,
        });
        match next {
            Next::Event(event) => Poll::Ready(Some(event)),
            Next::End => Poll::Ready(None),
            Next::Pending { wants_snapshot } => {
                if wants_snapshot {
                    self.wanted.notify_one();
                }
                Poll::Pending
            }
        }
    }

    /// Completes once a client wants a snapshot.
    pub(super) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// Returns what the next sample is wanted for; `None` if there are no clients any more. Then
    /// the sampler must end.
    pub(super) fn wants(&self) -> Option<Wanted> {
        self.with_clients(|clients| {
            if clients.backlogs.is_empty() {
                clients.is_sampled = false;
                return None;
            }
            let mut backlogs = clients.backlogs.values();
            Some(Wanted {
                update: backlogs.clone().any(Backlog::is_live),
                snapshot: backlogs.any(Backlog::awaits_snapshot),
                next_change: clients.next_change,
            })
        })
    }

    /// Publishes a change, or that some were missed. `next_change` is the number of the next one.
    pub(super) fn publish_change(&self, next_change: u64, event: &Bytes) {
        self.with_clients(|clients| {
            clients.next_change = next_change;
            clients.for_each(|backlog| backlog.change(event));
        });
    }

    /// Sends a snapshot to the clients that await one.
    pub(super) fn publish_snapshot(&self, event: &Bytes) {
        self.with_clients(|clients| clients.for_each(|it| it.snapshot(event)));
    }

    /// Publishes what has changed since the sample before.
    pub(super) fn publish_update(&self, event: &Bytes) {
        self.with_clients(|clients| clients.for_each(|it| it.update(event)));
    }

    /// Ends the streams of clients that have received nothing for long.
    pub(super) fn end_silent(&self) {
        self.with_clients(|clients| clients.for_each(Backlog::end_if_silent));
    }

    /// Ends all streams: their sampler has stopped, as its runtime has.
    pub(super) fn end(&self) {
        self.with_clients(|clients| {
            clients.is_sampled = false;
            clients.for_each(Backlog::end);
        });
    }

    #[cfg(test)]
    pub(super) fn is_sampled(&self) -> bool {
        self.with_clients(|clients| clients.is_sampled)
    }

    fn with_clients<R>(&self, section: impl FnOnce(&mut Clients) -> R) -> R {
        // No section panics half-way, so poisoning is harmless.
        section(&mut self.clients.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Clients {
    /// Visits all clients, and removes those that have ended and have nothing left to receive.
    fn for_each(&mut self, mut visit: impl FnMut(&mut Backlog)) {
        self.backlogs.retain(|_, backlog| {
            visit(backlog);
            !backlog.has_ended()
        });
    }
}

/// Returns the changes between the one with the number `last` and the next one to be published;
/// `None` if some of them are no longer kept, or if there was no such change yet.
fn missed(last: u64, next_change: u64) -> Option<Vec<Bytes>> {
    if last >= next_change {
        return None;
    }
    let (missed, changes) = history::read_from(last.saturating_add(1));
    if missed > 0 {
        return None;
    }
    let changes = changes.iter().filter(|it| it.number < next_change);
    Some(changes.map(change).collect())
}

/// Returns the event of a change.
pub(super) fn change(change: &Numbered) -> Bytes {
    frame::event(
        "change",
        Some(history::id(change.number)),
        &change.to_json(),
    )
}

#[cfg(test)]
mod tests {
    use super::{Hub, Joined, TooManyStreams};

    #[test]
    fn sixteen_clients_may_join_and_one_more_once_one_has_left() {
        let hub = Hub::default();
        for key in 0..16 {
            let is_first = key == 0;
            assert_eq!(hub.add(None, 0), Ok(Joined { key, is_first }));
        }
        assert_eq!(hub.add(None, 0), Err(TooManyStreams));
        hub.remove(3);
        assert!(hub.add(None, 0).is_ok());
        assert_eq!(hub.add(None, 0), Err(TooManyStreams));
    }

    #[test]
    fn a_sampler_ends_with_the_last_client_and_starts_with_the_next_one() {
        let hub = Hub::default();
        let first = hub.add(None, 0).unwrap();
        assert!(
            hub.wants()
                .is_some_and(|wanted| wanted.snapshot && !wanted.update)
        );
        hub.remove(first.key);
        assert_eq!(hub.wants(), None);
        assert!(hub.add(None, 0).unwrap().is_first);
        hub.end();
        assert!(hub.add(None, 0).unwrap().is_first);
    }
}

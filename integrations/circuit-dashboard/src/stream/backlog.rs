//! The events that one client has not received yet.

use std::collections::VecDeque;
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::frame;

/// The most bytes that wait for a client, unless it is one event.
const MAX_BYTES: usize = 256 * 1024;

/// The most events that wait for a client.
const MAX_EVENTS: usize = 512;

/// How long a client may receive nothing before its stream ends, and others can have it.
const MAX_SILENCE: Duration = Duration::from_secs(30);

/// The events that wait for one client, within a bound: one that does not keep up loses them all,
/// and gets a snapshot instead once it receives again.
#[derive(Debug)]
pub(super) struct Backlog {
    events: VecDeque<Bytes>,
    bytes: usize,
    state: State,
    waker: Option<Waker>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Receives all events.
    Live,
    /// Gets the next snapshot, and the changes before it only if it has asked for them.
    Awaiting { with_changes: bool },
    /// Has lost its events, and has not received since.
    Lagging { since: Instant },
    /// Gets no further events.
    Ended,
}

/// The result of asking for the next event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Event(Bytes),
    /// There is none yet. If a snapshot is wanted, it must be asked for.
    Pending {
        wants_snapshot: bool,
    },
    End,
}

impl Backlog {
    /// Creates the backlog of a new client, with the changes that it has missed, if they are known.
    pub(super) fn new(missed: Option<Vec<Bytes>>) -> Self {
        let mut backlog = Self {
            events: VecDeque::new(),
            bytes: 0,
            state: State::Awaiting {
                with_changes: missed.is_some(),
            },
            waker: None,
        };
        backlog.push(frame::BEGINNING);
        missed
            .into_iter()
            .flatten()
            .for_each(|change| backlog.push(change));
        backlog
    }

    /// Adds a change.
    pub(super) fn change(&mut self, event: &Bytes) {
        match self.state {
            State::Live | State::Awaiting { with_changes: true } => self.push(event.clone()),
            State::Awaiting { .. } | State::Lagging { .. } | State::Ended => {}
        }
    }

    /// Adds a snapshot, if one is awaited.
    pub(super) fn snapshot(&mut self, event: &Bytes) {
        if self.awaits_snapshot() {
            self.state = State::Live;
            self.push(event.clone());
        }
    }

    /// Adds an update.
    pub(super) fn update(&mut self, event: &Bytes) {
        if self.is_live() {
            self.push(event.clone());
        }
    }

    /// Ends the stream of a client that has received nothing for long.
    pub(super) fn end_if_silent(&mut self) {
        if matches!(self.state, State::Lagging { since } if since.elapsed() >= MAX_SILENCE) {
            self.end();
        }
    }

    /// Ends the stream after the events that wait.
    pub(super) fn end(&mut self) {
        self.state = State::Ended;
        self.wake();
    }

    pub(super) fn has_ended(&self) -> bool {
        self.state == State::Ended
    }

    pub(super) fn is_live(&self) -> bool {
        self.state == State::Live
    }

    pub(super) fn awaits_snapshot(&self) -> bool {
        matches!(self.state, State::Awaiting { .. })
    }

    /// Returns the next event. If there is none yet, the task of `waker` is woken once there is.
    pub(super) fn next(&mut self, waker: &Waker) -> Next {
        if let Some(event) = self.events.pop_front() {
            self.bytes = self.bytes.saturating_sub(event.len());
            return Next::Event(event);
        }
        let wants_snapshot = matches!(self.state, State::Lagging { .. });
        match self.state {
            State::Ended => return Next::End,
            State::Lagging { .. } => {
                self.state = State::Awaiting {
                    with_changes: false,
                };
            }
            State::Live | State::Awaiting { .. } => {}
        }
        self.waker = Some(waker.clone());
        Next::Pending { wants_snapshot }
    }

    fn push(&mut self, event: Bytes) {
        let bytes = self.bytes.saturating_add(event.len());
        let is_full = bytes > MAX_BYTES || self.events.len() >= MAX_EVENTS;
        if is_full && !self.events.is_empty() {
            // Nothing to wake: a task that waits for an event has left none here.
            self.events.clear();
            self.bytes = 0;
            let since = Instant::now();
            self.state = State::Lagging { since };
            return;
        }
        self.bytes = bytes;
        self.events.push_back(event);
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Backlog, Bytes, MAX_BYTES, MAX_EVENTS, MAX_SILENCE, Next};
    use std::task::Waker;
    use tokio::time::advance;

    fn next(backlog: &mut Backlog) -> Next {
        backlog.next(Waker::noop())
    }

    fn event(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    fn pending(wants_snapshot: bool) -> Next {
        Next::Pending { wants_snapshot }
    }

    /// A client that has received its first snapshot.
    fn live() -> Backlog {
        let mut backlog = Backlog::new(None);
        backlog.snapshot(&event("snapshot"));
        assert!(matches!(next(&mut backlog), Next::Event(_)));
        assert_eq!(next(&mut backlog), Next::Event(event("snapshot")));
        assert_eq!(next(&mut backlog), pending(false));
        backlog
    }

    #[test]
    fn a_snapshot_is_first_and_only_then_changes_and_updates() {
        let mut backlog = Backlog::new(None);
        assert!(matches!(next(&mut backlog), Next::Event(_)));
        backlog.change(&event("early"));
        backlog.update(&event("early"));
        assert_eq!(next(&mut backlog), pending(false));
        backlog.snapshot(&event("snapshot"));
        backlog.change(&event("change"));
        backlog.snapshot(&event("for others"));
        backlog.update(&event("update"));
        for expected in ["snapshot", "change", "update"] {
            assert_eq!(next(&mut backlog), Next::Event(event(expected)));
        }
        assert_eq!(next(&mut backlog), pending(false));
    }

    #[test]
    fn a_client_that_resumes_gets_the_changes_and_then_a_snapshot() {
        let mut backlog = Backlog::new(Some(vec![event("missed")]));
        backlog.change(&event("change"));
        backlog.snapshot(&event("snapshot"));
        assert!(matches!(next(&mut backlog), Next::Event(_)));
        for expected in ["missed", "change", "snapshot"] {
            assert_eq!(next(&mut backlog), Next::Event(event(expected)));
        }
    }

    #[test]
    fn a_client_that_does_not_keep_up_gets_a_snapshot_instead() {
        let mut backlog = live();
        for _ in 0..MAX_EVENTS * 3 {
            backlog.change(&event("change"));
            assert!(backlog.events.len() <= MAX_EVENTS);
        }
        assert!(!backlog.is_live() && !backlog.awaits_snapshot());
        backlog.snapshot(&event("for others"));
        backlog.update(&event("update"));
        assert_eq!(next(&mut backlog), pending(true), "it must be asked for");
        backlog.change(&event("change"));
        backlog.update(&event("update"));
        backlog.snapshot(&event("snapshot"));
        assert_eq!(next(&mut backlog), Next::Event(event("snapshot")));
        assert_eq!(next(&mut backlog), pending(false));
    }

    #[test]
    fn bytes_are_bounded_but_one_event_may_be_larger() {
        let mut backlog = live();
        let large = Bytes::from(vec![0; MAX_BYTES * 2]);
        backlog.update(&large);
        assert_eq!(next(&mut backlog), Next::Event(large.clone()));
        let half = Bytes::from(vec![0; MAX_BYTES / 2]);
        for _ in 0..2 {
            backlog.change(&half);
        }
        assert_eq!(backlog.bytes, MAX_BYTES);
        backlog.change(&event("change"));
        assert_eq!((backlog.bytes, backlog.events.len()), (0, 0));
        assert_eq!(next(&mut backlog), pending(true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_receives_nothing_for_long_is_ended() {
        let mut backlog = live();
        for _ in 0..=MAX_EVENTS {
            backlog.change(&event("change"));
        }
        advance(MAX_SILENCE / 2).await;
        backlog.change(&event("change"));
        backlog.end_if_silent();
        assert!(!backlog.has_ended());
        advance(MAX_SILENCE / 2).await;
        backlog.end_if_silent();
        assert!(backlog.has_ended());
        assert_eq!(next(&mut backlog), Next::End);
        backlog.change(&event("change"));
        assert_eq!(next(&mut backlog), Next::End);
    }
}

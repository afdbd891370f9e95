//! The changes that the reference breaker reports.

use std::time::Duration;

use circuit_runtime::{Cause, State, StateChange};

/// A change as it is reported, except for its date.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    pub(crate) from: State,
    pub(crate) to: State,
    pub(crate) cause: Cause,
    pub(crate) since: Duration,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) evidence: Option<Evidence>,
    pub(crate) rejected: Option<u64>,
}

/// The results that led to a change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Evidence {
    /// `None` where failures alone are counted.
    pub(crate) calls: Option<u64>,
    pub(crate) failed: u64,
}

impl From<&StateChange> for Change {
    fn from(seen: &StateChange) -> Self {
        Self {
            from: seen.from,
            to: seen.to,
            cause: seen.cause,
            since: seen.since,
            retry_after: seen.retry_after,
            evidence: seen.window.map(|window| Evidence {
                calls: window.calls,
                failed: window.failed,
            }),
            rejected: seen.rejected,
        }
    }
}

/// A change of the state or of a hold, before it is reported.
pub(crate) struct Happened {
    pub(crate) to: State,
    pub(crate) cause: Cause,
    pub(crate) evidence: Option<Evidence>,
    pub(crate) at: Duration,
    /// When the state that it leads to began.
    pub(crate) since: Duration,
    /// When that state ends by time alone.
    pub(crate) until: Option<Duration>,
    /// The number of calls rejected so far.
    pub(crate) rejected: u64,
}

/// All changes so far.
#[derive(Clone)]
pub(crate) struct Changes {
    /// In their order.
    pub(crate) list: Vec<Change>,
    /// When the state that was reported last began.
    since: Duration,
    /// How many calls had been rejected when the circuit opened.
    rejected_before: u64,
}

impl Changes {
    /// Creates the empty list of a breaker that is closed from the start.
    pub(crate) fn new() -> Self {
        Self {
            list: Vec::new(),
            since: Duration::ZERO,
            rejected_before: 0,
        }
    }

    /// Returns the state that was reported last.
    pub(crate) fn state(&self) -> State {
        self.list.last().map_or(State::Closed, |last| last.to)
    }

    pub(crate) fn report(&mut self, happened: &Happened) {
        let (from, to) = (self.state(), happened.to);
        let left = |end: Duration| end.saturating_sub(happened.at);
        let was_open = from == State::Open && to != State::Open;
        self.list.push(Change {
            from,
            to,
            cause: happened.cause,
            since: happened.at.saturating_sub(self.since),
            retry_after: happened.until.filter(|_| to == State::Open).map(left),
            evidence: happened.evidence,
            rejected: was_open.then(|| happened.rejected - self.rejected_before),
        });
        self.since = happened.since;
        if from != State::Open && to == State::Open {
            self.rejected_before = happened.rejected;
        }
    }
}

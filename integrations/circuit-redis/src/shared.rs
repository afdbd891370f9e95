//! The state that the task of a fleet shares with its handles.

use std::sync::Arc;
use std::time::Duration;

use circuit_runtime::State;
use tokio::sync::{broadcast, oneshot, watch};

use crate::connection::endpoint::Endpoint;
use crate::error::FleetError;
use crate::events::FleetEvent;
use crate::keys::Keys;
use crate::metrics::Counters;
use crate::pattern::Pattern;
use crate::quorum::Quorum;
use crate::status::Recorded;

/// Events that a slow listener may fall behind by.
const EVENTS: usize = 1024;

/// The settings that a fleet was built with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) endpoint: Endpoint,
    pub(crate) keys: Keys,
    pub(crate) member: Arc<str>,
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) quorum: Quorum,
    pub(crate) grace: Duration,
    pub(crate) answer_limit: Duration,
}

/// Written by the task, and read through the handles.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) status: watch::Sender<Recorded>,
    pub(crate) events: broadcast::Sender<FleetEvent>,
    pub(crate) counters: Counters,
}

impl Shared {
    pub(crate) fn new(recorded: Recorded) -> Self {
        Self {
            status: watch::Sender::new(recorded),
            events: broadcast::Sender::new(EVENTS),
            counters: Counters::default(),
        }
    }

    pub(crate) fn tell(&self, event: FleetEvent) {
        self.counters.event(&event);
        // Nobody has to listen.
        let _ = self.events.send(event);
    }
}

/// An operator's order, on its way to the store.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) name: Arc<str>,
    /// The state that the circuit is held in; `None` if it is released.
    pub(crate) to: Option<State>,
    /// `None` if it has no end.
    pub(crate) term: Option<Duration>,
    pub(crate) reply: oneshot::Sender<Result<(), FleetError>>,
}

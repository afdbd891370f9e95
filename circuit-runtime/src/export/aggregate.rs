//! Several circuits as one.

use std::time::Duration;

use crate::circuit::status::Status;
use crate::circuit::totals::Totals;
use crate::state::State;

/// The circuits that are exported under one name: their numbers added up, the worst of their
/// states.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Aggregate {
    /// The worst state, and the longest time that one has been in it; `None` without circuits.
    state: Option<(State, Duration)>,
    hold: Option<State>,
    /// The failures among the calls in the windows; `None` if no rule counts calls.
    calls: Option<Share>,
    /// The slow calls among them, with overdue ones; `None` if no rule counts slow calls.
    slow: Option<Share>,
    min_calls: u32,
    pub(super) totals: Totals,
}

/// The share of some calls among all.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    part: u64,
    calls: u64,
}

impl Aggregate {
    /// Adds a circuit, but not its totals.
    pub(super) fn add(&mut self, status: &Status) {
        let state = (status.state, status.since);
        let rank = |(state, since)| (severity(state), since);
        self.state = self
            .state
            .into_iter()
            .chain([state])
            .max_by_key(|&it| rank(it));
        self.hold = self
            .hold
            .into_iter()
            .chain(status.hold)
            .max_by_key(|&it| severity(it));
        let Some(calls) = status.window.calls else {
            return;
        };
        let min_calls = match self.calls {
            Some(_) => self.min_calls.min(status.min_calls),
            None => status.min_calls,
        };
        self.min_calls = min_calls;
        Share::add(&mut self.calls, status.window.failed, calls);
        if let Some(slow) = status.window.slow {
            Share::add(&mut self.slow, slow, calls.saturating_add(status.overdue));
        }
    }

    /// Returns the worst state: open, then half-open, then closed.
    pub(super) fn state(&self) -> State {
        self.state.map_or(State::Closed, |(state, _)| state)
    }

    /// Returns the rank of the worst state: the worse, the higher.
    pub(super) fn severity(&self) -> u8 {
        severity(self.state())
    }

    /// Returns how long the worst state has held: of several in that state, the longest.
    pub(super) fn state_for(&self) -> Option<Duration> {
        self.state.map(|(_, since)| since)
    }

    /// Returns the worst state in which an order holds a circuit.
    pub(super) fn hold(&self) -> Option<State> {
        self.hold
    }

    /// Returns the number of calls in the windows; `None` if no rule counts calls.
    pub(super) fn window_calls(&self) -> Option<u64> {
        self.calls.map(|calls| calls.calls)
    }

    /// Returns the share of failures, not a number below `min_calls`; `None` if no rule counts
    /// calls.
    pub(super) fn failure_ratio(&self) -> Option<f64> {
        Some(self.calls?.ratio(self.min_calls))
    }

    /// Returns the share of slow calls, not a number below `min_calls`; `None` if no rule counts
    /// those.
    pub(super) fn slow_ratio(&self) -> Option<f64> {
        Some(self.slow?.ratio(self.min_calls))
    }
}

impl Share {
    fn add(sum: &mut Option<Self>, part: u64, calls: u64) {
        let Self {
            part: other_part,
            calls: other_calls,
        } = sum.unwrap_or_default();
        *sum = Some(Self {
            part: part.saturating_add(other_part),
            calls: calls.saturating_add(other_calls),
        });
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "exact up to 2^53 calls in one window"
    )]
    fn ratio(self, min_calls: u32) -> f64 {
        if self.calls < min_calls.max(1).into() {
            return f64::NAN;
        }
        self.part as f64 / self.calls as f64
    }
}

/// Ranks the states: the worst highest.
fn severity(state: State) -> u8 {
    match state {
        State::Closed => 0,
        State::HalfOpen => 1,
        State::Open => 2,
    }
}

//! One circuit, as this process has heard of it.

use std::sync::Arc;
use std::time::Duration;

use circuit_runtime::State;
use circuit_runtime::remote::{Epoch, Remote};
use tokio::time::Instant;

use super::lease::Lease;
use crate::scripts::answer::Verdict;

/// A verdict is remembered for this long after its wait is over, as the store does.
const KEEP: Duration = Duration::from_secs(600);

/// The verdict on one name, and how far this process follows it.
#[derive(Debug)]
pub(crate) struct Circuit {
    pub(crate) verdict: Verdict,
    /// The moment from which the verdict's rest counts.
    pub(crate) heard_at: Instant,
    /// When to look at it again; `None` if only the store can change it.
    pub(crate) due: Option<Instant>,
    pub(crate) lease: Option<Lease>,
    /// The token by which the lease was asked for. The same is used until there is an answer.
    pub(crate) token: Option<Arc<str>>,
    /// The lease was asked for, and the answer has not arrived yet.
    pub(crate) is_asking: bool,
    /// Rejections for which the lease was held, and given back unused.
    pub(crate) rejected: u64,
    /// Since when there are no callers.
    pub(crate) idle_since: Option<Instant>,
    /// The rules of this process differ from those of the opener, and that was told.
    pub(crate) differs: bool,
}

impl Circuit {
    pub(crate) fn new(verdict: Verdict, now: Instant) -> Self {
        Self {
            verdict,
            heard_at: now,
            due: None,
            lease: None,
            token: None,
            is_asking: false,
            rejected: 0,
            idle_since: None,
            differs: false,
        }
    }

    /// Returns what is left of the wait or of the lease.
    pub(crate) fn rest(&self, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.heard_at);
        self.verdict.rest.saturating_sub(passed)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.verdict.state == State::Closed
    }

    /// Returns `true` if a store that was not asked since would remember it.
    pub(crate) fn is_remembered(&self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.heard_at);
        self.lease.is_some() || passed < self.verdict.rest.saturating_add(KEEP)
    }

    /// Takes the place of an earlier verdict, or of the same one as it was heard before.
    pub(crate) fn update(&mut self, verdict: Verdict, now: Instant) {
        if verdict.epoch > self.verdict.epoch {
            if self
                .lease
                .as_ref()
                .is_some_and(|lease| lease.epoch < verdict.epoch)
            {
                self.lease = None;
            }
            self.rejected = 0;
            self.idle_since = None;
            self.due = None;
        }
        self.verdict = verdict;
        self.heard_at = now;
        if self.lease.is_none() && !self.is_closed() {
            let end = now + self.verdict.rest;
            self.due = match (self.due, self.verdict.state) {
                // A lease that is renewed ends later.
                (Some(due), State::Open) => Some(due),
                _ => Some(end),
            };
        }
    }

    /// Delivers the verdict, and what is left of its time, to breakers of this process.
    pub(crate) fn deliver(&self, remotes: &[Remote], rest: Duration, is_own_lease: bool) {
        let epoch = Epoch(self.verdict.epoch);
        for remote in remotes {
            match self.verdict.state {
                State::Open => {
                    let reopenings = self.verdict.openings.saturating_sub(1);
                    remote.open_for(epoch, rest, reopenings);
                }
                // The answer to the holder allows its breaker to probe.
                State::HalfOpen if is_own_lease => {}
                State::HalfOpen => {
                    remote.wait(epoch, rest);
                }
                State::Closed => {
                    remote.close(epoch);
                }
            }
        }
    }
}

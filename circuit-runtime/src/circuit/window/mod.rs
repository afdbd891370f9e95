//! Counts the evidence of a closed circuit and reports when a limit is reached. It decides nothing.

mod buckets;
mod failures;
mod in_flight;
mod last_calls;
mod ledger;
mod limits;
mod overdue;
mod rates;
mod streak;
#[cfg(all(test, not(any(circuit_loom, circuit_shuttle))))]
mod tests;

use crate::circuit::policy::Limits;
use crate::circuit::state::Generation;
use crate::circuit::ticket::Start;
use crate::clock::{self, Instant};
use crate::config::Config;

use failures::Failures;
use ledger::Ledger;
pub(crate) use limits::ReachedLimit;
use streak::Streak;

/// The results that count towards the limits.
pub(crate) struct Window {
    count: Count,
    /// For the rates, and for every limit on the last calls.
    ledger: Option<Box<Ledger>>,
}

/// The `max_failures` rule.
enum Count {
    /// No such rule, or one on the last calls.
    Unlimited,
    /// Failures in a span of time.
    InSpan(Failures),
    /// Consecutive failures.
    Consecutive(Streak),
}

impl Window {
    /// Creates the window that the rules of `config` need.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            count: match (config.max_failures(), config.window(), config.last_calls()) {
                (Some(_), None, None) => Count::Consecutive(Streak::default()),
                (Some(_), Some(_), _) => Count::InSpan(Failures::default()),
                _ => Count::Unlimited,
            },
            ledger: Ledger::new(config).map(Box::new),
        }
    }

    /// Admits a call on the fast path; `None` if [`admit_slow`](Self::admit_slow) has to judge.
    #[inline]
    pub(crate) fn admit(&self, limits: &Limits, generation: Generation) -> Option<Start> {
        match &self.ledger {
            None => Some(Start::NONE),
            Some(ledger) => ledger.admit(limits, generation, clock::accurate_to),
        }
    }

    /// Admits a call, unless calls in flight turn out to be overdue and reach a limit.
    pub(crate) fn admit_slow(
        &self,
        limits: &Limits,
        generation: Generation,
    ) -> Result<Start, ReachedLimit> {
        match &self.ledger {
            None => Ok(Start::NONE),
            Some(ledger) => ledger.admit_slow(limits, generation, clock::accurate_to),
        }
    }

    /// Returns whether a success changes anything.
    #[inline]
    pub(crate) fn counts_successes(&self) -> bool {
        match &self.count {
            Count::Consecutive(streak) => streak.is_running(),
            Count::Unlimited | Count::InSpan(_) => self.ledger.is_some(),
        }
    }

    /// Returns whether a failure or slow call of `generation` still counts.
    pub(crate) fn has_evidence(
        &self,
        limits: &Limits,
        generation: Generation,
        now: impl Fn() -> Instant,
    ) -> bool {
        let has_failures = match &self.count {
            Count::Consecutive(streak) => streak.has_evidence(generation),
            Count::InSpan(failures) => failures.has_evidence(limits, generation, &now),
            Count::Unlimited => false,
        };
        let ledger = self.ledger.as_ref();
        has_failures || ledger.is_some_and(|ledger| ledger.has_evidence(limits, generation, now))
    }

    /// Records a success; returns the limit that is reached, if any.
    pub(crate) fn success(
        &self,
        limits: &Limits,
        generation: Generation,
        start: Start,
    ) -> Option<ReachedLimit> {
        if let Count::Consecutive(streak) = &self.count {
            // Without a window, no other rule applies.
            return streak.success(generation);
        }
        let ledger = self.ledger.as_ref()?;
        ledger.success(limits, generation, start, clock::accurate_to)
    }

    /// Records a failure; returns the limit that is reached, if any.
    pub(crate) fn failure(
        &self,
        limits: &Limits,
        generation: Generation,
        start: Start,
    ) -> Option<ReachedLimit> {
        if let Count::Consecutive(streak) = &self.count {
            // Without a window, no other rule applies.
            return streak.failure(limits, generation);
        }
        let counted = match &self.count {
            Count::InSpan(failures) => failures.failure(limits, generation, clock::now),
            Count::Consecutive(_) | Count::Unlimited => None,
        };
        match &self.ledger {
            None => counted,
            // Recorded there, too, if a limit is reached already.
            Some(ledger) => {
                counted.or(ledger.failure(limits, generation, start, clock::accurate_to))
            }
        }
    }

    /// Records the end of a call that is neither success nor failure.
    pub(crate) fn inconclusive(&self, limits: &Limits, generation: Generation, start: Start) {
        if let Some(ledger) = &self.ledger {
            ledger.inconclusive(limits, generation, start, clock::accurate_to);
        }
    }
}

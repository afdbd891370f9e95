//! The evidence of a closed circuit. A window counts it, and says when its limit is reached; what
//! follows from that is for the state.

mod failures;
mod in_flight;
mod last_calls;
mod ledger;
mod limits;
mod overdue;
mod rates;
mod streak;

use crate::circuit::policy::FailureLimit;
use crate::circuit::state::Generation;
use crate::circuit::ticket::Start;
use crate::clock;
use crate::config::Config;

use failures::Failures;
use ledger::{Ledger, LimitReached};
use streak::Streak;

/// The results that count towards a trip.
pub(crate) struct Window {
    count: Count,
    /// Of the rules on shares of calls, and of all rules on the last calls.
    ledger: Option<Box<Ledger>>,
}

/// A number of failures.
enum Count {
    /// None opens the circuit by itself.
    Unlimited,
    /// In a row.
    InRow(Streak),
    /// In a span of time.
    InSpan(Failures),
}

impl Window {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            count: match (config.max_failures(), config.window(), config.last_calls()) {
                (Some(_), None, None) => Count::InRow(Streak::default()),
                (Some(_), Some(_), _) => Count::InSpan(Failures::default()),
                _ => Count::Unlimited,
            },
            ledger: Ledger::new(config).map(Box::new),
        }
    }

    /// Lets a call of the given generation in, unless calls that hang reach a limit.
    #[inline]
    pub(crate) fn admit(&self, generation: Generation) -> Result<Start, LimitReached> {
        match &self.ledger {
            None => Ok(Start::NONE),
            Some(ledger) => ledger.admit(generation),
        }
    }

    /// Whether a success changes anything.
    #[inline]
    pub(crate) fn heeds_successes(&self) -> bool {
        match &self.count {
            Count::InRow(streak) => streak.is_running(),
            Count::Unlimited | Count::InSpan(_) => self.ledger.is_some(),
        }
    }

    /// Counts a success; whether a limit is reached with it.
    pub(crate) fn success(&self, generation: Generation, start: Start) -> bool {
        if let Count::InRow(streak) = &self.count {
            // All other rules look at a window, and a row has none.
            return streak.success(generation);
        }
        match &self.ledger {
            None => false,
            Some(ledger) => ledger.success(generation, start),
        }
    }

    /// Counts a failure; whether a limit is reached with it.
    pub(crate) fn failure(
        &self,
        limit: FailureLimit,
        generation: Generation,
        start: Start,
    ) -> bool {
        let counted = match &self.count {
            Count::Unlimited => false,
            Count::InRow(streak) => streak.failure(limit.count, generation),
            Count::InSpan(failures) => failures.failure(limit, generation, clock::now),
        };
        let judged = match &self.ledger {
            None => false,
            Some(ledger) => ledger.failure(generation, start),
        };
        counted || judged
    }

    /// Takes note that a call has ended which is no evidence.
    pub(crate) fn no_evidence(&self, generation: Generation, start: Start) {
        if let Some(ledger) = &self.ledger {
            ledger.no_evidence(generation, start);
        }
    }
}

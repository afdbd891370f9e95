//! Timeouts of calls.

use super::Circuit;
use super::state::Phase;
use super::ticket::Ticket;
use crate::clock::Span;
use crate::error::CircuitError;

impl Circuit {
    /// Returns after how long a call is dropped that is admitted now, unless it is a probe;
    /// [`Span::INDEFINITE`] if it is not.
    #[inline]
    pub(crate) fn timeout(&self) -> Span {
        self.policy.timeout()
    }

    /// Returns after how long a call that was admitted is dropped. The timeout of a probe is of the
    /// rules that its lease is of.
    #[inline]
    pub(crate) fn timeout_of(&self, ticket: Ticket) -> Span {
        if ticket.word().phase() == Phase::Open {
            self.timeout_of_probe(ticket)
        } else {
            self.timeout()
        }
    }

    #[cold]
    #[inline(never)]
    fn timeout_of_probe(&self, ticket: Ticket) -> Span {
        let timeout = self.phases.get().and_then(|phases| {
            let generation = ticket.word().generation();
            phases.probes.timeout(generation, ticket.lease())
        });
        timeout.unwrap_or_else(|| self.timeout())
    }

    /// Builds the error of a call that timed out.
    #[cold]
    pub(crate) fn timed_out(&self, after: Span) -> CircuitError {
        CircuitError::Timeout {
            breaker: self.name.clone(),
            after: after.as_duration(),
        }
    }

    /// Builds the error of a call whose timeout has no runtime to run on.
    #[cold]
    pub(crate) fn without_runtime(&self) -> CircuitError {
        CircuitError::NoRuntime {
            breaker: self.name.clone(),
        }
    }
}

//! The end of a call: its outcome is counted, and may change the state.

use super::Circuit;
use super::counters::Total;
use super::reason::Reason;
use super::state::{Trigger, Word};
use super::ticket::{Outcome, Ticket};
use crate::clock::{self, Span};

impl Circuit {
    /// Settles a ticket with the outcome of its call.
    ///
    /// Here is the fast path: a success that no rule counts. Everything else is out of line and
    /// `extern "C"`, which cannot unwind, so that the caller needs no landing pad and can keep the
    /// call's result in registers. A panic in there is a bug, and aborts.
    #[inline]
    pub(crate) fn settle(&self, ticket: Ticket, outcome: Outcome) {
        let _entered = self.time.enter();
        if outcome != Outcome::Succeeded {
            self.settle_slow(ticket, outcome);
        } else if !ticket.word().is_closed()
            || self.window.counts_successes()
            || !self.counters.add_to_own_stripe(Total::Succeeded)
        {
            self.succeeded(ticket);
        }
    }

    #[inline(never)]
    extern "C" fn succeeded(&self, ticket: Ticket) {
        self.counters.add(Total::Succeeded);
        let word = ticket.word();
        if !word.is_counting() {
            self.probe_succeeded(ticket);
        } else if !self.is_over(word) {
            let policy = &*self.policy;
            let reached = self
                .window
                .success(policy, word.generation(), ticket.start());
            if let Some(limit) = reached {
                self.open(word, limit);
            }
        }
    }

    #[inline(never)]
    fn probe_succeeded(&self, ticket: Ticket) {
        let word = ticket.word();
        let Some(phases) = self.phases.get() else {
            return;
        };
        let recovery = self.policy.recovery();
        if phases
            .probes
            .succeed(recovery.probes, word.generation(), ticket.lease())
        {
            let half_open_since = || self.end(word, self.details(word)?);
            let trigger = if recovery.ramp < Span::MIN {
                Trigger::ProbesSucceeded
            } else if let Some(since) = half_open_since() {
                Trigger::RampBegins(since)
            } else {
                return; // stale
            };
            self.change(word, trigger, clock::now());
        }
    }

    #[inline(never)]
    extern "C" fn settle_slow(&self, ticket: Ticket, outcome: Outcome) {
        self.counters.add(Total::for_outcome(outcome));
        match outcome {
            Outcome::Failed | Outcome::TimedOut | Outcome::Panicked => self.failed(ticket),
            Outcome::Succeeded | Outcome::Ignored | Outcome::Cancelled => {
                self.inconclusive(ticket);
            }
        }
    }

    fn failed(&self, ticket: Ticket) {
        let word = ticket.word();
        if self.word() != word {
            return; // stale: from an earlier generation
        }
        if !word.is_closed() && !self.counts_gated_failure(word) {
            return;
        }
        let policy = &*self.policy;
        let generation = word.generation();
        if let Some(limit) = self.window.failure(policy, generation, ticket.start()) {
            self.open(word, limit);
        }
    }

    /// Returns whether a failure of a phase other than closed counts towards the limits. A probe's
    /// does not: it reopens the circuit.
    #[inline(never)]
    fn counts_gated_failure(&self, word: Word) -> bool {
        if !word.is_counting() {
            self.change(word, Trigger::ProbeFailed, clock::now());
            return false;
        }
        !self.is_over(word)
    }

    /// Settles a call that failed because its service asked to be left alone for `wait`.
    #[inline(never)]
    pub(crate) fn settle_unavailable(&self, ticket: Ticket, wait: Span) {
        let _entered = self.time.enter();
        if wait < Span::MIN {
            return self.settle_slow(ticket, Outcome::Failed); // an ordinary failure
        }
        self.counters.add(Total::Failed);
        let word = ticket.word();
        if self.word() != word || self.is_over(word) {
            return;
        }
        // The window need not count this failure: the circuit opens whether or not it reaches a
        // limit, and a circuit that is held closed begins anew.
        let generation = word.generation();
        let now = clock::now();
        let policy = &*self.policy;
        let counts = || self.window.counts_with_failure(policy, generation, now);
        let window = word.is_counting().then(counts);
        if window.is_some() {
            self.window
                .add_to_slow_calls(policy, generation, ticket.start(), now);
        }
        let now = Self::date(word, now);
        let wait = self.policy.wait().requested(wait, generation, &self.name);
        let trigger = Trigger::Unavailable(now.plus(wait));
        let reason = Reason {
            window,
            ..Reason::from_trigger(trigger)
        };
        let _ = self.try_change(word, trigger, reason, now);
    }

    /// Settles a call without evidence; a probe gives its slot back.
    fn inconclusive(&self, ticket: Ticket) {
        let word = ticket.word();
        let policy = &*self.policy;
        if word.is_counting() {
            self.window
                .inconclusive(policy, word.generation(), ticket.start());
        } else if let Some(phases) = self.phases.get() {
            phases
                .probes
                .release(policy.probes(), word.generation(), ticket.lease());
        }
    }

    /// Returns whether the phase of a call that counts is over by time alone; its result is stale
    /// then.
    #[inline]
    fn is_over(&self, word: Word) -> bool {
        !word.is_closed() && word.is_counting() && self.ends_by_now(word)
    }

    #[cold]
    fn ends_by_now(&self, word: Word) -> bool {
        match self.details(word) {
            Some(details) => self.end_if_over(word, details, clock::now()),
            None => true,
        }
    }
}

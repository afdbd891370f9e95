//! Admission where the state word alone does not decide: open, half-open, on a ramp, and while an
//! order has an end.

use super::Circuit;
use super::counters::Total;
use super::probes::SlotRequest;
use super::ramp::Ramp;
use super::rejection::Rejection;
use super::state::{Details, Phase, Word};
use super::ticket::Ticket;
use crate::clock::{self, Instant, Span};
use crate::state::State;

impl Circuit {
    /// Rejects by the coarse clock; `None` if a deadline is too near to tell. The result fits in
    /// registers.
    #[inline(never)]
    pub(super) fn reject_coarse(&self, word: Word) -> Option<Rejection> {
        let rejection = self.coarse_rejection(word)?;
        self.counters.add(Total::Rejected);
        Some(rejection)
    }

    /// Returns the rejection, if the coarse clock is accurate enough to decide.
    #[inline]
    fn coarse_rejection(&self, word: Word) -> Option<Rejection> {
        if word.is_held_open() {
            return Some(Rejection::INDEFINITE);
        }
        if !word.is_open_for_usual_wait() {
            return self.coarse_rejection_by_details(word);
        }
        let wait = self.policy.fixed_wait();
        if self.phases.get()?.is_end_fixed(word) {
            return self.coarse_rejection_by_details(word);
        }
        // The exact clock is ahead of this by less than `LAG`.
        let now = clock::coarse();
        let left = word.since().plus(wait).since(now);
        if left > clock::LAG {
            // A clock that lags by longer than `LAG` is one that rejects for longer, never
            // earlier.
            return Some(Rejection::new(left, wait));
        }
        self.coarse_rejection_by_usual_wait(word, wait, now)
    }

    /// Returns the rejection of a call that comes near the end of `wait`, or of any if that is zero
    /// because the usual wait is not always the same.
    #[inline(never)]
    fn coarse_rejection_by_usual_wait(
        &self,
        word: Word,
        wait: Span,
        now: Instant,
    ) -> Option<Rejection> {
        if wait == Span::ZERO {
            return self.coarse_rejection_by_details(word);
        }
        self.coarse_rejection_near_end(word, wait, now)
    }

    #[inline(never)]
    fn coarse_rejection_by_details(&self, word: Word) -> Option<Rejection> {
        let wait = self.wait_in_details(word)?;
        let now = clock::coarse();
        let left = word.since().plus(wait).since(now);
        if left > clock::LAG {
            return Some(Rejection::new(left, wait));
        }
        self.coarse_rejection_near_end(word, wait, now)
    }

    /// Returns the rejection of a call that comes near the end of the wait, or after it.
    #[inline(never)]
    fn coarse_rejection_near_end(&self, word: Word, wait: Span, now: Instant) -> Option<Rejection> {
        let end = word.since().plus(wait);
        if end > now || word.phase() == Phase::ForcedOpen {
            return None;
        }
        let limit = self.policy.probes();
        let probes = &self.phases.get()?.probes;
        let left = probes.taken_until(limit, wait, end)?.since(now);
        (left > clock::LAG).then(|| Rejection::new(left, limit.lease))
    }

    /// Returns how long the phase described by `word` rejects every call; `None` if it does not, or
    /// if the state has moved on.
    #[inline(never)]
    fn wait_in_details(&self, word: Word) -> Option<Span> {
        if !matches!(word.phase(), Phase::Open | Phase::ForcedOpen) {
            return None;
        }
        let end = self.end(word, self.details(word)?)?;
        Some(end.since(word.since()))
    }

    /// Admits a call, or rejects it; `None` if the state has moved on from `word`.
    #[cold]
    #[inline(never)]
    pub(super) fn admit_gated(&self, word: Word) -> Result<Option<Ticket>, Rejection> {
        let now = clock::now();
        let Some(details) = self.details(word) else {
            return Ok(None);
        };
        if self.end_if_over(word, details, now) {
            return Ok(None);
        }
        let admitted = match word.phase() {
            Phase::Closed | Phase::ForcedClosed => Ok(self.admit_counted(word)),
            Phase::Ramp => self.admit_on_ramp(word, now),
            Phase::Open => self.admit_probe(word, details, now),
            Phase::ForcedOpen => Err(rejection_until(self.end(word, details), word, now)),
        };
        if admitted.is_err() {
            self.counters.add(Total::Rejected);
        }
        admitted
    }

    fn admit_on_ramp(&self, word: Word, now: Instant) -> Result<Option<Ticket>, Rejection> {
        let length = self.policy.ramp();
        if self.ask_ramp(word, |ramp| ramp.admit(word.since(), length, now)) {
            Ok(self.admit_counted(word))
        } else {
            Err(Rejection::on_ramp(length))
        }
    }

    /// Admits a call as a probe if a slot is free.
    fn admit_probe(
        &self,
        word: Word,
        details: Details,
        now: Instant,
    ) -> Result<Option<Ticket>, Rejection> {
        let recovery = self.policy.recovery();
        let half_open_at = self.end_of_wait(word, recovery.wait, details);
        if now < half_open_at {
            return Err(rejection_until(Some(half_open_at), word, now));
        }
        let limit = recovery.probes;
        let Some(phases) = self.phases.get() else {
            return Ok(None);
        };
        let still_current = || self.word() == word;
        let generation = word.generation();
        match phases
            .probes
            .request(limit, generation, clock::now, still_current)
        {
            SlotRequest::Full(until) => Err(Rejection::new(until.since(now), limit.lease)),
            SlotRequest::Granted(lease) => {
                self.report_half_open(phases, word, half_open_at);
                Ok(Some(Ticket::for_probe(word, lease)))
            }
            SlotRequest::Stale => Ok(None),
        }
    }

    /// Returns the rejection that a call would get now, if it would get one. Nothing is counted,
    /// and no slot is taken.
    pub(crate) fn would_reject(&self) -> Option<Rejection> {
        let _entered = self.time.enter();
        let word = self.word();
        // No passing of time makes a closed circuit reject, so that no clock has to be read.
        if matches!(word.phase(), Phase::Closed | Phase::ForcedClosed) {
            return None;
        }
        if let Some(rejection) = self.coarse_rejection(word) {
            return Some(rejection);
        }
        let (word, details) = self.observe();
        self.rejection_at(word, self.end(word, details), clock::now())
    }

    /// Counts a call that was rejected before it asked to be admitted; on a ramp, as one of those
    /// that it admits a share of.
    pub(crate) fn count_rejection(&self) {
        self.counters.add(Total::Rejected);
        let word = self.word();
        if word.phase() == Phase::Ramp {
            self.count_rejection_on_ramp(word);
        }
    }

    #[cold]
    fn count_rejection_on_ramp(&self, word: Word) {
        let _entered = self.time.enter();
        if let Some(phases) = self.phases.get() {
            let ramp = phases.ramp(word);
            ramp.reject(word.since(), self.policy.ramp(), clock::now());
        }
    }

    /// Returns the rejection of a call in the phase described by `word`, which ends at `end` if
    /// time alone ends it; `None` if it would be admitted.
    pub(super) fn rejection_at(
        &self,
        word: Word,
        end: Option<Instant>,
        now: Instant,
    ) -> Option<Rejection> {
        match word.state(now, end) {
            State::Closed => None,
            State::Open => Some(rejection_until(end, word, now)),
            State::HalfOpen if word.phase() == Phase::Ramp => {
                let length = self.policy.ramp();
                let admits =
                    self.ask_ramp(word, |ramp| ramp.would_admit(word.since(), length, now));
                (!admits).then(|| Rejection::on_ramp(length))
            }
            State::HalfOpen => {
                let limit = self.policy.probes();
                let probes = &self.phases.get()?.probes;
                let full_until = probes.full_until(limit, word.generation(), now)?;
                Some(Rejection::new(full_until.since(now), limit.lease))
            }
        }
    }

    fn ask_ramp(&self, word: Word, question: impl FnOnce(&Ramp) -> bool) -> bool {
        let ramp = self.phases.get().map(|phases| phases.ramp(word));
        ramp.is_none_or(question)
    }
}

/// Returns the rejection of a call in the phase described by `word`, which ends at `end`.
fn rejection_until(end: Option<Instant>, word: Word, now: Instant) -> Rejection {
    match end {
        Some(end) => Rejection::new(end.since(now), end.since(word.since())),
        None => Rejection::INDEFINITE,
    }
}

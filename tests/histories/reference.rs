//! The reference breaker: lists of everything that happened, searched for each answer.

use std::time::Duration;

use circuit_runtime::{Config, Snapshot, State};

/// A breaker for the exact rules, on one thread, which passes it the time.
#[derive(Clone)]
pub(crate) struct Reference {
    config: Config,
    phase: Phase,
    /// The number of transitions so far.
    generation: u32,
    /// The number of failed probes since the circuit was last closed.
    reopenings: u32,
    /// The calls of this generation with a result.
    results: Vec<CallResult>,
    /// The calls of this generation in flight.
    in_flight: Vec<Admission>,
    /// The number of calls admitted so far.
    admitted: u64,
    pub(crate) totals: Totals,
}

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    Success,
    Failure,
    Ignored,
    Dropped,
    Panic,
    Timeout,
}

/// An operator's order.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    Reset,
    ForceOpen,
    ForceClosed,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Closed,
    Open { since: Duration },
    ForcedOpen,
    ForcedClosed,
}

/// The result of a call that counts.
#[derive(Clone)]
struct CallResult {
    at: Duration,
    failed: bool,
    slow: bool,
}

/// Proof of admission of one call.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Admission {
    number: u64,
    generation: u32,
    pub(crate) start: Duration,
}

/// The totals of a snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Totals {
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) timed_out: u64,
    pub(crate) panicked: u64,
    pub(crate) ignored: u64,
    pub(crate) cancelled: u64,
    pub(crate) rejected: u64,
    pub(crate) opened: u64,
    pub(crate) withheld: u64,
}

impl From<&Snapshot> for Totals {
    fn from(seen: &Snapshot) -> Self {
        Self {
            succeeded: seen.succeeded,
            failed: seen.failed,
            timed_out: seen.timed_out,
            panicked: seen.panicked,
            ignored: seen.ignored,
            cancelled: seen.cancelled,
            rejected: seen.rejected,
            opened: seen.opened,
            withheld: seen.withheld,
        }
    }
}

impl Reference {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            config,
            phase: Phase::Closed,
            generation: 0,
            reopenings: 0,
            results: Vec::new(),
            in_flight: Vec::new(),
            admitted: 0,
            totals: Totals::default(),
        }
    }

    pub(crate) fn state(&self, now: Duration) -> State {
        match self.phase {
            Phase::Closed | Phase::ForcedClosed => State::Closed,
            Phase::Open { since } if now >= since + self.wait() => State::HalfOpen,
            Phase::Open { .. } | Phase::ForcedOpen => State::Open,
        }
    }

    /// Returns the `retry_after` of a call that is rejected at `now`.
    pub(crate) fn retry_after(&self, now: Duration) -> Option<Duration> {
        let Phase::Open { since } = self.phase else {
            return None;
        };
        if now < since + self.wait() {
            return Some((since + self.wait()).saturating_sub(now));
        }
        let leases = self.in_flight.iter().map(|probe| {
            let end = probe.start + self.lease();
            end.saturating_sub(now)
        });
        let mut left: Vec<_> = leases.filter(|left| !left.is_zero()).collect();
        left.sort();
        let taken = left.len() + self.results.len();
        let surplus = taken.checked_sub(self.config.probes() as usize)?;
        left.get(surplus).copied()
    }

    pub(crate) fn acquire(&mut self, now: Duration) -> Result<Admission, Option<Duration>> {
        // Time alone makes calls overdue; it reaches no other limit.
        let is_judged = matches!(self.phase, Phase::Closed | Phase::ForcedClosed);
        let may_be_overdue = self.config.slow_call().is_some() && is_judged;
        if may_be_overdue && self.is_limit_reached(now) {
            self.open(now);
        }
        let retry_after = self.retry_after(now);
        if retry_after.is_some() || self.phase == Phase::ForcedOpen {
            self.totals.rejected += 1;
            return Err(retry_after);
        }
        self.admitted += 1;
        let admission = Admission {
            number: self.admitted,
            generation: self.generation,
            start: now,
        };
        self.in_flight.push(admission);
        Ok(admission)
    }

    /// Ends a call at `now`. If that opens the circuit, it is open from `opened` on, which is later
    /// where a thread is preempted in between.
    pub(crate) fn settle(
        &mut self,
        admission: Admission,
        end: End,
        now: Duration,
        opened: Duration,
    ) {
        let failed = self.count(end);
        self.in_flight.retain(|other| *other != admission);
        let Some(failed) = failed.filter(|_| admission.generation == self.generation) else {
            return;
        };
        let spent = now.saturating_sub(admission.start);
        let slow = self.config.slow_call().is_some_and(|limit| spent > limit);
        self.results.push(CallResult {
            at: now,
            failed,
            slow,
        });
        match self.phase {
            Phase::Closed | Phase::ForcedClosed if self.is_limit_reached(now) => self.open(opened),
            Phase::Open { .. } if failed => {
                self.reopenings += 1;
                self.open(opened);
            }
            Phase::Open { .. } if self.results.len() == self.config.probes() as usize => {
                self.close(Phase::Closed);
            }
            _ => {}
        }
    }

    pub(crate) fn order(&mut self, order: Order, now: Duration) {
        match order {
            Order::Reset => self.close(Phase::Closed),
            Order::ForceClosed if self.phase != Phase::ForcedClosed => {
                self.close(Phase::ForcedClosed);
            }
            Order::ForceOpen if self.phase != Phase::ForcedOpen => {
                // An open circuit that is held open changes no state.
                self.totals.opened += u64::from(self.state(now) != State::Open);
                self.close(Phase::ForcedOpen);
            }
            Order::ForceClosed | Order::ForceOpen => {}
        }
    }

    /// Counts a call, and returns whether it failed; `None` for neither success nor failure.
    fn count(&mut self, end: End) -> Option<bool> {
        let total = match end {
            End::Success => &mut self.totals.succeeded,
            End::Ignored => &mut self.totals.ignored,
            End::Dropped => &mut self.totals.cancelled,
            End::Failure | End::Panic | End::Timeout => &mut self.totals.failed,
        };
        *total += 1;
        self.totals.panicked += u64::from(end == End::Panic);
        self.totals.timed_out += u64::from(end == End::Timeout);
        match end {
            End::Ignored | End::Dropped => None,
            _ => Some(end != End::Success),
        }
    }

    /// Opens the circuit, unless it is held closed: then this is a dry run.
    fn open(&mut self, now: Duration) {
        if self.phase == Phase::ForcedClosed {
            self.totals.withheld += 1;
            return self.enter(Phase::ForcedClosed);
        }
        self.totals.opened += 1;
        self.enter(Phase::Open { since: now });
    }

    fn close(&mut self, phase: Phase) {
        self.reopenings = 0;
        self.enter(phase);
    }

    /// Begins a generation, without evidence.
    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.generation += 1;
        self.results.clear();
        self.in_flight.clear();
    }

    /// Returns how long a probe may hold its slot.
    fn lease(&self) -> Duration {
        let timeout = self.config.timeout().unwrap_or_default();
        self.config.reset().max(timeout)
    }

    fn wait(&self) -> Duration {
        let reset = self.config.reset();
        let longest = self.config.max_reset().unwrap_or(reset);
        (0..self.reopenings).fold(reset, |wait, _| (wait * 2).min(longest))
    }

    /// Returns the number of calls that count, and how many of them failed and were slow. Calls
    /// that are overdue are left out.
    pub(crate) fn counts(&self, now: Duration) -> [usize; 3] {
        if matches!(self.phase, Phase::Open { .. } | Phase::ForcedOpen) {
            return [0; 3];
        }
        let counted = self.counted(now);
        let failed = counted.iter().filter(|call| call.failed).count();
        let slow = counted.iter().filter(|call| call.slow).count();
        [counted.len(), failed, slow]
    }

    pub(crate) fn has_calls_in_flight(&self) -> bool {
        !self.in_flight.is_empty()
    }

    fn counted(&self, now: Duration) -> Vec<&CallResult> {
        let since = |earlier| now.saturating_sub(earlier);
        let latest = self.results.iter().rev();
        match (self.config.window(), self.config.last_calls()) {
            (Some(window), _) => latest.filter(|call| since(call.at) < window).collect(),
            (_, Some(calls)) => latest.take(calls as usize).collect(),
            _ => latest.take_while(|call| call.failed).collect(),
        }
    }

    fn is_limit_reached(&self, now: Duration) -> bool {
        let since = |earlier| now.saturating_sub(earlier);
        let counted = self.counted(now);
        let is_overdue = |limit| move |call: &&Admission| since(call.start) > limit;
        let overdue = self.config.slow_call().map_or(0, |limit| {
            self.in_flight.iter().filter(is_overdue(limit)).count()
        });
        let failed = counted.iter().filter(|call| call.failed).count();
        let slow = counted.iter().filter(|call| call.slow).count() + overdue;
        let calls = counted.len();
        self.config
            .max_failures()
            .is_some_and(|max| failed >= max as usize)
            || self.is_rate_reached(self.config.failure_rate(), failed, calls)
            || self.is_rate_reached(self.config.slow_rate(), slow, calls + overdue)
    }

    /// Returns whether `part` of `calls` is at least `rate`, which is a whole percentage.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "percentages up to 100"
    )]
    fn is_rate_reached(&self, rate: Option<f64>, part: usize, calls: usize) -> bool {
        let percent = rate.map(|rate| (rate * 100.0).round() as usize);
        calls >= self.config.min_calls() as usize
            && percent.is_some_and(|percent| part * 100 >= percent * calls)
    }
}

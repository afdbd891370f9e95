//! The reference breaker: lists of everything that happened, searched for each answer.

use std::time::Duration;

use circuit_runtime::{Cause, Config, Snapshot, State};

use super::changes::{Changes, Evidence, Happened};

/// A fraction of all calls is a number of this.
const ALL: u128 = 1 << 32;

/// The longest that a service is left alone at its own request, unless `max_reset` says otherwise.
const LONGEST_REQUEST: Duration = Duration::from_hours(1);

/// A breaker for the exact rules, on one thread, which passes it the time.
#[derive(Clone)]
pub(crate) struct Reference {
    config: Config,
    /// The unit of the times in orders and requests.
    unit: Duration,
    /// The least time between two transitions: as long as it takes, the clock goes on meanwhile.
    turn: Duration,
    /// How far the clock has gone on so.
    ahead: Duration,
    phase: Phase,
    /// When this phase began.
    began: Duration,
    /// When the public state began.
    since: Duration,
    /// When this phase ends, if neither the rules nor an order decide that.
    until: Option<Duration>,
    ramp: Ramp,
    /// The number of transitions so far.
    generation: u32,
    /// How often the circuit has reopened since it was last closed.
    reopenings: u32,
    /// The calls of this generation with a result.
    results: Vec<CallResult>,
    /// The calls of this generation in flight.
    in_flight: Vec<Admission>,
    /// The number of calls admitted so far.
    admitted: u64,
    pub(crate) totals: Totals,
    pub(crate) changes: Changes,
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
    /// The service asks to be left alone for so many units.
    Unavailable(u32),
}

/// An operator's order; times are in units.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    Reset,
    ForceOpen,
    ForceClosed,
    ForceOpenFor(u32),
    ForceClosedFor(u32),
    Trip,
    OpenFor(u32),
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Closed,
    Ramp,
    Open,
    ForcedOpen,
    ForcedClosed,
}

/// The gradual admission after a recovery.
#[derive(Clone, Copy)]
struct Ramp {
    /// The shares of all calls so far. A call that completes a whole number is admitted.
    sum: u128,
    /// When the latest call was admitted.
    admitted_at: Duration,
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
    /// When it loses its slot, if it is a probe.
    lease_end: Duration,
    /// The one that applies to it, if it is a probe.
    timeout: Option<Duration>,
    /// Its duration is measured.
    is_timed: bool,
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
    /// Creates a closed breaker. Orders and requests are for a number of `unit`s.
    pub(crate) fn new(config: Config, unit: Duration) -> Self {
        Self {
            config,
            unit,
            turn: Duration::ZERO,
            ahead: Duration::ZERO,
            phase: Phase::Closed,
            began: Duration::ZERO,
            since: Duration::ZERO,
            until: None,
            ramp: Ramp {
                sum: 0,
                admitted_at: Duration::ZERO,
            },
            generation: 0,
            reopenings: 0,
            results: Vec::new(),
            in_flight: Vec::new(),
            admitted: 0,
            totals: Totals::default(),
            changes: Changes::new(),
        }
    }

    /// Has each transition take a microsecond at least, as on the clock of tests.
    pub(crate) fn with_turns(self) -> Self {
        Self {
            turn: Duration::from_micros(1),
            ..self
        }
    }

    pub(crate) fn state(&self, now: Duration) -> State {
        let now = now + self.ahead;
        match self.phase {
            Phase::Closed | Phase::ForcedClosed => State::Closed,
            Phase::Ramp | Phase::ForcedOpen if self.has_ended(now) => State::Closed,
            Phase::Open if self.has_ended(now) => State::HalfOpen,
            Phase::Ramp => State::HalfOpen,
            Phase::Open | Phase::ForcedOpen => State::Open,
        }
    }

    /// Returns the `retry_after` of a snapshot at `now`.
    pub(crate) fn retry_after(&self, now: Duration) -> Option<Duration> {
        self.rejection(now).flatten()
    }

    /// Returns the `retry_after` of a call that would be rejected at `now`; `None` if it would run.
    #[allow(
        clippy::option_option,
        reason = "a circuit that is held open has no `retry_after`"
    )]
    pub(crate) fn rejection(&self, now: Duration) -> Option<Option<Duration>> {
        let state = self.state(now);
        let now = now + self.ahead;
        let left = |end: Duration| end.saturating_sub(now);
        match (state, self.phase) {
            (State::Closed, _) => None,
            (State::Open, _) => Some(self.end().map(left)),
            (State::HalfOpen, Phase::Ramp) => (!self.admits(now)).then(|| Some(self.ramp_part())),
            (State::HalfOpen, _) => self.probes_taken(now).map(Some),
        }
    }

    /// Returns how long all slots of a half-open circuit are taken; `None` if one is free.
    fn probes_taken(&self, now: Duration) -> Option<Duration> {
        let leases = self
            .in_flight
            .iter()
            .map(|probe| probe.lease_end.saturating_sub(now));
        let mut left: Vec<_> = leases.filter(|left| !left.is_zero()).collect();
        left.sort();
        let taken = left.len() + self.results.len();
        // One more success is needed, if as many as are required are there already.
        let required = self.config.probes() as usize;
        let surplus = taken.checked_sub(required.max(self.results.len() + 1))?;
        left.get(surplus).map(|left| *left.min(&self.lease()))
    }

    /// Returns when a probe that starts at `start` loses its slot: a microsecond later if one with
    /// another timeout does then.
    fn lease_end(&self, start: Duration) -> Duration {
        let mut end = start + self.lease();
        let timeout = self.config.timeout();
        let is_taken = |end| {
            let mut probes = self.in_flight.iter();
            probes.any(|probe| probe.lease_end == end && probe.timeout != timeout)
        };
        while is_taken(end) {
            end += Duration::from_micros(1);
        }
        end
    }

    pub(crate) fn acquire(&mut self, now: Duration) -> Result<Admission, Option<Duration>> {
        self.end_if_over(now);
        // Time alone makes calls overdue; it reaches no other limit.
        if self.config.slow_call().is_some() && self.is_counting() {
            let may_run = self.rejection(now).is_none();
            if let Some(limit) = self.reached(now + self.ahead).filter(|_| may_run) {
                // The call is one of the ramp's before that ends.
                self.open(now, limit, None);
                // A hold may end while the opening is withheld.
                self.end_if_over(now);
            }
        }
        let rejection = self.rejection(now);
        self.count_on_ramp(now + self.ahead, rejection.is_none());
        if let Some(retry_after) = rejection {
            self.totals.rejected += 1;
            return Err(retry_after);
        }
        self.report_first_probe();
        if self.phase == Phase::Open {
            // It stays half-open, whatever the rules say from now on.
            self.until = self.end();
        }
        self.admitted += 1;
        let start = now + self.ahead;
        let admission = Admission {
            number: self.admitted,
            generation: self.generation,
            start,
            lease_end: self.lease_end(start),
            timeout: self.config.timeout(),
            is_timed: self.config.slow_call().is_some(),
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
        let is_current = |this: &Self| admission.generation == this.generation;
        if failed.is_some() && is_current(self) && self.is_counting() {
            self.end_if_over(now);
        }
        self.in_flight.retain(|other| *other != admission);
        let Some(failed) = failed.filter(|_| is_current(self)) else {
            return;
        };
        let at = now + self.ahead;
        let spent = at.saturating_sub(admission.start);
        let is_slow = |limit| admission.is_timed && spent > limit;
        let slow = self.config.slow_call().is_some_and(is_slow);
        self.results.push(CallResult { at, failed, slow });
        if let End::Unavailable(units @ 1..) = end {
            let longest = self.config.max_reset().unwrap_or(LONGEST_REQUEST);
            let time = (self.unit * units).min(longest);
            return self.open(opened, Cause::Unavailable, Some(time));
        }
        // A success changes nothing where failures alone are counted.
        let is_judged = self.is_counting() && (failed || self.config.last_calls().is_some());
        let reached = self.reached(at).filter(|_| is_judged);
        match (self.phase, reached) {
            (_, Some(limit)) => self.open(opened, limit, None),
            (Phase::Open, None) if failed => self.open(opened, Cause::ProbeFailed, None),
            (Phase::Open, None) if self.results.len() >= self.config.probes() as usize => {
                self.recover(opened);
            }
            _ => {}
        }
    }

    /// Every probe has succeeded.
    fn recover(&mut self, now: Duration) {
        if self.config.ramp().is_none() {
            self.close(Phase::Closed, now);
            return self.report(State::Closed, Cause::ProbesSucceeded, None);
        }
        // Half-open as before.
        let since = self.end().unwrap_or_default();
        self.enter(Phase::Ramp, now);
        self.since = since;
        self.ramp = Ramp {
            sum: ALL - ALL.div_ceil(10),
            admitted_at: self.began,
        };
    }

    /// Replaces the rules. Only the results of another window no longer count.
    pub(crate) fn reconfigure(&mut self, config: Config) {
        let window = |config: &Config| (config.window(), config.last_calls());
        if self.is_counting() && window(&config) != window(&self.config) {
            self.results.clear();
        }
        self.config = config;
    }

    pub(crate) fn order(&mut self, order: Order, now: Duration) {
        self.end_if_over(now);
        let state = self.state(now);
        let time = |units: u32| Some(self.unit * units);
        match order {
            Order::Reset => {
                let changes = self.phase != Phase::Closed;
                self.close(Phase::Closed, now);
                if changes {
                    self.report(State::Closed, Cause::Reset, None);
                }
            }
            Order::ForceOpen => self.hold(Phase::ForcedOpen, None, now),
            Order::ForceOpenFor(units) => self.hold(Phase::ForcedOpen, time(units), now),
            Order::ForceClosed => self.hold(Phase::ForcedClosed, None, now),
            Order::ForceClosedFor(units) => self.hold(Phase::ForcedClosed, time(units), now),
            Order::Trip | Order::OpenFor(_) if self.is_held() => {}
            Order::Trip if state == State::Open => {}
            Order::Trip => self.open(now, Cause::Tripped, None),
            Order::OpenFor(units) if state == State::Open => {
                // It stays open, until then.
                let (since, time) = (self.since, time(units));
                self.enter(Phase::Open, now);
                self.until = time.map(|time| self.began + time);
                self.since = since;
            }
            Order::OpenFor(units) => self.open(now, Cause::Tripped, time(units)),
        }
    }

    /// Holds the circuit, unless it is held just so.
    fn hold(&mut self, phase: Phase, time: Option<Duration>, now: Duration) {
        let until = |moment: Duration| time.map(|time| moment + time);
        let moment = now + self.ahead;
        if self.phase == phase && self.until == until(moment) {
            return;
        }
        let next = moment.max(self.began + self.turn);
        if self.phase == phase && self.until == until(next) {
            // Only in its turn does the order turn out to change nothing.
            if self.turn > Duration::ZERO {
                self.ahead = next.saturating_sub(now);
            }
            return;
        }
        self.totals.opened +=
            u64::from(phase == Phase::ForcedOpen && self.state(now) != State::Open);
        self.close(phase, now);
        self.until = time.map(|time| self.began + time);
        if phase == Phase::ForcedOpen {
            self.report(State::Open, Cause::ForcedOpen, None);
        } else {
            self.report(State::Closed, Cause::ForcedClosed, None);
        }
    }

    fn is_held(&self) -> bool {
        matches!(self.phase, Phase::ForcedOpen | Phase::ForcedClosed)
    }

    /// Returns whether results count towards the limits.
    fn is_counting(&self) -> bool {
        matches!(
            self.phase,
            Phase::Closed | Phase::ForcedClosed | Phase::Ramp
        )
    }

    /// Returns when this phase ends by time alone.
    fn end(&self) -> Option<Duration> {
        self.until.or(match self.phase {
            Phase::Open => Some(self.began + self.wait()),
            Phase::Ramp => Some(self.began + self.config.ramp().unwrap_or_default()),
            Phase::Closed | Phase::ForcedOpen | Phase::ForcedClosed => None,
        })
    }

    fn has_ended(&self, now: Duration) -> bool {
        self.end().is_some_and(|end| now >= end)
    }

    /// Closes the circuit if a ramp or a hold is over by `now`.
    fn end_if_over(&mut self, now: Duration) {
        let now = now + self.ahead;
        let is_over = |end: &Duration| self.phase != Phase::Open && now >= *end;
        if let Some(end) = self.end().filter(is_over) {
            // The state of a circuit that is held closed stays as it is.
            let since = Some(self.since).filter(|_| self.phase == Phase::ForcedClosed);
            let is_ramp = self.phase == Phase::Ramp;
            self.enter_at(Phase::Closed, end, now);
            self.since = since.unwrap_or(self.since);
            self.reopenings = 0;
            let cause = if is_ramp {
                Cause::RampOver
            } else {
                Cause::Reset
            };
            self.report(State::Closed, cause, None);
        }
    }

    /// Returns how many calls of [`ALL`] a ramp admits.
    fn share(&self, now: Duration) -> u128 {
        let length = self.config.ramp().unwrap_or_default().as_micros();
        let elapsed = now.saturating_sub(self.began).as_micros();
        (ALL * elapsed / length).clamp(ALL.div_ceil(10), ALL)
    }

    /// Returns the tenth of a ramp in which a call is admitted at least.
    fn ramp_part(&self) -> Duration {
        let length = self.config.ramp().unwrap_or_default().as_micros();
        Duration::from_micros(u64::try_from(length.div_ceil(10)).unwrap_or(u64::MAX))
    }

    /// Returns whether a ramp admits a call.
    fn admits(&self, now: Duration) -> bool {
        let sum = self.ramp.sum;
        let is_whole = (sum + self.share(now)) / ALL > sum / ALL;
        is_whole || now.saturating_sub(self.ramp.admitted_at) >= self.ramp_part()
    }

    /// Counts a call on a ramp.
    fn count_on_ramp(&mut self, now: Duration, admitted: bool) {
        if self.phase == Phase::Ramp {
            self.ramp.sum += self.share(now);
            if admitted {
                self.ramp.admitted_at = now;
            }
        }
    }

    /// Returns the admitted share of a ramp.
    #[expect(clippy::cast_precision_loss, reason = "compared with a tolerance")]
    pub(crate) fn admitted_share(&self, now: Duration) -> Option<f64> {
        let is_ramp = self.phase == Phase::Ramp && self.state(now) == State::HalfOpen;
        is_ramp.then(|| self.share(now + self.ahead) as f64 / ALL as f64)
    }

    /// Returns how long the state has held.
    pub(crate) fn since(&self, now: Duration) -> Duration {
        let now = now + self.ahead;
        let ended = self.end().filter(|end| now >= *end);
        let began = match self.phase {
            Phase::Ramp | Phase::Open | Phase::ForcedOpen => ended,
            Phase::Closed | Phase::ForcedClosed => None,
        };
        now.saturating_sub(began.unwrap_or(self.since))
    }

    /// Returns the state that the circuit is held in, and what is left of the order.
    pub(crate) fn held(&self, now: Duration) -> Option<(State, Option<Duration>)> {
        let now = now + self.ahead;
        let to = match self.phase {
            Phase::ForcedOpen => State::Open,
            Phase::ForcedClosed => State::Closed,
            Phase::Closed | Phase::Ramp | Phase::Open => return None,
        };
        let left = self.end().map(|end| end.saturating_sub(now));
        (!self.has_ended(now)).then_some((to, left))
    }

    /// Returns how often the circuit has reopened since it was last closed.
    pub(crate) fn reopenings(&self, now: Duration) -> u32 {
        match self.state(now) {
            State::Closed => 0,
            State::Open | State::HalfOpen => self.reopenings,
        }
    }

    /// Counts a call, and returns whether it failed; `None` for neither success nor failure.
    fn count(&mut self, end: End) -> Option<bool> {
        let total = match end {
            End::Success => &mut self.totals.succeeded,
            End::Ignored => &mut self.totals.ignored,
            End::Dropped => &mut self.totals.cancelled,
            End::Failure | End::Panic | End::Timeout | End::Unavailable(_) => {
                &mut self.totals.failed
            }
        };
        *total += 1;
        self.totals.panicked += u64::from(end == End::Panic);
        self.totals.timed_out += u64::from(end == End::Timeout);
        match end {
            End::Ignored | End::Dropped => None,
            _ => Some(end != End::Success),
        }
    }

    /// Opens the circuit for this time or its usual wait, unless it is held closed: then this is a
    /// dry run.
    fn open(&mut self, now: Duration, cause: Cause, time: Option<Duration>) {
        let mut evidence = self.evidence(now).filter(|_| cause != Cause::Tripped);
        if let Some(evidence) = &mut evidence
            && cause == Cause::MaxFailures
            && self.config.last_calls().is_none()
        {
            // The number that has opened the circuit, of all that are known.
            let limit = self.config.max_failures().unwrap_or(u32::MAX);
            evidence.failed = evidence.failed.min(limit.into());
        }
        if self.phase == Phase::ForcedClosed {
            self.totals.withheld += 1;
            let (since, until) = (self.since, self.until);
            self.enter(Phase::ForcedClosed, now);
            (self.since, self.until) = (since, until);
            return self.report(State::Closed, Cause::Withheld, evidence);
        }
        self.totals.opened += 1;
        self.reopenings += u32::from(self.phase != Phase::Closed);
        self.enter(Phase::Open, now);
        self.until = time.map(|time| self.began + time);
        self.report(State::Open, cause, evidence);
    }

    /// Returns the results that count towards the limits.
    fn evidence(&self, now: Duration) -> Option<Evidence> {
        let counted = self.is_counting().then(|| self.counted(now + self.ahead))?;
        let failed = counted.iter().filter(|call| call.failed).count();
        let calls = self.config.last_calls().map(|_| counted.len() as u64);
        Some(Evidence {
            calls,
            failed: failed as u64,
        })
    }

    /// Reports the transition to this phase.
    fn report(&mut self, to: State, cause: Cause, evidence: Option<Evidence>) {
        self.changes.report(&Happened {
            to,
            cause,
            evidence,
            at: self.began,
            since: self.since,
            until: self.end(),
            rejected: self.totals.rejected,
        });
    }

    /// Reports that the circuit is half-open, if the call that is admitted is its first probe.
    fn report_first_probe(&mut self) {
        let is_first = self.phase == Phase::Open && self.changes.state() == State::Open;
        if let Some(end) = self.end().filter(|_| is_first) {
            self.changes.report(&Happened {
                to: State::HalfOpen,
                cause: Cause::WaitOver,
                evidence: None,
                at: end,
                since: end,
                until: None,
                rejected: self.totals.rejected,
            });
        }
    }

    /// Leaves the states that the rules decide.
    fn close(&mut self, phase: Phase, now: Duration) {
        let (before, since) = (self.state(now), self.since);
        self.reopenings = 0;
        self.enter(phase, now);
        if self.state(now) == before {
            self.since = since;
        }
    }

    /// Begins a generation at `now`, without evidence.
    fn enter(&mut self, phase: Phase, now: Duration) {
        let now = now + self.ahead;
        self.enter_at(phase, now, now);
    }

    /// Begins a generation at a moment up to `now`.
    fn enter_at(&mut self, phase: Phase, moment: Duration, now: Duration) {
        let next = self.began + self.turn;
        let began = if next > moment { now.max(next) } else { moment };
        if self.turn > Duration::ZERO {
            self.ahead += began.saturating_sub(now);
        }
        self.phase = phase;
        (self.began, self.since, self.until) = (began, began, None);
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
        let now = now + self.ahead;
        if !self.is_counting() || self.has_ended(now) {
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

    /// Returns the limit that the calls reach.
    fn reached(&self, now: Duration) -> Option<Cause> {
        let since = |earlier| now.saturating_sub(earlier);
        let counted = self.counted(now);
        let is_overdue =
            |limit| move |call: &&Admission| call.is_timed && since(call.start) > limit;
        let overdue = self.config.slow_call().map_or(0, |limit| {
            self.in_flight.iter().filter(is_overdue(limit)).count()
        });
        let failed = counted.iter().filter(|call| call.failed).count();
        let slow = counted.iter().filter(|call| call.slow).count() + overdue;
        let calls = counted.len();
        let max = self.config.max_failures();
        if max.is_some_and(|max| failed >= max as usize) {
            Some(Cause::MaxFailures)
        } else if self.is_rate_reached(self.config.failure_rate(), failed, calls) {
            Some(Cause::FailureRate)
        } else if self.is_rate_reached(self.config.slow_rate(), slow, calls + overdue) {
            Some(Cause::SlowRate)
        } else {
            None
        }
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

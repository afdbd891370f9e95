//! The evidence of a breaker as a plain list of time stamps.

use std::time::Duration;

use circuit_runtime::Config;

/// The calls since the circuit was last closed.
pub(crate) struct Oracle {
    config: Config,
    calls: Vec<Call>,
    total: Tally,
    in_flight: Vec<Duration>,
}

/// The time in which something happens, at one moment: longer than that moment if the clock moves
/// meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Period {
    pub(crate) begin: Duration,
    pub(crate) end: Duration,
}

struct Call {
    at: Period,
    failed: bool,
    /// The calls before this one.
    before: Tally,
}

#[derive(Clone, Copy, Default)]
struct Tally {
    calls: u64,
    failed: u64,
    slow: u64,
}

/// The decision to open the circuit. If it may but need not, the documented precision allows both,
/// or it depends on the moments at which calls were counted.
#[derive(Debug)]
pub(crate) struct Opens {
    pub(crate) must: bool,
    pub(crate) may: bool,
}

impl Oracle {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            config,
            calls: Vec::new(),
            total: Tally::default(),
            in_flight: Vec::new(),
        }
    }

    pub(crate) fn clear(&mut self) {
        self.calls.clear();
        self.total = Tally::default();
        self.in_flight.clear();
    }

    pub(crate) fn start(&mut self, at: Duration) {
        self.in_flight.push(at);
    }

    /// Ends a call; `failed` is `None` for neither success nor failure.
    pub(crate) fn end(&mut self, started: Duration, at: Period, failed: Option<bool>) {
        let index = self.in_flight.iter().position(|&start| start == started);
        self.in_flight.swap_remove(index.unwrap());
        if let Some(failed) = failed {
            let limit = self.config.slow_call().unwrap_or(Duration::MAX);
            let before = self.total;
            self.calls.push(Call { at, failed, before });
            self.total.calls += 1;
            self.total.failed += u64::from(failed);
            self.total.slow += u64::from(at.begin.saturating_sub(started) > limit);
        }
    }

    /// Returns whether the circuit opens when its calls are judged `now`.
    pub(crate) fn opens(&self, now: Period) -> Opens {
        let results: Vec<bool> = self
            .windows(now)
            .into_iter()
            .flat_map(|tally| {
                self.overdue(now.begin)
                    .map(move |overdue| self.is_reached(tally, overdue))
            })
            .collect();
        Opens {
            must: results.iter().all(|&reached| reached),
            may: results.contains(&true),
        }
    }

    /// Returns the calls that count, once for each window that the documented precision and the
    /// moments at which calls may have been counted allow.
    fn windows(&self, now: Period) -> Vec<Tally> {
        let calls = &self.calls;
        if let Some(last) = self.config.last_calls() {
            return vec![self.since(calls.len().saturating_sub(last as usize))];
        }
        let Some(window) = self.config.window() else {
            let success = calls.iter().rposition(|call| !call.failed);
            return vec![self.since(success.map_or(0, |last| last + 1))];
        };
        let shortest = if self.has_rate() {
            window * 9 / 10
        } else if self.config.max_failures() > Some(1_000) {
            window * 99 / 100
        } else {
            window
        };
        // One call is counted after the other.
        let ended_by = |time| calls.partition_point(|call| call.at.end <= time);
        let begun_by = |time| calls.partition_point(|call| call.at.begin <= time);
        let mut first = now.begin.checked_sub(window).map_or(0, ended_by);
        let mut last = now.end.checked_sub(shortest).map_or(0, begun_by);
        if now.begin < now.end {
            // The latest call is judged at the moment at which it is counted.
            last = last.min(calls.len().saturating_sub(1));
        }
        let mut windows = vec![self.since(first)];
        while first < last {
            // Calls at one moment count together.
            first = ended_by(calls[first].at.begin).max(first + 1);
            windows.push(self.since(first));
        }
        windows
    }

    /// Returns the tally of the calls from index `first` on.
    fn since(&self, first: usize) -> Tally {
        let before = self.calls.get(first).map_or(self.total, |call| call.before);
        Tally {
            calls: self.total.calls - before.calls,
            failed: self.total.failed - before.failed,
            slow: self.total.slow - before.slow,
        }
    }

    fn has_rate(&self) -> bool {
        self.config.failure_rate().is_some() || self.config.slow_rate().is_some()
    }

    /// Returns the possible numbers of overdue calls: a call must be detected when it is late by a
    /// seventh of `slow_call`.
    fn overdue(&self, now: Duration) -> impl Iterator<Item = u64> {
        let limit = self.config.slow_call().unwrap_or(Duration::MAX);
        let longer_than = |limit| {
            let overdue = self
                .in_flight
                .iter()
                .filter(|&&start| now.saturating_sub(start) > limit);
            overdue.count() as u64
        };
        let seventh = limit.div_f64(7.0) + Duration::from_micros(1);
        longer_than(limit.saturating_add(seventh))..=longer_than(limit)
    }

    fn is_reached(&self, tally: Tally, overdue: u64) -> bool {
        let is_limit = |max: u32| tally.failed >= u64::from(max);
        self.config.max_failures().is_some_and(is_limit)
            || self.is_rate_reached(self.config.failure_rate(), tally.failed, tally.calls)
            || self.is_rate_reached(
                self.config.slow_rate(),
                tally.slow + overdue,
                tally.calls + overdue,
            )
    }

    /// Returns whether `part` of `calls` is at least `rate`: in integers, if that is a percentage.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "percentages up to 100, and few calls"
    )]
    fn is_rate_reached(&self, rate: Option<f64>, part: u64, calls: u64) -> bool {
        let Some(rate) = rate else { return false };
        if calls < u64::from(self.config.min_calls()) {
            return false;
        }
        let percent = (rate * 100.0).round();
        if (percent / 100.0 - rate).abs() < f64::EPSILON && percent > 0.0 {
            part * 100 >= percent as u64 * calls
        } else {
            part as f64 >= rate * calls as f64
        }
    }
}

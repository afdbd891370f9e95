//! A breaker's evidence in a list of time stamps, without any cleverness.

use std::time::Duration;

use circuit_runtime::Config;

/// What has happened since the circuit was closed.
pub(crate) struct Oracle {
    config: Config,
    calls: Vec<Call>,
    total: Tally,
    under_way: Vec<Duration>,
}

struct Call {
    at: Duration,
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

/// Whether the circuit opens. Between the two lies what the rules leave open.
#[derive(Debug)]
pub(crate) struct Opens {
    pub(crate) surely: bool,
    pub(crate) maybe: bool,
}

impl Oracle {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            config,
            calls: Vec::new(),
            total: Tally::default(),
            under_way: Vec::new(),
        }
    }

    pub(crate) fn clear(&mut self) {
        self.calls.clear();
        self.total = Tally::default();
        self.under_way.clear();
    }

    pub(crate) fn start(&mut self, at: Duration) {
        self.under_way.push(at);
    }

    /// Ends a call; `failed` is `None` when it is no evidence.
    pub(crate) fn end(&mut self, started: Duration, at: Duration, failed: Option<bool>) {
        let place = self.under_way.iter().position(|&start| start == started);
        self.under_way.swap_remove(place.unwrap());
        if let Some(failed) = failed {
            let limit = self.config.slow_call().unwrap_or(Duration::MAX);
            let before = self.total;
            self.calls.push(Call { at, failed, before });
            self.total.calls += 1;
            self.total.failed += u64::from(failed);
            self.total.slow += u64::from(at.saturating_sub(started) > limit);
        }
    }

    pub(crate) fn opens(&self, now: Duration) -> Opens {
        let verdicts: Vec<bool> = self
            .windows(now)
            .into_iter()
            .flat_map(|tally| {
                self.hanging(now)
                    .map(move |hanging| self.is_reached(tally, hanging))
            })
            .collect();
        Opens {
            surely: verdicts.iter().all(|&reached| reached),
            maybe: verdicts.contains(&true),
        }
    }

    /// The calls that count: all that the rules allow to take for those in the window.
    fn windows(&self, now: Duration) -> Vec<Tally> {
        let calls = &self.calls;
        if let Some(last) = self.config.last_calls() {
            return vec![self.since(calls.len().saturating_sub(last as usize))];
        }
        let Some(window) = self.config.window() else {
            let answered = calls.iter().rposition(|call| !call.failed);
            return vec![self.since(answered.map_or(0, |last| last + 1))];
        };
        let shortest = if self.has_rate() {
            window * 9 / 10
        } else if self.config.max_failures() > Some(1_000) {
            window * 99 / 100
        } else {
            window
        };
        let later_than = |time| calls.partition_point(|call| call.at <= time);
        let outside = |length| now.checked_sub(length).map_or(0, later_than);
        let (mut first, last) = (outside(window), outside(shortest));
        let mut windows = vec![self.since(first)];
        while first < last {
            first = later_than(calls[first].at);
            windows.push(self.since(first));
        }
        windows
    }

    /// The calls from this one on.
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

    /// How many calls hang: those that take too long by a seventh surely.
    fn hanging(&self, now: Duration) -> impl Iterator<Item = u64> {
        let limit = self.config.slow_call().unwrap_or(Duration::MAX);
        let longer_than = |limit| {
            let hanging = self
                .under_way
                .iter()
                .filter(|&&start| now.saturating_sub(start) > limit);
            hanging.count() as u64
        };
        let seventh = limit.div_f64(7.0) + Duration::from_micros(1);
        longer_than(limit.saturating_add(seventh))..=longer_than(limit)
    }

    fn is_reached(&self, tally: Tally, hanging: u64) -> bool {
        let is_number = |most: u32| tally.failed >= u64::from(most);
        self.config.max_failures().is_some_and(is_number)
            || self.is_rate(self.config.failure_rate(), tally.failed, tally.calls)
            || self.is_rate(
                self.config.slow_rate(),
                tally.slow + hanging,
                tally.calls + hanging,
            )
    }

    /// Whether `part` of `calls` is a share of `rate` or more: for percentages in integers.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "percentages up to 100, and few calls"
    )]
    fn is_rate(&self, rate: Option<f64>, part: u64, calls: u64) -> bool {
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

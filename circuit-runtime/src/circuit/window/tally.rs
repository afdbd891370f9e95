//! The calls in a window, and how they stand against the limits.

use crate::circuit::limits::Limits;
use crate::circuit::state::Generation;
use crate::clock::{Instant, Span};
use crate::window_counts::WindowCounts;

/// A limit that is reached: the circuit must open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReachedLimit {
    MaxFailures,
    FailureRate,
    SlowRate,
    /// None is known: the rules are changing, and the failure counts in a part of the window that
    /// did not record it. It is to be recorded again.
    RulesChanged,
}

/// The result of recording a call among all calls.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recorded {
    pub(super) reached: Option<ReachedLimit>,
    /// The limits that it was judged by have a number of failures in a span of time, too.
    pub(super) counts_in_span: bool,
    /// How often the failures had been handed over before.
    pub(super) handovers: u32,
}

/// The failures that a rate has counted, handed over as a limit on their number is added beside it
/// or removed.
#[derive(Debug)]
pub(super) struct EarlierFailures {
    pub(super) generation: Generation,
    /// How often they have been handed over.
    pub(super) handovers: u32,
    /// How many there were from each moment on, oldest first.
    pub(super) failures: Vec<(Instant, u64)>,
}

/// The calls in the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Those with a result.
    pub(super) calls: u64,
    /// Those of `calls` that failed.
    pub(super) failed: u64,
    /// Those of `calls` that were slow.
    pub(super) slow: u64,
    /// Those in flight that are slow already.
    pub(super) overdue: u64,
}

/// The result of judging a tally.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Only a call that fails or is slow, or the passing of time, can reach a limit.
    Below,
    /// A rate is exceeded but `min_calls` is not reached yet: the next call, even a success, may
    /// reach it.
    Near,
    Reached(ReachedLimit),
}

impl Tally {
    /// Returns the tally of one failure more, which displaces no other call.
    pub(super) fn with_failure(self) -> Self {
        Self {
            calls: self.calls.saturating_add(1),
            failed: self.failed.saturating_add(1),
            ..self
        }
    }

    /// Returns the public view of the tally.
    pub(super) fn counts(self, limits: &Limits) -> WindowCounts {
        let is_timed = limits.slow_call() < Span::INDEFINITE;
        WindowCounts {
            calls: Some(self.calls),
            failed: self.failed,
            slow: is_timed.then(|| self.slow.saturating_add(self.overdue)),
        }
    }

    /// Judges the tally against every limit.
    pub(super) fn standing(self, limits: &Limits) -> Standing {
        if self.failed >= limits.max_failures().into() {
            return Standing::Reached(ReachedLimit::MaxFailures);
        }
        self.standing_on_rates(limits)
    }

    /// Judges the tally against the rates alone.
    pub(super) fn standing_on_rates(self, limits: &Limits) -> Standing {
        let min_calls = limits.min_calls().into();
        let failed = Rate {
            limit: ReachedLimit::FailureRate,
            part: self.failed,
            calls: self.calls,
        };
        let slow = Rate {
            limit: ReachedLimit::SlowRate,
            part: self.slow.saturating_add(self.overdue),
            calls: self.calls.saturating_add(self.overdue),
        };
        let failed = failed.standing(limits.failure_rate(), min_calls);
        let slow = slow.standing(limits.slow_rate(), min_calls);
        match (failed, slow) {
            (Standing::Reached(limit), _) | (_, Standing::Reached(limit)) => {
                Standing::Reached(limit)
            }
            (Standing::Near, _) | (_, Standing::Near) => Standing::Near,
            (Standing::Below, Standing::Below) => Standing::Below,
        }
    }
}

/// The share of calls that is limited by a rate.
struct Rate {
    limit: ReachedLimit,
    part: u64,
    calls: u64,
}

impl Rate {
    /// Judges the share against `most`. The quotient of two integers is rounded to the nearest
    /// number, as is a rate in source code: 57 of 100 equals `0.57`.
    #[expect(
        clippy::cast_precision_loss,
        reason = "exact up to 2^53 calls in one window"
    )]
    fn standing(self, most: Option<f64>, min_calls: u64) -> Standing {
        match most {
            Some(most) if self.part as f64 / self.calls.max(min_calls) as f64 >= most => {
                if self.calls >= min_calls {
                    Standing::Reached(self.limit)
                } else {
                    Standing::Near
                }
            }
            _ => Standing::Below,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, ReachedLimit, Standing, Tally};
    use crate::config::{Config, ConfigBuilder};
    use std::time::Duration;

    fn limits(config: ConfigBuilder) -> Limits {
        Limits::new(&config.last_calls(65_536).build().unwrap())
    }

    fn tally(calls: u64, failed: u64) -> Tally {
        Tally {
            calls,
            failed,
            ..Tally::default()
        }
    }

    #[test]
    fn n_percent_is_reached_by_n_failures_of_a_hundred() {
        for percent in 1..=100_u32 {
            let written = [
                f64::from(percent) / 100.0,
                format!("0.{percent:02}").parse().unwrap(),
            ];
            for rate in &written[..if percent < 100 { 2 } else { 1 }] {
                let limits = limits(Config::builder().failure_rate(*rate));
                for hundreds in [1, 7, 1_000_003] {
                    let failed = u64::from(percent) * hundreds;
                    assert_eq!(
                        tally(100 * hundreds, failed).standing(&limits),
                        Standing::Reached(ReachedLimit::FailureRate)
                    );
                    assert_eq!(
                        tally(100 * hundreds, failed - 1).standing(&limits),
                        Standing::Below
                    );
                }
            }
        }
    }

    #[test]
    fn a_hundred_percent_failures_reach_every_legal_rate() {
        for rate in [
            f64::MIN_POSITIVE,
            f64::EPSILON,
            0.1,
            1.0 - f64::EPSILON,
            1.0,
        ] {
            let limits = limits(Config::builder().failure_rate(rate).min_calls(1));
            for calls in [1, 3, 65_536, u64::from(u32::MAX), 1 << 53] {
                assert_eq!(
                    tally(calls, calls).standing_on_rates(&limits),
                    Standing::Reached(ReachedLimit::FailureRate)
                );
                assert_eq!(tally(calls, 0).standing_on_rates(&limits), Standing::Below);
            }
        }
    }

    #[test]
    fn fewer_than_min_calls_do_not_reach_a_rate() {
        let limits = limits(Config::builder().failure_rate(0.5).min_calls(10));
        assert_eq!(tally(9, 9).standing(&limits), Standing::Near);
        assert_eq!(tally(9, 5).standing(&limits), Standing::Near);
        assert_eq!(tally(9, 4).standing(&limits), Standing::Below);
        assert_eq!(
            tally(10, 5).standing(&limits),
            Standing::Reached(ReachedLimit::FailureRate)
        );
        assert_eq!(tally(0, 0).standing(&limits), Standing::Below);
    }

    #[test]
    fn an_overdue_call_is_slow_and_has_not_failed() {
        let config = Config::builder()
            .slow_call(Duration::from_secs(1))
            .slow_rate(0.5)
            .failure_rate(0.5);
        let limits = limits(config.min_calls(10));
        let tally = |calls, slow, overdue| Tally {
            calls,
            failed: 0,
            slow,
            overdue,
        };
        assert_eq!(
            tally(5, 0, 5).standing(&limits),
            Standing::Reached(ReachedLimit::SlowRate)
        );
        assert_eq!(
            tally(6, 1, 4).standing(&limits),
            Standing::Reached(ReachedLimit::SlowRate)
        );
        assert_eq!(tally(6, 0, 4).standing(&limits), Standing::Below);
        assert_eq!(tally(0, 0, 9).standing(&limits), Standing::Near);
    }

    #[test]
    fn each_limit_is_reached_independently_of_the_others() {
        let limits = limits(Config::builder().failure_rate(1.0).max_failures(3));
        assert_eq!(
            tally(1_000, 3).standing(&limits),
            Standing::Reached(ReachedLimit::MaxFailures)
        );
        assert_eq!(tally(1_000, 2).standing(&limits), Standing::Below);
    }

    #[test]
    fn the_failure_rate_is_reported_if_both_rates_are_reached() {
        let config = Config::builder()
            .slow_call(Duration::from_secs(1))
            .slow_rate(0.5)
            .failure_rate(0.5);
        let limits = limits(config.min_calls(10));
        let tally = |failed| Tally {
            calls: 10,
            failed,
            slow: 10,
            overdue: 0,
        };
        let reached = |failed| tally(failed).standing(&limits);
        assert_eq!(reached(5), Standing::Reached(ReachedLimit::FailureRate));
        assert_eq!(reached(4), Standing::Reached(ReachedLimit::SlowRate));
    }
}

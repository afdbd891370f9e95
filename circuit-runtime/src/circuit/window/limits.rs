//! The limits, and how the calls in a window stand against them.

use crate::config::Config;

/// The limits on the calls in the window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    max_failures: Option<u32>,
    failure_rate: Option<f64>,
    slow_rate: Option<f64>,
    min_calls: u32,
}

/// The calls in the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Those with a result.
    pub(super) calls: u64,
    /// Of these, those that failed.
    pub(super) failed: u64,
    /// Of these, those that were slow.
    pub(super) slow: u64,
    /// Those in flight that are slow already.
    pub(super) overdue: u64,
}

/// How a tally stands against the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Only a call that fails or is slow, or the passing of time, can reach a limit.
    Below,
    /// A rate is exceeded but `min_calls` is not reached yet: the next call, even a success, may
    /// reach it.
    Near,
    /// The circuit must open.
    Reached,
}

impl Limits {
    /// Those on rates alone.
    pub(super) fn on_rates(config: &Config) -> Self {
        Self {
            max_failures: None,
            failure_rate: config.failure_rate(),
            slow_rate: config.slow_rate(),
            min_calls: config.min_calls(),
        }
    }

    /// Those on rates and on the number of failures.
    pub(super) fn on_all(config: &Config) -> Self {
        Self {
            max_failures: config.max_failures(),
            ..Self::on_rates(config)
        }
    }

    pub(super) fn judge(&self, tally: Tally) -> Standing {
        let failures = self.max_failures.map_or(Standing::Below, |most| {
            if tally.failed >= most.into() {
                Standing::Reached
            } else {
                Standing::Below
            }
        });
        let failed = self.judge_rate(self.failure_rate, tally.failed, tally.calls);
        let slow = self.judge_rate(
            self.slow_rate,
            tally.slow + tally.overdue,
            tally.calls + tally.overdue,
        );
        match [failures, failed, slow] {
            standings if standings.contains(&Standing::Reached) => Standing::Reached,
            standings if standings.contains(&Standing::Near) => Standing::Near,
            _ => Standing::Below,
        }
    }

    /// Judges `part` of `calls` against a rate. The quotient of two integers is rounded to the
    /// nearest number, as is a rate in source code: 57 of 100 equals `0.57`.
    #[expect(
        clippy::cast_precision_loss,
        reason = "exact up to 2^53 calls in one window"
    )]
    fn judge_rate(&self, rate: Option<f64>, part: u64, calls: u64) -> Standing {
        let enough = u64::from(self.min_calls);
        match rate {
            Some(rate) if part as f64 / calls.max(enough) as f64 >= rate => {
                if calls >= enough {
                    Standing::Reached
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
    use super::{Limits, Standing, Tally};
    use crate::config::{Config, ConfigBuilder};
    use std::time::Duration;

    fn limits(config: ConfigBuilder) -> Limits {
        Limits::on_all(&config.last_calls(65_536).build().unwrap())
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
                        limits.judge(tally(100 * hundreds, failed)),
                        Standing::Reached
                    );
                    assert_eq!(
                        limits.judge(tally(100 * hundreds, failed - 1)),
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
                assert_eq!(limits.judge(tally(calls, calls)), Standing::Reached);
                assert_eq!(limits.judge(tally(calls, 0)), Standing::Below);
            }
        }
    }

    #[test]
    fn fewer_than_min_calls_do_not_reach_a_rate() {
        let limits = limits(Config::builder().failure_rate(0.5).min_calls(10));
        assert_eq!(limits.judge(tally(9, 9)), Standing::Near);
        assert_eq!(limits.judge(tally(9, 5)), Standing::Near);
        assert_eq!(limits.judge(tally(9, 4)), Standing::Below);
        assert_eq!(limits.judge(tally(10, 5)), Standing::Reached);
        assert_eq!(limits.judge(tally(0, 0)), Standing::Below);
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
        assert_eq!(limits.judge(tally(5, 0, 5)), Standing::Reached);
        assert_eq!(limits.judge(tally(6, 1, 4)), Standing::Reached);
        assert_eq!(limits.judge(tally(6, 0, 4)), Standing::Below);
        assert_eq!(limits.judge(tally(0, 0, 9)), Standing::Near);
    }

    #[test]
    fn each_limit_is_reached_independently_of_the_others() {
        let limits = limits(Config::builder().failure_rate(1.0).max_failures(3));
        assert_eq!(limits.judge(tally(1_000, 3)), Standing::Reached);
        assert_eq!(limits.judge(tally(1_000, 2)), Standing::Below);
    }
}

//! The limits on the calls in a window.

use super::ticket::Start;
use crate::clock::{Instant, Span};
use crate::config::Config;

/// The number of failures that stands for no such limit: more than any window holds. A limit of as
/// many is one less.
const UNLIMITED: u32 = u32::MAX;

/// The rate that stands for no such limit: no rule can set it.
const NO_RATE: f64 = f64::INFINITY;

/// Every limit on the calls in a window, from one [`Config`].
///
/// Evidence is judged by limits that are kept beside it and change under its lock. So no call is
/// judged by some limits of one configuration and some of the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limits {
    max_failures: u32,
    min_calls: u32,
    last_calls: u32,
    window: Span,
    failure_rate: f64,
    slow_rate: f64,
    slow_call: Span,
}

/// The results that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Counted {
    /// The failures in a span of time.
    InSpan,
    /// Consecutive failures.
    Consecutive,
    /// All calls: for the rates, and for every limit on the last calls.
    Calls,
    /// All calls, and how long they take.
    TimedCalls,
    /// The failures in a span of time. Calls may be in flight that were timed before.
    InSpanAfterCalls,
    /// Consecutive failures. Calls may be in flight that were timed before.
    ConsecutiveAfterCalls,
}

impl Counted {
    /// Returns whether the durations of calls are measured.
    pub(super) fn is_timed(self) -> bool {
        self == Self::TimedCalls
    }

    /// Returns whether all calls are counted.
    pub(super) fn is_calls(self) -> bool {
        matches!(self, Self::Calls | Self::TimedCalls)
    }

    /// Returns whether every success is counted, or may be a call that was timed.
    pub(super) fn has_successes(self) -> bool {
        !matches!(self, Self::InSpan | Self::Consecutive)
    }

    /// Returns the same for a circuit that has timed calls before.
    pub(super) fn after_timed_calls(self) -> Self {
        match self {
            Self::InSpan => Self::InSpanAfterCalls,
            Self::Consecutive => Self::ConsecutiveAfterCalls,
            after => after,
        }
    }
}

impl Limits {
    /// Creates the limits that `config` sets.
    pub(crate) fn new(config: &Config) -> Self {
        let span = |duration: Option<_>| duration.map_or(Span::INDEFINITE, Span::from_duration);
        Self {
            max_failures: config
                .max_failures()
                .map_or(UNLIMITED, |limit| limit.min(UNLIMITED.wrapping_sub(1))),
            min_calls: config.min_calls(),
            last_calls: config.last_calls().unwrap_or_default(),
            window: span(config.window()),
            failure_rate: config.failure_rate().unwrap_or(NO_RATE),
            slow_rate: config.slow_rate().unwrap_or(NO_RATE),
            slow_call: span(config.slow_call()),
        }
    }

    /// Returns how many failures open the circuit: more than any window holds when there is no such
    /// limit.
    #[inline]
    pub(super) fn max_failures(&self) -> u32 {
        self.max_failures
    }

    /// Returns whether the failures in a span of time are counted.
    pub(super) fn counts_failures_in_span(&self) -> bool {
        self.max_failures < UNLIMITED && self.window < Span::INDEFINITE
    }

    /// Returns the number of calls below which rates are not judged.
    #[inline]
    pub(super) fn min_calls(&self) -> u32 {
        self.min_calls
    }

    /// Returns how many of the last calls count; zero when a span of time does.
    #[inline]
    pub(super) fn last_calls(&self) -> u32 {
        self.last_calls
    }

    /// Returns how long a call counts; [`Span::INDEFINITE`] when no span of time is set.
    #[inline]
    pub(super) fn window(&self) -> Span {
        self.window
    }

    /// Returns the share of failed calls that opens the circuit.
    #[inline]
    pub(super) fn failure_rate(&self) -> Option<f64> {
        (self.failure_rate < NO_RATE).then_some(self.failure_rate)
    }

    /// Returns the share of slow calls that opens the circuit.
    #[inline]
    pub(super) fn slow_rate(&self) -> Option<f64> {
        (self.slow_rate < NO_RATE).then_some(self.slow_rate)
    }

    /// Returns how long a call may take without being slow; [`Span::INDEFINITE`] when no call is
    /// timed.
    #[inline]
    pub(super) fn slow_call(&self) -> Span {
        self.slow_call
    }

    /// Returns whether a call that ends `now` took longer than `slow_call`.
    #[inline]
    pub(super) fn is_slow(&self, start: Start, now: Instant) -> bool {
        is_slow(self.slow_call, start, now)
    }

    /// Returns the results that these limits need to have counted.
    pub(super) fn counted(&self) -> Counted {
        let is_timed = self.slow_call < Span::INDEFINITE;
        let has_rate = self.failure_rate().is_some() || is_timed;
        let is_in_span = self.window < Span::INDEFINITE;
        if self.last_calls == 0 && !(is_in_span && has_rate) {
            return if is_in_span {
                Counted::InSpan
            } else {
                Counted::Consecutive
            };
        }
        if is_timed {
            Counted::TimedCalls
        } else {
            Counted::Calls
        }
    }

    /// Returns whether these limits and the `other` count the same calls: all those in the same
    /// window, or neither.
    pub(super) fn counts_same_calls(&self, other: &Self) -> bool {
        self.window == other.window
            && self.last_calls == other.last_calls
            && self.counted().is_calls() == other.counted().is_calls()
    }

    /// Returns the error that the clock may have for calls and rates: less than a hundredth of the
    /// window, and than a tenth of `slow_call`. Indefinite when time changes nothing.
    pub(super) fn clock_error(&self) -> Span {
        let part_of = |span: Span, divisor| match span {
            Span::INDEFINITE => Span::INDEFINITE,
            span => span.divided_by(divisor),
        };
        part_of(self.window, 100).min(part_of(self.slow_call, 10))
    }
}

/// Returns whether a call that ends `now` took longer than `slow_call`.
#[inline]
pub(super) fn is_slow(slow_call: Span, start: Start, now: Instant) -> bool {
    start != Start::NONE && now.since(start.moment()) > slow_call
}

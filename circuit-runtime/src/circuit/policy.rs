//! The rules of a breaker, as its circuit uses them.

// Not the atomics of `crate::sync`: to a model checker every load of one is a point where threads
// can interleave, and no model changes a limit.
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::ticket::Start;
use super::wait::Wait;
use crate::clock::{Instant, Span};
use crate::config::Config;

/// The number of failures that stands for no such limit: more than any window holds.
const UNLIMITED: u32 = u32::MAX;

/// The rate that stands for no such limit: no rule can set it.
const NO_RATE: f64 = f64::INFINITY;

/// Values derived from a [`Config`] once. Shared by all keyed breakers of a function.
pub(crate) struct Policy {
    pub(crate) config: Config,
    pub(crate) wait: Wait,
    pub(crate) limits: Limits,
}

/// Every limit of the rules, as one word each, so that a rule can change in place while calls run.
/// Windows and probes are passed the limits and keep no copy.
///
/// Aligned to a cache line, away from the reference count of the policy, which every new key
/// writes.
#[repr(align(64))]
pub(crate) struct Limits {
    max_failures: AtomicU32,
    min_calls: AtomicU32,
    last_calls: AtomicU32,
    probes: AtomicU32,
    /// In microseconds, as are all spans here.
    window: AtomicU64,
    /// The bits of an `f64`.
    failure_rate: AtomicU64,
    /// The bits of an `f64`.
    slow_rate: AtomicU64,
    slow_call: AtomicU64,
    /// Derived from `window` and `slow_call`, as every call needs it.
    clock_error: AtomicU64,
    lease: AtomicU64,
    /// Zero without a ramp.
    ramp: AtomicU64,
}

/// How many probes a half-open circuit admits, and how long each of them may hold its slot.
#[derive(Clone, Copy)]
pub(crate) struct ProbeLimit {
    pub(crate) count: u32,
    pub(crate) lease: Span,
}

impl Policy {
    /// Derives the policy of breakers with this configuration.
    pub(crate) fn new(config: Config) -> Self {
        Self {
            config,
            wait: Wait::new(&config, Wait::random_salt()),
            limits: Limits::new(&config),
        }
    }
}

// Relaxed throughout: each word has its meaning by itself, and nothing is published through it.
impl Limits {
    /// Creates the limits that `config` sets.
    pub(crate) fn new(config: &Config) -> Self {
        let window = config.window().map(Span::from_duration);
        let slow_call = config.slow_call().map(Span::from_duration);
        let micros =
            |span: Option<Span>| AtomicU64::new(span.unwrap_or(Span::INDEFINITE).as_micros());
        let bits = |rate: Option<f64>| AtomicU64::new(rate.unwrap_or(NO_RATE).to_bits());
        Self {
            max_failures: config.max_failures().unwrap_or(UNLIMITED).into(),
            min_calls: config.min_calls().into(),
            last_calls: config.last_calls().unwrap_or_default().into(),
            probes: config.probes().into(),
            window: micros(window),
            failure_rate: bits(config.failure_rate()),
            slow_rate: bits(config.slow_rate()),
            slow_call: micros(slow_call),
            clock_error: micros(clock_error(window, slow_call)),
            lease: micros(Some(lease(config))),
            ramp: micros(Some(config.ramp().map_or(Span::ZERO, Span::from_duration))),
        }
    }

    /// Returns how many failures open the circuit: more than any window holds when there is no such
    /// limit.
    #[inline]
    pub(super) fn max_failures(&self) -> u32 {
        self.max_failures.load(Ordering::Relaxed)
    }

    /// Returns the number of calls below which rates are not judged.
    #[inline]
    pub(super) fn min_calls(&self) -> u32 {
        self.min_calls.load(Ordering::Relaxed)
    }

    /// Returns whether the failures in a span of time are counted.
    #[inline]
    pub(super) fn has_max_failures_in_span(&self) -> bool {
        self.max_failures() < UNLIMITED && self.window() < Span::INDEFINITE
    }

    /// Returns how many of the last calls count; zero when a span of time does.
    pub(super) fn last_calls(&self) -> u32 {
        self.last_calls.load(Ordering::Relaxed)
    }

    /// Returns how long a call counts; [`Span::INDEFINITE`] when no span of time is set.
    #[inline]
    pub(super) fn window(&self) -> Span {
        Span::from_micros(self.window.load(Ordering::Relaxed))
    }

    /// Returns the share of failed calls that opens the circuit.
    #[inline]
    pub(super) fn failure_rate(&self) -> Option<f64> {
        Self::rate(&self.failure_rate)
    }

    /// Returns the share of slow calls that opens the circuit.
    #[inline]
    pub(super) fn slow_rate(&self) -> Option<f64> {
        Self::rate(&self.slow_rate)
    }

    #[inline]
    fn rate(bits: &AtomicU64) -> Option<f64> {
        let rate = f64::from_bits(bits.load(Ordering::Relaxed));
        (rate < NO_RATE).then_some(rate)
    }

    /// Returns how long a call may take without being slow; [`Span::INDEFINITE`] when no call is
    /// timed.
    #[inline]
    pub(super) fn slow_call(&self) -> Span {
        Span::from_micros(self.slow_call.load(Ordering::Relaxed))
    }

    /// Returns the error that the clock may have for calls and rates; indefinite when time changes
    /// nothing.
    #[inline]
    pub(super) fn clock_error(&self) -> Span {
        Span::from_micros(self.clock_error.load(Ordering::Relaxed))
    }

    /// Reads the clock as exactly as the limits require, if time changes anything.
    #[inline]
    pub(super) fn now(&self, clock: impl FnOnce(Span) -> Instant) -> Instant {
        match self.clock_error() {
            Span::INDEFINITE => Instant::from_micros(0),
            error => clock(error),
        }
    }

    /// Returns whether a call that ends `now` took longer than `slow_call`.
    #[inline]
    pub(super) fn is_slow(&self, start: Start, now: Instant) -> bool {
        start != Start::NONE && now.since(start.moment()) > self.slow_call()
    }

    /// Returns how long calls are admitted gradually after a recovery; zero for not at all.
    #[inline]
    pub(super) fn ramp(&self) -> Span {
        Span::from_micros(self.ramp.load(Ordering::Relaxed))
    }

    /// Returns the limit on probes.
    #[inline]
    pub(super) fn probes(&self) -> ProbeLimit {
        ProbeLimit {
            count: self.probes.load(Ordering::Relaxed),
            lease: Span::from_micros(self.lease.load(Ordering::Relaxed)),
        }
    }
}

/// Returns how long a probe may hold its slot: for `reset`, and for as long as it may take.
fn lease(config: &Config) -> Span {
    let timeout = config.timeout().unwrap_or_default();
    Span::from_duration(config.reset().max(timeout))
}

/// Returns the error that the clock may have: less than a hundredth of the window, and than a tenth
/// of `slow_call`.
fn clock_error(window: Option<Span>, slow_call: Option<Span>) -> Option<Span> {
    let for_window = window.map(|window| window.divided_by(100));
    let for_calls = slow_call.map(|slow_call| slow_call.divided_by(10));
    for_window.into_iter().chain(for_calls).min()
}

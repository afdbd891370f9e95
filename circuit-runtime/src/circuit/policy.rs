//! The rules of a breaker, as its circuit uses them.

use super::wait::Wait;
use crate::clock::Span;
use crate::config::Config;

/// Values derived from a [`Config`] once. Shared by all keyed breakers of a function.
pub(crate) struct Policy {
    pub(crate) config: Config,
    pub(crate) wait: Wait,
    pub(crate) failures: FailureLimit,
    pub(crate) probes: ProbeLimit,
}

/// How many failures open the circuit, and within which time, if within any.
#[derive(Clone, Copy)]
pub(crate) struct FailureLimit {
    pub(crate) count: u32,
    pub(crate) span: Span,
}

/// How many probes a half-open circuit lets in, and how long each of them holds its place.
#[derive(Clone, Copy)]
pub(crate) struct ProbeLimit {
    pub(crate) count: u32,
    pub(crate) lease: Span,
}

impl Policy {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            config,
            wait: Wait::new(&config, Wait::random_salt()),
            failures: FailureLimit {
                count: config.max_failures().unwrap_or(u32::MAX),
                span: config.window().map_or(Span::ENDLESS, Span::of),
            },
            probes: ProbeLimit {
                count: config.probes(),
                lease: Span::of(config.reset()),
            },
        }
    }
}

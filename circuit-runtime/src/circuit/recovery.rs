//! How a circuit recovers: its wait, its probes and its ramp.

use super::wait::Wait;
use crate::clock::Span;
use crate::config::Config;

/// How a circuit recovers, all from one configuration.
#[derive(Clone, Copy)]
pub(crate) struct Recovery {
    pub(super) wait: Wait,
    pub(super) probes: ProbeLimit,
    /// How long calls are admitted gradually; zero for not at all.
    pub(super) ramp: Span,
}

impl Recovery {
    pub(super) fn new(config: &Config, salt: u64) -> Self {
        Self {
            wait: Wait::new(config, salt),
            probes: ProbeLimit::new(config),
            ramp: config.ramp().map_or(Span::ZERO, Span::from_duration),
        }
    }

    pub(super) fn from_words(words: [u64; 7], salt: u64) -> Self {
        let [
            reset,
            max_reset,
            longest_request,
            jitter,
            lease,
            count,
            ramp,
        ] = words;
        let spans = [reset, max_reset, longest_request].map(Span::from_micros);
        Self {
            wait: Wait::from_spans(spans, f64::from_bits(jitter), salt),
            probes: ProbeLimit {
                count: u32::try_from(count).unwrap_or(u32::MAX),
                lease: Span::from_micros(lease),
            },
            ramp: Span::from_micros(ramp),
        }
    }

    pub(super) fn to_words(self) -> [u64; 7] {
        let [reset, max_reset, longest_request] = self.wait.spans().map(Span::as_micros);
        let jitter = self.wait.jitter().to_bits();
        let (lease, count) = (self.probes.lease.as_micros(), self.probes.count.into());
        let ramp = self.ramp.as_micros();
        [
            reset,
            max_reset,
            longest_request,
            jitter,
            lease,
            count,
            ramp,
        ]
    }
}

/// How many probes a half-open circuit admits, and how long each of them may hold its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProbeLimit {
    pub(crate) count: u32,
    pub(crate) lease: Span,
}

impl ProbeLimit {
    fn new(config: &Config) -> Self {
        // For `reset`, and for as long as a probe may take.
        let timeout = config.timeout().unwrap_or_default();
        Self {
            count: config.probes(),
            lease: Span::from_duration(config.reset().max(timeout)),
        }
    }
}

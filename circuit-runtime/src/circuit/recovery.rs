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

    pub(super) fn from_words(words: [u64; 8], salt: u64) -> Self {
        let [
            reset,
            max_reset,
            longest_request,
            jitter,
            lease,
            count,
            timeout,
            ramp,
        ] = words;
        let spans = [reset, max_reset, longest_request].map(Span::from_micros);
        Self {
            wait: Wait::from_spans(spans, f64::from_bits(jitter), salt),
            probes: ProbeLimit {
                count: u32::try_from(count).unwrap_or(u32::MAX),
                lease: Span::from_micros(lease),
                timeout: Span::from_micros(timeout),
            },
            ramp: Span::from_micros(ramp),
        }
    }

    pub(super) fn to_words(self) -> [u64; 8] {
        let [reset, max_reset, longest_request] = self.wait.spans().map(Span::as_micros);
        let jitter = self.wait.jitter().to_bits();
        let count = self.probes.count.into();
        let spans = [self.probes.lease, self.probes.timeout, self.ramp];
        let [lease, timeout, ramp] = spans.map(Span::as_micros);
        [
            reset,
            max_reset,
            longest_request,
            jitter,
            lease,
            count,
            timeout,
            ramp,
        ]
    }
}

/// How many probes a half-open circuit admits, how long each of them may hold its slot, and after
/// how long it is dropped: no later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProbeLimit {
    pub(crate) count: u32,
    pub(crate) lease: Span,
    /// Indefinite if there is none.
    pub(crate) timeout: Span,
}

impl ProbeLimit {
    fn new(config: &Config) -> Self {
        let timeout = config.timeout();
        // For `reset`, and for as long as a probe may take.
        let lease = config.reset().max(timeout.unwrap_or_default());
        Self {
            count: config.probes(),
            lease: Span::from_duration(lease),
            timeout: timeout.map_or(Span::INDEFINITE, Span::from_duration),
        }
    }
}

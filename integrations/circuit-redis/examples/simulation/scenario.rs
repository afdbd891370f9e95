//! The outages, and the schemes that meet them.

use circuit_runtime::{Config, ConfigBuilder, ConfigError};
use std::time::Duration;

use crate::model::Quorum;

/// How many processes call the service.
pub(crate) const INSTANCES: usize = 1_000;

/// Calls a second of the quietest and of the busiest process. The logarithms between them are
/// evenly spread.
pub(crate) const RATES: (f64, f64) = (1.0, 20.0);

/// A caller gives up after so many milliseconds.
pub(crate) const TIMEOUT: u64 = 1_000;

/// The outage begins and ends at these milliseconds, and the run ends.
pub(crate) const BEGIN: u64 = 10_000;
pub(crate) const END: u64 = 80_000;
pub(crate) const LAST: u64 = 170_000;

/// How long a circuit stays open, in milliseconds: doubled by each failed probe, up to the second.
pub(crate) const RESET: u64 = 10_000;
pub(crate) const MAX_RESET: u64 = 40_000;

/// How long calls are admitted gradually, in milliseconds, where they are.
pub(crate) const RAMP: u64 = 20_000;

/// The service's condition during the outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outage {
    /// No request is answered.
    Full,
    /// Half of the requests are not answered.
    Partial,
    /// One process cannot reach the service. For the others, it is up.
    SickNode,
}

/// How a caller is protected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scheme {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// The share by which the waits of processes differ.
    pub(crate) jitter: f64,
    pub(crate) ramps: bool,
    /// The store cannot be reached from a moment in the outage on.
    pub(crate) loses_store: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Unprotected,
    /// Each process has a breaker of its own.
    Apart,
    /// The processes share the verdicts of so many of them.
    Fleet(Quorum),
    /// All processes share one state, and a lock that each holds during its call.
    OneLock,
}

impl Outage {
    pub(crate) const ALL: [Self; 3] = [Self::Full, Self::Partial, Self::SickNode];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Full => "Outage: no request is answered for 70 s",
            Self::Partial => "Partial outage: half of the requests are not answered for 70 s",
            Self::SickNode => "Sick node: one process of a thousand has no network for 70 s",
        }
    }
}

impl Scheme {
    pub(crate) const ALL: [Self; 11] = [
        Self::new("no breaker", Kind::Unprotected),
        Self::new("one lock around each call", Kind::OneLock),
        Self::new("not shared", Kind::Apart),
        Self::new("not shared, jitter", Kind::Apart).jitter(),
        Self::new("not shared, jitter, ramp", Kind::Apart)
            .jitter()
            .ramps(),
        Self::new("fleet, any", Kind::Fleet(Quorum::Any)),
        Self::new("fleet, two", Kind::Fleet(Quorum::AtLeast(2))),
        Self::new("fleet, a hundredth", Kind::Fleet(Quorum::Fraction(0.01))),
        Self::new("fleet, two, ramp", Kind::Fleet(Quorum::AtLeast(2))).ramps(),
        Self::new("fleet, two, store away", Kind::Fleet(Quorum::AtLeast(2))).loses_store(),
        Self::new(
            "fleet, two, store away, jitter, ramp",
            Kind::Fleet(Quorum::AtLeast(2)),
        )
        .loses_store()
        .jitter()
        .ramps(),
    ];

    const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            jitter: 0.0,
            ramps: false,
            loses_store: false,
        }
    }

    const fn jitter(self) -> Self {
        Self {
            jitter: 0.5,
            ..self
        }
    }

    const fn ramps(self) -> Self {
        Self {
            ramps: true,
            ..self
        }
    }

    const fn loses_store(self) -> Self {
        Self {
            loses_store: true,
            ..self
        }
    }

    /// Returns whether the store can be reached at this millisecond.
    pub(crate) fn has_store(&self, now: u64) -> bool {
        !self.loses_store || now < BEGIN + RESET / 2
    }

    /// Returns the rules of a process. Its waits are longer by this factor: the breakers' own
    /// jitter is drawn anew in each run, and here all runs must be the same.
    pub(crate) fn rules(&self, longer: f64) -> Result<Config, ConfigError> {
        let rules: ConfigBuilder = Config::builder()
            .max_failures(5)
            .window(Duration::from_secs(10))
            .probes(2)
            .reset(Duration::from_millis(RESET).mul_f64(longer))
            .max_reset(Duration::from_millis(MAX_RESET).mul_f64(longer));
        let rules = if self.ramps {
            rules.ramp(Duration::from_millis(RAMP))
        } else {
            rules
        };
        rules.build()
    }
}

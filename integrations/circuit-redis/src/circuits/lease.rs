//! The lease of the one probe.

use std::sync::Arc;
use std::time::Duration;

use circuit_runtime::remote::Remote;
use tokio::time::Instant;

use crate::scripts::Opinion;

/// How long a lease lasts unless it is renewed.
pub(crate) const TERM: Duration = Duration::from_secs(3);
/// A lease that no call has used for this long is given back.
const UNUSED: Duration = Duration::from_secs(1);

/// The lease that this process has.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) token: Arc<str>,
    pub(crate) epoch: u64,
    /// The one of the breakers of this name that may probe.
    pub(crate) remote: Arc<Remote>,
    since: Instant,
    renew_at: Instant,
    /// A probe that runs for longer than this no longer keeps the lease.
    limit: Duration,
    /// A probe was admitted.
    is_probing: bool,
    /// The result, until the store has it.
    pub(crate) result: Option<ProbeResult>,
}

/// The result of the probes.
#[derive(Clone, Debug)]
pub(crate) struct ProbeResult {
    pub(crate) has_succeeded: bool,
    pub(crate) opinion: Opinion,
    /// It was sent, and the answer has not arrived yet.
    pub(crate) is_sent: bool,
}

/// The next step of a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    Nothing,
    Renew,
    Report,
    Abandon,
}

impl Lease {
    pub(crate) fn new(
        token: Arc<str>,
        epoch: u64,
        remote: Arc<Remote>,
        limit: Duration,
        now: Instant,
    ) -> Self {
        Self {
            token,
            epoch,
            remote,
            since: now,
            renew_at: now + TERM / 3,
            limit,
            is_probing: false,
            result: None,
        }
    }

    /// Takes note that a call probes.
    pub(crate) fn probe(&mut self) {
        self.is_probing = true;
    }

    /// Returns the moment of the next duty.
    pub(crate) fn due(&self) -> Instant {
        self.renew_at
    }

    /// Returns what to do now, and sets the moment of the next duty.
    pub(crate) fn duty(&mut self, now: Instant) -> Duty {
        if let Some(result) = &mut self.result {
            self.renew_at = now + TERM / 3;
            if result.is_sent {
                return Duty::Nothing;
            }
            result.is_sent = true;
            return Duty::Report;
        }
        if now < self.renew_at {
            return Duty::Nothing;
        }
        self.renew_at = now + TERM / 3;
        let held = now.saturating_duration_since(self.since);
        if held >= self.limit || (held >= UNUSED && !self.is_probing) {
            return Duty::Abandon;
        }
        Duty::Renew
    }
}

#[cfg(test)]
mod tests {
    use super::{Duty, Lease, TERM};
    use circuit_runtime::remote::Remote;
    use circuit_runtime::{CircuitBreaker, Config};
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::time::Instant;

    fn lease(now: Instant) -> Lease {
        let breaker = CircuitBreaker::new("leased", Config::default());
        let remote = Arc::new(Remote::attach(&breaker));
        Lease::new("t".into(), 1, remote, Duration::from_secs(10), now)
    }

    #[test]
    fn a_lease_that_no_call_uses_is_given_back() {
        let now = Instant::now();
        let mut lease = lease(now);
        assert_eq!(lease.duty(now), Duty::Nothing);
        assert_eq!(lease.duty(now + TERM / 3), Duty::Abandon);
    }

    #[test]
    fn a_lease_is_renewed_while_its_probe_runs_but_not_forever() {
        let mut now = Instant::now();
        let mut lease = lease(now);
        lease.probe();
        let mut renewals = 0;
        loop {
            now = lease.due();
            match lease.duty(now) {
                Duty::Renew => renewals += 1,
                duty => break assert_eq!(duty, Duty::Abandon),
            }
        }
        assert_eq!(renewals, 9);
    }
}

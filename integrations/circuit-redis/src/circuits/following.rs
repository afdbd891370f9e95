//! The way in which a process follows a verdict: it waits, asks for the lease, probes and reports.

use std::sync::Arc;
use std::time::Duration;

use circuit_runtime::State;
use circuit_runtime::remote::{Epoch, Remote};
use tokio::time::Instant;

use super::circuit::Circuit;
use super::lease::{Duty, Lease, ProbeResult, TERM};
use super::local::{has_recovered, is_probing};
use super::{Circuits, IDLE_LOOK, IDLE_WAIT, LATE, LATE_IDLE_LOOK, Watch};
use crate::events::FleetEvent;
use crate::scripts::answer::{LeaseAnswer, Verdict};
use crate::scripts::{Opinion, Request};

impl Circuits {
    /// Follows a verdict, unless a later one has been heard.
    pub(super) fn hear(&mut self, verdict: Verdict, now: Instant) {
        let name = Arc::clone(&verdict.name);
        let known = self.by_name.get(&name).map(|circuit| circuit.verdict.epoch);
        if known.is_some_and(|known| verdict.epoch < known) {
            return;
        }
        let is_new = known.is_none_or(|known| verdict.epoch > known);
        let circuit = self
            .by_name
            .entry(Arc::clone(&name))
            .or_insert_with(|| Circuit::new(verdict.clone(), now));
        circuit.update(verdict, now);
        let is_own = circuit.verdict.prober.as_ref() == Some(&self.member);
        let is_own_lease = is_own && (circuit.is_asking || circuit.lease.is_some());
        let remotes = self.local.remotes(&name);
        circuit.deliver(&remotes, circuit.rest(now), is_own_lease);
        let verdict = &circuit.verdict;
        if is_new {
            self.events.push(FleetEvent::Verdict {
                name: Arc::clone(&name),
                epoch: verdict.epoch,
                state: verdict.state,
                by: Arc::clone(&verdict.by),
                prober: verdict.prober.clone(),
            });
        }
        let ours = remotes.first().and_then(Remote::breaker);
        let ours = ours.map(|breaker| breaker.config().reset());
        let differs = ours.filter(|ours| {
            verdict.state == State::Open && *verdict.by != *self.member && *ours != verdict.reset
        });
        if let (Some(ours), false) = (differs, circuit.differs) {
            circuit.differs = true;
            self.events.push(FleetEvent::RulesDiffer {
                name,
                theirs: verdict.reset,
                ours,
            });
        }
    }

    /// Delivers all verdicts that are not closed once more: a breaker that has followed one is not
    /// affected.
    pub(super) fn deliver_again(&mut self, now: Instant) {
        for (name, circuit) in &mut self.by_name {
            let is_waiting = circuit.lease.is_none() && !circuit.is_asking;
            if circuit.is_closed() || !is_waiting {
                continue;
            }
            let rest = circuit.rest(now);
            let remotes = self.local.remotes(name);
            circuit.deliver(&remotes, rest, false);
            // Those without breakers were not looked at.
            if self.is_shared && !remotes.is_empty() {
                circuit.due.get_or_insert(now + rest);
            }
        }
    }

    pub(super) fn look_at(&mut self, name: &Arc<str>, now: Instant) {
        let Some(circuit) = self.by_name.get_mut(name) else {
            return;
        };
        circuit.due = None;
        if let Some(lease) = &mut circuit.lease {
            let duty = lease.duty(now);
            circuit.due = Some(lease.due());
            self.requests.extend(request_of(duty, lease, name));
            return;
        }
        if circuit.is_asking || circuit.is_closed() {
            return;
        }
        let rest = circuit.rest(now);
        if !rest.is_zero() {
            circuit.due = Some(now + rest);
            return;
        }
        let breakers = self.local.find(name);
        if breakers.is_empty() {
            // A later heartbeat finds those that are created meanwhile.
            return;
        }
        let remotes = self.local.remotes(name);
        let rejected: u64 = remotes.iter().map(Remote::rejected).sum();
        let wants_lease = rejected > circuit.rejected
            || breakers
                .iter()
                .any(|breaker| has_recovered(breaker) || is_probing(breaker));
        if wants_lease {
            let token = circuit.token.get_or_insert_with(|| {
                self.tokens = self.tokens.wrapping_add(1);
                format!("{}:{}", self.member, self.tokens).into()
            });
            let token = Arc::clone(token);
            circuit.is_asking = true;
            let name = Arc::clone(name);
            let term = TERM;
            self.requests.push(Request::Lease { name, token, term });
            return;
        }
        // Nobody calls: the lease is for those who can use it.
        let idle_since = *circuit.idle_since.get_or_insert(now);
        let is_late = now.saturating_duration_since(idle_since) >= LATE;
        circuit.due = Some(now + if is_late { LATE_IDLE_LOOK } else { IDLE_LOOK });
        for remote in &remotes {
            remote.wait(Epoch(circuit.verdict.epoch), IDLE_WAIT);
        }
    }

    /// Reads the answer to a member that asked for the lease.
    pub(super) fn leased(
        &mut self,
        name: &Arc<str>,
        token: &Arc<str>,
        answer: Option<&LeaseAnswer>,
        now: Instant,
    ) {
        let Some(circuit) = self.by_name.get_mut(name) else {
            return;
        };
        circuit.is_asking = false;
        circuit.token = None;
        match answer {
            Some(LeaseAnswer::Granted { term }) => {
                let term = *term;
                let token = Arc::clone(token);
                self.hold_lease(name, token, term, now);
            }
            Some(LeaseAnswer::Denied { rest } | LeaseAnswer::Early { rest }) => {
                circuit.due = Some(now + *rest);
            }
            // The store has no such verdict: this process decides by itself.
            Some(LeaseAnswer::Closed) | None => {
                if !circuit.is_closed() {
                    self.by_name.remove(name);
                }
            }
        }
    }

    /// Lets one breaker of this process probe.
    fn hold_lease(&mut self, name: &Arc<str>, token: Arc<str>, term: Duration, now: Instant) {
        let breakers = self.local.find(name);
        let Some(circuit) = self.by_name.get_mut(name) else {
            return;
        };
        let epoch = circuit.verdict.epoch;
        let attached = breakers.iter().map(|breaker| self.local.attach(breaker));
        let mut remotes: Vec<_> = attached.collect();
        let prober = breakers
            .iter()
            .position(|breaker| is_probing(breaker) || has_recovered(breaker))
            .or_else(|| {
                let rejected = remotes.iter().map(Remote::rejected);
                let most = rejected.enumerate().max_by_key(|(_, rejected)| *rejected);
                most.map(|(index, _)| index)
            });
        let Some(prober) = prober.filter(|_| circuit.verdict.state == State::HalfOpen) else {
            let name = Arc::clone(name);
            self.requests.push(Request::Abandon { name, token });
            return;
        };
        let remote = Arc::new(remotes.swap_remove(prober));
        for other in &remotes {
            other.wait(Epoch(epoch), term);
        }
        let breaker = breakers.get(prober);
        let config = breaker.map(circuit_runtime::CircuitBreaker::config);
        let limit = config.as_ref().map_or(TERM, |config| {
            config
                .timeout()
                .map_or(config.reset(), |timeout| timeout.max(config.reset()))
        });
        let mut lease = Lease::new(Arc::clone(&token), epoch, Arc::clone(&remote), limit, now);
        if breaker.is_some_and(is_probing) {
            lease.probe();
        }
        circuit.due = Some(lease.due());
        // It has probed while the store was away: what it has found out holds for all.
        if let (true, Some(config)) = (breaker.is_some_and(has_recovered), config) {
            lease.result = Some(ProbeResult {
                has_succeeded: true,
                opinion: Opinion {
                    name: Arc::clone(name),
                    known: epoch,
                    wait: Duration::ZERO,
                    reset: config.reset(),
                    max_reset: config.max_reset(),
                    cause: "probes_succeeded".into(),
                },
                is_sent: false,
            });
            circuit.due = Some(now);
            circuit.lease = Some(lease);
            return;
        }
        remote.half_open_now(Epoch(epoch));
        circuit.lease = Some(lease);
        let name = Arc::clone(name);
        self.events.push(FleetEvent::Leased {
            name: Arc::clone(&name),
        });
        self.watches.push(Watch {
            name,
            token,
            remote,
        });
    }

    pub(super) fn end_lease(&mut self, name: &Arc<str>, token: &str) {
        let Some(circuit) = self.by_name.get_mut(name) else {
            return;
        };
        if circuit
            .lease
            .as_ref()
            .is_some_and(|lease| *lease.token == *token)
        {
            circuit.lease = None;
        }
    }
}

fn request_of(duty: Duty, lease: &Lease, name: &Arc<str>) -> Option<Request> {
    let name = Arc::clone(name);
    let token = Arc::clone(&lease.token);
    match duty {
        Duty::Nothing => None,
        Duty::Renew => Some(Request::Renew {
            name,
            token,
            term: TERM,
        }),
        Duty::Abandon => Some(Request::Abandon { name, token }),
        Duty::Report => {
            let result = lease.result.as_ref()?;
            Some(Request::Report {
                token,
                has_succeeded: result.has_succeeded,
                opinion: result.opinion.clone(),
            })
        }
    }
}

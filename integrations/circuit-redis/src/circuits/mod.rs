//! The circuits of a fleet as one process knows them: what it hears, and what it asks for.
//!
//! Nothing here waits. Requests to the store, probes to watch and events to tell are collected, for
//! the task that has the connection.

mod circuit;
mod following;
mod lease;
mod local;
mod orders;
mod votes;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use circuit_runtime::remote::{Probed, Remote};
use circuit_runtime::{Cause, State, StateChange};
use tokio::time::Instant;

use circuit::Circuit;
use lease::{ProbeResult, TERM};
pub(crate) use local::Local;
use orders::Orders;
use votes::Votes;

use crate::events::FleetEvent;
use crate::keys::stored_name;
use crate::scripts::answer::{Answer, Published};
use crate::scripts::{Opinion, Request, Told};
use crate::status::{CircuitStatus, OrderStatus};

/// Where nobody calls, the wait is extended by this much, over and over, until somebody does.
const IDLE_WAIT: Duration = Duration::from_millis(500);
/// How often such a circuit is looked at: at first, and later.
const IDLE_LOOK: Duration = Duration::from_millis(20);
const LATE_IDLE_LOOK: Duration = Duration::from_millis(100);
const LATE: Duration = Duration::from_secs(2);

/// The circuits of a fleet, the orders, and the votes of this process.
#[derive(Debug)]
pub(crate) struct Circuits {
    local: Local,
    member: Arc<str>,
    by_name: BTreeMap<Arc<str>, Circuit>,
    orders: Orders,
    votes: Votes,
    /// Numbers the tokens.
    tokens: u64,
    /// The store can be asked.
    is_shared: bool,
    requests: Vec<Request>,
    events: Vec<FleetEvent>,
    watches: Vec<Watch>,
}

/// A lease whose result is to be waited for.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) name: Arc<str>,
    pub(crate) token: Arc<str>,
    pub(crate) remote: Arc<Remote>,
}

impl Circuits {
    pub(crate) fn new(local: Local, member: Arc<str>) -> Self {
        let mut circuits = Self {
            local,
            member,
            by_name: BTreeMap::new(),
            orders: Orders::default(),
            votes: Votes::default(),
            tokens: 0,
            is_shared: false,
            requests: Vec::new(),
            events: Vec::new(),
            watches: Vec::new(),
        };
        circuits.take_up_all();
        circuits
    }

    /// Returns what there is to ask the store.
    pub(crate) fn take_requests(&mut self) -> Vec<Request> {
        std::mem::take(&mut self.requests)
    }

    /// Returns what there is to tell.
    pub(crate) fn take_events(&mut self) -> Vec<FleetEvent> {
        std::mem::take(&mut self.events)
    }

    /// Returns the leases whose results are to be waited for.
    pub(crate) fn take_watches(&mut self) -> Vec<Watch> {
        std::mem::take(&mut self.watches)
    }

    /// Returns the moment of the next [`look`](Self::look).
    pub(crate) fn due(&self) -> Option<Instant> {
        self.by_name
            .values()
            .filter_map(|circuit| circuit.due)
            .min()
    }

    /// Takes up what was missed: circuits that have opened by themselves.
    pub(crate) fn take_up_all(&mut self) {
        self.votes.take_up(self.local.opened());
    }

    /// Takes note of a change of a breaker of this process.
    pub(crate) fn changed(&mut self, change: &StateChange) {
        if !self.local.shares(&change.breaker) {
            return;
        }
        let name = stored_name(&change.breaker);
        match change.to {
            State::Open if is_own(change.cause) => {
                // The result of a probe with a lease is reported with the token.
                let circuit = self.by_name.get(&name);
                if circuit.is_some_and(|circuit| circuit.lease.is_some()) {
                    return;
                }
                let cause = change.cause.to_string().into();
                self.votes.add(Arc::clone(&name), cause);
                self.vote(&name);
            }
            State::Open => {}
            State::HalfOpen => {
                let circuit = self.by_name.get_mut(&name);
                if let Some(lease) = circuit.and_then(|circuit| circuit.lease.as_mut()) {
                    lease.probe();
                }
            }
            State::Closed => {
                if self.votes.remove(&name) && self.is_shared {
                    self.requests.push(Request::Unvote { name });
                }
            }
        }
    }

    /// Returns the heartbeat, with all opinions of now. Breakers that were created since the last
    /// one follow what is known.
    pub(crate) fn sync(&mut self, known: u64, is_full: bool, now: Instant) -> Request {
        self.deliver_again(now);
        let local = &self.local;
        self.by_name.retain(|name, circuit| {
            let is_followed = || !circuit.is_closed() && !local.find(name).is_empty();
            circuit.is_remembered(now) || is_followed()
        });
        let mut opinions = Vec::new();
        for name in self.votes.names() {
            let opinion = self.votes.opinion(&name, self.known(&name), &self.local);
            if let Some(opinion) = opinion {
                opinions.push(opinion);
            } else {
                self.votes.remove(&name);
                self.requests.push(Request::Unvote { name });
            }
        }
        Request::Sync {
            known,
            known_open: if is_full { 0 } else { known },
            opinions,
        }
    }

    /// Returns all that this process knows, for a store that has lost it.
    pub(crate) fn told(&mut self, known: u64, now: Instant) -> Request {
        let told = self.by_name.values().map(|circuit| {
            let rest = circuit.rest(now);
            let token = circuit.lease.as_ref().map(|lease| Arc::clone(&lease.token));
            let mut verdict = circuit.verdict.clone();
            verdict.rest = rest;
            if verdict.state == State::HalfOpen && token.is_none() {
                // The holder tells of its lease; the others, until when they would wait for it.
                verdict.state = State::Open;
                verdict.wait = verdict.wait.max(rest);
            } else if token.is_some() {
                verdict.rest = TERM;
            }
            Told { verdict, token }
        });
        let verdicts: Vec<_> = told.collect();
        let verdicts_told = verdicts.len();
        self.events.push(FleetEvent::Reasserted {
            verdicts: verdicts_told,
        });
        Request::Reassert {
            known: self.highest().max(known),
            verdicts,
            orders: self.orders.told(now),
        }
    }

    /// The store answers from now on.
    pub(crate) fn shared(&mut self, now: Instant) {
        self.is_shared = true;
        for circuit in self.by_name.values_mut() {
            circuit.is_asking = false;
            if let Some(result) = circuit
                .lease
                .as_mut()
                .and_then(|lease| lease.result.as_mut())
            {
                result.is_sent = false;
            }
            if !circuit.is_closed() {
                circuit.due = Some(now);
            }
        }
    }

    /// The store does not answer any more.
    pub(crate) fn degraded(&mut self) {
        self.is_shared = false;
        for circuit in self.by_name.values_mut() {
            circuit.due = None;
        }
        self.requests.clear();
    }

    /// Reads a line that was published.
    pub(crate) fn hear_published(&mut self, published: Published, now: Instant) {
        match published {
            Published::Verdict(verdict) => self.hear(verdict, now),
            Published::Order(line) => {
                let event = self.orders.hear(&line, &self.local, now);
                self.events.extend(event);
            }
        }
    }

    /// Reads the answer to a request.
    pub(crate) fn hear_answer(&mut self, request: &Request, answer: Answer, now: Instant) {
        for verdict in answer.verdicts {
            self.hear(verdict, now);
        }
        for count in &answer.votes {
            let numbers = (count.votes, count.needed);
            if self.votes.counted(&count.name, numbers) {
                self.events.push(FleetEvent::Voted {
                    name: Arc::clone(&count.name),
                    votes: count.votes,
                    needed: count.needed,
                });
            }
        }
        for line in &answer.orders {
            let event = self.orders.hear(line, &self.local, now);
            self.events.extend(event);
        }
        match request {
            Request::Sync { .. } => {
                let events = self.orders.keep(&answer.orders, answer.seq, &self.local);
                self.events.extend(events);
            }
            Request::Vote(opinion)
                if answer.votes.is_empty() && self.known(&opinion.name) > opinion.known =>
            {
                // The opinion was older than the verdict. If it holds nevertheless, it counts.
                self.vote(&opinion.name);
            }
            Request::Lease { name, token, .. } => {
                self.leased(name, token, answer.lease.as_ref(), now);
            }
            Request::Renew { name, token, .. } if !answer.is_accepted => {
                self.end_lease(name, token);
            }
            Request::Report {
                token,
                has_succeeded,
                opinion,
            } => {
                let name = Arc::clone(&opinion.name);
                self.end_lease(&name, token);
                self.events.push(if answer.is_accepted {
                    let has_succeeded = *has_succeeded;
                    FleetEvent::Probed {
                        name,
                        has_succeeded,
                    }
                } else {
                    FleetEvent::Refused { name }
                });
            }
            Request::Abandon { name, token } => {
                self.end_lease(name, token);
                let rejected = self.rejected(name);
                if let Some(circuit) = self.by_name.get_mut(name) {
                    circuit.rejected = rejected;
                }
                let name = Arc::clone(name);
                self.events.push(FleetEvent::Abandoned { name });
            }
            _ => {}
        }
    }

    /// Takes note that a request has no answer.
    pub(crate) fn unanswered(&mut self, request: &Request, now: Instant) {
        let Some(circuit) = request.name().and_then(|name| self.by_name.get_mut(name)) else {
            return;
        };
        match request {
            Request::Lease { .. } => circuit.is_asking = false,
            Request::Report { .. } => {
                if let Some(result) = circuit
                    .lease
                    .as_mut()
                    .and_then(|lease| lease.result.as_mut())
                {
                    result.is_sent = false;
                }
            }
            _ => return,
        }
        circuit.due = Some(now + IDLE_LOOK);
    }

    /// Takes note of the result of probes.
    pub(crate) fn probed(&mut self, name: &Arc<str>, token: &str, probed: Probed, now: Instant) {
        let Some(circuit) = self.by_name.get_mut(name) else {
            return;
        };
        let Some(lease) = circuit
            .lease
            .as_mut()
            .filter(|lease| *lease.token == *token)
        else {
            return;
        };
        let config = lease.remote.breaker().map(|breaker| breaker.config());
        let (Some(config), false) = (config, probed == Probed::Superseded) else {
            let token = Arc::clone(&lease.token);
            circuit.lease = None;
            if self.is_shared {
                let name = Arc::clone(name);
                self.requests.push(Request::Abandon { name, token });
            }
            return;
        };
        let wait = match probed {
            Probed::Failed { wait, .. } => wait,
            _ => Duration::ZERO,
        };
        lease.result = Some(ProbeResult {
            has_succeeded: probed == Probed::Succeeded,
            opinion: Opinion {
                name: Arc::clone(name),
                known: circuit.verdict.epoch,
                wait,
                reset: config.reset(),
                max_reset: config.max_reset(),
                cause: Cause::ProbeFailed.to_string().into(),
            },
            is_sent: false,
        });
        circuit.due = Some(now);
        self.look(now);
    }

    /// Does what is due: asks for leases, renews and reports them.
    pub(crate) fn look(&mut self, now: Instant) {
        if !self.is_shared {
            return;
        }
        let is_due = |circuit: &Circuit| circuit.due.is_some_and(|due| due <= now);
        let due = self.by_name.iter().filter(|(_, circuit)| is_due(circuit));
        let due: Vec<_> = due.map(|(name, _)| Arc::clone(name)).collect();
        for name in due {
            self.look_at(&name, now);
        }
    }

    pub(crate) fn status(&self, now: Instant) -> (Vec<CircuitStatus>, Vec<OrderStatus>) {
        let mut circuits: BTreeMap<Arc<str>, CircuitStatus> = BTreeMap::new();
        for (name, circuit) in self
            .by_name
            .iter()
            .filter(|(_, circuit)| !circuit.is_closed())
        {
            let status = CircuitStatus::from_verdict(&circuit.verdict, circuit.rest(now));
            circuits.insert(Arc::clone(name), status);
        }
        for (name, count) in self.votes.counts() {
            let status = circuits
                .entry(Arc::clone(name))
                .or_insert_with(|| CircuitStatus::undecided(Arc::clone(name)));
            status.votes = Some(count);
        }
        let orders = self.orders.iter().map(|(name, order)| OrderStatus {
            name: Arc::clone(name),
            to: order.to,
            ends_in: order.ends.map(|end| end.saturating_duration_since(now)),
            by: Arc::clone(&order.by),
        });
        (circuits.into_values().collect(), orders.collect())
    }

    /// Returns the latest epoch that was heard.
    fn highest(&self) -> u64 {
        let verdicts = self.by_name.values().map(|circuit| circuit.verdict.epoch);
        let orders = self.orders.iter().map(|(_, order)| order.epoch);
        verdicts.chain(orders).max().unwrap_or(0)
    }

    fn known(&self, name: &Arc<str>) -> u64 {
        let circuit = self.by_name.get(name);
        circuit.map_or(0, |circuit| circuit.verdict.epoch)
    }

    fn rejected(&self, name: &str) -> u64 {
        let remotes = self.local.remotes(name);
        remotes.iter().map(Remote::rejected).sum()
    }

    fn vote(&mut self, name: &Arc<str>) {
        if !self.is_shared {
            // The next heartbeat carries it.
            return;
        }
        let opinion = self.votes.opinion(name, self.known(name), &self.local);
        self.requests.extend(opinion.map(Request::Vote));
    }
}

fn is_own(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::MaxFailures
            | Cause::FailureRate
            | Cause::SlowRate
            | Cause::Unavailable
            | Cause::Tripped
            | Cause::ProbeFailed
    )
}

#[cfg(test)]
mod tests {
    use super::{Circuits, Local};
    use crate::pattern::Pattern;
    use crate::scripts::answer::{Published, Verdict};
    use circuit_runtime::{CircuitBreaker, Config, State};
    use std::time::Duration;
    use tokio::time::Instant;

    fn open(name: &str) -> Published {
        Published::Verdict(Verdict {
            name: name.into(),
            epoch: 1,
            state: State::Open,
            rest: Duration::from_secs(30),
            wait: Duration::from_secs(30),
            openings: 1,
            reset: Duration::from_secs(30),
            by: "other".into(),
            prober: None,
            cause: "max_failures".into(),
        })
    }

    #[test]
    fn an_open_circuit_that_no_breaker_follows_is_forgotten_as_by_the_store() {
        let local = Local::new(vec![Pattern::new("*")], Duration::ZERO);
        let mut circuits = Circuits::new(local, "me".into());
        let followed = CircuitBreaker::new("forgotten::followed", Config::default());
        let now = Instant::now();
        for name in ["forgotten::evicted[a]", followed.name()] {
            circuits.hear_published(open(name), now);
        }
        let mut count_after = |seconds| {
            let later = now + Duration::from_secs(seconds);
            circuits.sync(1, false, later);
            circuits.status(later).0.len()
        };
        assert_eq!(count_after(629), 2);
        assert_eq!(count_after(631), 1);
        drop(followed);
        assert_eq!(count_after(632), 0);
    }
}

//! A fleet: a store in memory that does what the scripts do, and members that follow its verdicts
//! with their breakers.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use circuit_runtime::remote::{Epoch, Probed, Remote};
use circuit_runtime::{Cause, CircuitBreaker, State, StateChange};

use crate::agenda::Agenda;
use crate::model::{self, Asker, Opinion, Quorum, Store};
use crate::random::Random;
use crate::scenario::{MAX_RESET, RESET};
use crate::world::Event;

/// The name of the circuit.
const NAME: &str = "service";
/// A message takes so many milliseconds, between these two.
const LATENCY: (f64, f64) = (1.0, 5.0);
/// A member asks for the lease so many milliseconds after the deadline, between these two.
const HASTE: (f64, f64) = (0.0, 20.0);
/// A member says so often that it lives, and hears of what it has missed.
const SYNC: u64 = 1_000;
/// How long a lease lasts unless it is renewed, and how often it is.
const TERM: i64 = 3_000;
const RENEW: u64 = 1_000;
/// How long a member without callers waits before it looks again for some.
const IDLE: u64 = 200;
const GRACE: Duration = Duration::from_millis(250);

/// The store and its members.
pub(crate) struct Fleet {
    store: Store,
    quorum: Quorum,
    members: Vec<Member>,
}

/// A message, or a moment at which a member looks at its verdict.
pub(crate) enum Message {
    ToStore(Request),
    Verdict(Arc<Verdict>),
    /// The answer to a member that has asked for the lease with this token: it was granted, or not.
    Leased {
        token: String,
        is_granted: bool,
    },
    Look,
    Sync,
    Renew {
        token: String,
    },
}

pub(crate) enum Request {
    Vote(Opinion),
    Lease {
        token: String,
    },
    Renew {
        token: String,
    },
    Report {
        token: String,
        has_succeeded: bool,
        opinion: Opinion,
    },
    Sync {
        known: i64,
        opinion: Option<Opinion>,
    },
}

/// A verdict, as its line says.
pub(crate) struct Verdict {
    epoch: u64,
    state: State,
    rest: u64,
    openings: u32,
    prober: String,
}

struct Member {
    asker: Asker,
    breaker: CircuitBreaker,
    remote: Remote,
    verdict: Option<Arc<Verdict>>,
    /// Until when the verdict keeps this member waiting.
    until: u64,
    is_asking: bool,
    token: Option<String>,
    tokens: u32,
}

/// The rest of the simulation, as a member sees it.
pub(crate) struct Surroundings<'w> {
    pub(crate) now: u64,
    pub(crate) has_store: bool,
    pub(crate) agenda: &'w mut Agenda<Event>,
    pub(crate) random: &'w mut Random,
}

impl Surroundings<'_> {
    fn enter(&mut self, at: u64, member: usize, message: Message) {
        self.agenda.at(at, Event::Fleet(member, message));
    }

    /// Sends a message, unless the store cannot be reached.
    fn send(&mut self, member: usize, message: Message) {
        if self.has_store {
            let at = self.now + self.random.millis(LATENCY.0, LATENCY.1);
            self.enter(at, member, message);
        }
    }
}

impl Fleet {
    /// Creates a fleet of these breakers. Without the store, the waits of the members differ by up
    /// to this share.
    pub(crate) fn new(
        quorum: Quorum,
        breakers: &[CircuitBreaker],
        jitter: f64,
        around: &mut Surroundings<'_>,
    ) -> Self {
        let mut members = Vec::new();
        for (index, breaker) in breakers.iter().enumerate() {
            let longer = Duration::from_millis(RESET).mul_f64(jitter * around.random.fraction());
            members.push(Member {
                asker: Asker {
                    member: index.to_string(),
                    generation: "g".to_owned(),
                },
                breaker: breaker.clone(),
                remote: Remote::attach(breaker).with_grace(GRACE + longer),
                verdict: None,
                until: 0,
                is_asking: false,
                token: None,
                tokens: 0,
            });
            let first = around.random.millis(0.0, 1_000.0);
            around.enter(first, index, Message::Sync);
        }
        Self {
            store: Store::new(0),
            quorum,
            members,
        }
    }

    /// Takes note of a change of a breaker.
    pub(crate) fn changed(
        &mut self,
        index: usize,
        change: &StateChange,
        around: &mut Surroundings<'_>,
    ) {
        let Some(member) = self.members.get_mut(index) else {
            return;
        };
        match (change.to, change.cause) {
            (State::Open, Cause::MaxFailures | Cause::ProbeFailed) if member.token.is_none() => {
                let wait = change.retry_after.unwrap_or_default();
                let vote = Request::Vote(member.opinion(wait));
                around.send(index, Message::ToStore(vote));
            }
            // Its own probe, without the lease.
            (State::HalfOpen, Cause::WaitOver) => member.ask(index, around),
            _ => {}
        }
    }

    /// Reports the result of the probes, if a member has one.
    pub(crate) fn report(&mut self, index: usize, around: &mut Surroundings<'_>) {
        if let Some(member) = self.members.get_mut(index) {
            member.report(index, around);
        }
    }

    /// Handles a message to or from a member, or of a member to itself.
    pub(crate) fn handle(&mut self, index: usize, message: Message, around: &mut Surroundings<'_>) {
        let Some(member) = self.members.get_mut(index) else {
            return;
        };
        match message {
            Message::ToStore(request) => self.answer(index, request, around),
            Message::Verdict(verdict) => member.hear(&verdict, index, around),
            Message::Leased { token, is_granted } => {
                member.is_asking = false;
                if is_granted {
                    member.begin_lease(token, index, around);
                }
            }
            Message::Look => member.look(index, around),
            Message::Sync => {
                // An answer that was lost is asked for again.
                member.is_asking = false;
                let wait = member.remote.own_wait().filter(|wait| !wait.is_zero());
                let opinion = wait.map(|wait| member.opinion(wait));
                let known = member.known();
                around.send(index, Message::ToStore(Request::Sync { known, opinion }));
                around.enter(around.now + SYNC, index, Message::Sync);
            }
            Message::Renew { token } if member.token.as_ref() == Some(&token) => {
                let renew = Request::Renew {
                    token: token.clone(),
                };
                around.send(index, Message::ToStore(renew));
                around.enter(around.now + RENEW, index, Message::Renew { token });
            }
            Message::Renew { .. } => {}
        }
    }

    /// Lets the store answer a request, and publishes what has changed.
    fn answer(&mut self, index: usize, request: Request, around: &mut Surroundings<'_>) {
        let Some(member) = self.members.get(index).filter(|_| around.has_store) else {
            return;
        };
        let asker = member.asker.clone();
        self.store.now = i64::try_from(around.now).unwrap_or(i64::MAX);
        let lines = match request {
            Request::Vote(opinion) => self.store.vote(&asker, self.quorum, &opinion),
            Request::Lease { token } => {
                let lines = self.store.lease(&asker, NAME, &token, TERM);
                let is_granted = lines.iter().any(|line| line.starts_with("L granted"));
                around.send(index, Message::Leased { token, is_granted });
                lines
            }
            Request::Renew { token } => self.store.renew(&asker, NAME, &token, TERM),
            Request::Report {
                token,
                has_succeeded,
                opinion,
            } => self.store.report(&asker, &token, has_succeeded, &opinion),
            Request::Sync { known, opinion } => {
                let opinions: Vec<_> = opinion.into_iter().collect();
                self.store.sync(&asker, known, self.quorum, &opinions)
            }
        };
        for verdict in lines.iter().filter_map(|line| Verdict::from_line(line)) {
            around.send(index, Message::Verdict(Arc::new(verdict)));
        }
        for line in std::mem::take(&mut self.store.published) {
            let Some(verdict) = Verdict::from_line(&line).map(Arc::new) else {
                continue;
            };
            for member in 0..self.members.len() {
                around.send(member, Message::Verdict(Arc::clone(&verdict)));
            }
        }
    }
}

impl Member {
    fn known(&self) -> i64 {
        let epoch = self.verdict.as_ref().map_or(0, |verdict| verdict.epoch);
        i64::try_from(epoch).unwrap_or(i64::MAX)
    }

    fn opinion(&self, wait: Duration) -> Opinion {
        let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Opinion {
            name: NAME.to_owned(),
            known: self.known(),
            wait: millis(wait),
            reset: millis(Duration::from_millis(RESET)),
            max_reset: millis(Duration::from_millis(MAX_RESET)),
            cause: "failures".to_owned(),
        }
    }

    /// Returns whether the verdict is that the circuit is open, or that one process probes.
    fn is_told_open(&self) -> bool {
        let verdict = self.verdict.as_ref();
        verdict.is_some_and(|verdict| verdict.state != State::Closed)
    }

    fn hear(&mut self, verdict: &Arc<Verdict>, index: usize, around: &mut Surroundings<'_>) {
        if self.known() > verdict.known() {
            return;
        }
        let is_new = self.known() < verdict.known();
        self.verdict = Some(Arc::clone(verdict));
        let rest = Duration::from_millis(verdict.rest);
        let epoch = Epoch(verdict.epoch);
        self.until = around.now + verdict.rest;
        match verdict.state {
            State::Open => {
                _ = self
                    .remote
                    .open_for(epoch, rest, verdict.openings.saturating_sub(1));
            }
            State::HalfOpen if verdict.prober != self.asker.member => {
                _ = self.remote.wait(epoch, rest);
            }
            // The answer to its request comes by itself.
            State::HalfOpen => {}
            State::Closed => _ = self.remote.close(epoch),
        }
        if is_new && verdict.prober != self.asker.member {
            self.token = None;
        }
        if is_new && verdict.state != State::Closed {
            let at = self.until + around.random.millis(HASTE.0, HASTE.1);
            around.enter(at, index, Message::Look);
        }
    }

    /// Asks for the lease at the deadline, if there are callers.
    fn look(&mut self, index: usize, around: &mut Surroundings<'_>) {
        if !self.is_told_open() || self.token.is_some() {
            return;
        }
        if around.now < self.until {
            around.enter(self.until, index, Message::Look);
        } else if self.remote.rejected() > 0 {
            self.ask(index, around);
            around.enter(around.now + IDLE, index, Message::Look);
        } else if around.has_store {
            let epoch = Epoch(self.verdict.as_ref().map_or(0, |verdict| verdict.epoch));
            let _ = self.remote.wait(epoch, Duration::from_millis(IDLE));
            around.enter(around.now + IDLE, index, Message::Look);
        }
    }

    fn ask(&mut self, index: usize, around: &mut Surroundings<'_>) {
        if !self.is_told_open() || self.token.is_some() || self.is_asking {
            return;
        }
        self.is_asking = true;
        self.tokens = self.tokens.wrapping_add(1);
        let token = format!("{}:{}", self.asker.member, self.tokens);
        around.send(index, Message::ToStore(Request::Lease { token }));
    }

    /// Lets the breaker probe.
    fn begin_lease(&mut self, token: String, index: usize, around: &mut Surroundings<'_>) {
        let Some(epoch) = self.verdict.as_ref().map(|verdict| verdict.epoch) else {
            return;
        };
        self.token = Some(token.clone());
        let _ = self.remote.half_open_now(Epoch(epoch));
        around.enter(around.now + RENEW, index, Message::Renew { token });
        if self.breaker.state() == State::Closed || self.breaker.snapshot().ramp.is_some() {
            // It has probed by itself before.
            self.tell(true, Duration::ZERO, index, around);
        }
    }

    fn report(&mut self, index: usize, around: &mut Surroundings<'_>) {
        if self.token.is_none() {
            return;
        }
        let probed = pin!(self.remote.probed()).poll(&mut Context::from_waker(Waker::noop()));
        match probed {
            Poll::Ready(Probed::Succeeded) => self.tell(true, Duration::ZERO, index, around),
            Poll::Ready(Probed::Failed { wait, .. }) => self.tell(false, wait, index, around),
            Poll::Ready(_) => self.token = None,
            Poll::Pending => {}
        }
    }

    fn tell(
        &mut self,
        has_succeeded: bool,
        wait: Duration,
        index: usize,
        around: &mut Surroundings<'_>,
    ) {
        if let Some(token) = self.token.take() {
            let report = Request::Report {
                token,
                has_succeeded,
                opinion: self.opinion(wait),
            };
            around.send(index, Message::ToStore(report));
        }
    }
}

impl Verdict {
    /// Reads `V epoch state rest wait openings reset by prober cause name`.
    fn from_line(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix("V ")?.split(' ');
        let epoch = words.next()?.parse().ok()?;
        let state = words.next()?;
        let states = [
            (model::State::Open, State::Open),
            (model::State::HalfOpen, State::HalfOpen),
            (model::State::Closed, State::Closed),
        ];
        let named = states.iter().find(|(named, _)| named.as_str() == state);
        let rest = words.next()?.parse().ok()?;
        let openings = words.nth(1)?.parse().ok()?;
        let prober = words.nth(2)?.to_owned();
        Some(Self {
            epoch,
            state: named?.1,
            rest,
            openings,
            prober,
        })
    }

    fn known(&self) -> i64 {
        i64::try_from(self.epoch).unwrap_or(i64::MAX)
    }
}

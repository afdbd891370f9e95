//! One run: callers, their breakers, and the service, event by event.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use circuit_runtime::{CircuitBreaker, ConfigError, OwnedPermit, State, StateChange, Subscription};
use tokio::time::advance;

use crate::agenda::Agenda;
use crate::fleet::{Fleet, Message, Surroundings};
use crate::lock::{Attempt, COMMAND, OneLock};
use crate::measure::{Counts, Outcome};
use crate::random::Random;
use crate::scenario::{INSTANCES, Kind, LAST, Outage, RATES, Scheme};
use crate::service::Service;

/// The service can answer this many times the calls that are wanted.
const HEADROOM: f64 = 1.3;

/// The process that has no network in the outage of a sick node: as busy as the average.
const SICK: usize = INSTANCES * 6 / 10;

pub(crate) enum Event {
    Call(usize),
    Done {
        caller: usize,
        permit: Option<OwnedPermit>,
        is_answer: bool,
        /// The holder of the lock, where there is one.
        lock: Option<u64>,
    },
    Fleet(usize, Message),
    Lock {
        caller: usize,
        attempts: u32,
    },
    Unlock(u64),
}

struct World {
    scheme: Scheme,
    now: u64,
    random: Random,
    agenda: Agenda<Event>,
    service: Service,
    rates: Vec<f64>,
    breakers: Vec<CircuitBreaker>,
    changes: Changes,
    fleet: Option<Fleet>,
    lock: Option<OneLock>,
    counts: Counts,
    /// Kept, as the listeners end with them.
    _subscriptions: Vec<Subscription>,
}

/// The changes of all breakers, until they are handled.
type Changes = Arc<Mutex<Vec<(usize, StateChange)>>>;

/// Runs one scheme through one outage. The same seed gives the same run.
pub(crate) async fn run(outage: Outage, scheme: Scheme, seed: u64) -> Result<Outcome, ConfigError> {
    let mut world = World::new(outage, scheme, seed)?;
    while let Some((at, event)) = world.agenda.next() {
        if at >= LAST {
            break;
        }
        if at > world.now {
            advance(Duration::from_millis(at - world.now)).await;
            world.now = at;
        }
        world.handle(event);
        world.handle_changes();
    }
    Ok(world.counts.outcome(&world.service))
}

impl World {
    fn new(outage: Outage, scheme: Scheme, seed: u64) -> Result<Self, ConfigError> {
        let mut random = Random::new(seed);
        let rates: Vec<f64> = (0..INSTANCES).map(rate).collect();
        let changes = Changes::default();
        let mut breakers = Vec::new();
        let mut subscriptions = Vec::new();
        let mut agenda = Agenda::new();
        for (index, &rate) in rates.iter().enumerate() {
            let longer = 1.0 + scheme.jitter * random.fraction();
            let breaker = CircuitBreaker::new("service", scheme.rules(longer)?);
            let heard = Arc::clone(&changes);
            subscriptions.push(breaker.on_change(move |change| {
                let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                heard.push((index, change.clone()));
            }));
            breakers.push(breaker);
            agenda.at(random.until_next(rate), Event::Call(index));
        }
        let fleet = match scheme.kind {
            Kind::Fleet(quorum) => {
                let mut around = Surroundings {
                    now: 0,
                    has_store: true,
                    agenda: &mut agenda,
                    random: &mut random,
                };
                Some(Fleet::new(quorum, &breakers, scheme.jitter, &mut around))
            }
            Kind::Unprotected | Kind::Apart | Kind::OneLock => None,
        };
        let lock = match (scheme.kind, breakers.first()) {
            (Kind::OneLock, Some(breaker)) => Some(OneLock::new(breaker.clone())),
            _ => None,
        };
        Ok(Self {
            scheme,
            now: 0,
            random,
            agenda,
            service: Service::new(outage, rates.iter().sum::<f64>() * HEADROOM),
            rates,
            breakers,
            changes,
            fleet,
            lock,
            counts: Counts::new(),
            _subscriptions: subscriptions,
        })
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Call(caller) => self.call(caller),
            Event::Done {
                caller,
                permit,
                is_answer,
                lock,
            } => {
                if let Some(permit) = permit {
                    if is_answer {
                        permit.success();
                    } else {
                        permit.failure();
                    }
                }
                if let Some(lock) = lock {
                    self.agenda.at(self.now + COMMAND, Event::Unlock(lock));
                }
                self.with_fleet(|fleet, around| fleet.report(caller, around));
            }
            Event::Fleet(member, message) => {
                self.with_fleet(|fleet, around| fleet.handle(member, message, around));
            }
            Event::Lock { caller, attempts } => self.try_lock(caller, attempts),
            Event::Unlock(holder) => {
                if let Some(lock) = &mut self.lock {
                    lock.unlock(holder);
                }
            }
        }
    }

    /// Makes a call, if the breaker admits it.
    fn call(&mut self, caller: usize) {
        let rate = self.rates.get(caller).copied().unwrap_or(1.0);
        let next = self.now + self.random.until_next(rate);
        self.agenda.at(next, Event::Call(caller));
        if let Some(slice) = self.counts.slice(self.now) {
            slice.calls += 1;
        }
        if self.lock.is_some() {
            return self.try_lock(caller, 0);
        }
        if matches!(self.scheme.kind, Kind::Unprotected) {
            return self.request(caller, None, None);
        }
        let breaker = self.breakers.get(caller);
        match breaker.and_then(|breaker| breaker.try_acquire_owned().ok()) {
            Some(permit) => self.request(caller, Some(permit), None),
            None => self.rejected(caller),
        }
    }

    fn rejected(&mut self, caller: usize) {
        let would_answer = self
            .service
            .would_answer(self.now, caller == SICK, &mut self.random);
        if let Some(slice) = self.counts.slice(self.now).filter(|_| would_answer) {
            slice.rejected_in_vain += 1;
        }
    }

    /// Sends a request to the service.
    fn request(&mut self, caller: usize, permit: Option<OwnedPermit>, lock: Option<u64>) {
        let is_sick = caller == SICK;
        let reply = self.service.request(self.now, is_sick, &mut self.random);
        if let Some(slice) = self.counts.slice(self.now) {
            slice.requests += 1;
            if reply.is_answer {
                slice.answered += 1;
            } else {
                slice.failed += 1;
            }
        }
        let done = Event::Done {
            caller,
            permit,
            is_answer: reply.is_answer,
            lock,
        };
        self.agenda.at(reply.at, done);
    }

    fn try_lock(&mut self, caller: usize, attempts: u32) {
        let Some(lock) = &mut self.lock else {
            return;
        };
        match lock.attempt(self.now, attempts, &mut self.random) {
            Attempt::Locked(holder, Some(permit)) => {
                self.request(caller, Some(permit), Some(holder));
            }
            Attempt::Locked(holder, None) => {
                self.agenda.at(self.now + COMMAND, Event::Unlock(holder));
                self.rejected(caller);
            }
            Attempt::Again(after) => {
                let attempts = attempts + 1;
                let again = Event::Lock { caller, attempts };
                self.agenda.at(self.now + after, again);
            }
            Attempt::GivenUp => self.rejected(caller),
        }
    }

    /// Handles the changes of breakers, and those that they lead to.
    fn handle_changes(&mut self) {
        loop {
            let changes = {
                let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
                std::mem::take(&mut *changes)
            };
            if changes.is_empty() {
                return;
            }
            for (caller, change) in changes {
                let is_open = change.to != State::Closed;
                if self.lock.is_some() {
                    for other in 0..INSTANCES {
                        self.counts.note_open(other, is_open, self.now);
                    }
                } else {
                    self.counts.note_open(caller, is_open, self.now);
                }
                self.with_fleet(|fleet, around| fleet.changed(caller, &change, around));
            }
        }
    }

    fn with_fleet(&mut self, section: impl FnOnce(&mut Fleet, &mut Surroundings<'_>)) {
        let has_store = self.scheme.has_store(self.now);
        let mut around = Surroundings {
            now: self.now,
            has_store,
            agenda: &mut self.agenda,
            random: &mut self.random,
        };
        if let Some(fleet) = &mut self.fleet {
            section(fleet, &mut around);
        }
    }
}

/// Returns how many calls a second a process makes.
#[expect(clippy::cast_precision_loss, reason = "a thousand processes")]
fn rate(caller: usize) -> f64 {
    let (least, most) = RATES;
    least * (most / least).powf(caller as f64 / INSTANCES as f64)
}

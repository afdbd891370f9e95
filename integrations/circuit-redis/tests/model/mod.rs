//! A plain reference of the scripts: what a store does, without a store.
//!
//! Each method answers with the lines that the script of its name answers with, for a clock that
//! the caller sets. Nothing here expires by itself.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::must_use_candidate,
    missing_docs,
    reason = "each program that includes this file uses some of it, and members are few"
)]

use std::collections::{BTreeMap, BTreeSet};

const MEMBER_TTL: i64 = 3_000;
const VOTE_GRACE: i64 = 1_000;

/// The process that asks: its name, and the generation it would begin.
#[derive(Clone, Debug)]
pub struct Asker {
    pub member: String,
    pub generation: String,
}

/// The number of members that must agree.
#[derive(Clone, Copy, Debug)]
pub enum Quorum {
    Any,
    AtLeast(i64),
    Fraction(f64),
}

/// The opinion of a process that a service is down.
#[derive(Clone, Debug)]
pub struct Opinion {
    pub name: String,
    /// The epoch of the latest verdict that the process had heard.
    pub known: i64,
    pub wait: i64,
    pub reset: i64,
    /// Zero if the rules do not double a wait.
    pub max_reset: i64,
    pub cause: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Open,
    HalfOpen,
    Closed,
}

#[derive(Clone, Debug)]
pub struct Verdict {
    pub name: String,
    pub epoch: i64,
    pub state: State,
    pub at: i64,
    pub wait: i64,
    pub openings: i64,
    pub reset: i64,
    pub by: String,
    pub prober: String,
    pub cause: String,
    pub token: String,
    pub lease_at: i64,
    pub term: i64,
}

#[derive(Clone, Debug)]
pub struct Order {
    pub epoch: i64,
    pub kind: String,
    pub at: i64,
    pub term: i64,
    pub by: String,
}

/// A verdict as a member tells it to a store that has lost it.
#[derive(Clone, Debug)]
pub struct ToldVerdict {
    pub name: String,
    pub epoch: i64,
    pub state: State,
    pub rest: i64,
    pub wait: i64,
    pub openings: i64,
    pub reset: i64,
    pub by: String,
    pub prober: String,
    pub cause: String,
    pub token: String,
}

/// An order as a member tells it; a rest of -1 has no end.
#[derive(Clone, Debug)]
pub struct ToldOrder {
    pub name: String,
    pub epoch: i64,
    pub kind: String,
    pub rest: i64,
    pub by: String,
}

#[derive(Clone, Debug, Default)]
pub struct Store {
    /// The store's clock, in milliseconds.
    pub now: i64,
    generation: Option<String>,
    seq: i64,
    floor: i64,
    members: BTreeMap<String, i64>,
    verdicts: BTreeMap<String, Verdict>,
    votes: BTreeMap<String, BTreeMap<String, i64>>,
    orders: BTreeMap<String, Order>,
    /// The lines published since they were last taken.
    pub published: Vec<String>,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::HalfOpen => "half-open",
            Self::Closed => "closed",
        }
    }
}

impl Store {
    /// Creates an empty store, whose clock says so many milliseconds.
    pub fn new(now: i64) -> Self {
        Self {
            now,
            ..Self::default()
        }
    }

    /// Loses everything, as `FLUSHALL` does.
    pub fn lose_all(&mut self) {
        *self = Self::new(self.now);
    }

    /// A heartbeat that hears again of all that is not closed.
    pub fn sync(
        &mut self,
        asker: &Asker,
        known: i64,
        quorum: Quorum,
        opinions: &[Opinion],
    ) -> Vec<String> {
        self.sync_newer(asker, known, 0, quorum, opinions)
    }

    /// A heartbeat; `known_open` is `known`, or zero to hear again of all that is not closed.
    pub fn sync_newer(
        &mut self,
        asker: &Asker,
        known: i64,
        known_open: i64,
        quorum: Quorum,
        opinions: &[Opinion],
    ) -> Vec<String> {
        self.begin(asker);
        let mut lines = Vec::new();
        for opinion in opinions {
            let (count, _) = self.cast(asker, false, quorum, opinion);
            lines.extend(count);
        }
        let is_heard = |verdict: &Verdict| match verdict.state {
            State::Closed => verdict.epoch > known,
            State::Open | State::HalfOpen => verdict.epoch > known_open,
        };
        let heard = self.verdicts.values().filter(|verdict| is_heard(verdict));
        let names: Vec<_> = heard.map(|verdict| verdict.name.clone()).collect();
        for name in names {
            let verdict = self.read(&name);
            lines.extend(verdict.map(|verdict| self.line(&verdict)));
        }
        for (name, order) in self.orders.clone() {
            let (line, rest) = self.order_line(&name, &order);
            if rest == 0 {
                self.orders.remove(&name);
            } else {
                lines.push(line);
            }
        }
        lines.insert(0, self.general());
        lines
    }

    pub fn vote(&mut self, asker: &Asker, quorum: Quorum, opinion: &Opinion) -> Vec<String> {
        self.begin(asker);
        let (count, verdict) = self.cast(asker, true, quorum, opinion);
        let mut lines = vec![self.general()];
        lines.extend(count);
        lines.extend(verdict.map(|verdict| self.line(&verdict)));
        lines
    }

    pub fn unvote(&mut self, asker: &Asker, name: &str) -> Vec<String> {
        self.begin(asker);
        if let Some(votes) = self.votes.get_mut(name) {
            votes.remove(&asker.member);
        }
        vec![self.general(), "A".to_owned()]
    }

    pub fn lease(&mut self, asker: &Asker, name: &str, token: &str, term: i64) -> Vec<String> {
        self.begin(asker);
        let verdict = self.read(name);
        let Some(mut verdict) = verdict.filter(|verdict| verdict.state != State::Closed) else {
            let mut lines = vec![self.general(), "L closed".to_owned()];
            lines.extend(self.read(name).map(|verdict| self.line(&verdict)));
            return lines;
        };
        let answer = if self.is_open(&verdict) {
            format!("L early {}", self.rest(verdict.at, verdict.wait))
        } else if self.is_leased(&verdict) && verdict.token != token {
            format!("L denied {}", self.rest(verdict.lease_at, verdict.term))
        } else {
            if !self.is_leased(&verdict) {
                verdict.state = State::HalfOpen;
                token.clone_into(&mut verdict.token);
                verdict.prober.clone_from(&asker.member);
                verdict.term = term;
                verdict.lease_at = self.now + term;
                verdict = self.change(verdict);
            }
            format!("L granted {} {}", verdict.term, verdict.token)
        };
        vec![self.general(), answer, self.line(&verdict)]
    }

    pub fn renew(&mut self, asker: &Asker, name: &str, token: &str, term: i64) -> Vec<String> {
        self.begin(asker);
        let mut verdict = match self.held(name, token) {
            Ok(verdict) => verdict,
            Err(refusal) => return refusal,
        };
        verdict.term = term;
        verdict.lease_at = self.now + term;
        self.verdicts.insert(name.to_owned(), verdict.clone());
        vec![self.general(), "A".to_owned(), self.line(&verdict)]
    }

    pub fn report(
        &mut self,
        asker: &Asker,
        token: &str,
        has_succeeded: bool,
        opinion: &Opinion,
    ) -> Vec<String> {
        self.begin(asker);
        let verdict = match self.held(&opinion.name, token) {
            Ok(verdict) => verdict,
            Err(refusal) => return refusal,
        };
        let verdict = if has_succeeded {
            self.close(verdict)
        } else {
            self.open(asker, Some(&verdict), opinion)
        };
        vec![self.general(), "A".to_owned(), self.line(&verdict)]
    }

    pub fn abandon(&mut self, asker: &Asker, name: &str, token: &str) -> Vec<String> {
        self.begin(asker);
        let Ok(mut verdict) = self.held(name, token) else {
            return vec![self.general(), "R".to_owned()];
        };
        verdict.state = State::Open;
        verdict.at = self.now;
        "-".clone_into(&mut verdict.token);
        "-".clone_into(&mut verdict.prober);
        verdict.lease_at = 0;
        verdict.term = 0;
        let verdict = self.change(verdict);
        vec![self.general(), "A".to_owned(), self.line(&verdict)]
    }

    /// Orders `open`, `closed` or `released`; a term of zero has no end.
    pub fn order(&mut self, asker: &Asker, name: &str, kind: &str, term: i64) -> Vec<String> {
        self.begin(asker);
        self.seq += 1;
        let line = if kind == "released" {
            self.orders.remove(name);
            format!("O {} released 0 {} {name}", self.seq, asker.member)
        } else {
            let order = Order {
                epoch: self.seq,
                kind: kind.to_owned(),
                at: self.now + term,
                term,
                by: asker.member.clone(),
            };
            self.orders.insert(name.to_owned(), order.clone());
            self.order_line(name, &order).0
        };
        self.published.push(line.clone());
        vec![self.general(), line]
    }

    pub fn reassert(
        &mut self,
        asker: &Asker,
        known: i64,
        verdicts: &[ToldVerdict],
        orders: &[ToldOrder],
    ) -> Vec<String> {
        self.begin(asker);
        self.seq = self.seq.max(known);
        for told in verdicts {
            let current = self.read(&told.name);
            let is_leased = told.state == State::HalfOpen;
            let is_newer = current.is_none_or(|current| {
                let is_lease =
                    told.epoch == current.epoch && is_leased && current.state == State::Open;
                told.epoch > current.epoch || is_lease
            });
            if is_newer {
                let verdict = Verdict {
                    name: told.name.clone(),
                    epoch: told.epoch,
                    state: told.state,
                    at: match told.state {
                        State::Open => self.now + told.rest.min(told.wait),
                        State::HalfOpen | State::Closed => 0,
                    },
                    wait: told.wait,
                    openings: told.openings,
                    reset: told.reset,
                    by: told.by.clone(),
                    prober: told.prober.clone(),
                    cause: told.cause.clone(),
                    token: told.token.clone(),
                    lease_at: if is_leased { self.now + told.rest } else { 0 },
                    term: if is_leased { told.rest } else { 0 },
                };
                self.write(&verdict);
            }
        }
        if known >= self.floor {
            self.floor = known;
            for told in orders {
                let current = self.orders.get(&told.name);
                if current.is_none_or(|current| told.epoch > current.epoch) {
                    let term = told.rest.max(0);
                    let order = Order {
                        epoch: told.epoch,
                        kind: told.kind.clone(),
                        at: self.now + term,
                        term,
                        by: told.by.clone(),
                    };
                    self.orders.insert(told.name.clone(), order);
                }
            }
            let told: BTreeSet<_> = orders.iter().map(|told| told.name.as_str()).collect();
            self.orders
                .retain(|name, order| told.contains(name.as_str()) || order.epoch > known);
        }
        vec![self.general(), "A".to_owned()]
    }

    /// Returns the current verdict on a name.
    pub fn verdict(&mut self, name: &str) -> Option<Verdict> {
        self.read(name)
    }

    fn begin(&mut self, asker: &Asker) {
        self.generation
            .get_or_insert_with(|| asker.generation.clone());
        let now = self.now;
        self.members.insert(asker.member.clone(), now);
        self.members.retain(|_, at| is_near(*at, now));
    }

    fn general(&self) -> String {
        let generation = self.generation.as_deref().unwrap_or_default();
        format!("G {} {} {generation}", self.seq, self.members.len())
    }

    fn read(&mut self, name: &str) -> Option<Verdict> {
        let now = self.now;
        let verdict = self.verdicts.get_mut(name)?;
        verdict.at = verdict.at.min(now + verdict.wait);
        verdict.lease_at = verdict.lease_at.min(now + verdict.term);
        Some(verdict.clone())
    }

    fn held(&mut self, name: &str, token: &str) -> Result<Verdict, Vec<String>> {
        let verdict = self.read(name);
        match verdict {
            Some(verdict) if verdict.state == State::HalfOpen && verdict.token == token => {
                Ok(verdict)
            }
            other => {
                let mut lines = vec![self.general(), "R".to_owned()];
                lines.extend(other.map(|verdict| self.line(&verdict)));
                Err(lines)
            }
        }
    }

    fn is_open(&self, verdict: &Verdict) -> bool {
        verdict.state == State::Open && verdict.at > self.now
    }

    fn is_leased(&self, verdict: &Verdict) -> bool {
        verdict.state == State::HalfOpen && verdict.lease_at > self.now
    }

    fn rest(&self, at: i64, whole: i64) -> i64 {
        (at - self.now).min(whole).max(0)
    }

    fn line(&self, verdict: &Verdict) -> String {
        let rest = match verdict.state {
            State::Open => self.rest(verdict.at, verdict.wait),
            State::HalfOpen => self.rest(verdict.lease_at, verdict.term),
            State::Closed => 0,
        };
        format!(
            "V {} {} {rest} {} {} {} {} {} {} {}",
            verdict.epoch,
            verdict.state.as_str(),
            verdict.wait,
            verdict.openings,
            verdict.reset,
            verdict.by,
            verdict.prober,
            verdict.cause,
            verdict.name,
        )
    }

    fn order_line(&mut self, name: &str, order: &Order) -> (String, i64) {
        let rest = if order.term == 0 {
            -1
        } else {
            self.rest(order.at, order.term)
        };
        if rest >= 0 && order.at - self.now > rest {
            let at = self.now + rest;
            let order = Order {
                at,
                ..order.clone()
            };
            self.orders.insert(name.to_owned(), order);
        }
        let line = format!(
            "O {} {} {rest} {} {name}",
            order.epoch, order.kind, order.by
        );
        (line, rest)
    }

    fn write(&mut self, verdict: &Verdict) {
        self.verdicts.insert(verdict.name.clone(), verdict.clone());
        let line = self.line(verdict);
        self.published.push(line);
    }

    fn change(&mut self, mut verdict: Verdict) -> Verdict {
        self.seq += 1;
        verdict.epoch = self.seq;
        self.write(&verdict);
        verdict
    }

    fn open(&mut self, asker: &Asker, current: Option<&Verdict>, opinion: &Opinion) -> Verdict {
        let openings = current
            .filter(|current| current.state != State::Closed)
            .map_or(0, |current| current.openings);
        let doubled = opinion.reset.saturating_mul(1 << openings.min(30));
        let wait = opinion.wait.max(doubled.min(opinion.max_reset));
        self.change(Verdict {
            name: opinion.name.clone(),
            epoch: 0,
            state: State::Open,
            at: self.now + wait,
            wait,
            openings: openings + 1,
            reset: opinion.reset,
            by: asker.member.clone(),
            prober: "-".to_owned(),
            cause: opinion.cause.clone(),
            token: "-".to_owned(),
            lease_at: 0,
            term: 0,
        })
    }

    fn close(&mut self, mut verdict: Verdict) -> Verdict {
        verdict.state = State::Closed;
        verdict.at = 0;
        verdict.wait = 0;
        verdict.openings = 0;
        "-".clone_into(&mut verdict.token);
        verdict.lease_at = 0;
        verdict.term = 0;
        self.votes.remove(&verdict.name);
        self.change(verdict)
    }

    fn cast(
        &mut self,
        asker: &Asker,
        is_new: bool,
        quorum: Quorum,
        opinion: &Opinion,
    ) -> (Option<String>, Option<Verdict>) {
        let name = &opinion.name;
        let mut current = self.read(name);
        let is_refused = current
            .as_ref()
            .is_some_and(|current| current.epoch > opinion.known || self.is_leased(current));
        if is_refused {
            return (None, current);
        }
        let now = self.now;
        let votes = self.votes.entry(name.clone()).or_default();
        votes.insert(asker.member.clone(), now + opinion.wait + VOTE_GRACE);
        let members = &self.members;
        votes.retain(|member, at| *at > now && members.contains_key(member));
        let count = i64::try_from(votes.len()).unwrap_or(i64::MAX);
        let needed = self.needed(quorum);
        let may_open = match &current {
            None => true,
            Some(current) if current.state == State::Closed => true,
            Some(current) => is_new && !self.is_open(current),
        };
        if count >= needed && may_open {
            current = Some(self.open(asker, current.as_ref(), opinion));
        }
        (Some(format!("Q {count} {needed} {name}")), current)
    }

    fn needed(&self, quorum: Quorum) -> i64 {
        let live = self.members.len() as i64;
        match quorum {
            Quorum::Any => 1,
            Quorum::AtLeast(members) => members.min(live).max(1),
            Quorum::Fraction(share) => ((live as f64 * share).ceil() as i64).max(1),
        }
    }
}

fn is_near(at: i64, now: i64) -> bool {
    at > now - MEMBER_TTL && at < now + MEMBER_TTL
}

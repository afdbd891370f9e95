//! The scripts that run in the store, each at once and alone.

pub(crate) mod answer;

use std::sync::Arc;
use std::time::Duration;

use circuit_runtime::State;
use redis::{Script, ScriptInvocation};

use crate::keys::Keys;
use crate::quorum::Quorum;

/// The version of the keys and of what they hold.
pub(crate) const SCHEMA: u32 = 1;

macro_rules! script {
    ($name:literal) => {
        Script::new(concat!(include_str!("common.lua"), include_str!($name)))
    };
}

/// The opinion of this process that a service is down.
#[derive(Clone, Debug)]
pub(crate) struct Opinion {
    pub(crate) name: Arc<str>,
    /// The epoch of the latest verdict that was heard.
    pub(crate) known: u64,
    pub(crate) wait: Duration,
    pub(crate) reset: Duration,
    pub(crate) max_reset: Option<Duration>,
    pub(crate) cause: Arc<str>,
}

/// A verdict, told to a store that has lost it.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) verdict: answer::Verdict,
    /// The token of this process's own lease.
    pub(crate) token: Option<Arc<str>>,
}

/// A question to the store.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    Sync {
        known: u64,
        /// The same, or zero to hear again of all that is not closed.
        known_open: u64,
        opinions: Vec<Opinion>,
    },
    Vote(Opinion),
    Unvote {
        name: Arc<str>,
    },
    Lease {
        name: Arc<str>,
        token: Arc<str>,
        term: Duration,
    },
    Renew {
        name: Arc<str>,
        token: Arc<str>,
        term: Duration,
    },
    Report {
        token: Arc<str>,
        has_succeeded: bool,
        opinion: Opinion,
    },
    Abandon {
        name: Arc<str>,
        token: Arc<str>,
    },
    Order {
        name: Arc<str>,
        to: Option<State>,
        term: Option<Duration>,
        /// The number of the caller that waits for the answer.
        caller: u64,
    },
    Reassert {
        known: u64,
        verdicts: Vec<Told>,
        orders: Vec<answer::OrderLine>,
    },
}

/// The member that asks, and the quorum it wants.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    pub(crate) member: Arc<str>,
    /// The generation to begin where the store has none.
    pub(crate) generation: String,
    pub(crate) quorum: Quorum,
}

/// All scripts, with their hashes.
#[derive(Debug)]
pub(crate) struct Scripts {
    sync: Script,
    vote: Script,
    unvote: Script,
    lease: Script,
    renew: Script,
    report: Script,
    abandon: Script,
    order: Script,
    reassert: Script,
}

impl Scripts {
    pub(crate) fn new() -> Self {
        Self {
            sync: script!("sync.lua"),
            vote: script!("vote.lua"),
            unvote: script!("unvote.lua"),
            lease: script!("lease.lua"),
            renew: script!("renew.lua"),
            report: script!("report.lua"),
            abandon: script!("abandon.lua"),
            order: script!("order.lua"),
            reassert: script!("reassert.lua"),
        }
    }

    /// Returns the call of the script for a request.
    pub(crate) fn invocation(
        &self,
        request: &Request,
        keys: &Keys,
        asker: &Asker,
    ) -> ScriptInvocation<'_> {
        let mut call = self.script(request).prepare_invoke();
        call.key(&keys.common()[..]);
        if let Some(name) = request.name() {
            call.key(&keys.for_name(name)[..]);
        }
        call.arg(SCHEMA).arg(&asker.generation).arg(&*asker.member);
        match request {
            Request::Sync {
                known,
                known_open,
                opinions,
            } => {
                call.arg(*known)
                    .arg(*known_open)
                    .arg(&asker.quorum.arguments()[..]);
                for opinion in opinions {
                    call.arg(&*opinion.name);
                    add_opinion(&mut call, opinion);
                }
            }
            Request::Vote(opinion) => {
                call.arg(&*opinion.name).arg(&asker.quorum.arguments()[..]);
                add_opinion(&mut call, opinion);
            }
            Request::Unvote { name } => {
                call.arg(&**name);
            }
            Request::Lease { name, token, term } | Request::Renew { name, token, term } => {
                call.arg(&**name).arg(&**token).arg(millis(*term));
            }
            Request::Report {
                token,
                has_succeeded,
                opinion,
            } => {
                let result = if *has_succeeded {
                    "succeeded"
                } else {
                    "failed"
                };
                call.arg(&*opinion.name).arg(&**token).arg(result);
                add_rules(&mut call, opinion);
            }
            Request::Abandon { name, token } => {
                call.arg(&**name).arg(&**token);
            }
            Request::Order { name, to, term, .. } => {
                let term = term.map_or(0, |term| millis(term).max(1));
                call.arg(&**name).arg(order_word(*to)).arg(term);
            }
            Request::Reassert {
                known,
                verdicts,
                orders,
            } => {
                call.arg(*known).arg(verdicts.len());
                for told in verdicts {
                    add_told(&mut call, told);
                }
                for order in orders {
                    let rest = order
                        .rest
                        .map_or_else(|| "-1".to_owned(), |rest| millis(rest).to_string());
                    call.arg(&*order.name)
                        .arg(order.epoch)
                        .arg(order_word(order.to));
                    call.arg(rest).arg(&*order.by);
                }
            }
        }
        call
    }

    fn script(&self, request: &Request) -> &Script {
        match request {
            Request::Sync { .. } => &self.sync,
            Request::Vote(_) => &self.vote,
            Request::Unvote { .. } => &self.unvote,
            Request::Lease { .. } => &self.lease,
            Request::Renew { .. } => &self.renew,
            Request::Report { .. } => &self.report,
            Request::Abandon { .. } => &self.abandon,
            Request::Order { .. } => &self.order,
            Request::Reassert { .. } => &self.reassert,
        }
    }
}

impl Request {
    /// Returns the name that this is about; `None` if it is about many.
    pub(crate) fn name(&self) -> Option<&Arc<str>> {
        match self {
            Self::Sync { .. } | Self::Reassert { .. } => None,
            Self::Vote(opinion) | Self::Report { opinion, .. } => Some(&opinion.name),
            Self::Unvote { name }
            | Self::Lease { name, .. }
            | Self::Renew { name, .. }
            | Self::Abandon { name, .. }
            | Self::Order { name, .. } => Some(name),
        }
    }
}

fn add_opinion(call: &mut ScriptInvocation<'_>, opinion: &Opinion) {
    call.arg(opinion.known);
    add_rules(call, opinion);
}

fn add_rules(call: &mut ScriptInvocation<'_>, opinion: &Opinion) {
    call.arg(millis(opinion.wait))
        .arg(millis(opinion.reset))
        .arg(opinion.max_reset.map_or(0, millis))
        .arg(&*opinion.cause);
}

fn add_told(call: &mut ScriptInvocation<'_>, told: &Told) {
    let verdict = &told.verdict;
    call.arg(&*verdict.name)
        .arg(verdict.epoch)
        .arg(verdict.state.to_string())
        .arg(millis(verdict.rest))
        .arg(millis(verdict.wait))
        .arg(verdict.openings)
        .arg(millis(verdict.reset))
        .arg(&*verdict.by)
        .arg(verdict.prober.as_deref().unwrap_or("-"))
        .arg(&*verdict.cause)
        .arg(told.token.as_deref().unwrap_or("-"));
}

fn order_word(to: Option<State>) -> String {
    to.map_or_else(|| "released".to_owned(), |to| to.to_string())
}

/// Returns whole milliseconds, rounded up: a wait is never shorter than its opener asks for.
fn millis(time: Duration) -> u64 {
    let whole = u64::try_from(time.as_millis()).unwrap_or(u64::MAX >> 12);
    let rounded = u64::from(!time.subsec_nanos().is_multiple_of(1_000_000));
    whole.saturating_add(rounded).min(u64::MAX >> 12)
}

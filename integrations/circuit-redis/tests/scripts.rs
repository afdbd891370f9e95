//! The scripts, compared with a plain reference under random operations.
//!
//! A real `redis-server` runs them; only its clock is replaced, by a key that the test sets.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test that cannot go on fails"
)]

mod model;
#[path = "support/server.rs"]
mod server;

use std::collections::HashMap;

use model::{Asker, Opinion, Quorum, State, Store, ToldOrder, ToldVerdict};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use server::Server;

const NAMES: [&str; 3] = ["shop::quote", "a name with spaces", "ключ[é]"];
const TOKENS: [&str; 3] = ["t1", "t2", "t3"];

macro_rules! script {
    ($name:literal) => {
        (
            $name,
            concat!(
                include_str!("../src/scripts/common.lua"),
                include_str!(concat!("../src/scripts/", $name, ".lua"))
            ),
        )
    };
}

const SCRIPTS: [(&str, &str); 9] = [
    script!("sync"),
    script!("vote"),
    script!("unvote"),
    script!("lease"),
    script!("renew"),
    script!("report"),
    script!("abandon"),
    script!("order"),
    script!("reassert"),
];

#[derive(Clone, Debug)]
enum Operation {
    /// The clock goes on, or is set back.
    Clock(i64),
    Lose,
    Sync(usize, i64, i64, Quorum, Vec<Opinion>),
    Vote(usize, Quorum, Opinion),
    Unvote(usize, usize),
    Lease(usize, usize, usize, i64),
    Renew(usize, usize, usize, i64),
    Report(usize, usize, bool, Opinion),
    Abandon(usize, usize, usize),
    Order(usize, usize, &'static str, i64),
    Reassert(usize, i64, Vec<ToldVerdict>, Vec<ToldOrder>),
}

fn quorum() -> impl Strategy<Value = Quorum> {
    prop_oneof![
        Just(Quorum::Any),
        (1..4_i64).prop_map(Quorum::AtLeast),
        prop_oneof![Just(0.5), Just(0.34), Just(1.0)].prop_map(Quorum::Fraction),
    ]
}

fn millis() -> impl Strategy<Value = i64> {
    prop_oneof![Just(1), 1..2_000_i64, Just(5_000)]
}

fn opinion() -> impl Strategy<Value = Opinion> {
    let max_reset = prop_oneof![Just(0), 1_000..20_000_i64];
    // Mostly up to date, and sometimes of an earlier epoch.
    let known = prop_oneof![3 => Just(i64::MAX >> 12), 1 => 0..20_i64];
    (0..NAMES.len(), known, millis(), millis(), max_reset).prop_map(
        |(name, known, wait, reset, max_reset)| Opinion {
            name: NAMES[name].to_owned(),
            known,
            wait,
            reset,
            max_reset,
            cause: "max_failures".to_owned(),
        },
    )
}

fn told_verdict() -> impl Strategy<Value = ToldVerdict> {
    let state = prop_oneof![
        Just(State::Open),
        Just(State::HalfOpen),
        Just(State::Closed)
    ];
    (
        0..NAMES.len(),
        1..30_i64,
        state,
        millis(),
        millis(),
        0..4_i64,
        0..3_usize,
    )
        .prop_map(
            |(name, epoch, state, rest, wait, openings, token)| ToldVerdict {
                name: NAMES[name].to_owned(),
                epoch,
                state,
                rest,
                wait,
                openings,
                reset: wait,
                by: "m9".to_owned(),
                prober: "m8".to_owned(),
                cause: "slow_rate".to_owned(),
                token: TOKENS[token].to_owned(),
            },
        )
}

fn told_order() -> impl Strategy<Value = ToldOrder> {
    let rest = prop_oneof![Just(-1), millis()];
    (0..NAMES.len(), 1..30_i64, rest).prop_map(|(name, epoch, rest)| ToldOrder {
        name: NAMES[name].to_owned(),
        epoch,
        kind: "open".to_owned(),
        rest,
        by: "m9".to_owned(),
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    let member = || 0..4_usize;
    let name = || 0..NAMES.len();
    let token = || 0..TOKENS.len();
    let kind = prop_oneof![Just("open"), Just("closed"), Just("released")];
    prop_oneof![
        6 => prop_oneof![0..3_000_i64, Just(20_000), Just(3_600_000), Just(-3_600_000)]
            .prop_map(Operation::Clock),
        1 => Just(Operation::Lose),
        6 => (member(), 0..20_i64, 0..20_i64, quorum(), prop::collection::vec(opinion(), 0..3))
            .prop_map(|(member, known, open, quorum, votes)| Operation::Sync(member, known, open, quorum, votes)),
        8 => (member(), quorum(), opinion())
            .prop_map(|(member, quorum, opinion)| Operation::Vote(member, quorum, opinion)),
        2 => (member(), name()).prop_map(|(member, name)| Operation::Unvote(member, name)),
        8 => (member(), name(), token(), millis())
            .prop_map(|(member, name, token, term)| Operation::Lease(member, name, token, term)),
        3 => (member(), name(), token(), millis())
            .prop_map(|(member, name, token, term)| Operation::Renew(member, name, token, term)),
        6 => (member(), token(), any::<bool>(), opinion()).prop_map(
            |(member, token, success, opinion)| Operation::Report(member, token, success, opinion)
        ),
        2 => (member(), name(), token())
            .prop_map(|(member, name, token)| Operation::Abandon(member, name, token)),
        3 => (member(), name(), kind, prop_oneof![Just(0), millis()])
            .prop_map(|(member, name, kind, term)| Operation::Order(member, name, kind, term)),
        2 => (
            member(),
            0..40_i64,
            prop::collection::vec(told_verdict(), 0..3),
            prop::collection::vec(told_order(), 0..3)
        )
            .prop_map(|(member, known, verdicts, orders)| {
                // A member tells each name once.
                let mut told: HashMap<String, ToldVerdict> = HashMap::new();
                told.extend(verdicts.into_iter().map(|told| (told.name.clone(), told)));
                let mut ordered: HashMap<String, ToldOrder> = HashMap::new();
                ordered.extend(orders.into_iter().map(|told| (told.name.clone(), told)));
                Operation::Reassert(
                    member,
                    known,
                    told.into_values().collect(),
                    ordered.into_values().collect(),
                )
            }),
    ]
}

/// The scripts in a real server, under a clock of the test's.
struct Scripts<'c> {
    connection: &'c mut redis::Connection,
    by_name: &'c HashMap<&'static str, redis::Script>,
    now: i64,
}

impl Scripts<'_> {
    fn run(
        &mut self,
        script: &str,
        asker: &Asker,
        name: Option<&str>,
        rest: &[String],
    ) -> Vec<String> {
        // The clock is lost with all other data.
        let clock = format!("{}", self.now);
        redis::cmd("SET")
            .arg("cbr:{t}:clock")
            .arg(clock)
            .exec(self.connection)
            .unwrap();
        let mut invocation = self.by_name[script].prepare_invoke();
        for key in ["seq", "m", "i", "o"] {
            invocation.key(format!("cbr:{{t}}:{key}"));
        }
        if let Some(name) = name {
            invocation.key(format!("cbr:{{t}}:b:{name}"));
        }
        invocation
            .arg("1")
            .arg(&asker.generation)
            .arg(&asker.member);
        for argument in rest {
            invocation.arg(argument);
        }
        let answer = invocation.invoke(self.connection);
        answer.unwrap_or_else(|error| panic!("{script}: {error}"))
    }
}

fn quorum_arguments(quorum: Quorum) -> [String; 2] {
    let (kind, value) = match quorum {
        Quorum::Any => ("any", "0".to_owned()),
        Quorum::AtLeast(members) => ("at-least", members.to_string()),
        Quorum::Fraction(share) => ("fraction", share.to_string()),
    };
    [kind.to_owned(), value]
}

fn opinion_arguments(opinion: &Opinion) -> [String; 6] {
    [
        opinion.name.clone(),
        opinion.known.to_string(),
        opinion.wait.to_string(),
        opinion.reset.to_string(),
        opinion.max_reset.to_string(),
        opinion.cause.clone(),
    ]
}

fn apply(store: &mut Store, scripts: &mut Scripts<'_>, count: usize, operation: &Operation) {
    let asker = |member: &usize| Asker {
        member: format!("m{member}"),
        generation: format!("g{count}"),
    };
    let (expected, actual) = match operation {
        Operation::Clock(by) => {
            store.now += by;
            scripts.now = store.now;
            return;
        }
        Operation::Lose => {
            store.lose_all();
            redis::cmd("FLUSHALL").exec(scripts.connection).unwrap();
            return;
        }
        Operation::Sync(member, known, open, quorum, opinions) => {
            let asker = asker(member);
            let mut arguments = vec![known.to_string(), open.to_string()];
            arguments.extend(quorum_arguments(*quorum));
            for opinion in opinions {
                arguments.extend(opinion_arguments(opinion));
            }
            (
                store.sync_newer(&asker, *known, *open, *quorum, opinions),
                scripts.run("sync", &asker, None, &arguments),
            )
        }
        Operation::Vote(member, quorum, opinion) => {
            let asker = asker(member);
            let [name, rest @ ..] = opinion_arguments(opinion);
            let mut arguments = vec![name];
            arguments.extend(quorum_arguments(*quorum));
            arguments.extend(rest);
            (
                store.vote(&asker, *quorum, opinion),
                scripts.run("vote", &asker, Some(&opinion.name), &arguments),
            )
        }
        Operation::Unvote(member, name) => {
            let (asker, name) = (asker(member), NAMES[*name]);
            (
                store.unvote(&asker, name),
                scripts.run("unvote", &asker, Some(name), &[name.to_owned()]),
            )
        }
        Operation::Lease(member, name, token, term) => {
            let (asker, name, token) = (asker(member), NAMES[*name], TOKENS[*token]);
            let arguments = [name.to_owned(), token.to_owned(), term.to_string()];
            (
                store.lease(&asker, name, token, *term),
                scripts.run("lease", &asker, Some(name), &arguments),
            )
        }
        Operation::Renew(member, name, token, term) => {
            let (asker, name, token) = (asker(member), NAMES[*name], TOKENS[*token]);
            let arguments = [name.to_owned(), token.to_owned(), term.to_string()];
            (
                store.renew(&asker, name, token, *term),
                scripts.run("renew", &asker, Some(name), &arguments),
            )
        }
        Operation::Report(member, token, has_succeeded, opinion) => {
            let (asker, token) = (asker(member), TOKENS[*token]);
            let result = if *has_succeeded {
                "succeeded"
            } else {
                "failed"
            };
            let [name, _, wait, reset, max_reset, cause] = opinion_arguments(opinion);
            let arguments = [
                name,
                token.to_owned(),
                result.to_owned(),
                wait,
                reset,
                max_reset,
                cause,
            ];
            (
                store.report(&asker, token, *has_succeeded, opinion),
                scripts.run("report", &asker, Some(&opinion.name), &arguments),
            )
        }
        Operation::Abandon(member, name, token) => {
            let (asker, name, token) = (asker(member), NAMES[*name], TOKENS[*token]);
            (
                store.abandon(&asker, name, token),
                scripts.run(
                    "abandon",
                    &asker,
                    Some(name),
                    &[name.to_owned(), token.to_owned()],
                ),
            )
        }
        Operation::Order(member, name, kind, term) => {
            let (asker, name) = (asker(member), NAMES[*name]);
            let arguments = [name.to_owned(), (*kind).to_owned(), term.to_string()];
            (
                store.order(&asker, name, kind, *term),
                scripts.run("order", &asker, Some(name), &arguments),
            )
        }
        Operation::Reassert(member, known, verdicts, orders) => {
            let asker = asker(member);
            let mut arguments = vec![known.to_string(), verdicts.len().to_string()];
            for told in verdicts {
                arguments.extend([
                    told.name.clone(),
                    told.epoch.to_string(),
                    told.state.as_str().to_owned(),
                    told.rest.to_string(),
                    told.wait.to_string(),
                    told.openings.to_string(),
                    told.reset.to_string(),
                    told.by.clone(),
                    told.prober.clone(),
                    told.cause.clone(),
                    told.token.clone(),
                ]);
            }
            for told in orders {
                arguments.extend([
                    told.name.clone(),
                    told.epoch.to_string(),
                    told.kind.clone(),
                    told.rest.to_string(),
                    told.by.clone(),
                ]);
            }
            (
                store.reassert(&asker, *known, verdicts, orders),
                scripts.run("reassert", &asker, None, &arguments),
            )
        }
    };
    assert_eq!(sorted(expected), sorted(actual), "answer to {operation:?}");
}

/// The general line first, and the others in any order.
fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

/// Publishes a message of the test's own.
fn mark(connection: &mut redis::Connection, message: &str) {
    let mut command = redis::cmd("PUBLISH");
    command.arg("cbr:{t}:ev").arg(message);
    command.exec(connection).unwrap();
}

fn received_until(channel: &mut redis::PubSub<'_>, end: &str) -> Vec<String> {
    let mut received = Vec::new();
    loop {
        let message: String = channel.get_message().unwrap().get_payload().unwrap();
        if message == end {
            return received;
        }
        received.push(message);
    }
}

#[test]
fn the_scripts_do_what_the_reference_does() {
    if server::is_missing() {
        return;
    }
    let server = Server::start();
    let mut connection = server.connection();
    let scripts: HashMap<_, _> = SCRIPTS
        .iter()
        .map(|(name, source)| {
            let own = source.replace("redis.call('TIME')", "{ 0, 0 }").replace(
                "local now = time[1] * 1000 + math.floor(time[2] / 1000)",
                "local now = tonumber(redis.call('GET', prefix .. 'clock'))",
            );
            assert!(!own.contains("TIME'") && own.contains("'clock'"));
            (*name, redis::Script::new(&own))
        })
        .collect();
    let mut subscriber = server.connection();
    let mut channel = subscriber.as_pubsub();
    channel.subscribe("cbr:{t}:ev").unwrap();

    let cases = std::env::var("PROPTEST_CASES").ok();
    let mut config = Config::with_cases(cases.and_then(|cases| cases.parse().ok()).unwrap_or(300));
    config.failure_persistence = None;
    let connection = std::cell::RefCell::new(&mut connection);
    let channel = std::cell::RefCell::new(channel);
    let operations = prop::collection::vec(operation(), 1..60);
    let result = TestRunner::new(config).run(&operations, |operations| {
        let mut connection = connection.borrow_mut();
        let mut channel = channel.borrow_mut();
        redis::cmd("FLUSHALL").exec(&mut **connection).unwrap();
        // Messages of a run that failed come before this.
        mark(&mut connection, "begin");
        received_until(&mut channel, "begin");
        let mut store = Store::new(1_000_000_000_000);
        let mut scripts = Scripts {
            connection: &mut connection,
            by_name: &scripts,
            now: store.now,
        };
        let mut published = Vec::new();
        for (count, operation) in operations.iter().enumerate() {
            apply(&mut store, &mut scripts, count, operation);
            published.append(&mut store.published);
        }
        mark(scripts.connection, "end");
        let received = received_until(&mut channel, "end");
        assert_eq!(published, received, "published");
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

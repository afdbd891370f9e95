//! The purpose of a fleet: one opens, all reject; one probes, all close.

use std::time::Instant;

use super::process::{Process, agree, is_short_run, open_all, probes};
use super::server::{self, Server};

/// The openings that are timed, in each of sixteen processes.
const ROUNDS: usize = 30;
/// The deadlines that processes race for.
const DEADLINES: u64 = 100;
/// Verdicts on leases that were given back unused, as those of a process that a busy machine has
/// kept from calling for a second.
const SPARE: u64 = 20;
/// The holders that are killed.
const KILLED: usize = 5;

fn wait_for_one_vote_of_two(process: &mut Process) {
    let is_it = |line: &str| line.contains("votes: 1, needed: 2");
    process.wait_until(is_it, "one vote of two");
}

/// Starts sixteen processes whose service is down, and which all call it.
fn start_sixteen_that_probe(server: &Server, variables: &[(&str, &str)]) -> Vec<Process> {
    let mut fleet = Process::fleet(16, &server.url(), variables);
    for process in &mut fleet {
        process.send("service down");
    }
    // Before anyone calls: one that fails by itself waits by itself until it hears of the verdict.
    open_all(&mut fleet);
    for process in &mut fleet {
        process.send("load 8");
    }
    fleet
}

#[test]
fn one_opens_and_all_reject() {
    if server::is_missing() {
        return;
    }
    let server = Server::start();
    let mut fleet = Process::fleet(3, &server.url(), &[("RESET", "60000")]);
    open_all(&mut fleet);
    let call = fleet[2].ask("call", "call");
    assert_eq!(call, "call rejected");
    let change = fleet[2].all("change");
    assert!(
        change[0].starts_with("change closed open fleet"),
        "{change:?}"
    );
}

#[test]
fn one_probes_and_all_close() {
    if server::is_missing() {
        return;
    }
    let server = Server::start();
    let mut fleet = Process::fleet(3, &server.url(), &[("RESET", "300"), ("DELAY", "20")]);
    for process in &mut fleet {
        process.send("load 2");
    }
    fleet[1].send("fail");
    for process in &mut fleet {
        process.wait_until(
            |line| line.starts_with("change") && line.contains(" open "),
            "open",
        );
        process.wait_until_closed();
    }
    agree(&mut fleet, "closed");
    let ran = probes(&fleet);
    assert_eq!(ran.len(), 1, "{ran:?}");
    assert!(ran[0].ends_with("true true"), "{ran:?}");
}

#[test]
fn a_process_below_the_quorum_is_open_for_itself_alone() {
    if server::is_missing() {
        return;
    }
    let server = Server::start();
    let variables = [("RESET", "60000"), ("QUORUM", "at-least 2")];
    let mut fleet = Process::fleet(3, &server.url(), &variables);
    fleet[0].send("fail");
    wait_for_one_vote_of_two(&mut fleet[0]);
    for process in &mut fleet[1..] {
        assert_eq!(process.ask("call", "call"), "call ok");
    }
    fleet[1].send("fail");
    agree(&mut fleet, "open");
}

#[test]
fn a_vote_that_is_withdrawn_does_not_count() {
    if server::is_missing() {
        return;
    }
    let server = Server::start();
    let variables = [("RESET", "60000"), ("QUORUM", "at-least 2")];
    let mut fleet = Process::fleet(3, &server.url(), &variables);
    fleet[0].send("fail");
    wait_for_one_vote_of_two(&mut fleet[0]);
    fleet[0].send("reset");
    let mut votes = redis::cmd("HLEN");
    votes.arg("cbr:{test}:v:shop::quote");
    while votes.query(&mut server.connection()) != Ok(0) {
        std::thread::yield_now();
    }
    fleet[1].send("fail");
    wait_for_one_vote_of_two(&mut fleet[1]);
    assert_eq!(fleet[2].ask("call", "call"), "call ok");
}

#[test]
fn a_member_alone_is_the_quorum() {
    if server::is_missing() {
        return;
    }
    let server = Server::start();
    let variables = [("RESET", "60000"), ("QUORUM", "at-least 2")];
    let mut fleet = Process::fleet(1, &server.url(), &variables);
    fleet[0].send("fail");
    fleet[0].wait("verdict 1 open m0");
}

/// One of two members has died: the other's vote, which was not enough, is enough then.
#[test]
fn the_quorum_shrinks_with_the_members() {
    if server::is_missing() || is_short_run() {
        return;
    }
    let server = Server::start();
    let variables = [("RESET", "60000"), ("QUORUM", "at-least 2")];
    let mut fleet = Process::fleet(2, &server.url(), &variables);
    fleet[0].send("fail");
    wait_for_one_vote_of_two(&mut fleet[0]);
    fleet[1].kill();
    fleet[0].wait("verdict 1 open m0");
}

#[test]
fn one_that_starts_later_hears_what_the_others_know() {
    if server::is_missing() {
        return;
    }
    let server = Server::start();
    let mut fleet = Process::fleet(1, &server.url(), &[("RESET", "60000")]);
    fleet[0].send("fail");
    fleet[0].wait("verdict 1 open m0");
    let mut late = Process::start(&server.url(), &[("MEMBER", "late")]);
    late.wait("change closed open fleet");
}

#[test]
fn a_circuit_that_is_not_shared_is_left_alone() {
    if server::is_missing() {
        return;
    }
    let server = Server::start();
    let variables = [("MEMBER", "x"), ("UNSHARED", "1")];
    let mut other = Process::start(&server.url(), &variables);
    other.wait("shared");
    let mut sharing = Process::start(&server.url(), &[("MEMBER", "m0")]);
    sharing.wait("shared");
    sharing.send("fail");
    other.wait("verdict 1 open m0");
    assert_eq!(other.ask("call", "call"), "call ok");
    other.send("fail");
    assert_eq!(other.ask("state", "state"), "state open none");
    assert!(other.all("event Voted").is_empty());
}

/// A fleet without callers does not probe, and the first that has one does.
#[test]
fn an_idle_process_does_not_take_the_probe() {
    if server::is_missing() {
        return;
    }
    let server = Server::start();
    let mut fleet = Process::fleet(3, &server.url(), &[("RESET", "200"), ("DELAY", "20")]);
    open_all(&mut fleet);
    // The wait is over long before; nobody has called.
    let begun = Instant::now();
    while begun.elapsed().as_millis() < 1_000 {
        assert_eq!(fleet[0].ask("state", "state"), "state open none");
    }
    fleet[2].send("load 1");
    for process in &mut fleet {
        process.wait_until_closed();
    }
    let ran = probes(&fleet);
    assert_eq!((ran.len(), fleet[2].all("ran").len()), (1, 1), "{ran:?}");
}

#[test]
fn rules_that_differ_are_shown_and_the_openers_wait_is_in_force() {
    if server::is_missing() {
        return;
    }
    let server = Server::start();
    let mut fleet = Process::fleet(1, &server.url(), &[("RESET", "700")]);
    let mut other = Process::start(&server.url(), &[("MEMBER", "x"), ("RESET", "60000")]);
    other.wait("shared");
    fleet[0].send("fail");
    let shown = other.wait("event RulesDiffer");
    assert!(shown.contains("theirs: 700ms, ours: 60s"), "{shown}");
    other.send("load 1");
    // Within the minute of its own rules.
    other.wait_until_closed();
}

/// The lease is renewed while the probe runs, for longer than its term.
#[test]
fn a_probe_that_takes_longer_than_the_lease_keeps_it() {
    if server::is_missing() || is_short_run() {
        return;
    }
    let server = Server::start();
    let mut fleet = Process::fleet(2, &server.url(), &[("RESET", "4500"), ("DELAY", "4000")]);
    open_all(&mut fleet);
    for process in &mut fleet {
        process.send("load 2");
    }
    for process in &mut fleet {
        let closed = process.wait_until_closed();
        assert!(closed.starts_with("verdict 3 "), "{closed}");
    }
    let ran = probes(&fleet);
    assert_eq!(ran.len(), 1, "{ran:?}");
}

/// Sixteen processes; 99 of 100 openings reach all of them within 100 ms.
#[test]
fn sixteen_processes_reject_within_a_tenth_of_a_second() {
    if server::is_missing() || is_short_run() {
        return;
    }
    let server = Server::start();
    let mut fleet = Process::fleet(16, &server.url(), &[("RESET", "50"), ("DELAY", "1")]);
    let mut delays = Vec::new();
    for round in 0..ROUNDS {
        let opener = round % fleet.len();
        for process in &mut fleet {
            process.skip();
        }
        fleet[opener].send("fail");
        let moments: Vec<u128> = fleet
            .iter_mut()
            .map(|process| {
                let line = process.wait("change closed open");
                line.rsplit(' ').next().unwrap().parse().unwrap()
            })
            .collect();
        let first = moments[opener];
        delays.extend(moments.iter().map(|at| at.saturating_sub(first)));
        fleet[opener].send("load 1");
        for process in &mut fleet {
            process.wait_until_closed();
        }
        fleet[opener].send("unload");
        agree(&mut fleet, "closed");
    }
    delays.sort_unstable();
    let p99 = delays[delays.len() * 99 / 100];
    let p50 = delays[delays.len() / 2];
    eprintln!(
        "one opens, all reject: p50 {p50} us, p99 {p99} us, of {} openings",
        delays.len()
    );
    assert!(p99 < 100_000, "{p99} us");
}

/// Sixteen processes with eight tasks each race for a hundred deadlines; one call probes at each.
#[test]
fn exactly_one_probes_at_each_deadline() {
    if server::is_missing() || is_short_run() {
        return;
    }
    let server = Server::start();
    let variables = [("RESET", "50"), ("DELAY", "5"), ("GRACE", "2000")];
    let mut fleet = start_sixteen_that_probe(&server, &variables);
    // Each lease and each opening is a verdict.
    let enough = |line: &str| {
        let epoch = line
            .strip_prefix("verdict ")
            .and_then(|rest| rest.split(' ').next());
        epoch.is_some_and(|epoch| epoch.parse::<u64>().unwrap() > 2 * DEADLINES + SPARE)
    };
    fleet[1].wait_until(enough, "two hundred verdicts");
    let mut counts = std::collections::BTreeMap::new();
    for ran in probes(&fleet) {
        let words: Vec<_> = ran.split(' ').collect();
        assert_eq!(words[2], "true", "without the lease: {ran}");
        *counts.entry(words[1].parse::<u64>().unwrap()).or_insert(0) += 1;
    }
    let twice: Vec<_> = counts.iter().filter(|(_, count)| **count != 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    let given_back = fleet
        .iter()
        .flat_map(|process| process.all("event Abandoned"));
    eprintln!(
        "{} probes, {} leases given back",
        counts.len(),
        given_back.count()
    );
    assert!(
        counts.len() >= usize::try_from(DEADLINES).unwrap(),
        "{counts:?}"
    );
}

/// Processes are killed while they have the lease. At no time are there two leases, and no probe
/// runs without one.
#[test]
fn at_most_one_probes_while_holders_are_killed() {
    if server::is_missing() || is_short_run() {
        return;
    }
    let is_lease = |line: &str| line.starts_with("verdict") && line.contains(" half-open ");
    let server = Server::start();
    let variables = [("RESET", "50"), ("DELAY", "20"), ("GRACE", "8000")];
    let mut fleet = start_sixteen_that_probe(&server, &variables);
    let mut ran = Vec::new();
    for _ in 0..KILLED {
        // The watcher is never killed: member 0 is first.
        fleet[0].skip();
        let line = fleet[0].wait_until(|line| is_lease(line) && !line.ends_with(" m0"), "a lease");
        let holder = line.rsplit(' ').next().unwrap();
        let index = fleet
            .iter()
            .position(|process| process.member() == holder)
            .unwrap();
        let mut killed = fleet.remove(index);
        killed.kill();
        ran.extend(killed.all("ran"));
        // Another one gets the lease once its term is over.
        fleet[0].wait_until(
            |line| is_lease(line) && !line.ends_with(&format!(" {holder}")),
            "the next lease",
        );
    }
    ran.extend(probes(&fleet));
    let mut epochs = std::collections::BTreeSet::new();
    for ran in ran {
        let words: Vec<_> = ran.split(' ').collect();
        assert_eq!(words[2], "true", "without the lease: {ran}");
        assert!(
            epochs.insert(words[1].to_owned()),
            "twice in one epoch: {ran}"
        );
    }
    // Those who were killed did not get to the end of theirs.
    assert!(!epochs.is_empty());
}

/// A million calls, closed and open: the store hears of none.
#[test]
fn calls_are_not_requests() {
    if server::is_missing() {
        return;
    }
    let server = Server::start();
    let mut fleet = Process::fleet(1, &server.url(), &[("RESET", "600000")]);
    let commands = || -> u64 {
        let info = redis::cmd("INFO")
            .arg("commandstats")
            .query::<String>(&mut server.connection());
        let calls = |line: &str| {
            let line = line.strip_prefix("cmdstat_evalsha:calls=")?;
            line.split(',').next()?.parse().ok()
        };
        info.unwrap().lines().find_map(calls).unwrap()
    };
    for _ in 0..2 {
        let begun = Instant::now();
        let before = commands();
        fleet[0].ask("calls 1000000", "calls");
        let asked = commands() - before;
        // Also those that were on their way when the calls began and ended.
        let heartbeats = begun.elapsed().as_secs() + 5;
        assert!(asked <= heartbeats, "{asked} requests in {heartbeats} s");
        if fleet[0].ask("state", "state") == "state closed none" {
            fleet[0].send("fail");
            fleet[0].wait("event Voted");
        }
    }
}

//! Faults of a store, a network or a process. Calls never notice, and the fleet agrees again.

use std::fs;
use std::time::{Duration, Instant, SystemTime};

use super::process::{Process, agree, is_short_run, open_all, start_late};
use super::proxy::Proxy;
use super::server::{self, Server};

/// A call that waited for a store that does not answer would take longer than this, in
/// microseconds. A busy machine delays a call, too, but not by as much as an answer's limit.
const MAX_CALL: u64 = 200_000;

/// Starts a store and two processes whose circuit stays open for a minute; `None` without a store.
fn start_two() -> Option<(Server, Vec<Process>)> {
    if server::is_missing() {
        return None;
    }
    let server = Server::start();
    let fleet = Process::fleet(2, &server.url(), &[("RESET", "60000")]);
    Some((server, fleet))
}

/// Calls a thousand times: none waits.
fn calls_do_not_wait(process: &mut Process) {
    let answer = process.ask("calls 1000", "calls");
    let longest: u64 = answer.rsplit(' ').next().unwrap().parse().unwrap();
    assert!(longest < MAX_CALL, "{answer}");
}

/// Begins when a failure has healed, and fails unless the fleet agrees within two seconds.
struct Healing(Instant);

impl Healing {
    fn begin() -> Self {
        Self(Instant::now())
    }

    fn end(self) {
        let time = self.0.elapsed();
        assert!(time < Duration::from_secs(2), "{time:?}");
    }
}

#[test]
fn a_store_that_is_never_reachable_leaves_local_breakers() {
    if server::is_missing() {
        return;
    }
    let port = server::free_port();
    let url = format!("redis://127.0.0.1:{port}");
    let mut process = Process::start(&url, &[("RESET", "200")]);
    calls_do_not_wait(&mut process);
    process.send("fail");
    process.wait_for_state("state open");
    calls_do_not_wait(&mut process);
    process.send("load 1");
    // It probes by itself.
    process.wait_until(|line| line.contains("probes_succeeded"), "closed");
    process.wait_for_status("status 0 Degraded");

    let server = Server::on(port, &["--save", ""], &[]);
    let healing = Healing::begin();
    process.wait("shared 1");
    healing.end();
    drop(server);
}

#[test]
fn a_store_that_comes_back_with_its_data_is_followed_again() {
    if server::is_missing() {
        return;
    }
    let mut server = Server::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let mut fleet = Process::fleet(2, &server.url(), &[("RESET", "60000")]);
    open_all(&mut fleet);
    server.kill();
    for process in &mut fleet {
        process.wait("degraded");
        assert_eq!(process.ask("call", "call"), "call rejected");
        calls_do_not_wait(process);
    }
    server.restart();
    let healing = Healing::begin();
    for process in &mut fleet {
        process.wait("shared");
    }
    healing.end();
    start_late(&server.url());
    for process in &fleet {
        assert!(process.all("event Reasserted").is_empty());
    }
}

#[test]
fn a_store_that_comes_back_without_its_data_is_told() {
    let Some((mut server, mut fleet)) = start_two() else {
        return;
    };
    open_all(&mut fleet);
    fleet[0].ask("hold closed 600000", "held Ok");
    for process in &mut fleet {
        process.wait_for_state("state closed Fleet true");
    }
    server.restart();
    let healing = Healing::begin();
    for process in &mut fleet {
        process.wait("event Reasserted");
        process.wait("shared");
    }
    healing.end();
    // The verdict and the order, with their epochs.
    let mut late = start_late(&server.url());
    late.wait_for_state("state closed Fleet true");
    assert_eq!(fleet[1].ask("release", "released"), "released Ok(())");
    agree(&mut fleet, "open none");
    let mut counter = redis::cmd("HGET");
    counter.arg("cbr:{test}:seq").arg("n");
    let epoch: u64 = counter.query(&mut server.connection()).unwrap();
    assert!(epoch >= 3, "{epoch}");
}

#[test]
fn a_frozen_store_is_noticed_and_followed_when_it_thaws() {
    let Some((server, mut fleet)) = start_two() else {
        return;
    };
    server.signal("STOP");
    for process in &mut fleet {
        calls_do_not_wait(process);
        process.wait("degraded no answer in time");
    }
    // It opens for itself; the opinion is told when the store is back.
    fleet[0].send("fail");
    fleet[0].wait_for_state("state open");
    calls_do_not_wait(&mut fleet[0]);
    assert_eq!(fleet[1].ask("call", "call"), "call ok");
    server.signal("CONT");
    let healing = Healing::begin();
    agree(&mut fleet, "open");
    healing.end();
}

/// While the store is away, one probes by itself. When it is back, the result holds for all.
#[test]
fn a_probe_of_one_alone_holds_for_all() {
    if server::is_missing() {
        return;
    }
    let server = Server::start();
    let mut fleet = Process::fleet(2, &server.url(), &[("RESET", "700"), ("DELAY", "5")]);
    open_all(&mut fleet);
    server.signal("STOP");
    for process in &mut fleet {
        process.wait("degraded");
    }
    fleet[0].send("load 1");
    fleet[0].wait_until(|line| line.contains("probes_succeeded"), "closed by itself");
    server.signal("CONT");
    let healing = Healing::begin();
    for process in &mut fleet {
        process.wait_until_closed();
    }
    agree(&mut fleet, "closed");
    healing.end();
    // A process with callers probes no more.
    assert!(fleet[1].all("ran").is_empty());
}

#[test]
fn a_slow_store_is_followed_slowly() {
    if server::is_missing() {
        return;
    }
    let server = Server::start();
    let proxy = Proxy::start(server.address());
    proxy.delay(Duration::from_millis(60));
    let mut fleet = Process::fleet(2, &proxy.url(), &[("RESET", "60000")]);
    for process in &mut fleet {
        calls_do_not_wait(process);
    }
    open_all(&mut fleet);
    for process in &mut fleet {
        calls_do_not_wait(process);
        assert!(process.all("degraded").is_empty());
    }
}

#[test]
fn one_that_is_cut_off_goes_on_alone_and_hears_what_it_missed() {
    if server::is_missing() {
        return;
    }
    let server = Server::start();
    let proxy = Proxy::start(server.address());
    let mut fleet = vec![
        Process::start(&server.url(), &[("MEMBER", "m0"), ("RESET", "60000")]),
        Process::start(&proxy.url(), &[("MEMBER", "m1"), ("RESET", "60000")]),
    ];
    for process in &mut fleet {
        process.wait("shared");
    }
    proxy.partition();
    fleet[1].wait("degraded");
    fleet[0].send("fail");
    fleet[0].wait("verdict 1 open m0");
    assert_eq!(fleet[1].ask("call", "call"), "call ok");
    calls_do_not_wait(&mut fleet[1]);
    proxy.heal();
    let healing = Healing::begin();
    fleet[1].wait("verdict 1 open m0");
    agree(&mut fleet, "open");
    healing.end();
}

#[test]
fn a_partition_of_one_direction_is_noticed() {
    if server::is_missing() {
        return;
    }
    let server = Server::start();
    let proxy = Proxy::start(server.address());
    let mut process = Process::start(&proxy.url(), &[]);
    process.wait("shared");
    for lose in [Proxy::lose_requests, Proxy::lose_answers] {
        lose(&proxy);
        process.wait("degraded");
        calls_do_not_wait(&mut process);
        proxy.heal();
        let healing = Healing::begin();
        process.wait("shared");
        healing.end();
    }
}

#[test]
fn scripts_that_the_store_has_forgotten_are_loaded_again() {
    let Some((server, mut fleet)) = start_two() else {
        return;
    };
    server.command(&["SCRIPT", "FLUSH"]).unwrap();
    open_all(&mut fleet);
    for process in &fleet {
        assert!(process.all("degraded").is_empty());
    }
}

#[test]
fn data_that_is_flushed_is_told_again() {
    let Some((server, mut fleet)) = start_two() else {
        return;
    };
    open_all(&mut fleet);
    server.command(&["FLUSHALL"]).unwrap();
    let healing = Healing::begin();
    for process in &mut fleet {
        process.wait("event Reasserted");
    }
    healing.end();
    start_late(&server.url());
}

#[test]
fn a_connection_that_is_killed_is_made_again() {
    let Some((server, mut fleet)) = start_two() else {
        return;
    };
    server
        .command(&["CLIENT", "KILL", "TYPE", "pubsub"])
        .unwrap();
    let healing = Healing::begin();
    for process in &mut fleet {
        process.wait("degraded");
        process.wait("shared");
    }
    healing.end();
    open_all(&mut fleet);
}

#[test]
fn a_store_without_memory_for_a_first_member_is_a_degraded_one() {
    if server::is_missing() {
        return;
    }
    let server = Server::start();
    server
        .command(&["CONFIG", "SET", "maxmemory", "1"])
        .unwrap();
    let mut process = Process::start(&server.url(), &[]);
    process.wait_until_status_contains("OOM");
    calls_do_not_wait(&mut process);
    server
        .command(&["CONFIG", "SET", "maxmemory", "0"])
        .unwrap();
    let healing = Healing::begin();
    process.wait("shared");
    healing.end();
}

/// The memory of a fleet is small, and changes in place.
#[test]
fn a_store_that_runs_out_of_memory_is_still_shared() {
    let Some((server, mut fleet)) = start_two() else {
        return;
    };
    server
        .command(&["CONFIG", "SET", "maxmemory", "1"])
        .unwrap();
    open_all(&mut fleet);
    for process in &mut fleet {
        calls_do_not_wait(process);
        let degraded = process.all("degraded");
        assert!(
            degraded.iter().all(|line| !line.contains("OOM")),
            "{degraded:?}"
        );
    }
}

#[test]
fn a_read_only_store_is_a_degraded_one_until_it_is_primary_again() {
    let Some((server, mut fleet)) = start_two() else {
        return;
    };
    let nobody = server::free_port().to_string();
    server
        .command(&["REPLICAOF", "127.0.0.1", &nobody])
        .unwrap();
    for process in &mut fleet {
        let degraded = process.wait("degraded");
        assert!(degraded.contains("ReadOnly"), "{degraded}");
        calls_do_not_wait(process);
    }
    server.command(&["REPLICAOF", "NO", "ONE"]).unwrap();
    let healing = Healing::begin();
    for process in &mut fleet {
        process.wait("shared");
    }
    healing.end();
    open_all(&mut fleet);
}

#[test]
fn a_user_without_permission_is_a_degraded_one() {
    if server::is_missing() {
        return;
    }
    let server = Server::start();
    server
        .command(&[
            "ACL",
            "SETUSER",
            "shop",
            "on",
            ">secret",
            "resetkeys",
            "+@all",
            "&*",
        ])
        .unwrap();
    let url = format!("redis://shop:secret@127.0.0.1:{}", server.port());
    let mut process = Process::start(&url, &[]);
    calls_do_not_wait(&mut process);
    process.wait_for_status("status 0 Degraded");
    process.wait_until_status_contains("NoPerm");
    // The permissions that the README lists.
    server
        .command(&[
            "ACL",
            "SETUSER",
            "shop",
            "on",
            ">secret",
            "reset",
            ">secret",
            "on",
            "~cbr:{test}:*",
            "&cbr:{test}:ev",
            "+@connection",
            "+@scripting",
            "+@hash",
            "+@sortedset",
            "+@keyspace",
            "+@pubsub",
            "+time",
            "-@dangerous",
        ])
        .unwrap();
    let healing = Healing::begin();
    process.wait("shared");
    healing.end();
}

#[test]
fn a_replica_that_is_promoted_knows_what_the_primary_knew() {
    if server::is_missing() {
        return;
    }
    let mut primary = Server::start();
    let replica = Server::start();
    // The address that leads to whichever is primary.
    let proxy = Proxy::start(primary.address());
    let port = primary.port().to_string();
    replica.command(&["REPLICAOF", "127.0.0.1", &port]).unwrap();
    let mut fleet = Process::fleet(2, &proxy.url(), &[("RESET", "60000")]);
    open_all(&mut fleet);
    let mut wait = redis::cmd("WAIT");
    wait.arg(1).arg(10_000);
    assert_eq!(wait.query(&mut primary.connection()), Ok(1));
    proxy.switch(replica.address());
    primary.kill();
    for process in &mut fleet {
        process.wait("degraded");
        calls_do_not_wait(process);
    }
    replica.command(&["REPLICAOF", "NO", "ONE"]).unwrap();
    let healing = Healing::begin();
    for process in &mut fleet {
        process.wait("shared");
        assert!(process.all("event Reasserted").is_empty());
    }
    healing.end();
    start_late(&proxy.url());
}

#[test]
fn one_that_dies_with_the_lease_does_not_keep_it() {
    if server::is_missing() || is_short_run() {
        return;
    }
    let server = Server::start();
    let variables = [("RESET", "200"), ("DELAY", "60000")];
    let mut dying = Process::start(
        &server.url(),
        &[&variables[..], &[("MEMBER", "dying")]].concat(),
    );
    dying.wait("shared");
    let variables = [("RESET", "200"), ("DELAY", "5"), ("MEMBER", "m1")];
    let mut other = Process::start(&server.url(), &variables);
    other.wait("shared");
    other.send("fail");
    dying.wait_for_state("state open");
    dying.send("load 1");
    dying.wait_until(
        |line| line.starts_with("verdict 2 half-open m1 dying"),
        "the lease",
    );
    other.send("load 1");
    dying.kill();
    let begun = Instant::now();
    other.wait_until(
        |line| line.starts_with("verdict") && line.ends_with("closed m1 m1"),
        "closed",
    );
    // The rest of its term, and the probe.
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}

/// A process stops while it probes. Meanwhile another has probed, and its result counts; that of
/// the first comes with a token that is not current any more.
#[test]
fn a_stale_result_of_one_that_was_stopped_is_not_counted() {
    if server::is_missing() || is_short_run() {
        return;
    }
    let server = Server::start();
    let variables = [("RESET", "200"), ("DELAY", "300"), ("MEMBER", "m0")];
    let mut stopped = Process::start(&server.url(), &variables);
    stopped.wait("shared");
    let variables = [("RESET", "60000"), ("DELAY", "5"), ("MEMBER", "m1")];
    let mut other = Process::start(&server.url(), &variables);
    other.wait("shared");
    stopped.send("fail");
    other.wait_for_state("state open");
    stopped.send("load 1");
    stopped.wait("change open half-open");
    stopped.signal("STOP");
    // It finds the service down.
    other.send("service down");
    other.send("load 1");
    let reopened = other.wait_until(
        |line| line.starts_with("verdict") && line.contains(" open m1 "),
        "reopened",
    );
    stopped.signal("CONT");
    stopped.wait(&reopened);
    stopped.wait_for_state("state open");
    assert_eq!(other.ask("state", "state"), "state open none");
    assert!(
        other
            .all("verdict")
            .iter()
            .all(|line| !line.contains("closed"))
    );
}

#[test]
fn a_network_that_is_broken_for_one_opens_one() {
    if server::is_missing() {
        return;
    }
    let server = Server::start();
    let variables = [("RESET", "300"), ("DELAY", "5"), ("QUORUM", "at-least 2")];
    let mut fleet = Process::fleet(3, &server.url(), &variables);
    fleet[0].send("service down");
    for process in &mut fleet {
        process.send("load 1");
    }
    for _ in 0..4 {
        fleet[0].wait("change half-open open probe_failed");
    }
    for process in &mut fleet[1..] {
        assert!(
            process.all("change").is_empty(),
            "{:?}",
            process.all("change")
        );
        assert_eq!(process.ask("state", "state"), "state closed none");
    }
    fleet[0].send("service up");
    agree(&mut fleet, "closed none");
}

#[test]
fn another_schema_is_left_alone_and_shown() {
    if server::is_missing() {
        return;
    }
    let server = Server::start();
    server
        .command(&[
            "HSET",
            "cbr:{test}:seq",
            "schema",
            "2",
            "generation",
            "g",
            "n",
            "9",
        ])
        .unwrap();
    let mut process = Process::start(&server.url(), &[]);
    process.wait_until_status_contains("Schema { theirs: \"2\", ours: 1 }");
    calls_do_not_wait(&mut process);
    let mut members = redis::cmd("EXISTS");
    members.arg("cbr:{test}:m");
    assert_eq!(members.query(&mut server.connection()), Ok(0));
    // The last of the other version has ended, and the store has forgotten it.
    server.command(&["DEL", "cbr:{test}:seq"]).unwrap();
    let healing = Healing::begin();
    process.wait("shared 1");
    healing.end();
}

#[test]
fn a_lost_push_is_repaired_within_a_heartbeat() {
    let Some((server, mut fleet)) = start_two() else {
        return;
    };
    // Written behind the back of all: nothing is published.
    let mut connection = server.connection();
    for command in [
        "HSET cbr:{test}:b:shop::quote epoch 7 state open at 99999999999999 wait 60000 openings 1 \
         reset 60000 by x prober - cause max_failures token - lease_at 0 term 0",
        "ZADD cbr:{test}:i 4503599627370503 shop::quote",
        "HSET cbr:{test}:seq n 7",
    ] {
        let mut words = command.split_whitespace();
        let mut command = redis::cmd(words.next().unwrap());
        words.for_each(|word| {
            command.arg(word);
        });
        command.exec(&mut connection).unwrap();
    }
    let begun = Instant::now();
    for process in &mut fleet {
        process.wait("verdict 7 open x");
    }
    // A second, and what a busy machine adds.
    assert!(
        begun.elapsed() < Duration::from_millis(1_500),
        "{:?}",
        begun.elapsed()
    );
}

/// The store's clock steps by an hour, forth and back.
#[test]
fn a_step_of_the_stores_clock_neither_closes_nor_keeps_open() {
    if server::is_missing() {
        return;
    }
    for step in ["3600", "-3600"] {
        let folder =
            std::env::temp_dir().join(format!("circuit-redis-{}{step}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let Some(library) = server::clock_library(&folder) else {
            server::skipped("a store's clock that steps, as that needs Linux and `cc`");
            return;
        };
        let offset = folder.join("offset");
        fs::write(&offset, "0").unwrap();
        let environment = [
            ("LD_PRELOAD", library.to_str().unwrap()),
            ("CLOCK_OFFSET_FILE", offset.to_str().unwrap()),
        ];
        let server = Server::on(server::free_port(), &["--save", ""], &environment);
        let mut fleet = Process::fleet(2, &server.url(), &[("RESET", "1500"), ("DELAY", "5")]);
        open_all(&mut fleet);
        fs::write(&offset, step).unwrap();
        let time: Vec<u64> = redis::cmd("TIME").query(&mut server.connection()).unwrap();
        let real = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap();
        assert!(
            time[0].abs_diff(real.as_secs()) > 3_000,
            "the clock has not stepped"
        );
        let begun = Instant::now();
        for process in &mut fleet {
            calls_do_not_wait(process);
            process.send("load 1");
        }
        for process in &mut fleet {
            process.wait_until_closed();
        }
        agree(&mut fleet, "closed");
        // At most the wait again, not an hour.
        assert!(
            begun.elapsed() < Duration::from_secs(6),
            "{step}: {:?}",
            begun.elapsed()
        );
        for process in &mut fleet {
            process.send("unload");
        }
        open_all(&mut fleet);
        let _ = fs::remove_dir_all(folder);
    }
}

/// A store without RESP3 pushes nothing, and is asked instead.
#[test]
fn a_store_without_pushes_is_asked_ten_times_a_second() {
    if server::is_missing() {
        return;
    }
    let server = Server::with(&["--save", "", "--rename-command", "HELLO", ""]);
    let mut fleet = Process::fleet(2, &server.url(), &[("RESET", "60000")]);
    let status = fleet[0].ask("status", "status");
    assert_eq!(status, "status 2 shared false");
    open_all(&mut fleet);
}

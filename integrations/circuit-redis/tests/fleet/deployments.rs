//! Stores of several servers, each behind its feature.

use super::process::{Process, open_all};
use super::server::{self, Server};

#[cfg(feature = "cluster")]
#[test]
fn a_fleet_shares_through_a_cluster() {
    if server::is_missing() {
        return;
    }
    let server = Server::with(&["--save", "", "--cluster-enabled", "yes"]);
    server
        .command(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"])
        .unwrap();
    let variables = [("RESET", "300"), ("DELAY", "5"), ("KIND", "cluster")];
    let mut fleet = Process::fleet(2, &server.url(), &variables);
    let status = fleet[0].ask("status", "status");
    assert_eq!(status, "status 2 shared true");
    open_all(&mut fleet);
    fleet[1].send("load 1");
    super::process::agree(&mut fleet, "closed");
    assert_eq!(fleet[1].all("ran").len(), 1);
    server.command(&["SCRIPT", "FLUSH"]).unwrap();
    fleet[0].send("fail");
    fleet[1].wait_until(|line| line.starts_with("verdict 4 open m0"), "open again");
}

/// The primary dies, and the sentinel promotes its replica.
#[cfg(feature = "sentinel")]
#[test]
fn a_fleet_follows_the_primary_that_a_sentinel_names() {
    if server::is_missing() || super::process::is_short_run() {
        return;
    }
    let mut primary = Server::start();
    let replica = Server::start();
    let port = primary.port().to_string();
    replica.command(&["REPLICAOF", "127.0.0.1", &port]).unwrap();
    let file = primary.folder().join("sentinel.conf");
    let rules = format!(
        "sentinel monitor shop-primary 127.0.0.1 {port} 1\n\
         sentinel down-after-milliseconds shop-primary 500\n\
         sentinel failover-timeout shop-primary 2000\n"
    );
    std::fs::write(&file, rules).unwrap();
    let sentinel = Server::with(&["--sentinel-file", file.to_str().unwrap()]);

    let variables = [("RESET", "60000"), ("KIND", "sentinel")];
    let mut fleet = Process::fleet(2, &sentinel.url(), &variables);
    open_all(&mut fleet);
    let mut wait = redis::cmd("WAIT");
    wait.arg(1).arg(10_000);
    assert_eq!(wait.query(&mut primary.connection()), Ok(1));
    // The sentinel hears of the replica from the primary.
    let knows_replica = || {
        let replicas = sentinel.command(&["SENTINEL", "REPLICAS", "shop-primary"]);
        let text = format!("{replicas:?}");
        text.contains(&replica.port().to_string()) && !text.contains("disconnected")
    };
    while !knows_replica() {
        std::thread::yield_now();
    }
    primary.kill();
    for process in &mut fleet {
        process.wait("degraded");
        assert_eq!(process.ask("call", "call"), "call rejected");
        process.wait("shared");
    }
    let mut late = Process::start(&sentinel.url(), &[("MEMBER", "late"), ("KIND", "sentinel")]);
    late.wait("verdict 1 open m0");
}

//! Orders of operators to a whole fleet.

use super::process::{Process, agree, open_all};
use super::server::{self, Server};

#[test]
fn an_order_holds_all_until_it_is_released() {
    if server::is_missing() {
        return;
    }
    let server = Server::start();
    let mut fleet = Process::fleet(2, &server.url(), &[]);
    assert_eq!(fleet[0].ask("hold open 0", "held"), "held Ok(())");
    for process in &mut fleet {
        process.wait_for_state("state open Fleet false");
    }
    let mut late = Process::start(&server.url(), &[("MEMBER", "late")]);
    late.wait_for_state("state open Fleet false");
    assert_eq!(fleet[1].ask("release", "released"), "released Ok(())");
    agree(&mut fleet, "closed none");
    late.wait_for_state("state closed none");
}

#[test]
fn an_order_goes_before_a_verdict_and_ends_by_time() {
    if server::is_missing() {
        return;
    }
    let server = Server::start();
    let mut fleet = Process::fleet(2, &server.url(), &[("RESET", "60000")]);
    open_all(&mut fleet);
    fleet[0].ask("hold closed 1500", "held Ok");
    for process in &mut fleet {
        process.wait_for_state("state closed Fleet true");
    }
    // Once the order has ended, the verdict is in force again.
    for process in &mut fleet {
        process.wait_for_state("state open none");
    }
}

/// A release that was not heard of is found by the next heartbeat.
#[test]
fn a_release_whose_push_is_lost_is_found() {
    if server::is_missing() {
        return;
    }
    let server = Server::start();
    let mut fleet = Process::fleet(2, &server.url(), &[]);
    fleet[0].ask("hold open 0", "held Ok");
    agree(&mut fleet, "open Fleet false");
    // As the script does it, but for the push.
    for release in [
        &["HINCRBY", "cbr:{test}:seq", "n", "1"][..],
        &["HDEL", "cbr:{test}:o", "shop::quote"],
    ] {
        server.command(release).unwrap();
    }
    agree(&mut fleet, "closed none");
}

#[test]
fn an_order_without_the_store_is_an_error() {
    if server::is_missing() {
        return;
    }
    let url = format!("redis://127.0.0.1:{}", server::free_port());
    let mut process = Process::start(&url, &[]);
    process.wait_for_status("status 0 Degraded");
    let held = process.ask("hold open 0", "held");
    assert!(held.starts_with("held Err(Unavailable"), "{held}");
}

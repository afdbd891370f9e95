//! Verdicts and orders of a fleet, delivered to the breaker of one process.

use std::task::Poll;
use std::time::Duration;

use crate::support::{
    Seen, advance, breaker, consecutive, fail, half_open, millis, pending_call, poll_once,
    reconfigure, retry_after, seconds, succeed, trip,
};
use circuit_runtime::remote::{Effect, Epoch, Probed, Remote};
use circuit_runtime::{
    Cause, CircuitBreaker, CircuitBreakers, Config, ConfigBuilder, HoldSource, State, registry,
};

use State::{Closed, HalfOpen, Open};

const RULES: ConfigBuilder = Config::builder().max_failures(3);
const GRACE: Duration = millis(250);

/// Creates a breaker that opens after three consecutive failures, for thirty seconds.
fn attached() -> (CircuitBreaker, Remote) {
    let breaker = consecutive();
    let remote = Remote::attach(&breaker);
    (breaker, remote)
}

/// Creates a breaker that the first verdict has opened, for ten seconds and the grace.
fn opened() -> (CircuitBreaker, Remote) {
    let (breaker, remote) = attached();
    assert_eq!(remote.open_for(Epoch(1), seconds(10), 0), Effect::Applied);
    (breaker, remote)
}

/// Creates a breaker with these rules that has the lease since the first verdict.
async fn leased(rules: ConfigBuilder) -> (CircuitBreaker, Remote) {
    let breaker = breaker(rules);
    let remote = Remote::attach(&breaker);
    assert_eq!(remote.open_for(Epoch(1), seconds(10), 0), Effect::Applied);
    advance(seconds(10)).await;
    assert_eq!(remote.half_open_now(Epoch(1)), Effect::Applied);
    assert_eq!(breaker.state(), HalfOpen);
    (breaker, remote)
}

fn hold(breaker: &CircuitBreaker) -> Option<(State, HoldSource, Option<Duration>)> {
    let hold = breaker.snapshot().hold?;
    Some((hold.to, hold.source, hold.ends_in))
}

#[tokio::test(start_paused = true)]
async fn an_opening_is_reported_once_with_its_cause_and_its_wait() {
    let (breaker, remote) = attached();
    let seen = Seen::default();
    let _subscription = seen.listen(&breaker);
    fail(&breaker);
    assert_eq!(remote.open_for(Epoch(1), seconds(10), 0), Effect::Applied);
    let [opened] = &seen.take()[..] else { panic!() };
    assert_eq!((opened.from, opened.to), (Closed, Open));
    assert_eq!(opened.cause, Cause::Fleet);
    assert_eq!(opened.retry_after, Some(seconds(10) + GRACE));
    assert_eq!(opened.window, None);
    assert_eq!(breaker.snapshot().opened, 1);
    assert_eq!(retry_after(&breaker), Some(seconds(10) + GRACE));

    assert_eq!(remote.open_for(Epoch(1), seconds(10), 0), Effect::Unchanged);
    assert_eq!(seen.briefs(), []);
}

#[tokio::test(start_paused = true)]
async fn without_news_the_circuit_is_half_open_once_the_grace_is_over() {
    let (breaker, _remote) = opened();
    advance(seconds(10)).await;
    assert_eq!(breaker.state(), Open, "the grace");
    advance(millis(249)).await;
    assert_eq!(breaker.state(), Open);
    advance(millis(1)).await;
    assert_eq!(breaker.state(), HalfOpen);
    succeed(&breaker);
    assert_eq!(breaker.state(), Closed);
}

#[tokio::test(start_paused = true)]
async fn the_grace_can_be_set() {
    let breaker = consecutive();
    let remote = Remote::attach(&breaker).with_grace(seconds(2));
    remote.open_for(Epoch(1), seconds(10), 0);
    assert_eq!(retry_after(&breaker), Some(seconds(12)));
    remote.wait(Epoch(1), seconds(5));
    assert_eq!(retry_after(&breaker), Some(seconds(7)));
    let remote = remote.with_grace(Duration::MAX);
    remote.open_for(Epoch(2), seconds(10), 0);
    assert!(retry_after(&breaker) > Some(seconds(1_000_000_000)));
}

#[tokio::test(start_paused = true)]
async fn the_jitter_of_the_rules_spreads_what_a_verdict_sets() {
    let waits = (0..100).map(|_| {
        let breaker = breaker(RULES.jitter(0.5));
        Remote::attach(&breaker).open_for(Epoch(1), seconds(10), 0);
        retry_after(&breaker).unwrap()
    });
    let waits: Vec<_> = waits.collect();
    let least = seconds(10) + GRACE;
    assert!(
        waits
            .iter()
            .all(|&wait| least <= wait && wait <= least * 3 / 2)
    );
    assert!(waits.iter().any(|&wait| wait > least * 5 / 4));
    assert!(waits.iter().any(|&wait| wait < least * 5 / 4));
}

#[tokio::test(start_paused = true)]
async fn the_process_with_the_lease_probes_and_closes() {
    let (breaker, remote) = opened();
    let seen = Seen::default();
    let _subscription = seen.listen(&breaker);
    advance(seconds(10)).await;
    breaker.try_acquire().unwrap_err();
    assert_eq!(remote.half_open_now(Epoch(1)), Effect::Applied);
    assert_eq!(breaker.state(), HalfOpen);
    assert_eq!(seen.briefs(), [], "until the first probe");
    let probe = breaker.try_acquire().unwrap();
    breaker.try_acquire().unwrap_err();
    assert!(poll_once(remote.probed()).is_pending());
    probe.success();
    assert_eq!(poll_once(remote.probed()), Poll::Ready(Probed::Succeeded));
    assert!(poll_once(remote.probed()).is_pending(), "once");
    assert_eq!(
        seen.briefs(),
        [
            (Open, HalfOpen, Cause::WaitOver),
            (HalfOpen, Closed, Cause::ProbesSucceeded)
        ]
    );
    assert_eq!(remote.close(Epoch(2)), Effect::Unchanged);
}

#[tokio::test(start_paused = true)]
async fn a_failed_probe_doubles_the_wait_of_the_fleet() {
    let rules = RULES.reset(seconds(10)).max_reset(seconds(60));
    let breaker = breaker(rules);
    let remote = Remote::attach(&breaker);
    // Two processes have probed before.
    remote.open_for(Epoch(5), seconds(40), 2);
    assert_eq!(breaker.snapshot().reopenings, 2);
    advance(seconds(40)).await;
    remote.half_open_now(Epoch(5));
    assert_eq!(breaker.snapshot().reopenings, 2);
    fail(&breaker);
    let failed = Probed::Failed {
        wait: seconds(60),
        reopenings: 3,
    };
    assert_eq!(poll_once(remote.probed()), Poll::Ready(failed));
    assert_eq!(
        breaker.snapshot().last_change.unwrap().cause,
        Cause::ProbeFailed
    );
    assert_eq!(remote.own_wait(), Some(seconds(60)), "until the verdict");
    assert_eq!(remote.open_for(Epoch(6), seconds(60), 3), Effect::Applied);
    assert_eq!(remote.own_wait(), None);
    assert_eq!(breaker.snapshot().reopenings, 3);
    assert_eq!(breaker.snapshot().opened, 2);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_waits_for_the_probes_is_woken() {
    let (breaker, remote) = leased(RULES).await;
    let waits = tokio::spawn(async move { remote.probed().await });
    tokio::task::yield_now().await;
    succeed(&breaker);
    assert_eq!(waits.await.unwrap(), Probed::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn the_probes_succeed_when_the_ramp_begins() {
    let (breaker, remote) = leased(RULES.ramp(seconds(100)).probes(2)).await;
    succeed(&breaker);
    assert!(poll_once(remote.probed()).is_pending(), "one of two");
    succeed(&breaker);
    assert_eq!(poll_once(remote.probed()), Poll::Ready(Probed::Succeeded));
    assert!(breaker.snapshot().ramp.is_some());
    assert_eq!(remote.close(Epoch(2)), Effect::Unchanged);
    assert!(breaker.snapshot().ramp.is_some(), "its own ramp goes on");
}

#[tokio::test(start_paused = true)]
async fn an_order_or_a_verdict_supersedes_the_probes() {
    let ends: [fn(&CircuitBreaker, &Remote); 4] = [
        |breaker, _| breaker.reset(),
        |breaker, _| breaker.force_open(),
        |_, remote| _ = remote.wait(Epoch(1), seconds(5)),
        |_, remote| _ = remote.close(Epoch(2)),
    ];
    for end in ends {
        let (breaker, remote) = leased(RULES).await;
        let probe = breaker.try_acquire().unwrap();
        end(&breaker, &remote);
        probe.success();
        assert_eq!(poll_once(remote.probed()), Poll::Ready(Probed::Superseded));
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_is_denied_the_lease_waits_for_its_rest() {
    let (breaker, remote) = opened();
    advance(seconds(10)).await;
    assert_eq!(remote.wait(Epoch(1), seconds(20)), Effect::Applied);
    assert_eq!(retry_after(&breaker), Some(seconds(20) + GRACE));
    advance(seconds(5)).await;
    // The lease is renewed, and later passes to this process.
    assert_eq!(remote.wait(Epoch(1), seconds(20)), Effect::Applied);
    assert_eq!(retry_after(&breaker), Some(seconds(20) + GRACE));
    assert_eq!(remote.half_open_now(Epoch(1)), Effect::Applied);
    let probe = breaker.try_acquire().unwrap();
    // It was too slow, and another process has the lease.
    assert_eq!(remote.wait(Epoch(1), seconds(20)), Effect::Applied);
    probe.success();
    assert_eq!(breaker.state(), Open);
    assert_eq!(breaker.snapshot().last_change.unwrap().cause, Cause::Fleet);
    assert_eq!(breaker.snapshot().opened, 2);
}

#[tokio::test(start_paused = true)]
async fn a_circuit_that_was_not_called_since_its_wait_was_over_waits_without_an_event() {
    let (breaker, remote) = opened();
    advance(seconds(11)).await;
    assert_eq!(breaker.state(), HalfOpen);
    let seen = Seen::default();
    let _subscription = seen.listen(&breaker);
    assert_eq!(remote.wait(Epoch(1), seconds(20)), Effect::Applied);
    assert_eq!(breaker.state(), Open);
    advance(seconds(21)).await;
    assert_eq!(remote.open_for(Epoch(2), seconds(20), 1), Effect::Applied);
    assert_eq!(breaker.state(), Open);
    assert_eq!(seen.briefs(), []);
    assert_eq!(breaker.snapshot().opened, 1);
    assert_eq!(breaker.snapshot().since, seconds(32));
}

#[tokio::test(start_paused = true)]
async fn a_process_that_joins_during_a_probe_waits() {
    let (breaker, remote) = attached();
    assert_eq!(remote.wait(Epoch(3), seconds(4)), Effect::Applied);
    assert_eq!(retry_after(&breaker), Some(seconds(4) + GRACE));
    assert_eq!(breaker.snapshot().last_change.unwrap().cause, Cause::Fleet);
    assert_eq!(remote.close(Epoch(4)), Effect::Applied);
    // It has heard of this epoch, and was reset since.
    remote.wait(Epoch(5), seconds(4));
    breaker.reset();
    assert_eq!(remote.wait(Epoch(5), seconds(4)), Effect::Unchanged);
    assert_eq!(breaker.state(), Closed);
}

#[tokio::test(start_paused = true)]
async fn a_closing_ends_what_a_verdict_has_opened() {
    let (breaker, remote) = opened();
    let seen = Seen::default();
    let _subscription = seen.listen(&breaker);
    breaker.try_acquire().unwrap_err();
    assert_eq!(remote.close(Epoch(2)), Effect::Applied);
    let [closed] = &seen.take()[..] else { panic!() };
    assert_eq!((closed.from, closed.to), (Open, Closed));
    assert_eq!((closed.cause, closed.rejected), (Cause::Fleet, Some(1)));
    assert_eq!(breaker.snapshot().reopenings, 0);
    assert_eq!(remote.close(Epoch(2)), Effect::Unchanged);
}

#[tokio::test(start_paused = true)]
async fn a_closing_begins_the_ramp() {
    let ramp = RULES.ramp(seconds(100));
    for probes in [false, true] {
        let breaker = breaker(ramp);
        let remote = Remote::attach(&breaker);
        let seen = Seen::default();
        remote.open_for(Epoch(1), seconds(10), 4);
        let _subscription = seen.listen(&breaker);
        if probes {
            advance(seconds(11)).await;
            std::mem::forget(breaker.try_acquire().unwrap());
            assert_eq!(seen.briefs(), [(Open, HalfOpen, Cause::WaitOver)]);
        }
        assert_eq!(remote.close(Epoch(2)), Effect::Applied);
        let expected = (Open, HalfOpen, Cause::Fleet);
        assert_eq!(seen.briefs(), [expected; 1][usize::from(probes)..]);
        let snapshot = breaker.snapshot();
        assert_eq!((snapshot.state, snapshot.ramp), (HalfOpen, Some(0.1)));
        assert_eq!(snapshot.since, if probes { millis(750) } else { millis(0) });
        assert_eq!(snapshot.reopenings, 4);
        succeed(&breaker);
        breaker.try_acquire().unwrap_err();
        advance(seconds(100)).await;
        succeed(&breaker);
        assert_eq!(seen.briefs(), [(HalfOpen, Closed, Cause::RampOver)]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_circuit_that_has_opened_by_itself_stays_open() {
    // Below the quorum: no verdict has opened it.
    let (breaker, remote) = attached();
    trip(&breaker);
    assert_eq!(remote.own_wait(), Some(seconds(30)));
    assert_eq!(remote.close(Epoch(1)), Effect::Unchanged);
    assert_eq!(breaker.state(), Open);
    advance(seconds(31)).await;
    assert_eq!(remote.own_wait(), Some(seconds(0)));

    // Its own probe has failed since.
    let (breaker, remote) = opened();
    assert_eq!(remote.own_wait(), None);
    advance(seconds(11)).await;
    fail(&breaker);
    assert_eq!(remote.wait(Epoch(1), seconds(1)), Effect::Unchanged);
    assert_eq!(remote.close(Epoch(2)), Effect::Unchanged);
    assert_eq!(retry_after(&breaker), Some(seconds(30)));
}

#[tokio::test(start_paused = true)]
async fn a_verdict_takes_over_a_circuit_that_has_opened_by_itself() {
    let (breaker, remote) = attached();
    trip(&breaker);
    let seen = Seen::default();
    let _subscription = seen.listen(&breaker);
    advance(seconds(5)).await;
    assert_eq!(remote.open_for(Epoch(1), seconds(10), 0), Effect::Applied);
    assert_eq!(
        retry_after(&breaker),
        Some(seconds(10) + GRACE),
        "the wait of the opener"
    );
    assert_eq!(seen.briefs(), []);
    assert_eq!(
        (remote.own_wait(), breaker.snapshot().since),
        (None, seconds(5))
    );
    assert_eq!(remote.close(Epoch(2)), Effect::Applied);
    assert_eq!(breaker.state(), Closed);
}

#[tokio::test(start_paused = true)]
async fn the_lease_ends_the_wait_of_a_circuit_that_has_opened_by_itself() {
    let (breaker, remote) = attached();
    trip(&breaker);
    assert_eq!(remote.half_open_now(Epoch(1)), Effect::Applied);
    succeed(&breaker);
    assert_eq!(poll_once(remote.probed()), Poll::Ready(Probed::Succeeded));
    assert_eq!(remote.half_open_now(Epoch(1)), Effect::Unchanged, "closed");
}

#[tokio::test(start_paused = true)]
async fn a_probe_in_flight_counts_for_the_lease_and_not_against_an_opening() {
    let (breaker, remote) = opened();
    advance(seconds(11)).await;
    let probe = breaker.try_acquire().unwrap();
    assert_eq!(remote.half_open_now(Epoch(1)), Effect::Applied);
    breaker.try_acquire().unwrap_err();
    probe.success();
    assert_eq!(breaker.state(), Closed);
    assert_eq!(poll_once(remote.probed()), Poll::Ready(Probed::Succeeded));

    half_open(&breaker).await;
    let seen = Seen::default();
    let probe = breaker.try_acquire().unwrap();
    let _subscription = seen.listen(&breaker);
    assert_eq!(remote.open_for(Epoch(2), seconds(10), 7), Effect::Applied);
    probe.success();
    assert_eq!(seen.briefs(), [(HalfOpen, Open, Cause::Fleet)]);
    assert_eq!(breaker.snapshot().reopenings, 7);
}

#[tokio::test(start_paused = true)]
async fn results_from_before_a_verdict_are_not_counted() {
    let (breaker, remote) = attached();
    let call = breaker.try_acquire().unwrap();
    let dropped = pending_call(&breaker);
    remote.open_for(Epoch(1), seconds(10), 0);
    remote.close(Epoch(2));
    call.failure();
    drop(dropped);
    assert_eq!(breaker.snapshot().consecutive_failures, Some(0));
}

#[tokio::test(start_paused = true)]
async fn a_ramp_is_reopened_by_an_opening_alone() {
    let (breaker, remote) = leased(RULES.ramp(seconds(100))).await;
    succeed(&breaker);
    assert_eq!(remote.half_open_now(Epoch(1)), Effect::Unchanged);
    assert_eq!(remote.wait(Epoch(1), seconds(3)), Effect::Unchanged);
    assert_eq!(remote.close(Epoch(2)), Effect::Unchanged);
    assert!(breaker.snapshot().ramp.is_some());
    assert_eq!(remote.open_for(Epoch(3), seconds(10), 1), Effect::Applied);
    assert_eq!(breaker.state(), Open);
    assert_eq!(breaker.snapshot().opened, 2);
}

#[tokio::test(start_paused = true)]
async fn an_earlier_epoch_moves_nothing() {
    let (breaker, remote) = attached();
    remote.open_for(Epoch(5), seconds(10), 0);
    let before = breaker.snapshot();
    assert_eq!(remote.open_for(Epoch(4), seconds(99), 9), Effect::Stale);
    assert_eq!(remote.half_open_now(Epoch(4)), Effect::Stale);
    assert_eq!(remote.wait(Epoch(4), seconds(99)), Effect::Stale);
    assert_eq!(remote.close(Epoch(4)), Effect::Stale);
    assert_eq!(breaker.snapshot(), before);

    remote.close(Epoch(6));
    let before = breaker.snapshot();
    assert_eq!(remote.open_for(Epoch(5), seconds(99), 9), Effect::Stale);
    assert_eq!(remote.wait(Epoch(5), seconds(99)), Effect::Stale);
    assert_eq!(
        remote.open_for(Epoch(6), seconds(99), 9),
        Effect::Stale,
        "an earlier stage"
    );
    assert_eq!(breaker.snapshot(), before);
    assert_eq!(remote.open_for(Epoch(7), seconds(9), 0), Effect::Applied);
    remote.wait(Epoch(7), seconds(5));
    assert_eq!(
        remote.open_for(Epoch(7), seconds(9), 0),
        Effect::Stale,
        "an earlier stage"
    );
    assert_eq!(retry_after(&breaker), Some(seconds(5) + GRACE));
}

#[tokio::test(start_paused = true)]
async fn a_verdict_is_applied_once() {
    let (breaker, remote) = opened();
    breaker.reset();
    assert_eq!(remote.open_for(Epoch(1), seconds(10), 0), Effect::Unchanged);
    assert_eq!(breaker.state(), Closed, "a reset is final");
    assert_eq!(remote.open_for(Epoch(2), seconds(10), 0), Effect::Applied);
    advance(seconds(11)).await;
    succeed(&breaker);
    assert_eq!(remote.open_for(Epoch(2), seconds(0), 0), Effect::Unchanged);
    assert_eq!(breaker.state(), Closed, "its own probe has succeeded");
}

#[tokio::test(start_paused = true)]
async fn an_order_goes_before_a_verdict() {
    let verdicts: [fn(&Remote, u64) -> Effect; 4] = [
        |remote, epoch| remote.open_for(Epoch(epoch), seconds(10), 0),
        |remote, epoch| remote.half_open_now(Epoch(epoch)),
        |remote, epoch| remote.wait(Epoch(epoch), seconds(10)),
        |remote, epoch| remote.close(Epoch(epoch)),
    ];
    let orders: [fn(&CircuitBreaker); 2] =
        [CircuitBreaker::force_open, CircuitBreaker::force_closed];
    for order in orders {
        let (breaker, remote) = attached();
        order(&breaker);
        let before = breaker.snapshot();
        for (verdict, epoch) in verdicts.into_iter().zip(1..) {
            assert_eq!(verdict(&remote, epoch), Effect::Held);
            assert_eq!(verdict(&remote, epoch), Effect::Held, "again");
        }
        assert_eq!(verdicts[0](&remote, 3), Effect::Stale);
        assert_eq!(breaker.snapshot(), before);
    }
}

#[tokio::test(start_paused = true)]
async fn a_verdict_that_was_held_is_applied_when_it_is_delivered_again() {
    let (breaker, remote) = attached();
    breaker.force_closed();
    assert_eq!(remote.open_for(Epoch(1), seconds(10), 0), Effect::Held);
    breaker.reset();
    assert_eq!(breaker.state(), Closed);
    assert_eq!(remote.open_for(Epoch(1), seconds(8), 0), Effect::Applied);
    assert_eq!(retry_after(&breaker), Some(seconds(8) + GRACE));

    // It was applied, and an order has come since.
    breaker.force_closed_for(seconds(2));
    assert_eq!(remote.open_for(Epoch(1), seconds(8), 0), Effect::Held);
    advance(seconds(2)).await;
    assert_eq!(remote.open_for(Epoch(1), seconds(6), 0), Effect::Applied);
    assert_eq!(breaker.state(), Open);

    breaker.force_closed();
    assert_eq!(remote.wait(Epoch(1), seconds(4)), Effect::Held);
    breaker.reset();
    assert_eq!(remote.wait(Epoch(1), seconds(4)), Effect::Applied);
    assert_eq!(retry_after(&breaker), Some(seconds(4) + GRACE));
}

#[tokio::test(start_paused = true)]
async fn new_rules_change_no_wait_of_a_verdict() {
    let (breaker, remote) = opened();
    reconfigure(&breaker, RULES.reset(seconds(1)));
    assert_eq!(retry_after(&breaker), Some(seconds(10) + GRACE));
    reconfigure(&breaker, RULES.reset(seconds(100)).ramp(seconds(50)));
    assert_eq!(retry_after(&breaker), Some(seconds(10) + GRACE));
    remote.close(Epoch(2));
    assert_eq!(breaker.snapshot().ramp, Some(0.1), "by the rules of now");
    assert_eq!(
        remote.open_for(Epoch(1), seconds(1), 0),
        Effect::Stale,
        "still"
    );
}

#[tokio::test(start_paused = true)]
async fn a_hold_of_the_fleet_is_shown_with_its_source_and_its_end() {
    let (breaker, remote) = attached();
    let seen = Seen::default();
    let _subscription = seen.listen(&breaker);
    assert_eq!(
        remote.hold_open(Epoch(1), Some(seconds(900))),
        Effect::Applied
    );
    assert_eq!(
        hold(&breaker),
        Some((Open, HoldSource::Fleet, Some(seconds(900))))
    );
    assert_eq!(seen.briefs(), [(Closed, Open, Cause::ForcedOpen)]);
    assert_eq!(
        remote.hold_open(Epoch(1), Some(seconds(800))),
        Effect::Unchanged
    );
    assert_eq!(
        hold(&breaker),
        Some((Open, HoldSource::Fleet, Some(seconds(900))))
    );
    assert_eq!(remote.open_for(Epoch(9), seconds(1), 0), Effect::Held);
    assert_eq!(remote.hold_closed(Epoch(2), None), Effect::Applied);
    assert_eq!(hold(&breaker), Some((Closed, HoldSource::Fleet, None)));
    assert_eq!(remote.hold_open(Epoch(1), None), Effect::Stale);
    assert_eq!(remote.release(Epoch(1)), Effect::Stale);
    assert_eq!(remote.release(Epoch(3)), Effect::Applied);
    assert_eq!(hold(&breaker), None);
    assert_eq!(remote.release(Epoch(4)), Effect::Unchanged);
    assert_eq!(
        seen.briefs(),
        [
            (Open, Closed, Cause::ForcedClosed),
            (Closed, Closed, Cause::Reset)
        ]
    );
    remote.hold_open(Epoch(5), Some(seconds(5)));
    advance(seconds(5)).await;
    assert_eq!(
        (breaker.state(), hold(&breaker)),
        (Closed, None),
        "by time alone"
    );
}

#[tokio::test(start_paused = true)]
async fn an_order_that_was_given_by_hand_goes_before_one_of_the_fleet() {
    let (breaker, remote) = attached();
    breaker.force_closed();
    let by_hand = Some((Closed, HoldSource::Order, None));
    assert_eq!(remote.hold_open(Epoch(1), None), Effect::Held);
    assert_eq!(hold(&breaker), by_hand);
    assert_eq!(remote.hold_closed(Epoch(2), None), Effect::Held);
    assert_eq!(hold(&breaker), by_hand);
    assert_eq!(remote.release(Epoch(3)), Effect::Unchanged);
    assert_eq!(hold(&breaker), by_hand);
    assert_eq!(remote.hold_open(Epoch(4), None), Effect::Held);
    breaker.reset();
    assert_eq!(remote.hold_open(Epoch(4), None), Effect::Applied);
    breaker.force_closed();
    assert_eq!(hold(&breaker), by_hand, "the last order by hand");
    breaker.reset();
    assert_eq!(
        remote.hold_open(Epoch(4), None),
        Effect::Unchanged,
        "released by hand"
    );
    assert_eq!(hold(&breaker), None);
}

#[tokio::test(start_paused = true)]
async fn rejections_are_counted_from_the_opening() {
    let (breaker, remote) = attached();
    assert_eq!(remote.rejected(), 0);
    trip(&breaker);
    for _ in 0..3 {
        breaker.try_acquire().unwrap_err();
    }
    assert_eq!(remote.rejected(), 3);
    remote.open_for(Epoch(1), seconds(10), 0);
    breaker.try_acquire().unwrap_err();
    assert_eq!(remote.rejected(), 4, "of the same opening");
    remote.close(Epoch(2));
    assert_eq!(remote.rejected(), 0);
    remote.open_for(Epoch(3), seconds(10), 0);
    assert_eq!(remote.rejected(), 0, "no callers since");
    breaker.try_acquire().unwrap_err();
    assert_eq!(remote.rejected(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_keeps_no_breaker_alive() {
    let breaker = CircuitBreaker::new("short_lived", Config::default());
    let remote = Remote::attach(&breaker);
    assert_eq!(
        (remote.name().as_str(), remote.breaker().is_some()),
        ("short_lived", true)
    );
    drop(breaker);
    assert!(registry::find("short_lived").is_none());
    assert!(remote.breaker().is_none());
    assert_eq!(remote.open_for(Epoch(1), seconds(1), 0), Effect::Gone);
    assert_eq!(remote.hold_open(Epoch(1), None), Effect::Gone);
    assert_eq!((remote.rejected(), remote.own_wait()), (0, None));
    assert!(poll_once(remote.probed()).is_pending());
}

#[tokio::test(start_paused = true)]
async fn a_task_that_waits_for_the_probes_keeps_no_breaker_alive() {
    let (breaker, remote) = leased(RULES).await;
    let waits = tokio::spawn(async move { remote.probed().await });
    tokio::task::yield_now().await;
    let name = breaker.name().clone();
    let others = registry::find_all(&name).len();
    drop(breaker);
    assert!(registry::find_all(&name).len() < others);
    waits.abort();
}

#[tokio::test(start_paused = true)]
async fn several_connections_of_a_breaker_act_as_one() {
    let (breaker, first) = opened();
    let second = Remote::attach(&breaker);
    assert_eq!(second.open_for(Epoch(1), seconds(99), 0), Effect::Unchanged);
    assert_eq!(second.close(Epoch(2)), Effect::Applied);
    drop(second);
    assert_eq!(first.open_for(Epoch(1), seconds(99), 0), Effect::Stale);
    drop(first);
    assert_eq!(
        Remote::attach(&breaker).close(Epoch(1)),
        Effect::Stale,
        "kept with the breaker"
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_follows_the_key_and_not_the_breaker() {
    let config = RULES.build().unwrap();
    let hosts = CircuitBreakers::new("hosts", config).max_keys(1);
    let remote = Remote::attach(&hosts.get("a"));
    assert_eq!(remote.name().as_str(), "hosts[a]");
    remote.open_for(Epoch(5), seconds(10), 0);
    assert_eq!(hosts.get("a").state(), Open);
    assert_eq!(hosts.get("b").state(), Closed, "another key");
    remote.close(Epoch(6));
    // Evicted, swept, and created anew.
    for key in 0..200 {
        drop(hosts.get(&format!("other {key}")));
    }
    assert!(registry::find("hosts[a]").is_none(), "not kept alive");
    assert_eq!(remote.open_for(Epoch(7), seconds(10), 0), Effect::Gone);
    let created = hosts.get("a");
    assert_eq!(
        remote.open_for(Epoch(1), seconds(10), 0),
        Effect::Applied,
        "without an epoch"
    );
    assert_eq!(created.state(), Open);
}

#[tokio::test(start_paused = true)]
async fn breakers_of_one_name_are_told_apart() {
    let [first, second] = [(); 2].map(|()| CircuitBreakers::new("twins", RULES.build().unwrap()));
    let [first, second] = [first.get("a"), second.get("a")];
    let remote = Remote::attach(&second);
    remote.open_for(Epoch(1), seconds(10), 0);
    assert_eq!((first.state(), second.state()), (Closed, Open));
}

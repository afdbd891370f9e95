//! New rules for a breaker in use: waits, probes, ramps and orders.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{
    advance, breaker, fail, half_open, millis, pending_call, reconfigure, retry_after, seconds,
    succeed, trip,
};
use circuit_runtime::{
    CallError, Cause, CircuitBreaker, CircuitError, Config, ConfigBuilder, OwnedPermit, State,
};

/// Opens at the first failure, for thirty seconds.
const FIRST: ConfigBuilder = Config::builder().max_failures(1);

/// Opens at the first failure, for this many seconds.
fn reset(wait: u64) -> ConfigBuilder {
    FIRST.reset(seconds(wait))
}

/// Returns the state as the breaker, its snapshot and a question about the next call show it.
fn shown(breaker: &CircuitBreaker) -> State {
    let seen = breaker.snapshot();
    assert_eq!(breaker.state(), seen.state);
    let rejection = breaker.would_reject();
    assert_eq!(
        rejection.and_then(|error| error.retry_after()),
        seen.retry_after
    );
    seen.state
}

#[tokio::test(start_paused = true)]
async fn the_state_the_totals_and_the_history_stay() {
    let breaker = breaker(reset(30));
    let told = Arc::<Mutex<Vec<_>>>::default();
    let tell = told.clone();
    let _subscription = breaker.on_change(move |change| tell.lock().unwrap().push(change.cause));
    succeed(&breaker);
    breaker.try_acquire().unwrap().ignore();
    drop(breaker.try_acquire().unwrap());
    fail(&breaker);
    advance(seconds(7)).await;
    breaker.try_acquire().unwrap_err();
    let before = breaker.snapshot();

    let rules = Config::builder()
        .failure_rate(0.5)
        .min_calls(7)
        .last_calls(10)
        .max_failures(9)
        .slow_call(seconds(3))
        .slow_rate(0.9)
        .reset(seconds(40))
        .max_reset(seconds(80))
        .jitter(0.0)
        .probes(3)
        .timeout(seconds(5))
        .ramp(seconds(60));
    reconfigure(&breaker, rules);
    let after = breaker.snapshot();
    assert_eq!(after.config, rules.build().unwrap());
    assert_eq!(breaker.config(), rules.build().unwrap());
    assert_eq!((after.state, after.since), (State::Open, seconds(7)));
    assert_eq!(after.last_change, before.last_change);
    assert_eq!(after.retry_after, Some(seconds(33)));
    let totals = |seen: &circuit_runtime::Snapshot| {
        [
            seen.succeeded,
            seen.failed,
            seen.ignored,
            seen.cancelled,
            seen.rejected,
            seen.opened,
        ]
    };
    assert_eq!(totals(&after), [1, 1, 1, 1, 1, 1]);
    assert_eq!(totals(&after), totals(&before));
    assert_eq!(*told.lock().unwrap(), [Cause::MaxFailures], "and no event");
}

#[tokio::test(start_paused = true)]
async fn a_change_is_no_new_generation() {
    let breaker = breaker(FIRST.max_failures(2));
    let [first, second] = [(); 2].map(|()| breaker.try_acquire().unwrap());
    reconfigure(&breaker, FIRST.max_failures(2).reset(seconds(9)));
    first.failure();
    reconfigure(&breaker, FIRST.max_failures(2).reset(seconds(8)));
    second.failure();
    assert_eq!(retry_after(&breaker), Some(seconds(8)), "both count");
}

#[tokio::test(start_paused = true)]
async fn the_open_phase_follows_a_longer_reset() {
    let breaker = breaker(reset(30));
    trip(&breaker);
    advance(seconds(29)).await;
    reconfigure(&breaker, reset(100));
    assert_eq!(retry_after(&breaker), Some(seconds(71)));
    advance(millis(70_999)).await;
    assert_eq!(shown(&breaker), State::Open);
    assert_eq!(retry_after(&breaker), Some(millis(1)));
    advance(millis(1)).await;
    assert_eq!(shown(&breaker), State::HalfOpen);
    succeed(&breaker);
    assert_eq!(shown(&breaker), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_open_phase_follows_a_shorter_reset_even_one_that_is_over() {
    for wait in [60, 50, 10] {
        let breaker = breaker(reset(100));
        trip(&breaker);
        advance(seconds(50)).await;
        reconfigure(&breaker, reset(wait));
        if wait > 50 {
            assert_eq!(retry_after(&breaker), Some(seconds(wait - 50)));
            advance(seconds(wait - 50)).await;
        }
        assert_eq!(shown(&breaker), State::HalfOpen);
        assert_eq!(breaker.snapshot().since, seconds(50_u64.max(wait) - wait));
        succeed(&breaker);
        assert_eq!(shown(&breaker), State::Closed);
    }
}

/// The state is one of time and of the rules alone, as long as no probe was admitted.
#[tokio::test(start_paused = true)]
async fn a_half_open_circuit_without_a_probe_is_open_again_if_reset_grows() {
    let breaker = breaker(reset(30));
    half_open(&breaker).await;
    reconfigure(&breaker, reset(40));
    assert_eq!(shown(&breaker), State::Open);
    assert_eq!(retry_after(&breaker), Some(seconds(10)));
    assert_eq!(breaker.snapshot().since, seconds(30));
    advance(seconds(10)).await;
    assert_eq!(shown(&breaker), State::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn reopenings_count_towards_a_max_reset_that_is_added_and_one_that_changes() {
    let breaker = breaker(reset(10));
    trip(&breaker);
    for _ in 0..3 {
        advance(seconds(10)).await;
        fail(&breaker);
    }
    assert_eq!(breaker.snapshot().reopenings, 3);
    assert_eq!(retry_after(&breaker), Some(seconds(10)));
    for (longest, wait) in [(1_000, 80), (60, 60), (40, 40), (10, 10)] {
        reconfigure(&breaker, reset(10).max_reset(seconds(longest)));
        assert_eq!(retry_after(&breaker), Some(seconds(wait)));
    }
    reconfigure(&breaker, reset(20).max_reset(seconds(1_000)));
    assert_eq!(
        retry_after(&breaker),
        Some(seconds(160)),
        "20 s, doubled three times"
    );
    reconfigure(&breaker, reset(10));
    assert_eq!(retry_after(&breaker), Some(seconds(10)));
}

#[tokio::test(start_paused = true)]
async fn jitter_that_is_added_lengthens_the_wait_and_one_that_is_removed_shortens_it() {
    let breaker = breaker(reset(100));
    trip(&breaker);
    reconfigure(&breaker, reset(100).jitter(1.0));
    let jittered = retry_after(&breaker).unwrap();
    assert!((seconds(100)..=seconds(200)).contains(&jittered));
    assert_eq!(
        retry_after(&breaker),
        Some(jittered),
        "the same for every call"
    );
    reconfigure(&breaker, reset(50).jitter(1.0));
    assert_eq!(
        retry_after(&breaker).map(|wait| wait.as_millis()),
        Some((jittered / 2).as_millis()),
        "the same share of another wait"
    );
    reconfigure(&breaker, reset(100));
    assert_eq!(retry_after(&breaker), Some(seconds(100)));
    advance(seconds(100)).await;
    assert_eq!(shown(&breaker), State::HalfOpen);
}

/// By the operator, or by the service.
#[tokio::test(start_paused = true)]
async fn a_wait_that_was_asked_for_stays() {
    let by_operator = |breaker: &CircuitBreaker| breaker.open_for(seconds(50));
    let by_service = |breaker: &CircuitBreaker| {
        let verdict = circuit_runtime::Verdict::Unavailable(seconds(50));
        breaker.try_acquire().unwrap().settle(verdict);
    };
    for open in [by_operator as fn(&CircuitBreaker), by_service] {
        let breaker = breaker(reset(30));
        open(&breaker);
        for rules in [
            reset(10),
            reset(100),
            reset(5).max_reset(seconds(6)),
            reset(10).jitter(1.0),
        ] {
            reconfigure(&breaker, rules);
            assert_eq!(retry_after(&breaker), Some(seconds(50)));
        }
        advance(millis(49_999)).await;
        assert_eq!(shown(&breaker), State::Open);
        advance(millis(1)).await;
        assert_eq!(shown(&breaker), State::HalfOpen);
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_max_reset_bounds_the_next_wait_that_a_service_asks_for() {
    let breaker = breaker(reset(10));
    reconfigure(&breaker, reset(10).max_reset(seconds(20)));
    let permit = breaker.try_acquire().unwrap();
    permit.settle(circuit_runtime::Verdict::Unavailable(seconds(500)));
    assert_eq!(retry_after(&breaker), Some(seconds(20)));
}

#[tokio::test(start_paused = true)]
async fn a_circuit_that_has_admitted_a_probe_stays_half_open() {
    // With one free slot, and with none.
    for probes in [2, 1] {
        let rules = reset(30).probes(probes);
        let breaker = breaker(rules);
        half_open(&breaker).await;
        let probe = breaker.try_acquire().unwrap();
        advance(seconds(5)).await;
        reconfigure(&breaker, rules.reset(seconds(100)));

        assert_eq!(shown(&breaker), State::HalfOpen);
        assert_eq!(breaker.snapshot().since, seconds(5));
        let next = breaker.try_acquire();
        if probes == 2 {
            next.unwrap().success();
        } else {
            assert_eq!(
                next.unwrap_err().retry_after(),
                Some(seconds(25)),
                "its lease"
            );
        }
        // Without any in flight, too.
        drop(probe);
        assert_eq!(shown(&breaker), State::HalfOpen);
        succeed(&breaker);
        assert_eq!(shown(&breaker), State::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_half_open_circuit_that_stays_so_reopens_for_the_new_reset() {
    let breaker = breaker(reset(30));
    half_open(&breaker).await;
    let probe = breaker.try_acquire().unwrap();
    reconfigure(&breaker, reset(100));
    reconfigure(&breaker, reset(300));
    assert_eq!(shown(&breaker), State::HalfOpen);
    probe.failure();
    assert_eq!(retry_after(&breaker), Some(seconds(300)));
    reconfigure(&breaker, reset(40));
    assert_eq!(
        retry_after(&breaker),
        Some(seconds(40)),
        "follows the rules again"
    );
    advance(seconds(40)).await;
    assert_eq!(shown(&breaker), State::HalfOpen);
    reconfigure(&breaker, reset(50));
    assert_eq!(
        shown(&breaker),
        State::Open,
        "no probe of this phase was admitted"
    );
}

#[tokio::test(start_paused = true)]
async fn leases_that_were_granted_keep_their_end() {
    for (before, after) in [(30, 100), (100, 30)] {
        let breaker = breaker(reset(before));
        half_open(&breaker).await;
        let overdue = pending_call(&breaker);
        reconfigure(&breaker, reset(after));
        assert_eq!(shown(&breaker), State::HalfOpen);
        advance(seconds(before).saturating_sub(millis(1))).await;
        assert_eq!(retry_after(&breaker), Some(millis(1)));
        advance(millis(1)).await;
        let next = breaker.try_acquire().unwrap();
        assert_eq!(
            retry_after(&breaker),
            Some(seconds(after)),
            "the next has the new lease"
        );
        drop((overdue, next));
    }
}

/// A probe may take as long as its call may.
#[tokio::test(start_paused = true)]
async fn a_longer_timeout_lengthens_the_next_lease() {
    let breaker = breaker(reset(10));
    half_open(&breaker).await;
    reconfigure(&breaker, reset(10).timeout(seconds(70)));
    let probe = breaker.try_acquire().unwrap();
    assert_eq!(retry_after(&breaker), Some(seconds(70)));
    drop(probe);
}

/// The timeout and the lease of a probe are of the same rules.
#[tokio::test(start_paused = true)]
async fn a_probe_that_was_admitted_before_has_the_timeout_of_its_lease() {
    let rules = |timeout| reset(10).timeout(seconds(timeout));
    let breaker = breaker(rules(20));
    half_open(&breaker).await;
    let probe = breaker.try_acquire_owned().unwrap();
    reconfigure(&breaker, rules(40));
    assert_eq!(timed_out(probe).await, seconds(20));
    // Reopened by the timeout.
    advance(seconds(10)).await;
    let probe = breaker.try_acquire_owned().unwrap();
    reconfigure(&breaker, rules(20));
    assert_eq!(timed_out(probe).await, seconds(40));

    // A call that is not a probe starts with the rules of its start.
    breaker.reset();
    let call = breaker.try_acquire_owned().unwrap();
    reconfigure(&breaker, rules(30));
    assert_eq!(timed_out(call).await, seconds(30));
}

/// Also if the probes before have leases that end at the same time, exactly or as far as many are
/// told apart.
#[tokio::test(start_paused = true)]
async fn a_probe_has_the_timeout_of_its_rules_at_the_moment_of_their_change() {
    for probes in [3, 1_000] {
        let rules = |timeout| reset(30).probes(probes).timeout(seconds(timeout));
        let breaker = breaker(rules(10));
        half_open(&breaker).await;
        let mut admitted = Vec::new();
        for timeout in [10, 20, 10] {
            reconfigure(&breaker, rules(timeout));
            admitted.push((breaker.try_acquire_owned().unwrap(), seconds(timeout)));
        }
        for (probe, timeout) in admitted {
            assert_eq!(timed_out(probe).await, timeout, "one of {probes}");
        }
    }
}

/// Runs the call of a permit until it times out, and returns after how long it did.
async fn timed_out(permit: OwnedPermit) -> Duration {
    let result = permit.call(pending::<Result<(), CircuitError>>()).await;
    match result {
        Err(CallError::Circuit(CircuitError::Timeout { after, .. })) => after,
        result => panic!("{result:?}"),
    }
}

/// The circuit is open for the short wait, and half-open while the long lease would still run.
#[tokio::test(start_paused = true)]
async fn a_long_lease_from_before_rejects_no_call_of_a_later_phase() {
    for asks in [false, true] {
        let breaker = breaker(reset(100));
        half_open(&breaker).await;
        let probe = breaker.try_acquire().unwrap();
        assert_eq!(retry_after(&breaker), Some(seconds(100)));
        reconfigure(&breaker, reset(10));
        if asks {
            assert_eq!(
                retry_after(&breaker),
                Some(seconds(10)),
                "for no longer than a lease"
            );
        }
        probe.failure();
        assert_eq!(retry_after(&breaker), Some(seconds(10)));
        advance(seconds(10)).await;
        // At once: a look at the state would correct a wrong memory of the lease.
        succeed(&breaker);
        assert_eq!(shown(&breaker), State::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn more_probes_half_way_are_required_and_admitted() {
    let breaker = breaker(reset(30).probes(2));
    half_open(&breaker).await;
    let first = breaker.try_acquire().unwrap();
    succeed(&breaker);
    reconfigure(&breaker, reset(30).probes(4));
    let [second, third] = [(); 2].map(|()| breaker.try_acquire().unwrap());
    breaker.try_acquire().unwrap_err();
    for probe in [first, second] {
        probe.success();
        assert_eq!(shown(&breaker), State::HalfOpen);
    }
    third.success();
    assert_eq!(shown(&breaker), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_next_success_closes_the_circuit_once_fewer_probes_are_required() {
    for (succeeded, probes) in [(0, 1), (1, 2), (1, 1), (3, 2), (3, 1)] {
        for in_flight in [true, false] {
            let breaker = breaker(reset(30).probes(5));
            half_open(&breaker).await;
            (0..succeeded).for_each(|_| succeed(&breaker));
            let probe = in_flight.then(|| breaker.try_acquire().unwrap());
            reconfigure(&breaker, reset(30).probes(probes));
            assert_eq!(shown(&breaker), State::HalfOpen);
            let probe = match probe {
                Some(probe) => probe,
                None => breaker.try_acquire().unwrap(),
            };
            breaker.try_acquire().unwrap_err();
            probe.success();
            assert_eq!(
                shown(&breaker),
                State::Closed,
                "{succeeded} and one of {probes}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn probes_beyond_fewer_slots_stay_in_flight_and_count() {
    let breaker = breaker(reset(30).probes(3));
    half_open(&breaker).await;
    let probes = [(); 3].map(|()| breaker.try_acquire().unwrap());
    reconfigure(&breaker, reset(30).probes(1));
    let [first, second, third] = probes;
    drop(first);
    breaker.try_acquire().unwrap_err();
    drop(second);
    breaker.try_acquire().unwrap_err();
    third.failure();
    assert_eq!(shown(&breaker), State::Open);
    assert_eq!(breaker.snapshot().reopenings, 1);
}

/// Opens at the second failure, for thirty seconds, and recovers in this time.
fn ramp(length: u64) -> ConfigBuilder {
    FIRST.max_failures(2).ramp(seconds(length))
}

/// Creates a breaker whose probe has succeeded, half a minute ago.
async fn on_ramp(length: u32) -> CircuitBreaker {
    let breaker = breaker(ramp(length.into()));
    half_open(&breaker).await;
    succeed(&breaker);
    advance(seconds(30)).await;
    assert_eq!(breaker.snapshot().ramp, Some(30.0 / f64::from(length)));
    breaker
}

/// Returns how many of a hundred calls are admitted.
fn admitted(breaker: &CircuitBreaker) -> usize {
    let calls = (0..100).filter_map(|_| breaker.try_acquire().ok());
    calls.map(circuit_runtime::Permit::success).count()
}

#[tokio::test(start_paused = true)]
async fn a_ramp_follows_a_new_length() {
    let breaker = on_ramp(100).await;
    for (length, share) in [(300, 10), (60, 50), (40, 75), (100, 30)] {
        reconfigure(&breaker, ramp(length));
        assert_eq!(breaker.state(), State::HalfOpen);
        let admitted = admitted(&breaker);
        assert!(admitted.abs_diff(share) <= 1, "{admitted} of {length}");
    }
    reconfigure(&breaker, ramp(300));
    let rejected = (0..100).find_map(|_| breaker.try_acquire().err());
    assert_eq!(
        rejected.and_then(|error| error.retry_after()),
        Some(seconds(30)),
        "a tenth of the new one"
    );
    reconfigure(&breaker, ramp(40));
    advance(millis(9_999)).await;
    assert_eq!(breaker.state(), State::HalfOpen);
    advance(millis(1)).await;
    assert_eq!(shown(&breaker), State::Closed);
    assert_eq!(admitted(&breaker), 100);
    assert_eq!(
        breaker.snapshot().last_change.unwrap().cause,
        Cause::RampOver
    );
}

#[tokio::test(start_paused = true)]
async fn a_ramp_that_is_removed_or_shortened_below_what_has_passed_is_over() {
    for rules in [FIRST.max_failures(2), ramp(30), ramp(1)] {
        let breaker = on_ramp(100).await;
        fail(&breaker);
        reconfigure(&breaker, rules);
        assert_eq!(shown(&breaker), State::Closed);
        assert_eq!(admitted(&breaker), 100);
        fail(&breaker);
        assert_eq!(
            shown(&breaker),
            State::Closed,
            "the failure was one of the ramp's"
        );
        fail(&breaker);
        assert_eq!(shown(&breaker), State::Open);
        assert_eq!(breaker.snapshot().reopenings, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_ramp_that_is_added_applies_to_the_next_recovery() {
    let breaker = breaker(FIRST.max_failures(2));
    reconfigure(&breaker, ramp(100));
    assert_eq!(admitted(&breaker), 100, "a closed circuit rejects no call");
    half_open(&breaker).await;
    let probe = breaker.try_acquire().unwrap();
    reconfigure(&breaker, ramp(50));
    probe.success();
    assert_eq!(breaker.snapshot().ramp, Some(0.1));
    advance(seconds(25)).await;
    assert_eq!(breaker.snapshot().ramp, Some(0.5));
}

#[tokio::test(start_paused = true)]
async fn limits_on_a_ramp_are_the_new_ones() {
    let breaker = on_ramp(100).await;
    fail(&breaker);
    reconfigure(&breaker, ramp(100).max_failures(3).max_reset(seconds(600)));
    advance(seconds(10)).await;
    fail(&breaker);
    assert_eq!(breaker.state(), State::HalfOpen);
    advance(seconds(10)).await;
    fail(&breaker);
    assert_eq!(retry_after(&breaker), Some(seconds(60)));
    assert_eq!(breaker.snapshot().reopenings, 1);
}

#[tokio::test(start_paused = true)]
async fn an_order_outlives_every_change_of_the_rules() {
    type Order = fn(&CircuitBreaker);
    let orders: [(Order, State, Option<Duration>); 4] = [
        (CircuitBreaker::force_open, State::Open, None),
        (CircuitBreaker::force_closed, State::Closed, None),
        (
            |breaker| breaker.force_open_for(seconds(50)),
            State::Open,
            Some(seconds(50)),
        ),
        (
            |breaker| breaker.force_closed_for(seconds(50)),
            State::Closed,
            Some(seconds(50)),
        ),
    ];
    for (order, state, time) in orders {
        let breaker = breaker(reset(30));
        order(&breaker);
        for rules in [reset(5), reset(500), ramp(1), reset(10).probes(7)] {
            reconfigure(&breaker, rules);
            let hold = breaker.snapshot().hold.unwrap();
            assert_eq!((hold.to, hold.ends_in), (state, time));
            assert_eq!(breaker.state(), state);
            assert_eq!(breaker.try_acquire().is_ok(), state == State::Closed);
        }
        advance(seconds(50)).await;
        assert_eq!(breaker.snapshot().hold.is_none(), time.is_some());
    }
}

/// A dry run of new rules.
#[tokio::test(start_paused = true)]
async fn rules_of_a_circuit_that_is_held_closed_are_judged_by_the_new_limits() {
    let breaker = breaker(FIRST.max_failures(5));
    breaker.force_closed();
    (0..4).for_each(|_| fail(&breaker));
    assert_eq!(breaker.snapshot().withheld, 0);
    reconfigure(&breaker, FIRST.max_failures(2));
    fail(&breaker);
    assert_eq!(breaker.snapshot().withheld, 1);
    (0..4).for_each(|_| fail(&breaker));
    assert_eq!(breaker.snapshot().withheld, 3);
    assert_eq!(shown(&breaker), State::Closed);
}

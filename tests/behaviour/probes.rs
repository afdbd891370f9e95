//! A half-open circuit with several probes.

use crate::support::{
    advance, breaker, fail, half_open, millis, pending_call, retry_after, seconds, succeed, trip,
};
use circuit_runtime::{CircuitBreaker, Config, State};

fn three_probes() -> CircuitBreaker {
    breaker(Config::builder().max_failures(1).probes(3))
}

#[tokio::test(start_paused = true)]
async fn as_many_probes_as_configured_are_admitted_and_all_other_calls_rejected() {
    let breaker = three_probes();
    half_open(&breaker).await;
    let probes: Vec<_> = (0..3).map(|_| breaker.try_acquire().unwrap()).collect();
    assert_eq!(retry_after(&breaker), Some(seconds(30)));
    drop(probes);
}

#[tokio::test(start_paused = true)]
async fn all_probes_must_succeed_to_close_the_circuit() {
    let breaker = three_probes();
    half_open(&breaker).await;
    for _ in 0..2 {
        succeed(&breaker);
        assert_eq!(breaker.state(), State::HalfOpen);
    }
    let last = breaker.try_acquire().unwrap();
    breaker
        .try_acquire()
        .expect_err("two have succeeded, and the third is in flight");
    last.success();
    assert_eq!(breaker.state(), State::Closed);
    fail(&breaker);
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn the_first_probe_that_fails_reopens_the_circuit() {
    let breaker = three_probes();
    half_open(&breaker).await;
    let (first, second) = (
        breaker.try_acquire().unwrap(),
        breaker.try_acquire().unwrap(),
    );
    succeed(&breaker);
    first.failure();
    assert_eq!(breaker.state(), State::Open);
    second.success();
    assert_eq!(breaker.state(), State::Open, "the second is stale");
    assert_eq!(retry_after(&breaker), Some(seconds(30)));

    advance(seconds(30)).await;
    succeed(&breaker);
    succeed(&breaker);
    assert_eq!(
        breaker.state(),
        State::HalfOpen,
        "all three are needed again"
    );
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn dropped_and_ignored_probes_release_their_slots() {
    let breaker = three_probes();
    half_open(&breaker).await;
    let first = breaker.try_acquire().unwrap();
    let second = breaker.try_acquire().unwrap();
    let third = pending_call(&breaker);
    breaker.try_acquire().unwrap_err();
    drop(third);
    let third = breaker.try_acquire().unwrap();
    breaker.try_acquire().unwrap_err();
    second.ignore();
    let second = breaker.try_acquire().unwrap();
    breaker.try_acquire().unwrap_err();
    for probe in [first, second, third] {
        assert_eq!(breaker.state(), State::HalfOpen);
        probe.success();
    }
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn each_overdue_probe_loses_its_slot_after_reset() {
    let breaker = three_probes();
    half_open(&breaker).await;
    let mut overdue = Vec::new();
    for _ in 0..3 {
        overdue.push(pending_call(&breaker));
        advance(seconds(1)).await;
    }
    assert_eq!(retry_after(&breaker), Some(seconds(27)));
    advance(millis(26_999)).await;
    assert_eq!(retry_after(&breaker), Some(millis(1)));
    advance(millis(1)).await;

    let next = breaker.try_acquire().unwrap();
    assert_eq!(
        retry_after(&breaker),
        Some(seconds(1)),
        "until the second lease expires"
    );
    drop(overdue.remove(0));
    breaker
        .try_acquire()
        .expect_err("the overdue probe must not release the slot of the next");
    next.success();
    advance(seconds(2)).await;
    succeed(&breaker);
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn leaked_probes_do_not_lock_the_circuit() {
    let breaker = three_probes();
    half_open(&breaker).await;
    for _ in 0..10 {
        for _ in 0..3 {
            std::mem::forget(breaker.try_acquire().unwrap());
        }
        breaker.try_acquire().unwrap_err();
        advance(seconds(30)).await;
    }
    (0..3).for_each(|_| succeed(&breaker));
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn one_of_several_probes_that_completes_after_its_lease_still_counts() {
    let breaker = three_probes();
    half_open(&breaker).await;
    let slow = breaker.try_acquire().unwrap();
    advance(seconds(40)).await;
    succeed(&breaker);
    slow.success();
    assert_eq!(breaker.state(), State::HalfOpen);
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn probe_successes_of_an_earlier_half_open_phase_are_forgotten() {
    let breaker = three_probes();
    for order in [CircuitBreaker::reset, CircuitBreaker::force_open] {
        half_open(&breaker).await;
        succeed(&breaker);
        succeed(&breaker);
        let late = breaker.try_acquire().unwrap();
        order(&breaker);
        breaker.reset();
        trip(&breaker);
        advance(seconds(30)).await;
        late.success();
        assert_eq!(breaker.state(), State::HalfOpen);
        succeed(&breaker);
        succeed(&breaker);
        assert_eq!(breaker.state(), State::HalfOpen);
        succeed(&breaker);
        assert_eq!(breaker.state(), State::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_probes_are_possible() {
    for count in [64, 65, 10_000] {
        let breaker = breaker(Config::builder().max_failures(1).probes(count));
        half_open(&breaker).await;
        for _ in 0..count {
            advance(std::time::Duration::from_micros(97)).await;
            std::mem::forget(breaker.try_acquire().unwrap());
        }
        breaker.try_acquire().unwrap_err();
        advance(seconds(30)).await;
        for _ in 0..count {
            assert_eq!(breaker.state(), State::HalfOpen);
            succeed(&breaker);
        }
        assert_eq!(breaker.state(), State::Closed);
    }

    let breaker = breaker(Config::builder().max_failures(1).probes(u32::MAX));
    half_open(&breaker).await;
    (0..1_000).for_each(|_| succeed(&breaker));
    assert_eq!(breaker.state(), State::HalfOpen);
    fail(&breaker);
    assert_eq!(breaker.state(), State::Open);
}

/// A probe that succeeds after its lease keeps a slot, while the probes that followed hold all of
/// them: the first of those to end releases none.
#[tokio::test(start_paused = true)]
async fn after_a_late_success_the_wait_ends_when_a_slot_is_free() {
    let breaker = breaker(Config::builder().max_failures(1).probes(2));
    half_open(&breaker).await;
    let late = breaker.try_acquire().unwrap();
    advance(seconds(5)).await;
    let second = breaker.try_acquire().unwrap();
    advance(seconds(25)).await;
    let third = breaker.try_acquire().unwrap();
    assert_eq!(
        retry_after(&breaker),
        Some(seconds(5)),
        "the rest of the second lease"
    );
    late.success();
    assert_eq!(
        retry_after(&breaker),
        Some(seconds(30)),
        "the rest of the third lease"
    );
    advance(seconds(6)).await;
    assert_eq!(retry_after(&breaker), Some(seconds(24)));
    drop(third);
    assert_eq!(breaker.snapshot().retry_after, None);
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
    drop(second);
}

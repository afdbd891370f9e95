//! More than one probe.

use crate::support::{
    advance, breaker, fail, half_open, hang, millis, retry_after, seconds, succeed, trip,
};
use circuit_runtime::{CircuitBreaker, Config, State};

fn three_probes() -> CircuitBreaker {
    breaker(Config::builder().max_failures(1).probes(3))
}

#[tokio::test(start_paused = true)]
async fn so_many_are_let_in_and_everyone_else_rejected() {
    let breaker = three_probes();
    half_open(&breaker).await;
    let probes: Vec<_> = (0..3).map(|_| breaker.try_acquire().unwrap()).collect();
    assert_eq!(retry_after(&breaker), Some(seconds(30)));
    drop(probes);
}

#[tokio::test(start_paused = true)]
async fn all_must_succeed() {
    let breaker = three_probes();
    half_open(&breaker).await;
    for _ in 0..2 {
        succeed(&breaker);
        assert_eq!(breaker.state(), State::HalfOpen);
    }
    let last = breaker.try_acquire().unwrap();
    breaker
        .try_acquire()
        .expect_err("two have succeeded, and the third is under way");
    last.success();
    assert_eq!(breaker.state(), State::Closed);
    fail(&breaker);
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn the_first_that_fails_opens_the_circuit() {
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
    assert_eq!(breaker.state(), State::Open, "the second is late");
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
async fn a_probe_that_is_no_evidence_makes_room_for_another() {
    let breaker = three_probes();
    half_open(&breaker).await;
    let first = breaker.try_acquire().unwrap();
    let second = breaker.try_acquire().unwrap();
    let third = hang(&breaker);
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
async fn each_that_hangs_loses_its_place_after_reset() {
    let breaker = three_probes();
    half_open(&breaker).await;
    let mut hung = Vec::new();
    for _ in 0..3 {
        hung.push(hang(&breaker));
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
        "until the second ends"
    );
    drop(hung.remove(0));
    breaker
        .try_acquire()
        .expect_err("the hung probe must not free the place of the next");
    next.success();
    advance(seconds(2)).await;
    succeed(&breaker);
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn forgotten_ones_do_not_lock_the_circuit() {
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
async fn one_that_answers_after_its_lease_still_counts() {
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
async fn what_succeeded_in_an_earlier_half_open_phase_is_forgotten() {
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
async fn there_can_be_very_many() {
    for most in [64, 65, 10_000] {
        let breaker = breaker(Config::builder().max_failures(1).probes(most));
        half_open(&breaker).await;
        for _ in 0..most {
            advance(std::time::Duration::from_micros(97)).await;
            std::mem::forget(breaker.try_acquire().unwrap());
        }
        breaker.try_acquire().unwrap_err();
        advance(seconds(30)).await;
        for _ in 0..most {
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

/// A probe that answers after its lease leaves one place less, and those who followed hold one more than there
/// are: the first of them to lose its own frees none.
#[tokio::test(start_paused = true)]
async fn after_a_late_success_the_wait_is_until_a_place_is_free() {
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
        "of the second's lease"
    );
    late.success();
    assert_eq!(
        retry_after(&breaker),
        Some(seconds(30)),
        "of the third's lease"
    );
    advance(seconds(6)).await;
    assert_eq!(retry_after(&breaker), Some(seconds(24)));
    drop(third);
    assert_eq!(breaker.snapshot().retry_after, None);
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
    drop(second);
}

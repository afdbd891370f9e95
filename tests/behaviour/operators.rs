//! Operators' orders: `reset`, `force_open` and `force_closed`.

use crate::support::{
    advance, consecutive, fail, half_open, retry_after, seconds, succeed, trip, windowed,
};
use circuit_runtime::{Permit, State};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn reset_closes_the_circuit_from_every_state() {
    let breaker = consecutive();
    breaker.reset();
    assert_eq!(breaker.state(), State::Closed);
    trip(&breaker);
    breaker.reset();
    assert_eq!(breaker.state(), State::Closed);
    half_open(&breaker).await;
    breaker.reset();
    assert_eq!(breaker.state(), State::Closed);
    breaker.force_open();
    breaker.reset();
    assert_eq!(breaker.state(), State::Closed);
    breaker.force_closed();
    breaker.reset();
    trip(&breaker);
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_forced_open_circuit_stays_open() {
    let breaker = consecutive();
    let stale = breaker.try_acquire().unwrap();
    breaker.force_open();
    stale.success();
    for _ in 0..10 {
        assert_eq!(retry_after(&breaker), None);
        assert_eq!(breaker.state(), State::Open);
        advance(seconds(86_400)).await;
    }
    let error = breaker.try_acquire().unwrap_err();
    assert_eq!(error.to_string(), "circuit `consecutive` is open");
    breaker.force_closed();
    succeed(&breaker);
}

#[tokio::test(start_paused = true)]
async fn a_forced_closed_circuit_stays_closed() {
    for breaker in [consecutive(), windowed()] {
        breaker.force_closed();
        for _ in 0..100 {
            fail(&breaker);
        }
        assert_eq!(breaker.state(), State::Closed);
        assert_eq!(breaker.snapshot().failed, 100);

        breaker.reset();
        fail(&breaker);
        fail(&breaker);
        assert_eq!(
            breaker.state(),
            State::Closed,
            "no failure of the meantime counts"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn no_call_that_started_earlier_undoes_an_order() {
    let breaker = consecutive();

    // A probe's success after `force_open`.
    half_open(&breaker).await;
    let probe = breaker.try_acquire().unwrap();
    breaker.force_open();
    probe.success();
    assert_eq!(breaker.state(), State::Open);

    // A probe's failure, and stale failures, after `reset`.
    breaker.reset();
    let stale: Vec<_> = (0..5).map(|_| breaker.try_acquire().unwrap()).collect();
    half_open(&breaker).await;
    let probe = breaker.try_acquire().unwrap();
    breaker.reset();
    probe.failure();
    stale.into_iter().for_each(Permit::failure);
    assert_eq!(breaker.state(), State::Closed);

    // A streak that had begun before.
    fail(&breaker);
    fail(&breaker);
    let third = breaker.try_acquire().unwrap();
    breaker.reset();
    third.failure();
    assert_eq!(breaker.state(), State::Closed);

    // A probe's failure after `force_closed`.
    half_open(&breaker).await;
    let probe = breaker.try_acquire().unwrap();
    breaker.force_closed();
    probe.failure();
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_repeated_force_open_counts_as_one_opening() {
    let breaker = consecutive();
    breaker.force_open();
    breaker.force_open();
    breaker.reset();
    trip(&breaker);
    assert_eq!(
        breaker.snapshot().opened,
        2,
        "one order, however often it is repeated, and one trip"
    );
}

#[tokio::test(start_paused = true)]
async fn many_orders_at_one_moment_hardly_shift_the_wait() {
    // A microsecond holds 32 transitions; further ones are dated to the next.
    for (rounds, shift) in [(10, 0), (1_000, 94)] {
        let breaker = consecutive();
        for _ in 0..rounds {
            breaker.force_open();
            breaker.force_closed();
            breaker.reset();
        }
        trip(&breaker);
        advance(Duration::from_micros(29_999_999)).await;
        assert_eq!(breaker.state(), State::Open);
        advance(Duration::from_micros(1 + shift)).await;
        assert_eq!(breaker.state(), State::HalfOpen);
    }
}

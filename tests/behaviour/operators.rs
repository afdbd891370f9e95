use crate::support::{
    advance, fail, half_open, in_a_row, retry_after, seconds, succeed, trip, windowed,
};
use circuit_runtime::{Permit, State};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn reset_closes_the_circuit_from_every_state() {
    let breaker = in_a_row();
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
async fn a_circuit_that_is_forced_open_stays_open() {
    let breaker = in_a_row();
    let late = breaker.try_acquire().unwrap();
    breaker.force_open();
    late.success();
    for _ in 0..10 {
        assert_eq!(retry_after(&breaker), None);
        assert_eq!(breaker.state(), State::Open);
        advance(seconds(86_400)).await;
    }
    let error = breaker.try_acquire().unwrap_err();
    assert_eq!(error.to_string(), "circuit `in a row` is open");
    breaker.force_closed();
    succeed(&breaker);
}

#[tokio::test(start_paused = true)]
async fn a_circuit_that_is_forced_closed_stays_closed() {
    for breaker in [in_a_row(), windowed()] {
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
            "nothing counted in the meantime"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_that_started_before_undoes_an_order() {
    let breaker = in_a_row();

    // A probe's success after `force_open`.
    half_open(&breaker).await;
    let probe = breaker.try_acquire().unwrap();
    breaker.force_open();
    probe.success();
    assert_eq!(breaker.state(), State::Open);

    // A probe's failure, and late failures, after `reset`.
    breaker.reset();
    let late: Vec<_> = (0..5).map(|_| breaker.try_acquire().unwrap()).collect();
    half_open(&breaker).await;
    let probe = breaker.try_acquire().unwrap();
    breaker.reset();
    probe.failure();
    late.into_iter().for_each(Permit::failure);
    assert_eq!(breaker.state(), State::Closed);

    // A row that had begun before.
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
async fn orders_count_as_openings() {
    let breaker = in_a_row();
    breaker.force_open();
    breaker.force_open();
    breaker.reset();
    trip(&breaker);
    assert_eq!(
        breaker.snapshot().opened,
        2,
        "one order, however often it is given, and one trip"
    );
}

#[tokio::test(start_paused = true)]
async fn an_operator_in_a_hurry_hardly_shifts_the_wait() {
    // Thirty-two transitions fit into a microsecond, each further one counts as the next.
    for (rounds, shift) in [(10, 0), (1_000, 94)] {
        let breaker = in_a_row();
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

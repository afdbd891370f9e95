//! A result belongs to the state that let its call in.

use crate::support::{
    advance, fail, half_open, in_a_row, millis, retry_after, seconds, succeed, trip, windowed,
};
use circuit_runtime::{CircuitBreaker, Config, State};

#[tokio::test(start_paused = true)]
async fn a_late_success_does_not_close_an_open_circuit() {
    let breaker = in_a_row();
    let late = breaker.try_acquire().unwrap();
    trip(&breaker);
    late.success();
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_late_failure_does_not_prolong_an_open_circuit() {
    let breaker = in_a_row();
    let late = breaker.try_acquire().unwrap();
    trip(&breaker);
    advance(seconds(10)).await;
    late.failure();
    assert_eq!(retry_after(&breaker), Some(seconds(20)));
    assert_eq!(breaker.snapshot().opened, 1);
}

#[tokio::test(start_paused = true)]
async fn late_results_leave_a_half_open_circuit_and_its_probe_alone() {
    let breaker = in_a_row();
    let late: Vec<_> = (0..12).map(|_| breaker.try_acquire().unwrap()).collect();
    half_open(&breaker).await;
    let probe = breaker.try_acquire().unwrap();
    for (turn, late) in late.into_iter().enumerate() {
        match turn % 4 {
            0 => late.success(),
            1 => late.failure(),
            2 => late.ignore(),
            _ => drop(late),
        }
        assert_eq!(breaker.state(), State::HalfOpen);
        breaker
            .try_acquire()
            .expect_err("the probe's place is taken");
    }
    probe.success();
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn late_failures_do_not_trip_a_circuit_that_has_recovered() {
    for breaker in [in_a_row(), windowed()] {
        let late: Vec<_> = (0..12).map(|_| breaker.try_acquire().unwrap()).collect();
        half_open(&breaker).await;
        succeed(&breaker);
        fail(&breaker);
        fail(&breaker);
        late.into_iter().for_each(circuit_runtime::Permit::failure);
        assert_eq!(breaker.state(), State::Closed);
        fail(&breaker);
        assert_eq!(breaker.state(), State::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_success_does_not_end_a_row_of_a_later_generation() {
    let breaker = in_a_row();
    let late = breaker.try_acquire().unwrap();
    breaker.reset();
    fail(&breaker);
    fail(&breaker);
    late.success();
    fail(&breaker);
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_result_of_an_earlier_generation_moves_nothing_however_many_came_between() {
    let config = Config::builder().max_failures(1).build().unwrap();
    let breaker = CircuitBreaker::new("generations", config);
    for between in 0..200 {
        let late = breaker.try_acquire().unwrap();
        for _ in 0..=between {
            breaker.reset();
        }
        late.failure();
        assert_eq!(
            breaker.state(),
            State::Closed,
            "{between} at the same moment"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_result_counts_when_the_state_is_still_the_same() {
    let breaker = windowed();
    let slow: Vec<_> = (0..3).map(|_| breaker.try_acquire().unwrap()).collect();
    advance(seconds(3_600)).await;
    slow.into_iter().for_each(circuit_runtime::Permit::failure);
    assert_eq!(breaker.state(), State::Open);

    let breaker = in_a_row();
    fail(&breaker);
    fail(&breaker);
    let slow = breaker.try_acquire().unwrap();
    advance(millis(1)).await;
    slow.success();
    fail(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

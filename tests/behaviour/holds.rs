//! Orders that end by themselves, and rules on trial while the circuit is held closed.

use crate::support::{
    advance, breaker, consecutive, fail, half_open, millis, retry_after, seconds, succeed, trip,
    windowed,
};
use circuit_runtime::{CircuitBreaker, Config, HoldSource, State};
use std::time::Duration;

/// Returns how long the state has held, to a hundredth of a second: in virtual time, each
/// transition takes a microsecond.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few minutes"
)]
fn since(breaker: &CircuitBreaker) -> Duration {
    let since = breaker.snapshot().since;
    let hundredths = since.as_secs_f64() * 100.0;
    millis(10) * hundredths.round() as u32
}

#[tokio::test(start_paused = true)]
async fn a_circuit_held_open_for_a_time_closes_by_time_alone() {
    let breaker = consecutive();
    fail(&breaker);
    let stale = breaker.try_acquire().unwrap();
    breaker.force_open_for(seconds(60));
    assert_eq!(retry_after(&breaker), Some(seconds(60)));
    let hold = breaker.snapshot().hold.unwrap();
    assert_eq!((hold.to, hold.source), (State::Open, HoldSource::Order));
    assert_eq!(hold.ends_in, Some(seconds(60)));

    advance(millis(59_999)).await;
    assert_eq!(breaker.state(), State::Open);
    assert_eq!(retry_after(&breaker), Some(millis(1)));
    advance(seconds(6)).await;
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.state, snapshot.hold), (State::Closed, None));
    assert_eq!(since(&breaker), seconds(6), "since the end");
    assert_eq!(breaker.would_reject(), None);

    stale.failure();
    fail(&breaker);
    fail(&breaker);
    assert_eq!(breaker.state(), State::Closed, "no earlier failure counts");
    fail(&breaker);
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_circuit_held_closed_for_a_time_counts_anew_afterwards() {
    for breaker in [consecutive(), windowed()] {
        trip(&breaker);
        breaker.force_closed_for(seconds(60));
        let stale = breaker.try_acquire().unwrap();
        fail(&breaker);
        fail(&breaker);
        assert_eq!(breaker.snapshot().hold.unwrap().ends_in, Some(seconds(60)));
        advance(seconds(60)).await;
        assert_eq!(breaker.snapshot().hold, None);

        stale.failure();
        fail(&breaker);
        fail(&breaker);
        assert_eq!(breaker.state(), State::Closed);
        assert_eq!(breaker.snapshot().withheld, 0);
        fail(&breaker);
        assert_eq!(breaker.state(), State::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_hold_is_replaced_by_the_next_order() {
    let breaker = consecutive();
    breaker.force_open_for(seconds(10));
    breaker.force_open();
    advance(seconds(100)).await;
    assert_eq!(retry_after(&breaker), None);
    breaker.force_open_for(seconds(10));
    advance(seconds(5)).await;
    breaker.force_open_for(seconds(10));
    advance(seconds(9)).await;
    assert_eq!(breaker.state(), State::Open);
    assert_eq!(breaker.snapshot().opened, 1, "the state did not change");
    breaker.force_closed_for(seconds(10));
    advance(seconds(9)).await;
    breaker.reset();
    trip(&breaker);
    advance(seconds(2)).await;
    assert_eq!(breaker.state(), State::Open);
    breaker.force_open_for(Duration::ZERO);
    assert_eq!(breaker.state(), State::Closed);
    breaker.force_open_for(Duration::MAX);
    advance(seconds(1_000_000_000)).await;
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn rules_are_tried_out_while_the_circuit_is_held_closed() {
    for breaker in [consecutive(), windowed()] {
        breaker.force_closed();
        for failures in 1..=100 {
            fail(&breaker);
            assert_eq!(breaker.snapshot().withheld, failures / 3);
        }
        let snapshot = breaker.snapshot();
        assert_eq!((snapshot.state, snapshot.opened), (State::Closed, 0));
        breaker.reset();
        assert_eq!(breaker.snapshot().withheld, 33);
        fail(&breaker);
        fail(&breaker);
        assert_eq!(
            breaker.state(),
            State::Closed,
            "no failure of the meantime counts"
        );
    }
}

/// The shortest window there is: an order that took a microsecond would empty it.
#[tokio::test(start_paused = true)]
async fn an_order_that_is_repeated_takes_no_time_and_leaves_the_evidence() {
    let config = Config::builder()
        .max_failures(2)
        .window(Duration::from_micros(1));
    let breaker = breaker(config);
    breaker.force_closed();
    fail(&breaker);
    breaker.force_closed();
    breaker.trip();
    fail(&breaker);
    assert_eq!(breaker.snapshot().withheld, 1);
}

#[tokio::test(start_paused = true)]
async fn overdue_calls_are_withheld_too() {
    let config = Config::builder()
        .slow_call(seconds(1))
        .slow_rate(1.0)
        .min_calls(1)
        .last_calls(10);
    let breaker = breaker(config);
    breaker.force_closed();
    let _overdue = breaker.try_acquire().unwrap();
    advance(seconds(2)).await;
    succeed(&breaker);
    assert_eq!(breaker.snapshot().withheld, 1);
}

#[tokio::test(start_paused = true)]
async fn a_tripped_circuit_recovers_by_itself() {
    let breaker = consecutive();
    breaker.trip();
    assert_eq!(retry_after(&breaker), Some(seconds(30)));
    assert_eq!(breaker.snapshot().opened, 1);
    advance(seconds(10)).await;
    breaker.trip();
    assert_eq!(retry_after(&breaker), Some(seconds(20)), "open already");
    assert_eq!(breaker.snapshot().opened, 1);
    advance(seconds(20)).await;
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);

    breaker.open_for(seconds(5));
    assert_eq!(retry_after(&breaker), Some(seconds(5)));
    advance(seconds(5)).await;
    assert_eq!(breaker.state(), State::HalfOpen);
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn open_for_sets_what_is_left_of_a_wait() {
    let breaker = consecutive();
    trip(&breaker);
    advance(seconds(10)).await;
    for left in [1, 100] {
        breaker.open_for(seconds(left));
        assert_eq!(retry_after(&breaker), Some(seconds(left)));
    }
    assert_eq!(since(&breaker), seconds(10));
    assert_eq!(breaker.snapshot().opened, 1);
    advance(seconds(100)).await;
    assert_eq!(breaker.state(), State::HalfOpen);
    breaker.open_for(Duration::MAX);
    advance(seconds(1_000_000_000)).await;
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_half_open_circuit_that_is_tripped_reopens_as_after_a_failed_probe() {
    let config = Config::builder().max_failures(1).max_reset(seconds(600));
    for open in [CircuitBreaker::trip, |breaker: &CircuitBreaker| {
        breaker.open_for(seconds(7));
    }] {
        let breaker = breaker(config);
        half_open(&breaker).await;
        let stale = breaker.try_acquire().unwrap();
        open(&breaker);
        stale.success();
        assert_eq!(breaker.state(), State::Open);
        let snapshot = breaker.snapshot();
        assert_eq!((snapshot.opened, snapshot.reopenings), (2, 1));
        advance(snapshot.retry_after.unwrap()).await;
        fail(&breaker);
        assert_eq!(retry_after(&breaker), Some(seconds(120)), "doubled twice");
        assert_eq!(breaker.snapshot().reopenings, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_held_circuit_cannot_be_tripped() {
    let breaker = consecutive();
    breaker.force_closed();
    breaker.trip();
    breaker.open_for(seconds(5));
    assert_eq!(breaker.state(), State::Closed);
    breaker.force_open_for(seconds(50));
    breaker.open_for(seconds(5));
    assert!(retry_after(&breaker) > Some(seconds(49)));
    advance(seconds(50)).await;
    breaker.trip();
    assert_eq!(retry_after(&breaker), Some(seconds(30)), "the hold is over");
}

#[tokio::test(start_paused = true)]
async fn a_question_whether_a_call_would_be_rejected_changes_nothing() {
    let breaker = consecutive();
    assert_eq!(breaker.would_reject(), None);
    half_open(&breaker).await;
    assert_eq!(breaker.would_reject(), None);
    assert_eq!(breaker.would_reject(), None, "it took no slot");
    let probe = breaker.try_acquire().unwrap();
    advance(seconds(1)).await;
    let would_reject = breaker.would_reject().unwrap();
    assert_eq!(would_reject.retry_after(), Some(seconds(29)));
    assert_eq!(breaker.snapshot().rejected, 0);
    assert_eq!(breaker.try_acquire().unwrap_err(), would_reject);
    probe.failure();
    let would_reject = breaker.would_reject().unwrap();
    assert_eq!(would_reject.retry_after(), Some(seconds(30)));
    breaker.force_open();
    assert_eq!(breaker.would_reject().unwrap().retry_after(), None);
}

#[tokio::test(start_paused = true)]
async fn a_probe_keeps_its_slot_for_as_long_as_its_timeout() {
    let config = Config::builder()
        .max_failures(1)
        .reset(seconds(1))
        .timeout(seconds(10));
    let breaker = breaker(config);
    half_open(&breaker).await;
    let _probe = breaker.try_acquire().unwrap();
    for left in (1..=10).rev() {
        assert_eq!(retry_after(&breaker), Some(seconds(left)));
        advance(seconds(1)).await;
    }
    let _next = breaker.try_acquire().unwrap();
}

/// Leases of an earlier generation end after the wait of a later one.
#[tokio::test(start_paused = true)]
async fn leases_longer_than_the_wait_take_no_slot_of_the_next_generation() {
    for probes in [1, 3, 100] {
        let config = Config::builder()
            .max_failures(1)
            .probes(probes)
            .reset(seconds(100))
            .timeout(seconds(1_000));
        let breaker = breaker(config);
        half_open(&breaker).await;
        let late: Vec<_> = (0..probes)
            .map(|_| breaker.try_acquire().unwrap())
            .collect();
        breaker.open_for(millis(10));
        advance(millis(10)).await;
        let probes: Vec<_> = (0..probes)
            .map(|_| breaker.try_acquire().unwrap())
            .collect();
        breaker.try_acquire().unwrap_err();
        drop(late);
        breaker.try_acquire().unwrap_err();
        probes
            .into_iter()
            .for_each(circuit_runtime::Permit::success);
        assert_eq!(breaker.state(), State::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn since_shows_how_long_the_state_has_held() {
    let breaker = consecutive();
    let since = || since(&breaker);
    advance(seconds(5)).await;
    assert_eq!(since(), seconds(5), "since its creation");
    breaker.reset();
    advance(seconds(5)).await;
    assert_eq!(since(), seconds(10), "the state has not changed");
    breaker.force_closed_for(seconds(2));
    advance(seconds(5)).await;
    assert_eq!(since(), seconds(15), "closed, held and released");
    succeed(&breaker);
    assert_eq!(since(), seconds(15));
    breaker.force_closed();
    assert_eq!(since(), seconds(15));
    breaker.force_open();
    advance(seconds(5)).await;
    assert_eq!(since(), seconds(5));
    breaker.reset();
    half_open(&breaker).await;
    advance(seconds(5)).await;
    assert_eq!(since(), seconds(5), "since it is half-open");
}

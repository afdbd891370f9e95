//! Snapshots and debug output.

use crate::support::{advance, fail, half_open, millis, pending_call, seconds, succeed, timed};
use circuit_runtime::{CircuitBreaker, CircuitError, Config, State};
use std::sync::Barrier;
use std::thread;

#[tokio::test(start_paused = true)]
async fn every_outcome_is_counted_once() {
    let breaker = timed();
    succeed(&breaker);
    breaker.try_acquire().unwrap().ignore();
    drop(breaker.try_acquire().unwrap());
    drop(pending_call(&breaker));
    pending_call(&breaker).await.unwrap_err();
    fail(&breaker);
    fail(&breaker);
    breaker.try_acquire().unwrap_err();

    let snapshot = breaker.snapshot();
    assert_eq!(snapshot.name, "timed");
    assert_eq!(snapshot.state, State::Open);
    assert_eq!(snapshot.succeeded, 1);
    assert_eq!(snapshot.failed, 3);
    assert_eq!(snapshot.timed_out, 1);
    assert_eq!(snapshot.panicked, 0);
    assert_eq!(snapshot.ignored, 1);
    assert_eq!(snapshot.cancelled, 2);
    assert_eq!(snapshot.rejected, 1);
    assert_eq!(snapshot.opened, 1);
}

#[tokio::test(start_paused = true)]
async fn retry_after_of_a_snapshot_is_that_of_a_rejection() {
    let breaker = timed();
    assert_eq!(breaker.snapshot().retry_after, None);
    half_open(&breaker).await;
    assert_eq!(breaker.snapshot().retry_after, None, "a probe would run");
    let probe = breaker.try_acquire().unwrap();
    advance(millis(500)).await;
    assert_eq!(breaker.snapshot().retry_after, Some(millis(29_500)));
    probe.failure();
    assert_eq!(breaker.snapshot().retry_after, Some(seconds(30)));
    breaker.force_open();
    assert_eq!(breaker.snapshot().retry_after, None);
}

/// With more threads than stripes, at once and one after the other, every call is counted once.
#[test]
fn totals_are_exact_while_threads_start_and_exit() {
    const THREADS: u64 = 100;
    const CALLS: u64 = 10_000;

    let breaker = CircuitBreaker::new("totals", Config::default());
    let begin = Barrier::new(100);
    for _ in 0..3 {
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    begin.wait();
                    (0..CALLS).for_each(|_| succeed(&breaker));
                });
            }
        });
    }
    assert_eq!(breaker.snapshot().succeeded, 3 * THREADS * CALLS);
}

#[test]
fn the_debug_output_of_breaker_call_and_permit_shows_name_and_state() {
    let breaker = CircuitBreaker::new("shown", Config::default());
    let shown = r#"CircuitBreaker { name: "shown", state: Closed, .. }"#;
    assert_eq!(format!("{breaker:?}"), shown);

    let call = breaker.call(async { Ok::<_, CircuitError>(7) });
    assert_eq!(
        format!("{call:?}"),
        format!("Call {{ breaker: Some({shown}), .. }}")
    );

    let permit = breaker.try_acquire().unwrap();
    assert_eq!(
        format!("{permit:?}"),
        format!("Permit {{ breaker: {shown}, .. }}")
    );
}

use crate::support::{advance, fail, half_open, hang, millis, seconds, succeed, timed};
use circuit_runtime::{CircuitBreaker, CircuitError, Config, State};
use std::sync::Barrier;
use std::thread;

#[tokio::test(start_paused = true)]
async fn every_ending_is_counted_once() {
    let breaker = timed();
    succeed(&breaker);
    breaker.try_acquire().unwrap().ignore();
    drop(breaker.try_acquire().unwrap());
    drop(hang(&breaker));
    hang(&breaker).await.unwrap_err();
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
async fn retry_after_is_what_a_call_would_be_told() {
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

/// More threads than stripes, one after the other and all at once: no call is lost or counted twice.
#[test]
fn totals_are_exact_over_threads_that_come_and_go() {
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
fn a_breaker_a_call_and_a_permit_show_their_name_and_the_state() {
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

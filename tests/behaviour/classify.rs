//! Verdicts on the whole result of a call, an `Ok` included.

use crate::support::{
    Failed, advance, breaker, consecutive, fail, half_open, millis, poll_once, retry_after,
    seconds, succeed, timed,
};
use circuit_runtime::{CallError, CircuitBreaker, Config, State, Verdict};
use std::cell::RefCell;
use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// A response of a service that reports failures in its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Response {
    status: u16,
    retry_after: Option<u64>,
}

impl Response {
    fn new(status: u16) -> Self {
        Self {
            status,
            retry_after: None,
        }
    }
}

fn verdict(result: &Result<Response, Failed>) -> Verdict {
    let Ok(response) = result else {
        return Verdict::Failure;
    };
    match (response.status, response.retry_after) {
        (429, Some(wait)) => Verdict::Unavailable(seconds(wait)),
        (499, _) => Verdict::Ignored,
        (500.., _) => Verdict::Failure,
        _ => Verdict::Success,
    }
}

/// Makes a call that returns `result`, which must come back unchanged.
async fn call(breaker: &CircuitBreaker, result: Result<Response, Failed>) {
    let call = breaker.call(ready(result.clone())).classify(verdict);
    assert_eq!(call.await, result.map_err(CallError::Inner));
}

async fn respond(breaker: &CircuitBreaker, status: u16) {
    call(breaker, Ok(Response::new(status))).await;
}

/// Returns the totals of successes, failures, ignored and cancelled calls.
fn totals(breaker: &CircuitBreaker) -> [u64; 4] {
    let totals = breaker.snapshot();
    [
        totals.succeeded,
        totals.failed,
        totals.ignored,
        totals.cancelled,
    ]
}

#[tokio::test(start_paused = true)]
async fn an_ok_is_what_its_verdict_says() {
    let breaker = consecutive();
    respond(&breaker, 404).await;
    assert_eq!(totals(&breaker), [1, 0, 0, 0]);
    respond(&breaker, 500).await;
    respond(&breaker, 499).await;
    assert_eq!(totals(&breaker), [1, 1, 1, 0]);
    respond(&breaker, 503).await;
    assert_eq!(breaker.state(), State::Closed);
    call(&breaker, Err(Failed)).await;
    assert_eq!(breaker.state(), State::Open, "three failures");
    assert_eq!(totals(&breaker), [1, 3, 1, 0]);
    assert_eq!(retry_after(&breaker), Some(seconds(30)));
}

#[tokio::test(start_paused = true)]
async fn too_many_requests_open_the_circuit_for_as_long_as_the_service_asks() {
    let breaker = consecutive();
    respond(&breaker, 429).await;
    assert_eq!(breaker.state(), State::Closed, "no wait is asked for");
    let limited = Response {
        status: 429,
        retry_after: Some(7),
    };
    call(&breaker, Ok(limited)).await;
    assert_eq!(retry_after(&breaker), Some(seconds(7)));
    assert_eq!(totals(&breaker), [1, 1, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_success_ends_a_run_of_failures_and_an_ignored_result_does_not() {
    for (status, state) in [(404, State::Closed), (499, State::Open)] {
        let breaker = consecutive();
        respond(&breaker, 500).await;
        respond(&breaker, 500).await;
        respond(&breaker, status).await;
        respond(&breaker, 500).await;
        assert_eq!(breaker.state(), state, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_err_can_be_a_success() {
    let breaker = consecutive();
    for _ in 0..10 {
        let call = breaker.call(ready(Err::<(), _>(Failed)));
        call.classify(|_| Verdict::Success).await.unwrap_err();
    }
    assert_eq!(totals(&breaker), [10, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn the_verdict_on_a_probe_decides_the_state() {
    for (status, state) in [
        (404, State::Closed),
        (500, State::Open),
        (499, State::HalfOpen),
    ] {
        let breaker = consecutive();
        half_open(&breaker).await;
        respond(&breaker, status).await;
        assert_eq!(breaker.state(), state, "{status}");
    }
    let breaker = consecutive();
    half_open(&breaker).await;
    respond(&breaker, 499).await;
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed, "its slot was free again");
}

#[tokio::test(start_paused = true)]
async fn rejections_and_timeouts_are_not_classified() {
    let breaker = timed();
    let unseen = |_: &Result<(), Failed>| -> Verdict { unreachable!() };
    let timeout = breaker.call(pending()).classify(unseen).await;
    assert!(timeout.is_err());
    breaker.force_open();
    let rejection = breaker.call(ready(Ok(()))).classify(unseen).await;
    assert!(rejection.is_err());
    let totals = breaker.snapshot();
    assert_eq!((totals.timed_out, totals.rejected), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_permit_is_settled_with_any_verdict() {
    let wait = seconds(7);
    let verdicts = [
        (Verdict::Success, [1, 0, 0, 0], State::Closed),
        (Verdict::Failure, [0, 1, 0, 0], State::Closed),
        (Verdict::Ignored, [0, 0, 1, 0], State::Closed),
        (Verdict::Unavailable(wait), [0, 1, 0, 0], State::Open),
    ];
    for (verdict, expected, state) in verdicts {
        let breaker = consecutive();
        breaker.try_acquire().unwrap().settle(verdict);
        assert_eq!((totals(&breaker), breaker.state()), (expected, state));
        let breaker = consecutive();
        breaker.try_acquire_owned().unwrap().settle(verdict);
        assert_eq!((totals(&breaker), breaker.state()), (expected, state));
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_predicate_that_decides_decides() {
    // The predicates that decide, those that are asked, and the totals.
    let cases: [(_, &[&str], _); 8] = [
        ([true, true, true], &["ignore"], [0, 0, 1, 0]),
        ([true, false, true], &["ignore"], [0, 0, 1, 0]),
        ([true, true, false], &["ignore"], [0, 0, 1, 0]),
        ([true, false, false], &["ignore"], [0, 0, 1, 0]),
        ([false, true, true], &["ignore", "retry"], [0, 1, 0, 0]),
        ([false, true, false], &["ignore", "retry"], [0, 1, 0, 0]),
        (
            [false, false, true],
            &["ignore", "retry", "failure"],
            [0, 1, 0, 0],
        ),
        (
            [false, false, false],
            &["ignore", "retry", "failure"],
            [1, 0, 0, 0],
        ),
    ];
    for ([ignores, waits, fails], expected, counts) in cases {
        let asked = RefCell::new(Vec::new());
        let ignore = |_: &Failed| {
            asked.borrow_mut().push("ignore");
            ignores
        };
        let retry = |_: &Failed| {
            asked.borrow_mut().push("retry");
            waits.then_some(seconds(7))
        };
        let failure = |_: &Failed| {
            asked.borrow_mut().push("failure");
            fails
        };
        // However they are written.
        for order in 0..3 {
            asked.borrow_mut().clear();
            let breaker = consecutive();
            let call = breaker.call(ready(Err::<(), _>(Failed)));
            let result = match order {
                0 => {
                    call.ignore_if(ignore)
                        .retry_after(retry)
                        .failure_if(failure)
                        .await
                }
                1 => {
                    call.failure_if(failure)
                        .retry_after(retry)
                        .ignore_if(ignore)
                        .await
                }
                _ => {
                    call.retry_after(retry)
                        .ignore_if(ignore)
                        .failure_if(failure)
                        .await
                }
            };
            assert_eq!(result, Err(CallError::Inner(Failed)));
            assert_eq!(*asked.borrow(), expected, "written in order {order}");
            assert_eq!(totals(&breaker), counts);
            let is_open = breaker.state() == State::Open;
            assert_eq!(is_open, waits && !ignores);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_classification_counts_the_call_as_cancelled() {
    fn panics<T>() -> T {
        resume_unwind(Box::new("classification panicked"))
    }

    let breaker = consecutive();
    half_open(&breaker).await;
    let before = totals(&breaker);
    for turn in 1..=3 {
        let call = breaker.call(ready(Err::<(), _>(Failed)));
        let classified = call.classify(|_| panics());
        let mut classified = Box::pin(classified);
        catch_unwind(AssertUnwindSafe(|| poll_once(classified.as_mut()))).unwrap_err();
        assert!(poll_once(classified.as_mut()).is_pending());
        drop(classified);

        let call = breaker.call(ready(Err::<(), _>(Failed)));
        let waiting = AssertUnwindSafe(call.retry_after(|_| panics()));
        catch_unwind(|| poll_once({ waiting }.0)).unwrap_err();
        assert_eq!(totals(&breaker)[..3], before[..3]);
        assert_eq!(totals(&breaker)[3], before[3] + 2 * turn);
    }
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed, "no slot is lost");
}

#[tokio::test(start_paused = true)]
async fn a_stale_verdict_has_no_effect() {
    for verdict in [Verdict::Success, Verdict::Failure, Verdict::Ignored] {
        let breaker = consecutive();
        let stale = breaker.call(async {
            half_open(&breaker).await;
            Ok::<_, Failed>(())
        });
        stale.classify(|_| verdict).await.unwrap();
        assert_eq!(breaker.state(), State::HalfOpen);
        fail(&breaker);
        assert_eq!(breaker.state(), State::Open, "the slot was free");
    }
}

#[tokio::test(start_paused = true)]
async fn a_classified_call_is_slow_all_the_same() {
    let slow = Config::builder().slow_call(millis(500)).min_calls(2);
    let breaker = breaker(slow.last_calls(10));
    for _ in 0..2 {
        let late = async {
            advance(seconds(1)).await;
            Ok::<_, Failed>(())
        };
        let call = breaker.call(late).classify(|_| Verdict::Success);
        call.await.unwrap();
    }
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_classification_can_mutate_its_captures_and_use_the_breaker() {
    let breaker = consecutive();
    let mut seen = 0;
    let call = breaker.call(ready(Ok::<_, Failed>(7))).classify(|result| {
        seen += result.as_ref().unwrap();
        breaker.force_open();
        Verdict::Success
    });
    assert_eq!(call.await, Ok(7));
    assert_eq!(seen, 7);
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn classifications_without_captures_take_no_room_and_keep_the_call_send() {
    fn is_send<T: Send>(_: &T) {}

    let breaker = consecutive();
    let call = || breaker.call(ready(Err::<(), _>(Failed)));
    let plain = size_of_val(&call());
    let classified = call().classify(|_| Verdict::Ignored);
    assert_eq!(size_of_val(&classified), plain);
    is_send(&classified);
    let predicates = call().retry_after(|_| None).failure_if(|_| true);
    let predicates = predicates.ignore_if(|_| false);
    assert_eq!(size_of_val(&predicates), plain);
    is_send(&predicates);
}

//! The options `classify`, `retry_after` and `ramp` of the attribute.

use crate::support::{ServiceError, advance, poll_once, seconds};
use circuit_runtime::{CircuitBreaker, State, Verdict, circuit_breaker, registry};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

/// A response, and how long its `Retry-After` says to wait.
type Response = (u16, Option<u64>);

fn verdict<E>(result: &Result<Response, E>) -> Verdict {
    match result {
        Ok((429, Some(wait))) => Verdict::Unavailable(seconds(*wait)),
        Ok((500.., _)) | Err(_) => Verdict::Failure,
        Ok((499, _)) => Verdict::Ignored,
        Ok(_) => Verdict::Success,
    }
}

fn find(name: &str) -> CircuitBreaker {
    registry::find(name).unwrap()
}

#[tokio::test(start_paused = true)]
async fn classify_sees_an_ok_as_well_as_an_err() {
    #[circuit_breaker(max_failures = 3, classify = verdict, name = "verdicts::classify")]
    async fn service(answer: Result<Response, ServiceError>) -> Result<Response, ServiceError> {
        answer
    }

    for (status, expected) in [
        (200, (1, 0, 0)),
        (404, (2, 0, 0)),
        (499, (2, 0, 1)),
        (500, (2, 1, 1)),
    ] {
        assert_eq!(service(Ok((status, None))).await, Ok((status, None)));
        let totals = find("verdicts::classify").snapshot();
        assert_eq!(
            (totals.succeeded, totals.failed, totals.ignored),
            expected,
            "{status}"
        );
    }
    let failed = service(Err(ServiceError::Failed)).await;
    assert_eq!(failed, Err(ServiceError::Failed));
    assert_eq!(find("verdicts::classify").state(), State::Closed);
    assert_eq!(service(Ok((503, None))).await, Ok((503, None)));
    assert!(service(Ok((200, None))).await.is_err(), "rejected");
}

#[tokio::test(start_paused = true)]
async fn an_unavailable_service_is_left_alone_for_as_long_as_it_asks() {
    #[circuit_breaker(
        max_failures = 100,
        classify = |result| match *limit {
            0 => Verdict::Success,
            _ => verdict(result),
        },
        fallback = Ok((503, None)),
        name = "verdicts::unavailable"
    )]
    async fn service(status: u16, limit: &u32) -> Result<Response, ()> {
        Ok((status, Some(90)))
    }

    assert_eq!(service(429, &0).await, Ok((429, Some(90))));
    assert_eq!(find("verdicts::unavailable").state(), State::Closed);
    assert_eq!(service(429, &1).await, Ok((429, Some(90))));
    assert_eq!(service(200, &1).await, Ok((503, None)));
    advance(seconds(89)).await;
    assert_eq!(find("verdicts::unavailable").state(), State::Open);
    advance(seconds(1)).await;
    assert_eq!(service(200, &1).await, Ok((200, Some(90))));
    assert_eq!(find("verdicts::unavailable").state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_first_predicate_that_decides_decides() {
    struct Refused {
        status: u16,
        wait: Option<Duration>,
    }

    #[circuit_breaker(
        max_failures = 2,
        failure_if = |error| error.status >= 500,
        retry_after = |error| error.wait,
        ignore_if = |error| error.status == 499,
        error = |_| Refused { status: 0, wait: None },
        name = "verdicts::order"
    )]
    async fn service(status: u16, wait: Option<u64>) -> Result<u8, Refused> {
        let wait = wait.map(seconds);
        Err(Refused { status, wait })
    }

    for (status, wait, expected) in [
        (404, None, (1, 0, 0)),
        (499, Some(5), (1, 0, 1)),
        (500, None, (1, 1, 1)),
    ] {
        assert!(service(status, wait).await.is_err());
        let totals = find("verdicts::order").snapshot();
        let found = (totals.succeeded, totals.failed, totals.ignored);
        assert_eq!(found, expected, "{status}");
        assert_eq!(find("verdicts::order").state(), State::Closed);
    }
    // `failure_if` would have made a success of it.
    assert!(service(429, Some(7)).await.is_err());
    assert_eq!(find("verdicts::order").state(), State::Open);
    let rejected = service(200, None).await.err().map(|error| error.status);
    assert_eq!(rejected, Some(0));
    advance(seconds(7)).await;
    assert_eq!(find("verdicts::order").state(), State::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn retry_after_can_be_a_path_and_sees_no_ok() {
    fn wait(error: &ServiceError) -> Option<Duration> {
        matches!(error, ServiceError::Failed).then_some(seconds(3))
    }

    #[circuit_breaker(retry_after = wait, or_else = |_| Ok(0), timeout = "1s", name = "verdicts::path")]
    async fn service(answer: Result<u8, ServiceError>) -> Result<u8, ServiceError> {
        answer
    }

    assert_eq!(service(Ok(7)).await, Ok(7));
    assert_eq!(find("verdicts::path").state(), State::Closed);
    assert_eq!(service(Err(ServiceError::Failed)).await, Ok(0));
    assert_eq!(find("verdicts::path").state(), State::Open);
    advance(seconds(3)).await;
    assert_eq!(service(Ok(7)).await, Ok(7));
}

#[test]
fn a_panic_in_classify_cancels_the_call() {
    #[circuit_breaker(classify = |_| panic!("in classify"), name = "verdicts::panics")]
    async fn service() -> Result<u8, ServiceError> {
        Ok(7)
    }

    let call = AssertUnwindSafe(|| poll_once(Box::pin(service())).is_ready());
    assert!(std::panic::catch_unwind(call).is_err());
    let totals = find("verdicts::panics").snapshot();
    assert_eq!((totals.cancelled, totals.succeeded), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn after_a_recovery_a_ramp_admits_a_share_of_the_calls() {
    const RAMP: Duration = seconds(20);

    #[circuit_breaker(max_failures = 1, reset = "5s", ramp = RAMP, name = "verdicts::ramp")]
    async fn service(fail: bool) -> Result<(), ServiceError> {
        if fail {
            Err(ServiceError::Failed)
        } else {
            Ok(())
        }
    }

    assert!(service(true).await.is_err());
    advance(seconds(5)).await;
    service(false).await.unwrap();
    assert_eq!(find("verdicts::ramp").state(), State::HalfOpen);
    let mut admitted = 0;
    for _ in 0..100 {
        admitted += u32::from(service(false).await.is_ok());
    }
    assert!((9..=11).contains(&admitted), "{admitted} of 100");
    advance(RAMP).await;
    assert_eq!(find("verdicts::ramp").state(), State::Closed);
}

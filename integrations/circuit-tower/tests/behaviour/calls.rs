//! Calls: what is taken, counted and given back.

use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use circuit_runtime::{CircuitError, Config, State, Verdict};
use circuit_tower::{BoxError, CircuitBreakerLayer, Classify, Errors};
use tower::load_shed::error::Overloaded;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{
    Failed, Script, Strict, breaker, circuit_error, half_open, has_slot, is_open, poll_once,
    poll_ready, seconds, timed, two_failures,
};

#[tokio::test(start_paused = true)]
async fn failures_open_the_circuit_and_a_probe_closes_it() {
    let breaker = two_failures();
    let inner = Script::new([Err(Failed), Err(Failed), Ok(7)]);
    let service = CircuitBreakerLayer::new(breaker.clone()).layer(inner.clone());
    for _ in 0..2 {
        let error = service.clone().oneshot(()).await.unwrap_err();
        assert!(error.is::<Failed>());
    }
    assert_eq!(breaker.state(), State::Open);
    assert!(is_open(&service.clone().oneshot(()).await.unwrap_err()));
    assert_eq!(inner.calls(), 2);

    tokio::time::advance(seconds(30)).await;
    assert_eq!(service.oneshot(()).await.unwrap(), 7);
    assert_eq!(breaker.state(), State::Closed);
    let snapshot = breaker.snapshot();
    assert_eq!(
        (snapshot.failed, snapshot.rejected, snapshot.succeeded),
        (2, 1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_is_applied_again_and_again_has_one_breaker() {
    let breaker = two_failures();
    let layer = CircuitBreakerLayer::new(breaker.clone());
    let inner = Script::<()>::new([Err(Failed)]);
    for _ in 0..2 {
        let service = layer.layer(inner.clone());
        assert!(service.oneshot(()).await.unwrap_err().is::<Failed>());
    }
    assert!(is_open(
        &layer.clone().layer(inner).oneshot(()).await.unwrap_err()
    ));
}

#[tokio::test(start_paused = true)]
async fn an_unpolled_future_gives_everything_back() {
    let breaker = two_failures();
    half_open(&breaker).await;
    let mut service = CircuitBreakerLayer::new(breaker.clone()).layer(Strict::default());
    assert!(poll_ready::<_, ()>(&mut service).is_ready());
    let call = service.call(());
    assert!(!has_slot(&breaker));
    drop(call);
    assert!(has_slot(&breaker));
    assert_eq!(breaker.snapshot().cancelled, 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_is_not_counted() {
    let breaker = two_failures();
    half_open(&breaker).await;
    let mut service = CircuitBreakerLayer::new(breaker.clone()).layer(Strict::default());
    assert!(poll_ready::<_, ()>(&mut service).is_ready());
    let mut call = Box::pin(service.call(()));
    assert!(poll_once(call.as_mut()).is_pending());
    assert!(!has_slot(&breaker));
    drop(call);
    assert!(has_slot(&breaker));
    assert_eq!(breaker.snapshot().failed, 0);
}

#[tokio::test(start_paused = true)]
async fn the_timeout_of_the_breaker_holds() {
    let breaker = timed();
    let hung = service_fn(|()| pending::<Result<(), Failed>>());
    let service = CircuitBreakerLayer::new(breaker.clone()).layer(hung);
    for _ in 0..2 {
        let error = service.clone().oneshot(()).await.unwrap_err();
        assert!(circuit_error(&error).is_timeout());
    }
    assert_eq!(breaker.snapshot().timed_out, 2);
    assert!(is_open(&service.oneshot(()).await.unwrap_err()));
}

#[tokio::test(start_paused = true)]
async fn the_timeout_begins_with_the_first_poll() {
    let mut service = CircuitBreakerLayer::new(timed()).layer(service_fn(async |()| {
        tokio::time::sleep(seconds(1)).await;
        Ok::<_, Failed>(7)
    }));
    let call = service.call(());
    tokio::time::advance(seconds(5)).await;
    assert_eq!(call.await.unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_timed_out_is_dropped_at_once() {
    let alive = Arc::new(AtomicUsize::new(0));
    let hung = service_fn({
        let alive = alive.clone();
        move |()| {
            let held = alive.clone();
            async move {
                let answer = pending::<Result<(), Failed>>().await;
                drop(held);
                answer
            }
        }
    });
    let mut service = CircuitBreakerLayer::new(timed()).layer(hung);
    let mut call = Box::pin(service.ready().await.unwrap().call(()));
    assert_eq!(Arc::strong_count(&alive), 3);
    assert!(call.as_mut().await.is_err());
    assert_eq!(Arc::strong_count(&alive), 2);
    assert!(poll_once(call).is_pending());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_over_stays_pending() {
    let breaker = timed();
    let mut service =
        CircuitBreakerLayer::new(breaker.clone()).layer(service_fn(async |work| match work {
            "succeeds" => Ok(7),
            "fails" => Err(Failed),
            _ => pending().await,
        }));
    for work in ["succeeds", "fails", "times out", "is rejected"] {
        if work == "is rejected" {
            breaker.trip();
        }
        let mut call = std::pin::pin!(service.call(work));
        assert_eq!(call.as_mut().await.is_ok(), work == "succeeds");
        for _ in 0..2 {
            assert!(poll_once(call.as_mut()).is_pending(), "{work}");
        }
    }
    assert_eq!(breaker.snapshot().rejected, 1);
}

#[test]
fn a_timeout_without_a_runtime_is_an_error() {
    let breaker = timed();
    let inner = Script::new([Ok(7)]);
    let service = CircuitBreakerLayer::new(breaker.clone()).layer(inner);
    let std::task::Poll::Ready(Err(error)) = poll_once(service.oneshot(())) else {
        panic!("no error")
    };
    assert!(matches!(
        circuit_error(&error),
        CircuitError::NoRuntime { .. }
    ));
    assert_eq!(breaker.snapshot().cancelled, 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure_in_the_call_and_in_its_future() {
    let breaker = breaker(Config::builder().max_failures(9));
    let mut at_once = CircuitBreakerLayer::new(breaker.clone()).layer(service_fn(panics_at_once));
    let panicked = std::panic::catch_unwind(AssertUnwindSafe(|| drop(at_once.call(()))));
    assert!(panicked.is_err());
    assert_eq!(breaker.snapshot().panicked, 1);

    let polled = CircuitBreakerLayer::new(breaker.clone()).layer(service_fn(panics_when_polled));
    assert!(tokio::spawn(polled.oneshot(())).await.is_err());
    assert_eq!(breaker.snapshot().panicked, 2);
}

fn panics_at_once((): ()) -> std::future::Ready<Result<(), Failed>> {
    panic!("at once")
}

async fn panics_when_polled((): ()) -> Result<(), Failed> {
    panic!("when polled")
}

#[tokio::test(start_paused = true)]
async fn a_closure_classifies() {
    let breaker = two_failures();
    let inner = Script::new([Ok(503), Ok(429), Err(Failed), Ok(200)]);
    let layer =
        CircuitBreakerLayer::new(breaker.clone()).classify(|result: &Result<u16, Failed>| {
            match result {
                Ok(503) => Verdict::Failure,
                Ok(429) => Verdict::Unavailable(seconds(20)),
                Ok(_) => Verdict::Success,
                Err(Failed) => Verdict::Ignored,
            }
        });
    let service = layer.layer(inner);
    assert_eq!(service.clone().oneshot(()).await.unwrap(), 503);
    assert_eq!(breaker.snapshot().failed, 1);
    assert_eq!(service.clone().oneshot(()).await.unwrap(), 429);
    let error = service.clone().oneshot(()).await.unwrap_err();
    assert_eq!(circuit_error(&error).retry_after(), Some(seconds(20)));
    breaker.reset();
    assert!(service.clone().oneshot(()).await.is_err());
    assert_eq!(breaker.snapshot().ignored, 1);
    assert_eq!(service.oneshot(()).await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_of_a_breaker_inside_is_not_counted() {
    let (outside, inside) = (two_failures(), two_failures());
    let inner = CircuitBreakerLayer::new(inside.clone()).layer(Script::new([Ok(7)]));
    let service = CircuitBreakerLayer::new(outside.clone()).layer(inner);
    inside.trip();
    for _ in 0..5 {
        assert!(is_open(&service.clone().oneshot(()).await.unwrap_err()));
    }
    assert_eq!(outside.state(), State::Closed);
    assert_eq!(outside.snapshot().ignored, 5);
}

#[tokio::test(start_paused = true)]
async fn a_loop_of_rejected_calls_lets_other_tasks_run() {
    let breaker = two_failures();
    breaker.trip();
    let service = CircuitBreakerLayer::new(breaker).layer(Script::new([Ok(7)]));
    let rejections = Arc::new(AtomicUsize::new(0));
    let counted = rejections.clone();
    let rejected = tokio::spawn(async move {
        loop {
            assert!(service.clone().oneshot(()).await.is_err());
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    tokio::task::yield_now().await;
    assert!(rejections.load(Ordering::Relaxed) > 1);
    rejected.abort();
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_service_is_boxed_once() {
    let boxed = service_fn(async |()| Err::<(), BoxError>(Failed.into()));
    let service = CircuitBreakerLayer::new(two_failures()).layer(boxed);
    assert!(service.oneshot(()).await.unwrap_err().is::<Failed>());
}

#[test]
fn services_can_be_sent_and_shared() {
    fn is_shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    let layer = CircuitBreakerLayer::new(two_failures());
    is_shared(&layer);
    is_shared(&layer.layer(Script::new([Ok(7)])));
    assert!(format!("{layer:?}").starts_with("CircuitBreakerLayer"));
    let mut service = layer.layer(Script::new([Ok(7)]));
    assert!(format!("{service:?}").starts_with("CircuitBreaker "));
    assert_eq!(service.get_ref().calls(), 0);
    assert_eq!(service.get_mut().calls(), 0);
    assert!(format!("{:?}", service.call(())).starts_with("ResponseFuture"));
    assert_eq!(service.into_inner().calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_a_breaker_inside_is_a_failure() {
    let (outside, inside) = (two_failures(), timed());
    let hung = service_fn(|()| pending::<Result<(), Failed>>());
    let inner = CircuitBreakerLayer::new(inside).layer(hung);
    let service = CircuitBreakerLayer::new(outside.clone()).layer(inner);
    let error = service.oneshot(()).await.unwrap_err();
    assert!(circuit_error(&error).is_timeout());
    assert_eq!(outside.snapshot().failed, 1);
}

#[derive(Debug)]
struct Wrapped(CircuitError);

impl std::fmt::Display for Wrapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("wrapped")
    }
}

impl std::error::Error for Wrapped {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn a_rejection_inside_is_seen_unboxed_and_as_a_source() {
    let inside = two_failures();
    inside.trip();
    let error = inside.try_acquire().unwrap_err();
    let unboxed: Result<(), _> = Err(error.clone());
    assert_eq!(Errors.classify(&unboxed), Verdict::Ignored);
    let source: Result<(), BoxError> = Err(Wrapped(error).into());
    assert_eq!(Errors.classify(&source), Verdict::Ignored);
    let shed: Result<(), _> = Err(Overloaded::new());
    assert_eq!(Errors.classify(&shed), Verdict::Ignored);
    assert_eq!(Errors.classify(&Err::<(), _>(Failed)), Verdict::Failure);
}

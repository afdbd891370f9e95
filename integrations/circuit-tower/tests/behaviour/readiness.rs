//! Readiness: neither an open circuit nor the layer itself ever makes a service wait or fail.

use circuit_runtime::{Config, State};
use circuit_tower::CircuitBreakerLayer;
use tower::{Layer, Service, ServiceBuilder, ServiceExt};

use crate::support::{
    Dead, Failed, NeverReady, Script, Strict, breaker, call_ready, circuit_error, half_open,
    has_slot, is_open, poll_once, poll_ready, seconds, two_failures,
};

#[tokio::test(start_paused = true)]
async fn an_open_circuit_is_seen_although_the_inner_service_is_never_ready() {
    let breaker = two_failures();
    let inner = NeverReady::default();
    let mut service = CircuitBreakerLayer::new(breaker.clone()).layer(inner.clone());
    assert!(poll_ready::<_, ()>(&mut service).is_pending());
    assert_eq!(inner.asked(), 1);

    breaker.trip();
    let error = call_ready(&mut service).await.unwrap_err();
    assert!(is_open(&error));
    assert_eq!(circuit_error(&error).retry_after(), Some(seconds(30)));
    assert_eq!(inner.asked(), 1);
    assert_eq!(breaker.snapshot().rejected, 1);
}

#[tokio::test(start_paused = true)]
async fn a_circuit_never_makes_a_service_wait_or_fail() {
    let breaker = breaker(Config::builder().max_failures(2).ramp(seconds(10)));
    let mut service = CircuitBreakerLayer::new(breaker.clone()).layer(Script::new([Ok(7)]));
    let mut is_ready = || {
        matches!(
            poll_ready::<_, ()>(&mut service),
            std::task::Poll::Ready(Ok(()))
        )
    };
    assert!(is_ready());
    breaker.trip();
    assert!(is_ready());
    tokio::time::advance(seconds(30)).await;
    assert!(is_ready());
    let probe = breaker.try_acquire().unwrap();
    assert!(is_ready()); // the slot is taken
    probe.success();
    assert!(is_ready()); // on the ramp
    breaker.force_open();
    assert!(is_ready());
    breaker.force_closed();
    assert!(is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_rejection_is_remembered_for_the_next_call_alone() {
    let breaker = two_failures();
    let inner = Script::new([Ok(7)]);
    let mut service = CircuitBreakerLayer::new(breaker.clone()).layer(inner.clone());
    breaker.trip();
    assert!(poll_ready::<_, ()>(&mut service).is_ready());
    breaker.reset();
    // The inner service was not made ready, so it must not be called.
    assert!(is_open(&service.call(()).await.unwrap_err()));
    assert_eq!(inner.calls(), 0);
    assert_eq!(breaker.snapshot().rejected, 1);

    assert_eq!(call_ready(&mut service).await.unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_ramp_admits_its_share_of_the_calls_that_are_made_ready() {
    let breaker = breaker(Config::builder().max_failures(2).ramp(seconds(100)));
    let inner = Script::new([Ok(7)]);
    let mut service = CircuitBreakerLayer::new(breaker.clone()).layer(inner.clone());
    half_open(&breaker).await;
    assert_eq!(call_ready(&mut service).await.unwrap(), 7);
    for (second, share) in [(30, 30), (70, 70)] {
        let elapsed = breaker.snapshot().since;
        tokio::time::advance(seconds(second).saturating_sub(elapsed)).await;
        let before = inner.calls();
        for _ in 0..100 {
            drop(call_ready(&mut service).await);
        }
        let admitted = inner.calls() - before;
        assert!(admitted.abs_diff(share) <= 2, "{admitted} at {share} %");
    }
}

#[tokio::test(start_paused = true)]
async fn readiness_is_asked_anew_each_time() {
    let breaker = two_failures();
    let inner = NeverReady::default();
    let mut service = CircuitBreakerLayer::new(breaker.clone()).layer(inner.clone());
    breaker.trip();
    assert!(poll_ready::<_, ()>(&mut service).is_ready());
    breaker.reset();
    assert!(poll_ready::<_, ()>(&mut service).is_pending());
    breaker.trip();
    assert!(poll_ready::<_, ()>(&mut service).is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_circuit_that_opens_after_readiness_rejects_the_call() {
    let breaker = two_failures();
    let inner = Script::new([Ok(7)]);
    let mut service = CircuitBreakerLayer::new(breaker.clone()).layer(inner.clone());
    assert!(poll_ready::<_, ()>(&mut service).is_ready());
    breaker.trip();
    assert!(is_open(&service.call(()).await.unwrap_err()));
    assert_eq!(inner.calls(), 0);
    assert_eq!(breaker.snapshot().rejected, 1);
}

#[tokio::test(start_paused = true)]
async fn readiness_takes_no_slot_of_a_probe() {
    let breaker = two_failures();
    half_open(&breaker).await;
    let mut service = CircuitBreakerLayer::new(breaker.clone()).layer(Script::new([Ok(7)]));
    for _ in 0..10 {
        assert!(poll_ready::<_, ()>(&mut service).is_ready());
        assert!(has_slot(&breaker));
    }
    drop(service);
    assert!(has_slot(&breaker));
}

#[tokio::test(start_paused = true)]
async fn a_clone_has_no_memory_of_readiness() {
    let breaker = two_failures();
    let inner = Script::new([Ok(7)]);
    let mut service = CircuitBreakerLayer::new(breaker.clone()).layer(inner);
    breaker.trip();
    assert!(poll_ready::<_, ()>(&mut service).is_ready());
    breaker.reset();
    let clone = service.clone();
    assert_eq!(clone.oneshot(()).await.unwrap(), 7);
    assert!(is_open(&service.call(()).await.unwrap_err()));
}

#[tokio::test(start_paused = true)]
async fn the_clone_that_was_made_ready_is_the_one_that_is_called() {
    let breaker = two_failures();
    let mut service = CircuitBreakerLayer::new(breaker.clone()).layer(Strict::default());
    let mut clone = service.clone();
    for service in [&mut service, &mut clone] {
        assert!(poll_ready::<_, ()>(service).is_ready());
        assert!(poll_once(service.call(())).is_pending());
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_inner_readiness_is_a_failed_call() {
    let breaker = two_failures();
    let mut service = CircuitBreakerLayer::new(breaker.clone()).layer(Dead);
    let error = ServiceExt::<()>::ready(&mut service).await.unwrap_err();
    assert!(error.is::<Failed>());
    assert_eq!(breaker.snapshot().failed, 1);
    assert!(ServiceExt::<()>::ready(&mut service).await.is_err());
    assert_eq!(breaker.state(), State::Open);
    // From now on, it is the circuit that answers.
    let service = ServiceExt::<()>::ready(&mut service).await.unwrap();
    assert!(is_open(&service.call(()).await.unwrap_err()));
}

#[tokio::test(start_paused = true)]
async fn an_error_of_readiness_fails_a_probe() {
    let breaker = two_failures();
    half_open(&breaker).await;
    let mut service = CircuitBreakerLayer::new(breaker.clone()).layer(Dead);
    assert!(ServiceExt::<()>::ready(&mut service).await.is_err());
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_leaves_a_buffer_alive() {
    let breaker = two_failures();
    let inner = Script::new([Err(Failed), Err(Failed), Ok(7)]);
    let layer = CircuitBreakerLayer::new(breaker.clone());
    let mut service = ServiceBuilder::new()
        .buffer(4)
        .layer(layer)
        .service(inner.clone());
    for _ in 0..2 {
        let error = call_ready(&mut service).await.unwrap_err();
        assert!(error.is::<Failed>(), "{error:?}");
    }
    for _ in 0..10 {
        let error = call_ready(&mut service).await.unwrap_err();
        assert!(is_open(&error), "{error:?}");
    }
    assert_eq!(inner.calls(), 2);
    tokio::time::advance(seconds(30)).await;
    let answer = call_ready(&mut service).await;
    assert_eq!(answer.unwrap(), 7);
    assert_eq!(breaker.state(), State::Closed);
}

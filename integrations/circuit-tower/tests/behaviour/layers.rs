//! The place of the layer among those of tower.

use std::future::{Ready, ready};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use circuit_runtime::{CircuitError, State};
use circuit_tower::{BoxError, CircuitBreakerLayer};
use tower::balance::p2c::Balance;
use tower::discover::ServiceList;
use tower::load::{CompleteOnResponse, PendingRequests};
use tower::load_shed::error::Overloaded;
use tower::retry::Policy;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

use crate::support::{
    Failed, Script, call_ready, half_open, is_open, poll_once, poll_ready, seconds, two_failures,
};

/// Tries again, unless the circuit is open.
#[derive(Clone)]
struct Attempts(usize);

impl<R: Clone, T> Policy<R, T, BoxError> for Attempts {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut R, result: &mut Result<T, BoxError>) -> Option<Ready<()>> {
        let error = result.as_ref().err()?;
        let is_rejected = error.is::<CircuitError>();
        self.0 = self.0.checked_sub(1)?;
        (!is_rejected).then(|| ready(()))
    }

    fn clone_request(&mut self, request: &R) -> Option<R> {
        Some(request.clone())
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_outside_makes_a_call_of_each_attempt() {
    let breaker = two_failures();
    let inner = Script::<()>::new([Err(Failed)]);
    let service = ServiceBuilder::new()
        .retry(Attempts(9))
        .layer(CircuitBreakerLayer::new(breaker.clone()))
        .service(inner.clone());
    assert!(is_open(&service.oneshot(()).await.unwrap_err()));
    assert_eq!(inner.calls(), 2);
    assert_eq!(breaker.snapshot().failed, 2);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_inside_opens_the_circuit_and_one_outside_does_not() {
    let hung = || service_fn(|()| std::future::pending::<Result<(), BoxError>>());

    let inside = two_failures();
    let service = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::new(inside.clone()))
        .timeout(seconds(1))
        .service(hung());
    for _ in 0..2 {
        assert!(service.clone().oneshot(()).await.is_err());
    }
    assert_eq!(inside.state(), State::Open);

    let outside = two_failures();
    let service = ServiceBuilder::new()
        .timeout(seconds(1))
        .layer(CircuitBreakerLayer::new(outside.clone()))
        .service(hung());
    for _ in 0..2 {
        assert!(service.clone().oneshot(()).await.is_err());
    }
    assert_eq!(outside.state(), State::Closed);
    assert_eq!(outside.snapshot().cancelled, 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_a_load_shed_inside_rejects_is_not_counted() {
    let breaker = two_failures();
    let hung = service_fn(|()| std::future::pending::<Result<(), Failed>>());
    let service = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::new(breaker.clone()))
        .load_shed()
        .concurrency_limit(1)
        .service(hung);
    let mut first = pin!(service.clone().oneshot(()));
    assert!(poll_once(first.as_mut()).is_pending());
    for _ in 0..5 {
        let error = service.clone().oneshot(()).await.unwrap_err();
        assert!(error.is::<Overloaded>());
    }
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(breaker.snapshot().ignored, 5);
}

#[tokio::test(start_paused = true)]
async fn a_load_shed_outside_sheds_nothing_while_the_circuit_is_open() {
    let breaker = two_failures();
    let service = ServiceBuilder::new()
        .load_shed()
        .layer(CircuitBreakerLayer::new(breaker.clone()))
        .service(crate::support::NeverReady::default());
    let error = service.clone().oneshot(()).await.unwrap_err();
    assert!(error.is::<Overloaded>());
    assert_eq!(breaker.snapshot().failed, 0);
    breaker.trip();
    assert!(is_open(&service.oneshot(()).await.unwrap_err()));
}

#[tokio::test(start_paused = true)]
async fn a_concurrency_limit_outside_gets_its_slots_back() {
    let breaker = two_failures();
    breaker.trip();
    let mut service = ServiceBuilder::new()
        .concurrency_limit(1)
        .layer(CircuitBreakerLayer::new(breaker.clone()))
        .service(Script::new([Ok(7)]));
    for _ in 0..5 {
        assert!(is_open(&call_ready(&mut service).await.unwrap_err()));
    }
    tokio::time::advance(seconds(30)).await;
    assert_eq!(call_ready(&mut service).await.unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_limit_inside_keeps_its_slot_when_a_service_is_ready_and_rejected() {
    let breaker = two_failures();
    let limit = ServiceBuilder::new()
        .concurrency_limit(1)
        .service(Script::new([Ok(7)]));
    let layer = CircuitBreakerLayer::new(breaker.clone());
    let mut service = ServiceBuilder::new().layer(layer).service(limit.clone());
    assert!(poll_ready::<_, ()>(&mut service).is_ready());
    breaker.trip();
    assert!(is_open(&service.call(()).await.unwrap_err()));
    // Hence limits go outside.
    assert!(poll_once(limit.clone().oneshot(())).is_pending());
    drop(service);
    assert_eq!(limit.oneshot(()).await.unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_balancer_drops_no_endpoint_for_being_open() {
    let (first, second) = (two_failures(), two_failures());
    let endpoints = [&first, &second].map(|breaker| {
        let service = ServiceBuilder::new()
            .layer(CircuitBreakerLayer::new(breaker.clone()))
            .service(Script::new([Ok(7)]));
        PendingRequests::new(service, CompleteOnResponse::default())
    });
    let mut balance = Balance::new(ServiceList::new::<()>(endpoints));
    first.trip();
    second.trip();
    for _ in 0..20 {
        assert!(is_open(&call_ready(&mut balance).await.unwrap_err()));
    }
    assert_eq!(balance.len(), 2);
    tokio::time::advance(seconds(30)).await;
    for _ in 0..20 {
        assert_eq!(call_ready(&mut balance).await.unwrap(), 7);
    }
}

#[tokio::test(start_paused = true)]
async fn under_a_balancer_an_open_circuit_looks_idle() {
    let (open, busy) = (two_failures(), two_failures());
    let endpoints = [&open, &busy].map(|breaker| {
        let answer = service_fn(async |()| {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Ok::<_, Failed>(7)
        });
        let layer = CircuitBreakerLayer::new(breaker.clone());
        let service = ServiceBuilder::new().layer(layer).service(answer);
        PendingRequests::new(service, CompleteOnResponse::default())
    });
    open.force_open();
    let mut balance = Balance::new(ServiceList::new::<()>(endpoints));
    let mut calls = Vec::new();
    for _ in 0..40 {
        let mut call = Box::pin(balance.ready().await.unwrap().call(()));
        if poll_once(call.as_mut()).is_pending() {
            calls.push(call);
        }
    }
    // Hence not under a balancer: the one that rejects attracts nearly all requests.
    assert!(open.snapshot().rejected > 30, "{:?}", open.snapshot());
}

#[tokio::test(start_paused = true)]
async fn a_buffer_inside_that_is_closed_is_a_failure() {
    let breaker = two_failures();
    let (buffer, worker) = tower::buffer::Buffer::pair(Script::new([Ok(7)]), 1);
    drop(worker);
    let mut service = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::new(breaker.clone()))
        .service(buffer);
    assert!(ServiceExt::<()>::ready(&mut service).await.is_err());
    assert_eq!(breaker.snapshot().failed, 1);
}

#[tokio::test(start_paused = true)]
async fn one_of_many_clients_probes() {
    let breaker = two_failures();
    half_open(&breaker).await;
    let calls = Arc::new(AtomicUsize::new(0));
    let slow = service_fn(move |()| {
        calls.fetch_add(1, Ordering::Relaxed);
        async {
            tokio::time::sleep(seconds(1)).await;
            Ok::<_, Failed>(7)
        }
    });
    let service = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::new(breaker.clone()))
        .service(slow);
    let clients: Vec<_> = (0..10)
        .map(|_| tokio::spawn(service.clone().oneshot(())))
        .collect();
    let mut answers = 0;
    for client in clients {
        answers += usize::from(client.await.unwrap().is_ok());
    }
    assert_eq!(answers, 1);
    assert_eq!(breaker.state(), State::Closed);
}
